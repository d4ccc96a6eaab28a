/*
 * pay send: one payment, from the command line to its acknowledgement. And pay key.
 */
#ifndef PRODUCER_SEND_H
#define PRODUCER_SEND_H

#include "common/payment.h"
#include "common/publisher.h"
#include "producer/options.h"

#include <stdio.h>

/* After a stop was requested, how long reports of what was sent are waited for. */
#define SEND_STOP_MS 5000

/*
 * Send the payment that the options name. Prints everything there is to say and returns the exit
 * code.
 */
int send_run(const struct options *options);

/* pay key: print a new idempotency key. Returns the exit code. */
int send_print_key(void);

/*
 * Write, on one line, the shell command that sends this payment again under the same key, with the
 * Kafka options as they were given. Values of properties that hold a secret are left out.
 */
void send_print_again(const struct options *options, const struct payment *payment, FILE *out);

/*
 * Wait until everything that was handed over has its report; once a stop is requested, for at most
 * SEND_STOP_MS, then what is left is abandoned.
 */
void send_wait(struct publisher *publisher);

#endif
