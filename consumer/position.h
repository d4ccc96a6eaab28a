/*
 * payd position: show or set, by hand, how far a ledger has read.
 */
#ifndef CONSUMER_POSITION_H
#define CONSUMER_POSITION_H

#include "common/error.h"
#include "consumer/options.h"

/* Prints to standard output and returns the exit code; a failure is in *err. */
int position(const struct options *options, struct error *err);

#endif
