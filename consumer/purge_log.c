#include "consumer/purge_log.h"

#include "common/clock.h"
#include "common/stop.h"
#include "common/topic_reader.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sysexits.h>

#define ASK_MS      3000  /* how long a question about the topic may take, */
#define READ_MS     10000 /* and all last records together */
#define POLL_MS     100
#define FETCH_BYTES ((size_t)64 << 10)
#define FURTHER     64 /* times as far back, when the last places have no record */

/* ---- what the brokers say ---- */

static int read_ends(struct purge_log *log, struct topic_reader *reader, struct error *err)
{
    for (int i = 0; i < log->partitions; i++) {
        if (topic_reader_ends(reader, i, ASK_MS, &log->starts[i], &log->ends[i], err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* A partition's last places, read backwards part by part until there is a record among them. */
struct tail {
    int64_t from; /* the part: from here on */
    int64_t to;   /* to before this */
    bool has_record;
};

/* Begins to read the places before the parts that have no record. *ret_open: of so many partitions.
 */
static int start_tails(const struct purge_log *log, struct tail *tails, int64_t back,
                       struct topic_reader *reader, int *ret_open, struct error *err)
{
    *ret_open = 0;
    for (int i = 0; i < log->partitions; i++) {
        struct tail *tail = &tails[i];
        tail->to = tail->has_record ? log->starts[i] : tail->from;
        tail->from = tail->to - back > log->starts[i] ? tail->to - back : log->starts[i];
        if (tail->from < tail->to) {
            if (topic_reader_start(reader, i, tail->from, err) != 0) {
                return -1;
            }
            ++*ret_open;
        }
    }
    return 0;
}

/* Takes what came of a partition; false when there is no more of its part. */
static bool take(struct purge_log *log, struct tail *tail, const struct topic_record *record,
                 bool is_record)
{
    if (!is_record || record->offset >= tail->to) {
        return false;
    }
    tail->has_record = true;
    if (record->timestamp_ms > log->newest_ms) {
        log->newest_ms = record->timestamp_ms;
    }
    return record->offset + 1 < tail->to;
}

/* Reads the parts that were started. *ret_over: the time was over before their ends came. */
static int read_tails(struct purge_log *log, struct tail *tails, int open,
                      struct topic_reader *reader, int64_t until_ms, bool *ret_over,
                      struct error *err)
{
    *ret_over = false;
    while (open > 0 && !*ret_over) {
        struct topic_record record;
        enum topic_reader_result result = topic_reader_poll(reader, POLL_MS, &record, err);
        if (result == TOPIC_READER_FAILED) {
            return -1;
        }
        if (stop_requested()) {
            return error_set(err, EX_TEMPFAIL, "stopped before the end");
        }
        bool is_record = result == TOPIC_READER_RECORD && !record.is_end;
        if (result != TOPIC_READER_NOTHING &&
            !take(log, &tails[record.partition], &record, is_record)) {
            topic_reader_stop(reader, record.partition);
            open--;
        }
        *ret_over = open > 0 && clock_monotonic_ms() > until_ms;
    }
    return 0;
}

/*
 * The last place of a partition may be the mark of a transaction's end, and those before it records
 * of one that was aborted: then further back, as far as the time allows.
 */
static int read_newest(struct purge_log *log, struct tail *tails, struct topic_reader *reader,
                       struct error *err)
{
    int64_t until_ms = clock_monotonic_ms() + READ_MS;
    bool is_over = false;
    int open = 1;

    for (int i = 0; i < log->partitions; i++) {
        tails[i] = (struct tail){.from = log->ends[i]};
    }
    for (int64_t back = 1; open > 0 && !is_over; back *= FURTHER) {
        if (start_tails(log, tails, back, reader, &open, err) != 0 ||
            read_tails(log, tails, open, reader, until_ms, &is_over, err) != 0) {
            return -1;
        }
        if (is_over && (back == 1 || log->newest_ms == 0)) {
            return error_set(err, EX_UNAVAILABLE, "the last records of the log do not come");
        }
    }
    return 0;
}

static int read_all(struct purge_log *log, struct topic_reader *reader,
                    const struct kafka_args *args, struct error *err)
{
    if (topic_reader_partitions(reader, ASK_MS, &log->partitions, err) != 0) {
        return -1;
    }
    log->cluster = topic_reader_cluster(reader, ASK_MS, err);
    if (!log->cluster || (!args->skip_topic_check &&
                          topic_reader_retention(reader, ASK_MS, &log->retention_ms, err) != 0)) {
        return -1;
    }
    log->starts = calloc((size_t)log->partitions, sizeof(*log->starts));
    log->ends = calloc((size_t)log->partitions, sizeof(*log->ends));
    if (!log->starts || !log->ends) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    if (read_ends(log, reader, err) != 0) {
        return -1;
    }
    struct tail *tails = calloc((size_t)log->partitions, sizeof(*tails));
    if (!tails) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    int result = read_newest(log, tails, reader, err);
    free(tails);
    return result;
}

int purge_log_read(struct purge_log *ret, const struct kafka_args *args, struct error *err)
{
    struct topic_reader *reader = NULL;

    *ret = (struct purge_log){.partitions = 0};
    if (topic_reader_open(&reader, args, args->topic, FETCH_BYTES, err) != 0) {
        return -1;
    }
    int result = read_all(ret, reader, args, err);
    topic_reader_close(reader);
    if (result != 0) {
        purge_log_release(ret);
    }
    return result;
}

void purge_log_release(struct purge_log *log)
{
    free(log->cluster);
    free(log->starts);
    free(log->ends);
    *log = (struct purge_log){.partitions = 0};
}

/* ---- what follows ---- */

int purge_log_unread(const struct purge_log *log, struct store *store, int64_t *ret,
                     struct error *err)
{
    *ret = 0;
    for (int i = 0; i < log->partitions; i++) {
        struct log_marks marks;
        bool is_read = false;
        int64_t next = 0;
        if (store->ops->position(store, i, &is_read, &next, &marks, err) != STORE_OK) {
            return -1;
        }
        int64_t from = is_read && next > log->starts[i] ? next : log->starts[i];
        *ret += log->ends[i] > from ? log->ends[i] - from : 0;
    }
    return 0;
}

int purge_log_floor(const struct purge_log *log, int64_t older_ms, int64_t now_ms, int64_t *ret,
                    struct error *err)
{
    const int64_t day_ms = 86400000;
    int64_t time_ms = log->newest_ms < now_ms ? log->newest_ms : now_ms;

    if (log->retention_ms < 0) {
        return error_set(err, EX_CONFIG,
                         "the topic keeps its records for ever (retention.ms=-1): a key must be "
                         "remembered as long as its record can be read again");
    }
    if (older_ms < log->retention_ms) {
        return error_set(err, EX_CONFIG,
                         "the topic keeps its records for %" PRId64 " days (retention.ms=%" PRId64
                         "): a key must be remembered for as long at the least",
                         (log->retention_ms + day_ms - 1) / day_ms, log->retention_ms);
    }
    if (log->newest_ms == 0) {
        return error_set(err, EX_TEMPFAIL,
                         "the topic has no record, which would tell the broker's time: try again "
                         "after the next payment");
    }
    *ret = time_ms > older_ms ? time_ms - older_ms : 0;
    return 0;
}
