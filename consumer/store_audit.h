/*
 * What an audit asks of a snapshot (store_sqlite_open_snapshot()) beside claim.
 */
#ifndef CONSUMER_STORE_AUDIT_H
#define CONSUMER_STORE_AUDIT_H

#include "consumer/store.h"

/* Something that the store has of a message. */
struct store_place {
    enum outcome outcome; /* applied or rejected, duplicate or conflict, or quarantined */
    int32_t partition;
    int64_t offset;
    const char *key; /* "" when there is no usable one; borrowed for the call */
};

typedef void store_visit_place(void *user, const struct store_place *place);

/* Visit all that the store has of the messages of its current log, in no certain order. */
MUST_CHECK enum store_status store_sqlite_places(struct store *store, store_visit_place *visit,
                                                 void *user, struct error *err);

/* How many repeats of a key were counted, those included that were not kept. */
MUST_CHECK enum store_status store_sqlite_repeats(struct store *store, const char *key,
                                                  int64_t *ret, struct error *err);

/* Whether the message that stood at a place of the current log is in quarantine as stale. */
MUST_CHECK enum store_status store_sqlite_was_stale(struct store *store, int32_t partition,
                                                    int64_t offset, bool *ret, struct error *err);

#endif
