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

/* How many records before its end a partition is read from. */
static int64_t start_of(const struct purge_log *log, int partition, int64_t back)
{
    int64_t from = log->ends[partition] - back;

    return from > log->starts[partition] ? from : log->starts[partition];
}

static int start_last(const struct purge_log *log, int64_t back, struct topic_reader *reader,
                      int *ret_open, struct error *err)
{
    *ret_open = 0;
    for (int i = 0; i < log->partitions; i++) {
        if (log->ends[i] > log->starts[i]) {
            if (topic_reader_start(reader, i, start_of(log, i, back), err) != 0) {
                return -1;
            }
            ++*ret_open;
        }
    }
    return 0;
}

/* Reads the last places of each partition. */
static int read_last(struct purge_log *log, int64_t back, struct topic_reader *reader,
                     int64_t until_ms, struct error *err)
{
    int open = 0;

    if (start_last(log, back, reader, &open, err) != 0) {
        return -1;
    }
    while (open > 0) {
        struct topic_record record;
        enum topic_reader_result result = topic_reader_poll(reader, POLL_MS, &record, err);
        if (result == TOPIC_READER_FAILED) {
            return -1;
        }
        if (stop_requested() || clock_monotonic_ms() > until_ms) {
            return error_set(err, EX_UNAVAILABLE, "the last records of the log do not come");
        }
        if (result == TOPIC_READER_NOTHING) {
            continue;
        }
        bool is_record = result == TOPIC_READER_RECORD && !record.is_end;
        if (is_record && record.timestamp_ms > log->newest_ms) {
            log->newest_ms = record.timestamp_ms;
        }
        if (!is_record || record.offset + 1 >= log->ends[record.partition]) {
            topic_reader_stop(reader, record.partition);
            open--;
        }
    }
    return 0;
}

static bool has_before(const struct purge_log *log, int64_t back)
{
    bool has = false;

    for (int i = 0; i < log->partitions; i++) {
        has = has || start_of(log, i, back) > log->starts[i];
    }
    return has;
}

/* The last places may all be marks of a transaction's end, or records of one that was aborted. */
static int read_newest(struct purge_log *log, struct topic_reader *reader, struct error *err)
{
    int64_t until_ms = clock_monotonic_ms() + READ_MS;
    int64_t back = 1;
    int result = read_last(log, back, reader, until_ms, err);

    while (result == 0 && log->newest_ms == 0 && has_before(log, back)) {
        back *= FURTHER;
        result = read_last(log, back, reader, until_ms, err);
    }
    return result;
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
    return read_ends(log, reader, err) == 0 ? read_newest(log, reader, err) : -1;
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
