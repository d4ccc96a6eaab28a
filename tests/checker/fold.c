#include "tests/checker/fold.h"

#include "tests/checker/match.h"
#include "tests/checker/memory.h"
#include "tests/checker/rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct fold {
    struct evidence *evidence;
    size_t *next;             /* by partition: its first record whose turn has not come */
    bool saw_other_partition; /* than the first: the topic had several from here on */
};

static bool is_decision(int outcome)
{
    return outcome == OUTCOME_APPLIED || outcome == OUTCOME_REJECTED;
}

static bool is_repeat(int outcome)
{
    return outcome == OUTCOME_DUPLICATE || outcome == OUTCOME_CONFLICT;
}

/* ---- records that are passed without a row ---- */

static void pass(struct evidence *evidence, struct record *record)
{
    struct key *key = keys_at(&evidence->keys, record->key);
    struct verdict verdict;

    model_judge(&evidence->model, key, &record->order, &verdict);
    model_see(&evidence->model, &record->order);
    record->was_skipped = true;
    record->outcome = verdict.outcome;
    record->first_seq = key->first_seq;
    snprintf(record->reason, sizeof(record->reason), "%s", verdict.reason);
    evidence->passed_counts[verdict.outcome]++;
    key->repeats_passed += is_repeat(verdict.outcome);
}

/* It has a row after all, out of its turn. */
static void unpass(struct evidence *evidence, struct record *record)
{
    record->was_skipped = false;
    evidence->passed_counts[record->outcome]--;
    keys_at(&evidence->keys, record->key)->repeats_passed -= is_repeat(record->outcome);
}

/* Lets the turn of a partition's records below the index pass. */
static void pass_until(struct fold *fold, int64_t partition, size_t index)
{
    struct record *records = fold->evidence->topic.records;

    for (; fold->next[partition] < index; fold->next[partition]++) {
        struct record *record = &records[fold->next[partition]];
        if (record->seq == 0) {
            pass(fold->evidence, record);
        }
    }
}

/* ---- one row ---- */

/* The message of a row. NULL when it is gone, which may be or is reported. */
static struct record *find_record(struct evidence *evidence, const struct row *row)
{
    const struct partition *partition = topic_partition(&evidence->topic, row->partition);
    struct record *record = row->log == evidence->ledger.log
                                ? topic_find(&evidence->topic, row->partition, row->offset)
                                : NULL;

    if (!record && row->log == evidence->ledger.log &&
        (!partition || row->offset >= partition->low)) {
        report_of(evidence, I8_STORED_IS_WHAT_WAS_SENT, row->key,
                  "seq %" PRId64 ": no message stands at its origin, partition %" PRId64
                  " offset %" PRId64,
                  row->seq, row->partition, row->offset);
    } else if (!record) {
        evidence->is_partial = true;
    }
    return record;
}

/* A repeat that is not kept may be forgotten, and so be decided again when it is redelivered. */
static bool may_come_again(const struct evidence *evidence, const struct row *row)
{
    return is_repeat(row->outcome) && !row->is_kept &&
           evidence->ledger.counts[OUTCOME_REDELIVERED] > 0;
}

static void take_turn(struct fold *fold, const struct row *row, struct record *record)
{
    struct evidence *evidence = fold->evidence;
    size_t index = (size_t)(record - evidence->topic.records);

    if (record->seq != 0) {
        report_of(evidence, I5_MODEL_AGREES, row->key,
                  "partition %" PRId64 " offset %" PRId64 " is recorded twice, as seq %" PRId64
                  " and %" PRId64,
                  row->partition, row->offset, record->seq, row->seq);
        return;
    }
    if (record->was_skipped) {
        unpass(evidence, record);
        if (!may_come_again(evidence, row)) {
            report_of(evidence, I5_MODEL_AGREES, row->key,
                      "seq %" PRId64 ": partition %" PRId64 " offset %" PRId64
                      " is recorded behind a later offset of its partition",
                      row->seq, row->partition, row->offset);
        }
    } else {
        pass_until(fold, row->partition, index);
        fold->next[row->partition] = index + 1;
    }
}

