/*
 * The progress bar: one line on a terminal, written over at most five times a second.
 */
#ifndef COMMON_PROGRESS_H
#define COMMON_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A value of its own, needs no release. Its fields are its own business. */
struct progress {
    FILE *out; /* borrowed; NULL = silent */
    const char *label;
    int64_t total;   /* 0 = unknown */
    int64_t decided; /* below 0: not shown */
    int64_t started_ms;
    int64_t drawn_ms;
    bool visible;
};

/* out is borrowed, NULL for a silent one. */
void progress_init(struct progress *progress, FILE *out);

/* Begin a part of the work. label is borrowed; total may be 0: not known. */
void progress_begin(struct progress *progress, const char *label, int64_t total);

/* How many of them are decided: shown beside the bar from now on. Draws nothing by itself. */
void progress_decided(struct progress *progress, int64_t decided);

void progress_update(struct progress *progress, int64_t done);

/* Take the bar off the line, so that something else can be written. It comes back by itself. */
void progress_clear(struct progress *progress);

#endif
