/*
 * What the simulated submitters want: some dozens of messages, among them repeats, conflicts, rows
 * of batches, commands about accounts, and bytes that nobody can read.
 *
 * The bytes are written here without the product's encoder, and beside them stands what they mean.
 */
#ifndef TESTS_SIMULATION_COMMANDS_H
#define TESTS_SIMULATION_COMMANDS_H

#include "tests/simulation/topic.h"

#define COMMANDS_MAX          40
#define COMMANDS_KEYS         24
#define COMMANDS_ACCOUNTS     6
#define COMMANDS_TRACE_HEADER "traceparent"
#define COMMANDS_TRACE_SIZE   32

/* Draw the messages of a history. */
void commands_begin(void);

size_t commands_count(void);
const struct message *commands_get(size_t number);

/* Names and keys that messages may have, by number. */
const char *commands_account(size_t number);
const char *commands_key(size_t number);

/* The value of a traced message's header. Returns buf. */
char *commands_trace(char buf[COMMANDS_TRACE_SIZE], const struct message *message);

#endif
