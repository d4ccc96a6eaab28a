/*
 * What a check finds wrong: all are counted, the first are kept to be shown.
 */
#ifndef CONSUMER_FINDINGS_H
#define CONSUMER_FINDINGS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define FINDINGS_SHOWN_MAX 20

/* Bytes of one with its ending NUL: two escaped names and a sentence. */
#define FINDING_SIZE 4096

struct findings {
    char *shown[FINDINGS_SHOWN_MAX];
    size_t shown_count;
    int64_t count;
};

/* Add one. One for which there is no memory is only counted. */
__attribute__((format(printf, 2, 3))) void findings_add(struct findings *findings,
                                                        const char *format, ...);

/* Write those that are kept, a line each, and how many more there are. */
void findings_print(FILE *out, const struct findings *findings);

/* Free what it holds; a zeroed one is accepted. */
void findings_release(struct findings *findings);

#endif
