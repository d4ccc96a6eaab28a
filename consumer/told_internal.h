/*
 * What the files of told share. Nobody else includes this header.
 *
 *   told.c       the outcomes topic, from its beginning to its end
 *   told_keep.c  one record after the other into the scratch ledger
 */
#ifndef CONSUMER_TOLD_INTERNAL_H
#define CONSUMER_TOLD_INTERNAL_H

#include "common/digest.h"
#include "common/outcome_record.h"
#include "consumer/chunk.h"
#include "consumer/scratch.h"
#include "consumer/told.h"

#include <stddef.h>

/* Records that are kept in one transaction. */
#define TOLD_CHUNK 10000

/* Where a record stands in the outcomes topic. */
struct told_place {
    int32_t partition;
    int64_t offset;
};

struct told {
    struct told_source source; /* borrowed while the topic is read */
    struct scratch scratch;
    struct store *store;
    struct digest *digest; /* nothing in it between two uses */
    struct chunk *chunk;   /* decided items that are not in the store yet */
    int64_t decisions;
    int64_t ignored;
    size_t store_count; /* of the ledgers that answer there */
    char stores[TOLD_STORES_MAX][OUTCOME_STORE_SIZE];
    int64_t ends[CHUNK_PARTITIONS_MAX];
    struct told_place places[TOLD_CHUNK]; /* of the items */
};

/* Keep what a record tells. EX_DATAERR when it contradicts itself or one before. */
MUST_CHECK int told_keep(struct told *told, const struct outcome_record *record,
                         struct told_place place, struct error *err);

/* Bring what is not there yet into the store. */
MUST_CHECK int told_flush(struct told *told, struct error *err);

#endif
