/*
 * payd quarantine redrive: publishes quarantined messages again, mended or as they were, to the
 * ledger's topic. payd run decides them there as any other message; the quarantine is not changed.
 */
#ifndef CONSUMER_REDRIVE_H
#define CONSUMER_REDRIVE_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/payment.h"
#include "common/publisher.h"
#include "consumer/options.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Messages that are published and not acknowledged, at the most. */
#define REDRIVE_WINDOW 256

/* Refused messages that are named; all are counted. */
#define REDRIVE_REFUSED_SHOWN 20

/* What became of one message. */
struct redriven {
    int32_t partition; /* where it stood, */
    int64_t offset;
    char key[PAYMENT_KEY_MAX + 1]; /* and as what it is published */
    bool is_reported;
    enum delivery delivery;
    int32_t to_partition; /* where it stands now, when it was acknowledged; */
    int64_t to_offset;    /* -1 = the broker did not say */
    char reason[256];     /* why it was not acknowledged */
};

/* Redrive the messages of the operands, or of the filters. Returns the exit code, with *err set. */
MUST_CHECK int redrive(const struct options *options, struct error *err);

/*
 * Write what became of a message as a line of JSON; the last three are null where they do not
 * apply. Returns -1 when memory ran out.
 *
 *   {"partition":0,"offset":17,"key":"k1","delivery":"acknowledged","to_partition":2,
 *    "to_offset":40,"why":null}
 */
MUST_CHECK int redrive_print_json(FILE *out, const struct redriven *redriven);

/* "acknowledged", "unknown", "failed": a static string. */
const char *redrive_delivery_name(enum delivery delivery);

#endif
