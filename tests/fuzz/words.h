/*
 * A command line made of bytes, for the targets of options. Words end with a line feed; the first
 * of them may be variables, as in PAY_TOPIC=other.
 */
#ifndef TESTS_FUZZ_WORDS_H
#define TESTS_FUZZ_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORDS_MAX 80 /* what is behind them is left out */

struct words {
    char *storage[WORDS_MAX + 2]; /* owned, as they were read; NULL-ended */
    char *argv[WORDS_MAX + 2];    /* the same, to be permuted */
    int argc;
    char *brokers; /* the variables: owned, NULL = not set */
    char *topic;
    char *outcomes;
};

/* name is the program's. */
void words_read(struct words *words, const char *name, const uint8_t *data, size_t size);

/* Bring argv into the order that it had. */
void words_reset(struct words *words);

/* True when text stands in one of the words or variables, so that it is borrowed from there. */
bool words_hold(const struct words *words, const char *text);

void words_release(struct words *words);

#endif
