/*
 * The verdict: which exit code stands for what became of a command, or of many.
 */
#ifndef PRODUCER_VERDICT_H
#define PRODUCER_VERDICT_H

#include "common/outcome.h"

#include <stdint.h>

/* Exit codes beside 0 and those of <sysexits.h>. */
enum {
    VERDICT_REJECTED = 1,
    VERDICT_CONFLICT = 2,
    VERDICT_QUARANTINED = 3,
    VERDICT_NOT_FOUND = 4, /* pay status: nothing is known of a key */
};

/* How many commands got which answer. */
struct verdict_counts {
    int64_t applied;
    int64_t rejected;
    int64_t conflict;
    int64_t quarantined;
    int64_t unknown; /* no answer yet */
};

/* Count one more command with this answer; see verdict_exit(). */
void verdict_count(struct verdict_counts *counts, enum outcome answer);

/* So many that were counted with one answer have another; OUTCOME_NONE is unknown. */
void verdict_move(struct verdict_counts *counts, int64_t commands, enum outcome from,
                  enum outcome to);

/* Count those of more too. */
void verdict_add(struct verdict_counts *counts, const struct verdict_counts *more);

/* How many have an answer. */
int64_t verdict_decided(const struct verdict_counts *counts);

/*
 * The exit code for an answer as outcome_answer() gives it: 0 applied, VERDICT_REJECTED,
 * VERDICT_CONFLICT, VERDICT_QUARANTINED. OUTCOME_NONE and what is no answer: EX_TEMPFAIL, unknown.
 */
int verdict_exit(enum outcome answer);

/* The code of the worst answer among many: unknown, then quarantined, conflict, rejected, 0. */
int verdict_worst(const struct verdict_counts *counts);

/*
 * The exit code for a cancel: 0 when nothing will be paid (rejected, by this cancel or before), 1
 * when it is too late (applied), else as verdict_exit().
 */
int verdict_cancel(enum outcome answer);

#endif
