/*
 * Whose is the consumer group? payd writes who it is into the metadata of each offset that it
 * commits, and reads it back before it consumes: a group belongs to one ledger. Pure functions.
 *
 *   payd1 <uuid> <incarnation> <chunks> <opening>
 */
#ifndef CONSUMER_OWNER_H
#define CONSUMER_OWNER_H

#include "consumer/store.h"

#include <stdbool.h>

/* Bytes of the metadata with its ending NUL. Kafka takes 4096 (offset.metadata.max.bytes). */
#define OWNER_TEXT_SIZE 128

enum owner {
    OWNER_NOBODY,  /* nothing was written there, or not by payd */
    OWNER_SELF,    /* this ledger, as it is or as it was */
    OWNER_NEWER,   /* this ledger's later self: what we hold is a copy or an old backup */
    OWNER_FOREIGN, /* another ledger */
};

/* Write who the store is. Returns text. */
char *owner_write(char text[OWNER_TEXT_SIZE], const struct store_identity *self);

/*
 * Read who stands in a group: false when it is nobody of payd's. text may be NULL or "". Of *ret
 * uuid, opening, incarnation and chunks are set.
 */
bool owner_read(const char *text, struct store_identity *ret);

/*
 * Judge what stands in a group. text may be NULL or "". claimed: this process has written itself
 * into the group before, so its own incarnation may stand there.
 */
enum owner owner_judge(const struct store_identity *self, bool claimed, const char *text);

#endif
