#include "tests/checker/evidence.h"

#include "tests/checker/history.h"
#include "tests/checker/lines.h"
#include "tests/checker/memory.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static int read_commit(struct evidence *evidence, const struct lines *lines, const cJSON *line,
                       struct fault *fault)
{
    int64_t partition;
    int64_t offset = EVIDENCE_NO_OFFSET;
    struct line_bytes metadata;

    if (!line_get_int(line, "partition", 0, &partition) ||
        !topic_partition(&evidence->topic, partition) ||
        (!cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(line, "offset")) &&
         !line_get_int(line, "offset", 0, &offset)) ||
        !line_get_bytes(line, "metadata", &metadata)) {
        return lines_refuse(lines, "is no committed offset of the topic", fault);
    }
    struct commit *commit = &evidence->commits[partition];
    commit->is_known = true;
    commit->offset = offset;
    snprintf(commit->metadata, sizeof(commit->metadata), "%.*s",
             metadata.len < sizeof(commit->metadata) ? (int)metadata.len : 0,
             metadata.data ? metadata.data : "");
    return 0;
}

static int read_commits(struct evidence *evidence, const char *path, struct fault *fault)
{
    struct lines lines;
    cJSON *line = NULL;
    int result = lines_open(&lines, path, false, fault);

    if (result != 0) {
        return -1;
    }
    while ((result = lines_next(&lines, &line, fault)) == 1 &&
           (result = read_commit(evidence, &lines, line, fault)) == 0) {
    }
    for (size_t i = 0; result == 0 && i < evidence->topic.partition_count; i++) {
        if (!evidence->commits[i].is_known) {
            result = lines_refuse(&lines, "does not tell of every partition", fault);
        }
    }
    lines_close(&lines);
    return result;
}

int evidence_read(struct evidence *evidence, const char *dir, const char *db, struct fault *fault)
{
    char path[PATH_MAX];

    evidence->dir = dir;
    words_init(&evidence->words);
    if (history_read(&evidence->keys, &evidence->words, dir, &evidence->events, fault) != 0) {
        return -1;
    }
    snprintf(path, sizeof(path), "%s/topic.jsonl", dir);
    if (topic_read(&evidence->topic, path, &evidence->words, fault) != 0) {
        return -1;
    }
    evidence->commits = memory_new(evidence->topic.partition_count, sizeof(*evidence->commits));
    evidence->positions = memory_new(evidence->topic.partition_count, sizeof(*evidence->positions));
    snprintf(path, sizeof(path), "%s/committed.jsonl", dir);
    if (read_commits(evidence, path, fault) != 0) {
        return -1;
    }
    if (evidence->events == 0 && evidence->topic.count == 0) {
        return fault_set(fault, EX_DATAERR, "%s: an empty history and an empty topic prove nothing",
                         dir);
    }
    return ledger_open(&evidence->ledger, db, fault);
}

static int read_positions(struct evidence *evidence, struct fault *fault)
{
    sqlite3_stmt *row = NULL;
    int result = ledger_query(&evidence->ledger,
                              "SELECT partition, next_offset FROM positions ORDER BY partition",
                              &row, fault);

    for (size_t i = 0; i < evidence->topic.partition_count; i++) {
        evidence->positions[i] = EVIDENCE_NO_OFFSET;
    }
    while (result == 0 && (result = ledger_step(&evidence->ledger, row, fault)) == 1) {
        int64_t partition = sqlite3_column_int64(row, 0);
        if (topic_partition(&evidence->topic, partition)) {
            evidence->positions[partition] = sqlite3_column_int64(row, 1);
        } else {
            report_any(&evidence->report, I6_POSITIONS_PASS_NOTHING,
                       "the store has a position in partition %lld, which the topic lacks",
                       (long long)partition);
        }
        result = 0;
    }
    sqlite3_finalize(row);
    return result;
}

static int read_repeat_counts(struct evidence *evidence, struct fault *fault)
{
    sqlite3_stmt *row = NULL;
    int result =
        ledger_query(&evidence->ledger, "SELECT key, count FROM repeat_counts", &row, fault);

    while (result == 0 && (result = ledger_step(&evidence->ledger, row, fault)) == 1) {
        int32_t key = ledger_key(&evidence->words, row, 0);
        keys_at(&evidence->keys, key)->counted += sqlite3_column_int64(row, 1);
        result = 0;
    }
    sqlite3_finalize(row);
    return result;
}

int evidence_read_ledger(struct evidence *evidence, struct fault *fault)
{
    if (ledger_read(&evidence->ledger, fault) != 0 || read_positions(evidence, fault) != 0) {
        return -1;
    }
    return read_repeat_counts(evidence, fault);
}

void evidence_release(struct evidence *evidence)
{
    ledger_close(&evidence->ledger);
    model_release(&evidence->model);
    keys_release(&evidence->keys);
    topic_release(&evidence->topic);
    words_release(&evidence->words);
    free(evidence->commits);
    free(evidence->positions);
    free(evidence->transfers);
    while (evidence->kept) {
        struct kept_order *next = evidence->kept->next;
        free(evidence->kept);
        evidence->kept = next;
    }
}
