/*
 * Replay reads records again that stand before the ledger's positions, and so were all read before:
 * it can only add what was never decided, such as records that a position was moved over by hand.
 * The forecast and its execution go the same way; they differ in the ledger that decides.
 */
#include "consumer/replay_internal.h"

#include "common/clock.h"
#include "common/stop.h"
#include "common/topic_reader.h"
#include "consumer/forecast.h"
#include "consumer/key_list.h"
#include "consumer/ledger.h"
#include "consumer/log_guard.h"
#include "consumer/rebuild.h"
#include "consumer/replay_chunk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

/* ---- which records ---- */

/* The offset that is meant in a partition which holds low <= offset < high. */
static int resolve(const struct replaying *replaying, const struct span *span, int32_t partition,
                   int64_t low, int64_t missing, int64_t *ret, struct error *err)
{
    switch (span->kind) {
    case SPAN_BEGINNING:
        *ret = low;
        return 0;
    case SPAN_OFFSET:
        *ret = span->value;
        return 0;
    case SPAN_TIME:
        return reread_offset_at(replaying->reread, partition, span->value, ret, err);
    case SPAN_NONE:
    default:
        *ret = missing;
        return 0;
    }
}

/* *ret_marks is set for a partition that was read. */
static int find_range(const struct replaying *replaying, int32_t partition,
                      struct reread_range *ret, struct log_marks *ret_marks, struct error *err)
{
    struct store *store = replaying->store;
    bool is_read = false;
    int64_t position = 0;
    int64_t low;
    int64_t high;

    *ret = (struct reread_range){partition, 0, 0};
    if (store->ops->position(store, partition, &is_read, &position, ret_marks, err) != STORE_OK) {
        return -1;
    }
    if (!is_read) {
        return 0;
    }
    if (reread_ends(replaying->reread, partition, &low, &high, err) != 0 ||
        resolve(replaying, &replaying->options->from, partition, low, low, &ret->from, err) != 0 ||
        resolve(replaying, &replaying->options->until, partition, low, position, &ret->to, err) !=
            0) {
        return -1;
    }
    if (ret->from < low) {
        return error_set(err, EX_CONFIG,
                         "%s[%" PRId32 "]@%" PRId64 " is not in the log any more, which begins at "
                         "%" PRId64,
                         replaying->report.topic, partition, ret->from, low);
    }
    ret->to = ret->to < position ? ret->to : position; /* what is behind it, payd run reads */
    ret->to = ret->to < high ? ret->to : high;
    ret->from = ret->from < ret->to ? ret->from : ret->to;
    return 0;
}

static bool needs_partition(const struct options *options, int partitions)
{
    bool by_offset = options->from.kind == SPAN_OFFSET || options->until.kind == SPAN_OFFSET;

    return by_offset && options->partition < 0 && partitions > 1;
}

static int find_ranges(const struct replaying *replaying, struct reread_range *ranges,
                       struct log_marks *marks, struct error *err)
{
    const struct options *options = replaying->options;
    int partitions = reread_partitions(replaying->reread);
    int result = 0;

    if (options->partition >= partitions) {
        result =
            error_set(err, EX_USAGE, "topic \"%s\" has %d partitions, and no partition %" PRId32,
                      options->kafka.topic, partitions, options->partition);
    } else if (needs_partition(options, partitions)) {
        result = error_set(err, EX_USAGE,
                           "an offset is one of a partition, and the topic has %d: use --partition",
                           partitions);
    }
    for (int i = 0; result == 0 && i < partitions; i++) {
        if (options->partition < 0 || options->partition == i) {
            result = find_range(replaying, i, &ranges[i], &marks[i], err);
        }
    }
    return result;
}

static int start(struct replaying *replaying, struct error *err)
{
    int partitions = reread_partitions(replaying->reread);
    struct reread_range *ranges = calloc((size_t)partitions, sizeof(*ranges));
    struct log_marks *marks = calloc((size_t)partitions, sizeof(*marks));
    int result = -1;

    if (!ranges || !marks) {
        error_set(err, EX_OSERR, "out of memory");
    } else if (find_ranges(replaying, ranges, marks, err) == 0 &&
               log_guard_check(&replaying->options->kafka, marks, partitions, err) == 0) {
        result = reread_start(replaying->reread, ranges, (size_t)partitions, err);
    }
    free(ranges);
    free(marks);
    return result;
}

/* ---- their way through the ledger ---- */

int replay_keep_rate(const struct replaying *replaying, int64_t started_ms, struct error *err)
{
    int64_t rate = replaying->options->rate;
    int64_t due_ms = rate > 0 ? reread_records(replaying->reread) * 1000 / rate : 0;
    int64_t left_ms = started_ms + due_ms - clock_monotonic_ms();

    if (rate > 0 && left_ms > 0 && stop_wait(left_ms < INT32_MAX ? (int)left_ms : INT32_MAX)) {
        return error_set(err, EX_TEMPFAIL, "stopped before the end: run it again");
    }
    return 0;
}

size_t replay_chunk_size(const struct options *options)
{
    int64_t wanted = options->rate / 10 + 1;

    return options->rate > 0 && wanted < CHUNK_MESSAGES_MAX ? (size_t)wanted : CHUNK_MESSAGES_MAX;
}

