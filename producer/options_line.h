/*
 * The command line word by word: the table of options, and what stood there before it is judged as
 * a whole. Only options.c needs it.
 */
#ifndef PRODUCER_OPTIONS_LINE_H
#define PRODUCER_OPTIONS_LINE_H

#include "common/compiler.h"
#include "common/error.h"
#include "producer/options.h"

#include <stdbool.h>
#include <stdint.h>

/* Options without a letter. */
enum {
    OPTION_SKIP_TOPIC_CHECK = 256,
    OPTION_JSON,
    OPTION_KEY,
    OPTION_NEW,
    OPTION_BATCH_ID,
    OPTION_SKIP_BAD,
    OPTION_ONLY_MISSING,
    OPTION_WAIT,
    OPTION_NO_WAIT,
    OPTION_OUTCOMES,
    OPTION_CURRENCY,
    OPTION_MIN_BALANCE,
    OPTION_DIGEST,
    OPTION_VERSION,
};

#define OPTIONS_OPERANDS_MAX (1 + SUBCOMMAND_KEYS_MAX)

struct options_line {
    const char *operands[OPTIONS_OPERANDS_MAX]; /* the words of the command first */
    int operand_count; /* may be larger than OPTIONS_OPERANDS_MAX: only those are kept */
    uint32_t seen;     /* a bit for each option of the table */
};

/* Read argv: values go to *ret, the rest to *line, which must be all zero. Fails with EX_USAGE. */
MUST_CHECK int options_line_read(int argc, char *const argv[], struct options *ret,
                                 struct options_line *line, struct error *err);

/* Was this option given? code is its letter, or one of the numbers above. */
bool options_line_has(const struct options_line *line, int code);

/* The name of an option that was given and does not belong to the command, or NULL. */
const char *options_line_stranger(const struct options_line *line, enum subcommand command);

/* An operand by its number, NULL when there is none. */
const char *options_line_operand(const struct options_line *line, int number);

#endif
