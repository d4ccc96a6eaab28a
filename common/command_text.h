/*
 * Commands and times as text for people. Names are escaped: they may come from anyone.
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

/* Bytes of a time as text with its ending NUL. */
#define COMMAND_TEXT_TIME_SIZE 32

/* Write a time in Unix milliseconds as "2026-11-25T12:00:00.123Z" (UTC). Returns buf. */
char *command_text_time(char buf[COMMAND_TEXT_TIME_SIZE], int64_t time_ms);

#endif