int replay_check_order(const struct replaying *replaying, struct store *store, struct error *err)
{
    bool ordered = false;

    if (reread_partitions(replaying->reread) == 1) {
        return 0;
    }
    if (store->ops->ordered(store, &ordered, err) != STORE_OK) {
        return -1;
    }
    return ordered
               ? error_set(err, EX_CONFIG,
                           "topic \"%s\" has more than one partition, and the ledger has strict "
                           "accounts or limits, which need one order of all commands",
                           replaying->report.topic)
               : 0;
}

/* Through the ledger itself. */
static int execute(struct store *store, struct chunk *chunk, struct error *err)
{
    if (store_begin_chunk(store, chunk, err) != STORE_OK) {
        store->ops->rollback(store);
        return -1;
    }
    chunk->now_ms = clock_unix_ms();
    ledger_decide(chunk);
    return replay_chunk_save(store, store, chunk, err) == STORE_OK ? 0 : -1;
}

static int replay_records(struct replaying *replaying, struct error *err)
{
    struct replay_report *report = &replaying->report;
    int64_t started_ms = clock_monotonic_ms();
    struct chunk *chunk;
    int result;

    progress_begin(&replaying->progress, report->executed ? "replaying" : "forecasting",
                   reread_total(replaying->reread));
    while ((result = reread_next(replaying->reread, &chunk, err)) == 0 && chunk) {
        chunk->one_partition = reread_partitions(replaying->reread) == 1;
        result = report->executed ? execute(replaying->store, chunk, err)
                                  : forecast_decide(replaying->forecast, chunk, err);
        for (size_t i = 0; result == 0 && i < chunk->item_count; i++) {
            replay_count(report, &chunk->items[i], true);
        }
        progress_update(&replaying->progress, reread_done(replaying->reread));
        if (result != 0 || replay_keep_rate(replaying, started_ms, err) != 0) {
            result = -1;
            break;
        }
    }
    progress_clear(&replaying->progress);
    return result;
}

/* ---- the command ---- */

/* Checks whose ledger it is before it is opened to write, which would make one, or bind it. */
static int open_ledger(struct replaying *replaying, struct error *err)
{
    const struct options *options = replaying->options;
    const char *cluster = reread_cluster(replaying->reread);
    struct store *found = NULL;

    if (!options->execute) {
        return store_sqlite_open_snapshot(&replaying->store, options->db, err) == 0 &&
                       replaying->store->ops->bind(replaying->store, cluster, options->kafka.topic,
                                                   err) == STORE_OK
                   ? 0
                   : -1;
    }
    if (store_sqlite_open_readonly(&found, options->db, err) != 0) {
        return -1;
    }
    enum store_status status = found->ops->bind(found, cluster, options->kafka.topic, err);
    store_close(found);
    return status == STORE_OK
               ? store_sqlite_open(&replaying->store, options->db, topic_reader_header, err)
               : -1;
}

static int replay_all(struct replaying *replaying, struct error *err)
{
    const struct options *options = replaying->options;

    if (options->into) {
        return replay_into(replaying, err);
    }
    if (options->key_file && key_list_read(&replaying->keys, options->key_file, err) != 0) {
        return -1;
    }
    if (reread_open(&replaying->reread, &options->kafka, replay_chunk_size(options), err) != 0 ||
        open_ledger(replaying, err) != 0 ||
        replay_check_order(replaying, replaying->store, err) != 0) {
        return -1;
    }
    if (!options->execute &&
        forecast_open(&replaying->forecast, replaying->store, reread_cluster(replaying->reread),
                      options->kafka.topic, err) != 0) {
        return -1;
    }
    if (replaying->keys) {
        reread_filter(replaying->reread, key_list_has, replaying->keys);
    }
    return start(replaying, err) == 0 ? replay_records(replaying, err) : -1;
}

static int print(const struct replay_report *report, bool json, struct error *err)
{
    if (!json) {
        replay_print(stdout, report);
    } else if (replay_print_json(stdout, report) != 0) {
        error_set(err, EX_OSERR, "out of memory");
        return EX_OSERR;
    }
    return report->changes > 0 && !report->executed ? REPLAY_CHANGES : EX_OK;
}

int replay(const struct options *options, struct error *err)
{
    struct replaying *replaying = calloc(1, sizeof(*replaying));

    if (!replaying) {
        error_set(err, EX_OSERR, "out of memory");
        return EX_OSERR;
    }
    replaying->options = options;
    replaying->report.topic = options->kafka.topic;
    replaying->report.redecided = options->redecide;
    replaying->report.executed = options->execute || (options->into && !options->redecide);
    progress_init(&replaying->progress, !options->json && isatty(STDERR_FILENO) ? stderr : NULL);
    int code =
        replay_all(replaying, err) == 0 ? print(&replaying->report, options->json, err) : err->code;
    findings_release(&replaying->report.news);
    forecast_close(replaying->forecast);
    rebuild_close(replaying->rebuild);
    store_close(replaying->old);
    told_close(replaying->told);
    reread_close(replaying->reread);
    store_close(replaying->store);
    key_list_free(replaying->keys);
    free(replaying);
    return code;
}
