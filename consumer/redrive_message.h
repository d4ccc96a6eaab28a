/*
 * A quarantined message as the one that is published again, or why it is not.
 *
 *   key      as it was; redrive:TOPIC:PARTITION:OFFSET of where it stood when it was no usable key,
 *            so that a message which is redriven twice has the same key both times
 *   value    as it was, or mended
 *   headers  redrive (how often it was redriven, this time counted) and redrive-origin
 *            (TOPIC:PARTITION:OFFSET of where it stood first), then all others as they were
 *
 * What would only come back is refused: what still cannot be read, what is stale, and what was
 * redriven REDRIVES_MAX times already.
 *
 * Use: redrive_message_begin(), redrive_message_header() for each header, redrive_message_end().
 */
#ifndef CONSUMER_REDRIVE_MESSAGE_H
#define CONSUMER_REDRIVE_MESSAGE_H

#include "common/command.h"
#include "common/compiler.h"
#include "common/error.h"
#include "consumer/kept_headers.h"
#include "consumer/store_quarantine.h"

#include <stdbool.h>
#include <stddef.h>

/* How often a message may be redriven, by its own header. */
#define REDRIVES_MAX 3

#define REDRIVE_HEADER        "redrive"
#define REDRIVE_ORIGIN_HEADER "redrive-origin"

/* TOPIC:PARTITION:OFFSET, with its ending NUL: a topic has at most 249 bytes. */
#define REDRIVE_ORIGIN_SIZE 296

#define REDRIVE_WHY_SIZE 512

struct redrive_message {
    /* To be published, once the end says so: */
    char key[PAYMENT_KEY_MAX + 1];
    const char *value; /* borrowed from the message, or from who mended it */
    size_t value_len;
    struct kept_headers headers;

    /* Its own. */
    int redrives;                     /* by the message's header; 0 = never */
    char origin[REDRIVE_ORIGIN_SIZE]; /* where it stands in quarantine */
    const char *first_origin;         /* by the message's header, in bytes; NULL = none */
    size_t first_origin_len;
    char count[12]; /* the new header's value */
};

/*
 * Begin: find the key and the bytes. mended is NULL for the value as it is kept. Message and mended
 * are borrowed until the message is published.
 */
void redrive_message_begin(struct redrive_message *ret, const struct store_quarantined *message,
                           const struct store_bytes *mended);

/* Add a header of the message: a store_visit_header, user is the redrive_message. It is copied. */
void redrive_message_header(void *user, const struct store_quarantined_header *header);

/*
 * All headers were added. *ret_refused: why says, as a sentence, why the message is not published.
 * Fails with EX_OSERR, and with EX_IOERR for a message that no store has written.
 */
MUST_CHECK int redrive_message_end(struct redrive_message *redrive,
                                   const struct store_quarantined *message,
                                   const struct store_bytes *mended, bool *ret_refused,
                                   char why[REDRIVE_WHY_SIZE], struct error *err);

#endif
