/*
 * The shell command that sends a command again, under the same key.
 */
#ifndef PRODUCER_AGAIN_H
#define PRODUCER_AGAIN_H

#include "common/command.h"
#include "producer/options.h"

#include <stdio.h>

/*
 * Write it on one line, quoted for a shell, with the options as they were given. Values of
 * properties that hold a secret are left out: messages end up in logs.
 */
void again_print(const struct options *options, const struct command *command, FILE *out);

#endif
