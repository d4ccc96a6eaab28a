/*
 * The quarantine: messages that could not be read as a command, as they came.
 */
#ifndef CONSUMER_STORE_QUARANTINE_H
#define CONSUMER_STORE_QUARANTINE_H

#include "consumer/store.h"

#include <stddef.h>
#include <stdint.h>

struct store_bytes {
    const void *bytes; /* NULL = none, or none kept */
    size_t len;        /* of what is kept, */
    int64_t whole_len; /* and of all there was; -1 = there was none */
};

/* One message; borrowed for the call. */
struct store_quarantined {
    int64_t seq;
    const char *topic;
    int32_t partition;
    int64_t offset;
    const char *reason; /* unreadable_name() */
    const char *detail; /* what of it is unreadable; may be "" */
    struct store_bytes key;
    struct store_bytes value;
    unsigned char digest[DIGEST_SHORT_SIZE]; /* of the whole value: SHA-256, first bytes */
    int64_t timestamp_ms;                    /* the broker's */
    int64_t decided_ms;
};

/* A header of it, by its place from 0 on; the value may be NULL. */
struct store_quarantined_header {
    const char *name; /* name_len bytes */
    size_t name_len;
    const void *value;
    size_t value_len;
};

/* Which messages: all that fit all of it. */
struct store_quarantine_filter {
    const char *reason; /* NULL = any */
    int32_t partition;  /* -1 = any */
    int64_t offset;     /* -1 = any */
    int64_t since_ms;   /* by the broker's time; 0 = any */
};

typedef void store_visit_quarantined(void *user, const struct store_quarantined *message);
typedef void store_visit_header(void *user, const struct store_quarantined_header *header);

/* Visit messages in the order in which they were read. */
MUST_CHECK enum store_status store_sqlite_quarantine(struct store *store,
                                                     const struct store_quarantine_filter *filter,
                                                     store_visit_quarantined *visit, void *user,
                                                     struct error *err);

/* Visit the message of a seq; nothing when it is not in quarantine. */
MUST_CHECK enum store_status store_sqlite_quarantined(struct store *store, int64_t seq,
                                                      store_visit_quarantined *visit, void *user,
                                                      struct error *err);

/* Visit the headers that are kept of a message. May be called from its visit. */
MUST_CHECK enum store_status store_sqlite_quarantine_headers(struct store *store, int64_t seq,
                                                             store_visit_header *visit, void *user,
                                                             struct error *err);

#endif
