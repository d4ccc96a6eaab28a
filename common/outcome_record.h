/*
 * struct outcome_record: the answer to one message, as it goes into the outcomes topic. A value: it
 * holds its own bytes.
 */
#ifndef COMMON_OUTCOME_RECORD_H
#define COMMON_OUTCOME_RECORD_H

#include "common/command.h"
#include "common/digest.h"
#include "common/outcome.h"

#include <stdbool.h>
#include <stdint.h>

#define OUTCOME_TOPIC_SIZE  250 /* Kafka's names have at most 249 bytes */
#define OUTCOME_STORE_SIZE  37  /* a UUID's text with its ending NUL */
#define OUTCOME_REASON_SIZE 32  /* the name of a reason, or of what makes a message unreadable */

/* The version of the ledger's rules, recorded with each decision. */
#define OUTCOME_RULES 1

struct outcome_origin {
    char topic[OUTCOME_TOPIC_SIZE];
    int32_t partition;
    int64_t offset;
};

/* The decision that a key has for good. */
struct outcome_first {
    enum outcome outcome;                    /* applied or rejected */
    enum reason reason;                      /* rejected: why */
    int64_t seq;                             /* its number in the store, rising */
    unsigned char digest[DIGEST_SHORT_SIZE]; /* of its payload; see command_digest() */
    struct command command;                  /* its payload; the key is the record's */
    struct outcome_origin origin;
    int64_t decided_ms; /* Unix milliseconds, payd's clock; for people only */
};

struct outcome_record {
    char key[PAYMENT_KEY_MAX + 1];
    enum outcome verdict; /* of this arrival: applied, rejected, duplicate, conflict, quarantined */
    char reason[OUTCOME_REASON_SIZE]; /* of this arrival; "" for none */
    unsigned fields;                  /* conflict: the bits of the fields that differ */
    /* Of this arrival's payload; of its raw value (SHA-256, first bytes) when it is unreadable. */
    unsigned char digest[DIGEST_SHORT_SIZE];
    int64_t seq;
    struct outcome_origin origin;
    int64_t decided_ms;
    bool has_first; /* the key is decided: first is set. Its own decision carries itself */
    struct outcome_first first;
    char store[OUTCOME_STORE_SIZE]; /* the UUID of the ledger that answers */
    int rules;                      /* version of the rules it decided by */
};

/*
 * What the sender of this arrival is told: applied or rejected, for a duplicate as the key's first
 * decision was; conflict; quarantined.
 */
enum outcome outcome_answer(const struct outcome_record *record);

/* The reason that belongs to outcome_answer(); "" for none. Borrowed from the record, or static. */
const char *outcome_answer_reason(const struct outcome_record *record);

#endif
