/*
 * pay status: what the outcomes topic knows of keys. The rules here are pure; status_run.c reads
 * the topic.
 */
#ifndef PRODUCER_STATUS_H
#define PRODUCER_STATUS_H

#include "common/compiler.h"
#include "common/outcome_record.h"
#include "producer/options.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* What is known of one key. It starts with key and digest set and all else zero. */
struct status_key {
    const char *key;             /* borrowed */
    const unsigned char *digest; /* borrowed; only answers to this payload, NULL = to any */
    bool is_found;
    struct outcome_record record; /* the answer that counts */
    int64_t repeats;              /* arrivals that were duplicates */
    int64_t conflicts;
    int64_t quarantined;
    int64_t last_seq; /* of the last record, in the ledger of that UUID */
    char last_store[OUTCOME_STORE_SIZE];
};

/*
 * Take a record of the topic, in the order of offsets. A decision stays, whatever comes after it; a
 * record that payd published twice counts once.
 */
void status_take(struct status_key *status, const struct outcome_record *record);

/*
 * The answer: the key's decision, or, when there is none, what became of its last arrival. With a
 * digest: the answer to that payload. OUTCOME_NONE when the key was not found.
 */
enum outcome status_answer(const struct status_key *status);

/* The exit code: VERDICT_NOT_FOUND when one was not found, else that of the worst. */
int status_exit(const struct status_key *keys, int count);

/* Write what is known, in one line or two. */
void status_print(const struct status_key *status, FILE *out);

/*
 * Write all keys as one object:
 * {"keys":[{"key":"k1","found":true,"outcome":"applied","repeats":1,"conflicts":0,"quarantined":0,
 *           "record":{...}}]}
 * record is the record as it stands in the topic, see common/outcome_json.h; when the key was not
 * found, outcome is "unknown" and record null. Returns -1 when memory ran out.
 */
MUST_CHECK int status_json(const struct status_key *keys, int count, FILE *out);

/* All of pay status. Prints everything there is to say and returns the exit code. */
int status_run(const struct options *options);

#endif
