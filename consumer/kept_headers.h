/*
 * The headers of a quarantined message, copied so that they can be published again.
 */
#ifndef CONSUMER_KEPT_HEADERS_H
#define CONSUMER_KEPT_HEADERS_H

#include "common/publisher.h"
#include "consumer/store_quarantine.h"

#include <stdbool.h>
#include <stddef.h>

/* Headers that may be put beside those of the message. */
#define KEPT_HEADERS_MORE 4

/* What is kept of a message's headers, with a NUL behind each name and value. */
#define KEPT_HEADERS_BYTES (STORE_QUARANTINE_MESSAGE_BYTES + 2 * CHUNK_HEADERS_MAX)

struct kept_headers {
    struct publisher_header list[CHUNK_HEADERS_MAX + KEPT_HEADERS_MORE];
    size_t count;
    size_t copied;   /* how many of them are the message's */
    size_t used;     /* of bytes */
    bool overflowed; /* there were more than any store keeps: it is damaged */
    char bytes[KEPT_HEADERS_BYTES];
};

/* Begin with nothing. */
void kept_headers_init(struct kept_headers *headers);

/* Put one of the caller's own, who keeps its bytes; at most KEPT_HEADERS_MORE. */
void kept_headers_put(struct kept_headers *headers, const char *name, const char *value,
                      size_t value_len);

/* Copy some bytes of a header, with a NUL behind them; NULL, and overflowed, without room. */
const char *kept_headers_keep(struct kept_headers *headers, const void *bytes, size_t len);

/* Copy a header: a store_visit_header, user is the kept_headers. */
void kept_headers_copy(void *user, const struct store_quarantined_header *header);

#endif
