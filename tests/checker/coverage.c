#include "tests/checker/coverage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define REPEATS_KEPT 16 /* of a key; only those beyond may have no row */

/* Whose offset it is: payd writes into the metadata who it was. */
static void check_owner(struct evidence *evidence, size_t partition)
{
    const struct ledger *ledger = &evidence->ledger;
    char uuid[LEDGER_UUID_SIZE];
    int64_t incarnation;
    int64_t chunks;

    if (sscanf(evidence->commits[partition].metadata, "payd1 %63s %" SCNd64 " %" SCNd64, uuid,
               &incarnation, &chunks) != 3) {
        return; /* an administrator moved it */
    }
    if (strcmp(uuid, ledger->uuid) != 0) {
        report_any(&evidence->report, I6_POSITIONS_PASS_NOTHING,
                   "partition %zu: another ledger, %s, has committed for the group", partition,
                   uuid);
    } else if (incarnation > ledger->incarnation || chunks > ledger->chunks) {
        report_any(&evidence->report, I6_POSITIONS_PASS_NOTHING,
                   "partition %zu: the group knows of chunk %" PRId64 " of incarnation %" PRId64
                   ", the store only of %" PRId64 " of %" PRId64,
                   partition, chunks, incarnation, ledger->chunks, ledger->incarnation);
    }
}

static void check_position(struct evidence *evidence, size_t number)
{
    const struct partition *partition = &evidence->topic.partitions[number];
    int64_t position = evidence->positions[number];
    int64_t committed = evidence->commits[number].offset;
    /* Without a position nothing is passed as long as the commit names the beginning. */
    int64_t read = position != EVIDENCE_NO_OFFSET ? position : partition->low;

    if (position > partition->high) {
        report_any(&evidence->report, I6_POSITIONS_PASS_NOTHING,
                   "partition %zu: the stored position %" PRId64 " lies behind its end %" PRId64,
                   number, position, partition->high);
    }
    if (committed != EVIDENCE_NO_OFFSET && committed > read) {
        report_any(&evidence->report, I6_POSITIONS_PASS_NOTHING,
                   "partition %zu: %" PRId64 " is committed, the stored position is %" PRId64,
                   number, committed, read);
    }
    check_owner(evidence, number);
}

/* Whether the store's count of the key has room for one more repeat without a row. */
static bool is_counted(struct key *key, const struct record *record)
{
    bool is_repeat = record->outcome == OUTCOME_DUPLICATE || record->outcome == OUTCOME_CONFLICT;

    if (!is_repeat || key->kept_rows < REPEATS_KEPT || key->counted <= key->repeat_rows) {
        return false;
    }
    key->repeat_rows++; /* it is as good as one */
    return true;
}

static void check_record(struct evidence *evidence, const struct record *record)
{
    struct key *key = keys_at(&evidence->keys, record->is_keyed ? record->key : NAMES_NONE);
    bool is_passed = record->offset < evidence->positions[record->partition];

    key->records++;
    key->undecided += !is_passed;
    if (!is_passed && record->seq != 0) {
        report_of(evidence, I6_POSITIONS_PASS_NOTHING, record->key,
                  "partition %" PRId32 " offset %" PRId64 " is recorded, the stored position is "
                  "%" PRId64,
                  record->partition, record->offset, evidence->positions[record->partition]);
    }
    if (is_passed && record->seq == 0 && !is_counted(key, record)) {
        report_of(evidence, I6_POSITIONS_PASS_NOTHING, record->key,
                  "partition %" PRId32 " offset %" PRId64 " is below the stored position, and "
                  "nothing is recorded of it",
                  record->partition, record->offset);
    }
}

/* What the store counted of a key beyond what there is: I5, since the model counts fewer. */
static void check_count(struct evidence *evidence, int32_t number)
{
    const struct key *key = keys_at(&evidence->keys, number);
    int64_t again = evidence->ledger.counts[OUTCOME_REDELIVERED];

    if (key->counted < key->repeat_rows ||
        (!evidence->is_partial && key->counted > key->repeat_rows + again)) {
        report_of(evidence, I5_MODEL_AGREES, number,
                  "the store counts %" PRId64 " repeats of the key, there are %" PRId64,
                  key->counted, key->repeat_rows);
    }
}

/* Every number was given to something: what has no row now was a repeat that is only counted. */
static void check_gaps(struct evidence *evidence)
{
    int64_t published = evidence->ledger.published_seq;
    int64_t forgotten = 0;

    for (size_t i = 0; i < evidence->keys.room; i++) {
        forgotten += evidence->keys.entries[i].counted - evidence->keys.entries[i].repeat_rows;
    }
    if (published > evidence->last_seq) {
        evidence->gaps += published - evidence->last_seq;
        evidence->last_seq = published;
    }
    if (forgotten != evidence->gaps) {
        report_any(&evidence->report, I6_POSITIONS_PASS_NOTHING,
                   "%" PRId64 " numbers up to seq %" PRId64 " have no row, %" PRId64
                   " repeats are only counted",
                   evidence->gaps, evidence->last_seq, forgotten);
    }
}

void coverage_check(struct evidence *evidence)
{
    check_gaps(evidence);
    for (size_t i = 0; i < evidence->topic.partition_count; i++) {
        check_position(evidence, i);
    }
    for (size_t i = 0; i < evidence->topic.count; i++) {
        check_record(evidence, &evidence->topic.records[i]);
    }
    for (size_t i = 0; i < names_count(evidence->words.keys); i++) {
        check_count(evidence, (int32_t)i);
    }
}
