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

/* What the quarantine has at the place of a message. */
struct store_kept {
    bool is_there;
    enum unreadable reason; /* READABLE: the key is another's, or the reason is not known here */
    unsigned char digest[DIGEST_SHORT_SIZE]; /* of the payload of a stale one, else of the value */
    char detail[UNREADABLE_DETAIL_SIZE];
};

/* Look up the place of an item in the current log. */
MUST_CHECK enum store_status store_sqlite_kept(struct store *store, const struct chunk_item *item,
                                               struct store_kept *ret, struct error *err);

/* What is recorded of a message, among the repeats or in quarantine. */
struct store_recorded {
    enum outcome outcome; /* duplicate, conflict, quarantined; OUTCOME_NONE when there is nothing */
    bool is_stale;        /* quarantined as such */
    enum reason reason;   /* of a repeat, */
    int64_t first_seq;    /* the decision that it belongs to, 0 = none, */
    unsigned fields;      /* and the bits of the fields that differ from it */
    /* What of it is not as the message has it: "key", "digest", ... A static string; NULL: all is.
     */
    const char *wrong;
};

/*
 * What is recorded of an item, which was claimed, compared byte by byte with its message. Whether
 * it was decided rightly is not looked at.
 */
MUST_CHECK enum store_status store_sqlite_recorded(struct store *store, const struct chunk *chunk,
                                                   const struct chunk_item *item,
                                                   struct store_recorded *ret, struct error *err);

#endif
