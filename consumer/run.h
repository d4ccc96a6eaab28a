/*
 * payd run: from the options to the end of the process's work.
 */
#ifndef CONSUMER_RUN_H
#define CONSUMER_RUN_H

#include "consumer/options.h"

/* Runs until stopped, done or failed. Returns the exit code; failures are logged. */
int run(const struct options *options);

#endif
