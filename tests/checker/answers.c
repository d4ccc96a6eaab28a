#include "tests/checker/answers.h"

#include "tests/checker/lines.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* What the file itself says. */
struct answers {
    struct evidence *evidence;
    int64_t messages;
    int64_t promised; /* by the lines about partitions */
    bool is_partial;  /* retention removed some */
    bool has_ends;
};

static const char *text_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsString(item) ? item->valuestring : "";
}

static void say(struct answers *answers, int32_t key, int64_t seq, const char *what)
{
    report_of(answers->evidence, I5_MODEL_AGREES, key, "the answer of seq %" PRId64 " %s", seq,
              what);
}

/* The seq of the key's decision that an answer names, 0 for none. */
static int64_t first_of(const cJSON *answer)
{
    int64_t seq = 0;

    (void)line_get_int(cJSON_GetObjectItemCaseSensitive(answer, "first"), "seq", 1, &seq);
    return seq;
}

/* The one that it should name: a decision itself, a repeat the key's, the quarantine none. */
static int64_t first_wanted(const struct record *record)
{
    switch (record->outcome) {
    case OUTCOME_APPLIED:
    case OUTCOME_REJECTED:
        return record->seq;
    case OUTCOME_QUARANTINED:
        return 0;
    default:
        return record->first_seq;
    }
}

static void compare(struct answers *answers, const cJSON *answer, int64_t seq,
                    const struct record *record)
{
    char hex[SHA_HEX_SIZE];
    const char *verdict = text_of(answer, "verdict");

    if (record->seq != 0 && record->seq != seq) {
        say(answers, record->key, seq, "is about a message that the store has under another seq");
    } else if (strcmp(verdict, outcome_text(record->outcome)) != 0) {
        report_of(answers->evidence, I5_MODEL_AGREES, record->key,
                  "the answer of seq %" PRId64 " is %s, the store has %s", seq, verdict,
                  outcome_text(record->outcome));
    } else if (record->outcome != OUTCOME_DUPLICATE &&
               strcmp(text_of(answer, "reason"), record->reason) != 0) {
        say(answers, record->key, seq, "gives another reason than the store");
    } else if (strcmp(text_of(answer, "digest"), sha_hex(hex, record->order.digest)) != 0) {
        say(answers, record->key, seq, "has another digest than its message");
    } else if (record->seq != 0 && first_of(answer) != first_wanted(record)) {
        say(answers, record->key, seq, "names another decision as the first of its key");
    }
}

/* Its message, or NULL, which is reported unless it may be gone. */
static struct record *find_message(struct answers *answers, const cJSON *answer, int32_t key,
                                   int64_t seq)
{
    const struct evidence *evidence = answers->evidence;
    const cJSON *origin = cJSON_GetObjectItemCaseSensitive(answer, "origin");
    int64_t partition = 0;
    int64_t offset = 0;

    if (!line_get_int(origin, "partition", 0, &partition) ||
        !line_get_int(origin, "offset", 0, &offset)) {
        say(answers, key, seq, "names no origin");
        return NULL;
    }
    struct record *record = topic_find(&evidence->topic, partition, offset);
    const struct partition *its = topic_partition(&evidence->topic, partition);
    if (!record && evidence->ledger.log == 1 && (!its || offset >= its->low)) {
        say(answers, key, seq, "is about a message that the topic does not have");
    }
    return record;
}

static void take_answer(struct answers *answers, const cJSON *answer, const struct line_bytes *key)
{
    struct evidence *evidence = answers->evidence;
    const char *named = text_of(answer, "key");
    int32_t number = names_add(evidence->words.keys, named, strlen(named));
    int64_t seq = 0;

    if (!line_get_int(answer, "seq", 1, &seq) || strcmp(text_of(answer, "type"), "outcome") != 0 ||
        !key->data || key->len != strlen(named) || memcmp(key->data, named, key->len) != 0) {
        say(answers, number, seq, "is not of its form");
        return;
    }
    if (strcmp(text_of(answer, "store"), evidence->ledger.uuid) != 0) {
        say(answers, number, seq, "was given by another ledger");
        return;
    }
    if (seq > evidence->last_seq) {
        say(answers, number, seq, "was given and the store does not have it");
        return;
    }
    struct record *record = find_message(answers, answer, number, seq);
    if (!record || (evidence->ledger.log > 1 && record->seq != seq)) {
        return; /* it may be about a message of an earlier log, which stood in the same place */
    }
    if (record->key != number) {
        say(answers, number, seq, "is about a message with another key");
        return;
    }
    compare(answers, answer, seq, record);
    record->is_answered = true;
}

static int take_line(struct answers *answers, const struct lines *lines, const cJSON *line,
                     struct fault *fault)
{
    struct line_bytes key;
    struct line_bytes value;
    int64_t low;
    int64_t records;

    if (line_get_int(line, "low", 0, &low) && line_get_int(line, "records", 0, &records)) {
        answers->promised += records;
        answers->is_partial = answers->is_partial || low > 0;
        answers->has_ends = true;
        return 0;
    }
    if (!line_get_bytes(line, "key", &key) || !line_get_bytes(line, "value", &value)) {
        return lines_refuse(lines, "is not a message", fault);
    }
    answers->messages++;
    cJSON *answer = value.data ? cJSON_ParseWithLength(value.data, value.len) : NULL;
    take_answer(answers, answer, &key);
    cJSON_Delete(answer);
    return 0;
}

/* ---- what has no answer ---- */

static int is_skipped(const struct evidence *evidence, sqlite3_stmt *query, int64_t seq,
                      struct fault *fault)
{
    sqlite3_bind_int64(query, 1, seq);
    int result = ledger_step(&evidence->ledger, query, fault);
    sqlite3_reset(query);
    return result;
}

static int check_answered(struct evidence *evidence, struct fault *fault)
{
    sqlite3_stmt *query = NULL;
    int result = ledger_query(&evidence->ledger, "SELECT 1 FROM outcomes_skipped WHERE seq = ?",
                              &query, fault);

    for (size_t i = 0; result == 0 && i < evidence->topic.count; i++) {
        const struct record *record = &evidence->topic.records[i];
        if (record->is_answered || !record->is_keyed) {
            continue;
        }
        result = is_skipped(evidence, query, record->seq, fault);
        if (result == 0) {
            report_of(evidence, I10_LAG_IS_ZERO, record->key,
                      "seq %" PRId64 " (partition %" PRId32 " offset %" PRId64 ") has no answer",
                      record->seq, record->partition, record->offset);
        }
        result = result < 0 ? -1 : 0;
    }
    sqlite3_finalize(query);
    return result;
}

static int read_answers(struct answers *answers, const char *path, struct fault *fault)
{
    struct lines lines;
    cJSON *line = NULL;
    int result = lines_open(&lines, path, false, fault);

    if (result != 0) {
        return -1;
    }
    while ((result = lines_next(&lines, &line, fault)) == 1 &&
           (result = take_line(answers, &lines, line, fault)) == 0) {
    }
    if (result == 0 && (!answers->has_ends || answers->promised != answers->messages)) {
        result = lines_refuse(&lines, "does not hold all messages", fault);
    }
    lines_close(&lines);
    return result;
}

int answers_check(struct evidence *evidence, struct fault *fault)
{
    struct answers answers = {.evidence = evidence};
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/outcomes.jsonl", evidence->dir);
    if (access(path, F_OK) != 0) {
        return 0;
    }
    if (read_answers(&answers, path, fault) != 0) {
        return -1;
    }
    return evidence->is_settled && !answers.is_partial ? check_answered(evidence, fault) : 0;
}
