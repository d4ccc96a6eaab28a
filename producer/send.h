/*
 * pay send: one payment, from the command line to its acknowledgement or outcome. And pay key.
 */
#ifndef PRODUCER_SEND_H
#define PRODUCER_SEND_H

#include "producer/options.h"

/*
 * Send the payment that the options name. Prints everything there is to say and returns the exit
 * code.
 */
int send_run(const struct options *options);

/* pay key: print a new idempotency key. Returns the exit code. */
int send_print_key(void);

#endif
