#include "consumer/outcome.h"

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
    };
    return names[reason];
}