static void compare(struct evidence *evidence, const struct row *row, const struct verdict *wanted,
                    int64_t first_seq)
{
    bool is_quarantined = row->outcome == OUTCOME_QUARANTINED;

    if (row->outcome != wanted->outcome ||
        (!is_quarantined && strcmp(row->reason, wanted->reason) != 0)) {
        report_of(evidence, I5_MODEL_AGREES, row->key,
                  "seq %" PRId64 " is %s%s%s, the rules make it %s%s%s", row->seq,
                  outcome_text(row->outcome), row->reason[0] ? " " : "", row->reason,
                  outcome_text(wanted->outcome), wanted->reason[0] ? " " : "", wanted->reason);
    } else if (row->outcome == OUTCOME_CONFLICT && strcmp(row->fields, wanted->fields) != 0) {
        report_of(evidence, I5_MODEL_AGREES, row->key,
                  "seq %" PRId64 ": the conflict is said to differ in \"%s\", it differs in \"%s\"",
                  row->seq, row->fields, wanted->fields);
    } else if (is_repeat(row->outcome) && row->first_seq != first_seq) {
        report_of(evidence, I5_MODEL_AGREES, row->key,
                  "seq %" PRId64 " names seq %" PRId64
                  " as the first of its key, which is %" PRId64,
                  row->seq, row->first_seq, first_seq);
    }
}

static const struct order *keep_order(struct evidence *evidence, const struct order *order)
{
    struct kept_order *kept = memory_new(1, sizeof(*kept));

    *kept = (struct kept_order){.next = evidence->kept, .order = *order};
    evidence->kept = kept;
    return &kept->order;
}

/* Its key is decided by this row, which the model follows whatever it thinks of it. */
static void follow_decision(struct evidence *evidence, const struct row *row,
                            const struct order *order)
{
    struct key *key = keys_at(&evidence->keys, row->key);

    if (++key->decisions > 1) {
        report_of(evidence, I2_ONE_OUTCOME_ONE_TRANSFER, row->key,
                  "the key is decided a second time, as seq %" PRId64 " after %" PRId64, row->seq,
                  key->first_seq);
    }
    if (!key->first) {
        key->first = order;
        key->first_seq = row->seq;
    }
    if (row->outcome != OUTCOME_APPLIED) {
        return;
    }
    model_apply(&evidence->model, order);
    if (order->type == ORDER_PAYMENT) {
        evidence->transfers =
            memory_grow(evidence->transfers, &evidence->transfer_room, evidence->transfer_count + 1,
                        sizeof(*evidence->transfers));
        evidence->transfers[evidence->transfer_count++] = (struct transfer){
            .seq = row->seq, .amount_minor = order->amount_minor, .key = row->key};
    }
}

static void follow(struct evidence *evidence, const struct row *row, const struct order *order)
{
    if (order) {
        model_see(&evidence->model, order);
    }
    if (is_decision(row->outcome)) {
        follow_decision(evidence, row, order);
        return;
    }
    struct key *key = keys_at(&evidence->keys, row->key);
    if (row->outcome == OUTCOME_QUARANTINED) {
        key->quarantined++;
    } else {
        key->repeat_rows++;
        key->kept_rows += row->is_kept;
    }
}

static void count_seq(struct evidence *evidence, const struct row *row)
{
    int64_t missing = row->seq - evidence->last_seq - 1;

    if (missing < 0) {
        report_of(evidence, I5_MODEL_AGREES, row->key, "two rows have seq %" PRId64, row->seq);
    } else if (missing > 0) {
        evidence->gaps += missing;
        if (row->seq - 1 > evidence->ledger.published_seq) {
            report_of(evidence, I6_POSITIONS_PASS_NOTHING, row->key,
                      "no row has seq %" PRId64 ", whose outcome is not published yet",
                      row->seq - 1);
        }
    }
    evidence->last_seq = row->seq;
    evidence->row_counts[row->outcome]++;
}

