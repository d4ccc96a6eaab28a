#include "common/outcome.h"

#include <string.h>

const char *outcome_name(enum outcome outcome)
{
    static const char *const names[OUTCOME_COUNT] = {
        [OUTCOME_NONE] = "none",
        [OUTCOME_APPLIED] = "applied",
        [OUTCOME_REJECTED] = "rejected",
        [OUTCOME_DUPLICATE] = "duplicate",
        [OUTCOME_CONFLICT] = "conflict",
        [OUTCOME_REDELIVERED] = "redelivered",
        [OUTCOME_QUARANTINED] = "quarantined",
    };
    return names[outcome];
}

const char *reason_name(enum reason reason)
{
    static const char *const names[REASON_COUNT] = {
        [REASON_NONE] = "none",
        [REASON_SAME_ACCOUNT] = "same_account",
        [REASON_AMOUNT_OUT_OF_RANGE] = "amount_out_of_range",
        [REASON_UNKNOWN_CURRENCY] = "unknown_currency",
        [REASON_CURRENCY_MISMATCH] = "currency_mismatch",
        [REASON_BALANCE_OVERFLOW] = "balance_overflow",
        [REASON_PAYLOAD_DIFFERS] = "payload_differs",
        [REASON_BATCH_CHANGED] = "batch_changed",
        [REASON_INSUFFICIENT_FUNDS] = "insufficient_funds",
        [REASON_UNKNOWN_ACCOUNT] = "unknown_account",
        [REASON_ACCOUNT_CLOSED] = "account_closed",
        [REASON_ACCOUNT_EXISTS] = "account_exists",
        [REASON_BALANCE_NOT_ZERO] = "balance_not_zero",
        [REASON_NEEDS_ONE_PARTITION] = "needs_one_partition",
        [REASON_CANCELLED] = "cancelled",
    };
    return names[reason];
}

enum outcome outcome_of(const char *name)
{
    for (int i = OUTCOME_NONE; i < OUTCOME_COUNT; i++) {
        if (strcmp(outcome_name((enum outcome)i), name) == 0) {
            return (enum outcome)i;
        }
    }
    return OUTCOME_NONE;
}

enum reason reason_of(const char *name)
{
    for (int i = REASON_NONE; i < REASON_COUNT; i++) {
        if (strcmp(reason_name((enum reason)i), name) == 0) {
            return (enum reason)i;
        }
    }
    return REASON_NONE;
}
