/*
 * The words for what became of a message. They stand in the store, in logs and in JSON, and never
 * change their meaning or their number.
 */
#ifndef COMMON_OUTCOME_H
#define COMMON_OUTCOME_H

enum outcome {
    OUTCOME_NONE = 0,        /* not decided yet */
    OUTCOME_APPLIED = 1,     /* done: the money moved; final for its key */
    OUTCOME_REJECTED = 2,    /* refused with a reason; final for its key */
    OUTCOME_DUPLICATE = 3,   /* the key was decided before, with the same payload or a cancel */
    OUTCOME_CONFLICT = 4,    /* the key or its batch was decided before, with another payload */
    OUTCOME_REDELIVERED = 5, /* this very message (partition and offset) was recorded before */
    OUTCOME_QUARANTINED = 6, /* not readable as a command */
    OUTCOME_COUNT = 7,
};

/* Why a command was rejected, or what makes a conflict. */
enum reason {
    REASON_NONE = 0,
    REASON_SAME_ACCOUNT = 1,        /* rejected: source and destination are one account */
    REASON_AMOUNT_OUT_OF_RANGE = 2, /* rejected: zero, or above MONEY_MAX_MINOR */
    REASON_UNKNOWN_CURRENCY = 3,    /* rejected: not in ISO 4217 */
    REASON_CURRENCY_MISMATCH = 4,   /* rejected: an account is kept in another currency */
    REASON_BALANCE_OVERFLOW = 5,    /* rejected: a balance would leave the range of 64 bits */
    REASON_PAYLOAD_DIFFERS = 6,     /* conflict: same key, other payload */
    REASON_BATCH_CHANGED = 7,       /* conflict: same batch id, other content */
    REASON_INSUFFICIENT_FUNDS = 8,  /* rejected: the balance would fall below the account's limit */
    REASON_UNKNOWN_ACCOUNT = 9,     /* rejected: the account was not opened */
    REASON_ACCOUNT_CLOSED = 10,     /* rejected: the account was closed */
    REASON_ACCOUNT_EXISTS = 11,     /* rejected: the account to open is there already */
    REASON_BALANCE_NOT_ZERO = 12,   /* rejected: the account to close is not empty */
    REASON_NEEDS_ONE_PARTITION = 13, /* rejected: the topic has no one order of all commands */
    REASON_CANCELLED = 14,           /* rejected: the key was cancelled before it was decided */
    REASON_COUNT = 15,
};

/* "applied", "rejected", ...; a static string. */
const char *outcome_name(enum outcome outcome);

/* "same_account", ...; "none" for REASON_NONE; a static string. */
const char *reason_name(enum reason reason);

/* The outcome or reason of a name; OUTCOME_NONE or REASON_NONE for one that is none. */
enum outcome outcome_of(const char *name);
enum reason reason_of(const char *name);

#endif
