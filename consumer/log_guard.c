#include "consumer/log_guard.h"

#include "common/clock.h"
#include "common/topic_reader.h"
#include "consumer/fingerprint.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define FETCH_BYTES 65536 /* one record is wanted of each partition */
#define ASK_MS      1000  /* how long the question for a partition's ends may take */

struct entry {
    int32_t partition;
    struct log_marks marks;
    struct fingerprint wanted; /* the mark that is looked at now: first the anchor, then the last */
    bool open;                 /* no answer yet */
    bool ended;                /* the log was seen to end before it */
};

struct log_guard {
    struct kafka_args args;
    struct digest *digest;
    struct topic_reader *reader; /* NULL between two rounds */
    struct entry *entries;
    size_t count;
    size_t open;
    int64_t due_ms;
    int64_t deadline_ms;
};

int log_guard_open(struct log_guard **ret, const struct kafka_args *args, struct error *err)
{
    struct log_guard *guard = calloc(1, sizeof(*guard));

    if (!guard) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    guard->args = *args;
    guard->args.client_id = "payd";
    guard->args.log = false; /* what its clients meet, the consumer meets and logs too */
    guard->due_ms = clock_monotonic_ms() + LOG_GUARD_EVERY_MS;
    if (digest_open(&guard->digest, err) != 0) {
        free(guard);
        return -1;
    }
    *ret = guard;
    return 0;
}

void log_guard_end(struct log_guard *guard)
{
    topic_reader_close(guard->reader);
    guard->reader = NULL;
    free(guard->entries);
    guard->entries = NULL;
    guard->count = guard->open = 0;
    guard->due_ms = clock_monotonic_ms() + LOG_GUARD_EVERY_MS;
}

void log_guard_close(struct log_guard *guard)
{
    if (guard) {
        log_guard_end(guard);
        digest_close(guard->digest);
        free(guard);
    }
}

bool log_guard_is_running(const struct log_guard *guard)
{
    return guard->reader != NULL;
}

bool log_guard_is_due(const struct log_guard *guard)
{
    return !guard->reader && clock_monotonic_ms() >= guard->due_ms;
}

void log_guard_hurry(struct log_guard *guard)
{
    guard->due_ms = 0;
}

static void add_entry(struct log_guard *guard, int32_t partition, const struct log_marks *marks)
{
    bool has_anchor = marks->anchor.known && marks->anchor.offset < marks->last.offset;

    if (marks->last.known) {
        guard->entries[guard->count++] = (struct entry){
            .partition = partition,
            .marks = *marks,
            .wanted = has_anchor ? marks->anchor : marks->last,
            .open = true,
        };
    }
}

/* Asks for what is wanted of each partition. */
static int begin(struct log_guard *guard, struct error *err)
{
    guard->open = guard->count;
    if (guard->count == 0) {
        return 0;
    }
    if (topic_reader_open(&guard->reader, &guard->args, guard->args.topic, FETCH_BYTES, err) != 0) {
        guard->reader = NULL;
        return -1;
    }
    guard->deadline_ms = clock_monotonic_ms() + LOG_GUARD_ROUND_MS;
    for (size_t i = 0; i < guard->count; i++) {
        const struct entry *entry = &guard->entries[i];
        if (topic_reader_start(guard->reader, entry->partition, entry->wanted.offset, err) != 0) {
            log_guard_end(guard);
            return -1;
        }
    }
    return 0;
}

static int make_entries(struct log_guard *guard, size_t count, struct error *err)
{
    log_guard_end(guard);
    guard->entries = calloc(count + 1, sizeof(*guard->entries));
    return guard->entries ? 0 : error_set(err, EX_OSERR, "out of memory");
}

int log_guard_begin(struct log_guard *guard, const int32_t *partitions, size_t count,
                    const struct log_marks *marks, struct error *err)
{
    if (make_entries(guard, count, err) != 0) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        add_entry(guard, partitions[i], &marks[partitions[i]]);
    }
    return begin(guard, err);
}

static struct entry *find(struct log_guard *guard, int32_t partition)
{
    for (size_t i = 0; i < guard->count; i++) {
        if (guard->entries[i].partition == partition && guard->entries[i].open) {
            return &guard->entries[i];
        }
    }
    return NULL;
}

/* What stands at the offset. */
static enum log_guard_verdict compare(struct log_guard *guard, const struct entry *entry,
                                      const struct topic_record *record)
{
    const struct raw_message raw = {.key = record->key,
                                    .key_len = record->key_len,
                                    .value = record->value,
                                    .value_len = record->value_len};
    struct fingerprint found;
    struct error ignored;

    if (fingerprint_make(guard->digest, &raw, record->offset, record->timestamp_ms, &found,
                         &ignored) != 0) {
        return LOG_GUARD_LATER;
    }
    return memcmp(found.print, entry->wanted.print, sizeof(found.print)) == 0 ? LOG_GUARD_SAME
                                                                              : LOG_GUARD_OTHER;
}

