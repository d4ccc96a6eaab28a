/*
 * The simulated consumer group: the offsets that stand in it, with the texts beside them. It
 * outlives each payd.
 */
#ifndef TESTS_SIMULATION_GROUP_H
#define TESTS_SIMULATION_GROUP_H

#include "consumer/inbox.h"

#include <stdbool.h>
#include <stdint.h>

/* Nothing stands there yet. */
void group_begin(void);

/* Somebody commits. */
void group_commit(int32_t partition, int64_t offset, const char *text);

/* The text that stands there, "" for none; borrowed. */
const char *group_text(int32_t partition);

/* The group's offsets have expired. */
void group_forget(void);

#endif