/* Whether the order of all commands existed; where nothing tells, the store is believed. */
static bool had_one_partition(const struct fold *fold, const struct row *row)
{
    if (fold->evidence->topic.partition_count == 1 && row->log == fold->evidence->ledger.log) {
        return true;
    }
    return !fold->saw_other_partition && strcmp(row->reason, "needs_one_partition") != 0;
}

/* Lays a row beside the model. own: its message, NULL when that is gone or another one. */
static void judge(struct evidence *evidence, const struct row *row, const struct record *own,
                  const struct order *order)
{
    const struct key *key = keys_at(&evidence->keys, row->key);
    struct verdict verdict;

    model_judge(&evidence->model, key, own ? &own->order : order, &verdict);
    compare(evidence, row, &verdict, key->first_seq);
}

/* What is known from now on of a message that has a row. */
static void note(struct evidence *evidence, const struct row *row, struct record *record)
{
    if (record->seq == 0) {
        record->seq = row->seq;
        record->outcome = row->outcome;
        record->first_seq = keys_at(&evidence->keys, record->key)->first_seq;
        memcpy(record->reason, row->reason, sizeof(record->reason));
    }
}

static void visit(void *user, const struct row *row)
{
    struct fold *fold = user;
    struct evidence *evidence = fold->evidence;
    struct record *record = find_record(evidence, row);
    const struct order *order = NULL;

    count_seq(evidence, row);
    if (record) {
        take_turn(fold, row, record);
        note(evidence, row, record);
    }
    if (record && !match_row(evidence, row, record)) {
        record = NULL;
    }
    fold->saw_other_partition = fold->saw_other_partition || row->partition > 0;
    evidence->model.one_partition = had_one_partition(fold, row);
    if (record && record->order.type != ORDER_UNREADABLE) {
        order = &record->order;
    } else if (is_decision(row->outcome)) {
        order = keep_order(evidence, &row->order);
    }
    if (record || order) {
        judge(evidence, row, record, order);
    }
    follow(evidence, row, order);
}

/* ---- the beginning and the end ---- */

/*
 * A new store may begin strict, which nothing records but what it was like until the first command
 * about it.
 */
static int find_first_mode(struct evidence *evidence, struct fault *fault)
{
    static const char first_mode[] =
        "SELECT min(seq) FROM decisions WHERE type = 5 AND outcome = 1";
    static const char refused[] =
        "SELECT EXISTS (SELECT 1 FROM decisions d JOIN reason_names r ON r.id = d.reason"
        " WHERE r.name = 'unknown_account' AND d.type = 1 AND d.seq <"
        " (SELECT min(seq) FROM decisions WHERE type = 5 AND outcome = 1))";
    int64_t found = 0;

    if (ledger_int(&evidence->ledger, first_mode, &found, fault) != 0) {
        return -1;
    }
    if (found == 0) {
        evidence->model.is_strict = evidence->ledger.strict;
        return 0;
    }
    if (ledger_int(&evidence->ledger, refused, &found, fault) != 0) {
        return -1;
    }
    evidence->model.is_strict = found != 0;
    return 0;
}

int fold(struct evidence *evidence, struct fault *fault)
{
    size_t partitions = evidence->topic.partition_count;
    struct fold state = {.evidence = evidence, .next = memory_new(partitions, sizeof(size_t))};

    for (size_t i = 0; i < partitions; i++) {
        state.next[i] = evidence->topic.partitions[i].begin;
    }
    int result = find_first_mode(evidence, fault);
    if (result == 0) {
        result = rows_read(&evidence->ledger, &evidence->words, visit, &state, fault);
    }
    for (size_t i = 0; result == 0 && i < partitions; i++) {
        pass_until(
            &state, (int64_t)i,
            topic_from(&evidence->topic, &evidence->topic.partitions[i], evidence->positions[i]));
    }
    free(state.next);
    return result;
}
