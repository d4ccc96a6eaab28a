/*
 * One command on its way: published, acknowledged, and, when that is wanted, its outcome waited
 * for. What pay send, pay account and pay cancel have in common.
 */
#ifndef PRODUCER_DELIVER_H
#define PRODUCER_DELIVER_H

#include "common/command.h"
#include "common/publisher.h"
#include "producer/options.h"
#include "producer/watch.h"

#include <stdbool.h>

/* After a stop was requested, how long reports of what was sent are waited for. */
#define DELIVER_STOP_MS 5000

/*
 * Deliver a command. is_new_key: the key was drawn for it, so it is printed before it is used: who
 * does not see it could not send the command again. Prints everything there is to say and returns
 * the exit code.
 */
int deliver_run(const struct options *options, const struct command *command, bool is_new_key);

/*
 * Wait until everything that was handed over has its report; once a stop is requested, for at most
 * DELIVER_STOP_MS, then what is left is abandoned. Outcomes are taken meanwhile; watch may be NULL.
 */
void deliver_wait_reports(struct publisher *publisher, struct watch *watch);

#endif
