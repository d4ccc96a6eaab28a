/*
 * Commands as text for people. Names are escaped: they may come from anyone.
 */
#ifndef COMMON_COMMAND_TEXT_H
#define COMMON_COMMAND_TEXT_H

#include "common/command.h"

/* Bytes that hold any command as text. */
#define COMMAND_TEXT_SIZE 3600

/*
 * Write what a command orders, without its key: "ann -> bob 12.34 EUR", "open account ann in EUR,
 * lowest balance 0.00", "cancel". Returns buf.
 */
char *command_text(char buf[COMMAND_TEXT_SIZE], const struct command *command);

#endif
