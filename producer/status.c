#include "producer/status.h"

#include "common/text.h"
#include "producer/answer.h"
#include "producer/verdict.h"

#include <inttypes.h>
#include <string.h>

static bool is_decision(enum outcome outcome)
{
    return outcome == OUTCOME_APPLIED || outcome == OUTCOME_REJECTED;
}

/* What a record says of the key, or of the payload that was asked for. */
static enum outcome said_by(const struct status_key *status, const struct outcome_record *record)
{
    return record->has_first && !status->digest ? record->first.outcome : outcome_answer(record);
}

/* True for a record that was taken before: seq rises with each answer of a ledger. */
static bool is_known(const struct status_key *status, const struct outcome_record *record)
{
    return status->is_found && record->seq <= status->last_seq &&
           strcmp(record->store, status->last_store) == 0;
}

static void count(struct status_key *status, enum outcome verdict)
{
    status->repeats += verdict == OUTCOME_DUPLICATE;
    status->conflicts += verdict == OUTCOME_CONFLICT;
    status->quarantined += verdict == OUTCOME_QUARANTINED;
}

void status_take(struct status_key *status, const struct outcome_record *record)
{
    if (strcmp(record->key, status->key) != 0 || is_known(status, record)) {
        return;
    }
    if (status->digest && memcmp(record->digest, status->digest, DIGEST_SHORT_SIZE) != 0) {
        return;
    }
    count(status, record->verdict);
    status->last_seq = record->seq;
    memcpy(status->last_store, record->store, sizeof(status->last_store));
    if (!status->is_found || is_decision(said_by(status, record)) ||
        !is_decision(status_answer(status))) {
        status->record = *record;
    }
    status->is_found = true;
}

enum outcome status_answer(const struct status_key *status)
{
    return status->is_found ? said_by(status, &status->record) : OUTCOME_NONE;
}

int status_exit(const struct status_key *keys, int count)
{
    struct verdict_counts counts = {0};

    for (int i = 0; i < count; i++) {
        verdict_count(&counts, status_answer(&keys[i]));
    }
    return counts.unknown > 0 ? VERDICT_NOT_FOUND : verdict_worst(&counts);
}

void status_print(const struct status_key *status, FILE *out)
{
    const struct outcome_record *record = &status->record;
    char shown[TEXT_ESCAPED_SIZE];
    char hex[DIGEST_SHORT_HEX_SIZE];

    text_escape(shown, sizeof(shown), status->key, strlen(status->key));
    if (!status->is_found) {
        fprintf(out, "%s: unknown, may still be paid; resend with the same key\n", shown);
        return;
    }
    if (record->has_first && is_decision(status_answer(status))) {
        fprintf(out, "%s: ", shown);
        answer_print_first(&record->first, out);
        fprintf(out, "\n  digest %s", digest_hex(hex, record->first.digest, DIGEST_SHORT_SIZE));
    } else {
        answer_print(record, out);
        fprintf(out, "  digest %s", digest_hex(hex, record->digest, DIGEST_SHORT_SIZE));
    }
    fprintf(out, "; repeats %" PRId64 ", conflicts %" PRId64 ", quarantined %" PRId64 "\n",
            status->repeats, status->conflicts, status->quarantined);
}