/* The partition does not hold the offset: cut off at its beginning by retention, or replaced? */
static enum log_guard_verdict judge_missing(struct log_guard *guard, const struct entry *entry)
{
    struct error ignored;
    int64_t low;
    int64_t high;

    if (topic_reader_ends(guard->reader, entry->partition, ASK_MS, &low, &high, &ignored) != 0) {
        return LOG_GUARD_LATER;
    }
    /* An empty log that ends before the record was there is a new one. */
    return low > entry->wanted.offset ? LOG_GUARD_GONE : LOG_GUARD_OTHER;
}

/* True when the last record is to be looked at too, which is then asked for. */
static bool go_on(struct log_guard *guard, struct entry *entry)
{
    struct error ignored;

    if (entry->wanted.offset >= entry->marks.last.offset) {
        return false;
    }
    entry->wanted = entry->marks.last;
    entry->ended = false;
    return topic_reader_start(guard->reader, entry->partition, entry->wanted.offset, &ignored) == 0;
}

/* Reads on. Returns false when nothing came. *ret_entry is set when a partition is answered. */
static bool read_on(struct log_guard *guard, int timeout_ms, const struct entry **ret_entry,
                    enum log_guard_verdict *ret)
{
    struct topic_record record = {.partition = -1};
    struct error ignored;
    enum topic_reader_result result =
        topic_reader_poll(guard->reader, timeout_ms, &record, &ignored);

    *ret_entry = NULL;
    if (result == TOPIC_READER_NOTHING || result == TOPIC_READER_FAILED) {
        return false;
    }
    struct entry *entry = find(guard, record.partition);
    if (!entry) {
        return true; /* more records of a partition that was answered */
    }
    if (result == TOPIC_READER_RECORD && record.is_end) {
        entry->ended = true;
        return true;
    }
    bool later = result == TOPIC_READER_RECORD && record.offset != entry->wanted.offset;
    /* A later record may mean that retention has moved the beginning behind ours. */
    *ret = result == TOPIC_READER_GONE || later ? judge_missing(guard, entry)
                                                : compare(guard, entry, &record);
    topic_reader_stop(guard->reader, entry->partition);
    if ((*ret == LOG_GUARD_SAME || *ret == LOG_GUARD_GONE) && go_on(guard, entry)) {
        return true;
    }
    entry->open = false;
    guard->open--;
    *ret_entry = entry;
    return true;
}

/*
 * The time of the round is over for a partition. A log that was seen to end before the record was
 * replaced or cut, but only if it still does: a broker that has just become the leader may know too
 * low an end for a moment.
 */
static enum log_guard_verdict judge_late(struct log_guard *guard, const struct entry *entry)
{
    struct error ignored;
    int64_t low;
    int64_t high;

    if (!entry->ended ||
        topic_reader_ends(guard->reader, entry->partition, ASK_MS, &low, &high, &ignored) != 0) {
        return LOG_GUARD_LATER;
    }
    return high <= entry->wanted.offset ? LOG_GUARD_OTHER : LOG_GUARD_LATER;
}

static struct entry *first_open(struct log_guard *guard)
{
    for (size_t i = 0; i < guard->count; i++) {
        if (guard->entries[i].open) {
            return &guard->entries[i];
        }
    }
    return NULL;
}

/* The next answer, NULL when there is none now. */
static const struct entry *next_answer(struct log_guard *guard, int timeout_ms,
                                       enum log_guard_verdict *ret)
{
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    const struct entry *answered = NULL;
    int64_t left_ms = timeout_ms;

    while (!answered && guard->open > 0 && read_on(guard, (int)left_ms, &answered, ret)) {
        left_ms = until_ms - clock_monotonic_ms();
        left_ms = left_ms > 0 ? left_ms : 0;
    }
    if (!answered && guard->open > 0 && clock_monotonic_ms() >= guard->deadline_ms) {
        struct entry *late = first_open(guard);
        *ret = judge_late(guard, late);
        late->open = false;
        guard->open--;
        answered = late;
    }
    return answered;
}

bool log_guard_step(struct log_guard *guard, int timeout_ms, struct log_guard_answer *ret)
{
    if (!guard->reader) {
        return false;
    }
    const struct entry *answered = next_answer(guard, timeout_ms, &ret->verdict);
    if (answered) {
        ret->partition = answered->partition;
        ret->last = answered->marks.last;
    }
    if (guard->open == 0) {
        log_guard_end(guard);
    }
    return answered != NULL;
}
