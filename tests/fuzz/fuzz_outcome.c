/*
 * The decoder of the outcomes topic. Input: a value.
 */
#include "common/clock.h"
#include "common/outcome_json.h"
#include "common/text.h"
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

static bool is_text(const char *text, size_t size)
{
    size_t len = strnlen(text, size);

    return len < size && text_is_printable(text, len);
}

static bool is_final(enum outcome outcome)
{
    return outcome == OUTCOME_APPLIED || outcome == OUTCOME_REJECTED;
}

static void check_place(const struct outcome_origin *origin, int64_t seq, int64_t decided_ms)
{
    FUZZ_CHECK(origin->topic[0] != '\0' && is_text(origin->topic, sizeof(origin->topic)));
    FUZZ_CHECK(origin->partition >= 0);
    FUZZ_CHECK(origin->offset >= 0 && origin->offset <= OUTCOME_NUMBER_MAX);
    FUZZ_CHECK(seq >= 0 && seq <= OUTCOME_NUMBER_MAX);
    FUZZ_CHECK(decided_ms >= 0 && decided_ms <= CLOCK_TEXT_MAX_MS);
}

static void check_form(const struct outcome_record *record)
{
    enum outcome answer = outcome_answer(record);

    FUZZ_CHECK(is_text(record->key, sizeof(record->key)));
    FUZZ_CHECK(record->key[0] != '\0' || record->verdict == OUTCOME_QUARANTINED);
    FUZZ_CHECK(is_text(record->reason, sizeof(record->reason)));
    FUZZ_CHECK(is_text(record->store, sizeof(record->store)));
    FUZZ_CHECK(record->rules >= 1);
    FUZZ_CHECK(is_final(answer) || answer == OUTCOME_CONFLICT || answer == OUTCOME_QUARANTINED);
    FUZZ_CHECK(answer == record->verdict || record->verdict == OUTCOME_DUPLICATE);
    FUZZ_CHECK(record->verdict != OUTCOME_DUPLICATE ||
               (record->has_first && record->reason[0] == '\0'));
    FUZZ_CHECK(record->fields == 0 || record->verdict == OUTCOME_CONFLICT);
    check_place(&record->origin, record->seq, record->decided_ms);
    if (record->has_first) {
        FUZZ_CHECK(is_final(record->first.outcome));
        FUZZ_CHECK(strcmp(record->first.command.payment.key, record->key) == 0);
        check_place(&record->first.origin, record->first.seq, record->first.decided_ms);
    }
}

/* What was read is written, read, and written a second time to the same bytes. */
static void check_round_trip(const struct outcome_record *record)
{
    char problem[OUTCOME_PROBLEM_SIZE];
    struct outcome_record again;
    char text[OUTCOME_JSON_SIZE];
    char text_again[OUTCOME_JSON_SIZE];
    size_t len = outcome_json_encode(record, text);

    FUZZ_CHECK(len > 0);
    FUZZ_CHECK(outcome_json_decode(text, len, &again, problem) == 0);
    FUZZ_CHECK(again.verdict == record->verdict && again.fields == record->fields);
    FUZZ_CHECK(memcmp(again.digest, record->digest, sizeof(again.digest)) == 0);
    FUZZ_CHECK(outcome_answer(&again) == outcome_answer(record));
    FUZZ_CHECK(strcmp(outcome_answer_reason(&again), outcome_answer_reason(record)) == 0);
    FUZZ_CHECK(again.has_first == record->has_first);
    FUZZ_CHECK(!again.has_first ||
               command_differs(&again.first.command, &record->first.command) == 0);
    FUZZ_CHECK(outcome_json_encode(&again, text_again) == len);
    FUZZ_CHECK(strcmp(text, text_again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char problem[OUTCOME_PROBLEM_SIZE];
    struct outcome_record record;
    struct fuzz_part value = fuzz_rest(&data, &size);

    if (outcome_json_decode(value.data, value.len, &record, problem) == 0) {
        check_form(&record);
        check_round_trip(&record);
    } else {
        FUZZ_CHECK(problem[0] != '\0' && text_is_printable(problem, strlen(problem)));
    }
    fuzz_release(&value);
    return 0;
}
