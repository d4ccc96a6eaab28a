#include "producer/verdict.h"

#include <sysexits.h>

static int64_t *counter_of(struct verdict_counts *counts, enum outcome answer)
{
    switch (verdict_exit(answer)) {
    case EX_OK:
        return &counts->applied;
    case VERDICT_REJECTED:
        return &counts->rejected;
    case VERDICT_CONFLICT:
        return &counts->conflict;
    case VERDICT_QUARANTINED:
        return &counts->quarantined;
    default:
        return &counts->unknown;
    }
}

void verdict_count(struct verdict_counts *counts, enum outcome answer)
{
    ++*counter_of(counts, answer);
}

void verdict_move(struct verdict_counts *counts, int64_t commands, enum outcome from,
                  enum outcome to)
{
    *counter_of(counts, from) -= commands;
    *counter_of(counts, to) += commands;
}

void verdict_add(struct verdict_counts *counts, const struct verdict_counts *more)
{
    counts->applied += more->applied;
    counts->rejected += more->rejected;
    counts->conflict += more->conflict;
    counts->quarantined += more->quarantined;
    counts->unknown += more->unknown;
}

int64_t verdict_decided(const struct verdict_counts *counts)
{
    return counts->applied + counts->rejected + counts->conflict + counts->quarantined;
}

int verdict_exit(enum outcome answer)
{
    switch (answer) {
    case OUTCOME_APPLIED:
        return EX_OK;
    case OUTCOME_REJECTED:
        return VERDICT_REJECTED;
    case OUTCOME_CONFLICT:
        return VERDICT_CONFLICT;
    case OUTCOME_QUARANTINED:
        return VERDICT_QUARANTINED;
    case OUTCOME_NONE:
    case OUTCOME_DUPLICATE:
    case OUTCOME_REDELIVERED:
    case OUTCOME_COUNT:
    default:
        return EX_TEMPFAIL;
    }
}

int verdict_worst(const struct verdict_counts *counts)
{
    if (counts->unknown > 0) {
        return EX_TEMPFAIL;
    }
    if (counts->quarantined > 0) {
        return VERDICT_QUARANTINED;
    }
    if (counts->conflict > 0) {
        return VERDICT_CONFLICT;
    }
    return counts->rejected > 0 ? VERDICT_REJECTED : EX_OK;
}

int verdict_cancel(enum outcome answer)
{
    if (answer == OUTCOME_APPLIED) {
        return 1;
    }
    return answer == OUTCOME_REJECTED ? EX_OK : verdict_exit(answer);
}
