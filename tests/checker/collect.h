/*
 * Evidence out of a broker: topic.jsonl, outcomes.jsonl and committed.jsonl in a folder. Each file
 * is complete or not there: it is written under another name first.
 */
#ifndef TESTS_CHECKER_COLLECT_H
#define TESTS_CHECKER_COLLECT_H

#include "tests/checker/fault.h"

struct collect_options {
    const char *brokers;
    const char *topic;
    const char *group;
    const char *outcomes; /* NULL: TOPIC.outcomes */
    const char *into;     /* made when it is not there */
    int timeout_ms;       /* for all of it */
};

/*
 * Faults: EX_UNAVAILABLE when the broker or the topic is not there or not read in time, EX_IOERR
 * when a file cannot be written. A missing outcomes topic is fine.
 */
int collect(const struct collect_options *options, struct fault *fault);

#endif
