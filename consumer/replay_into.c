/* A replay into a new ledger: see rebuild.h for what is decided. */
#include "common/clock.h"
#include "common/topic_reader.h"
#include "consumer/diff.h"
#include "consumer/log_guard.h"
#include "consumer/rebuild.h"
#include "consumer/replay_internal.h"
#include "consumer/store_backup.h"
#include "consumer/store_reset.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* A ledger that is not finished has another name: nobody takes it for one. */
#define UNFINISHED ".rebuilding"

/* What is read of a partition: all of it, or what the old ledger has read. */
static int find_log(const struct replaying *replaying, int32_t partition, struct reread_range *ret,
                    struct log_marks *ret_marks, struct error *err)
{
    struct store *old = replaying->old;
    bool is_read = false;
    int64_t position = 0;

    ret->partition = partition;
    if (reread_ends(replaying->reread, partition, &ret->from, &ret->to, err) != 0 ||
        (old &&
         old->ops->position(old, partition, &is_read, &position, ret_marks, err) != STORE_OK)) {
        return -1;
    }
    if (!old && ret->from > 0 && !replaying->options->from_log_start) {
        return error_set(err, EX_CONFIG,
                         "%s[%" PRId32 "] begins at %" PRId64 ": what its first records decided "
                         "would be missing (--from-log-start accepts that)",
                         replaying->report.topic, partition, ret->from);
    }
    if (old) {
        position = is_read ? position : ret->from;
        ret->to = ret->to < position ? ret->to : position;
        ret->to = ret->to > ret->from ? ret->to : ret->from;
    }
    struct store *store = replaying->store;
    rebuild_start(replaying->rebuild, partition, ret->from, NULL);
    return store->ops->adopt(store, partition, ret->from, err) == STORE_OK ? 0 : -1;
}

static int start_all(const struct replaying *replaying, struct error *err)
{
    int partitions = reread_partitions(replaying->reread);
    struct reread_range *ranges = calloc((size_t)partitions, sizeof(*ranges));
    struct log_marks *marks = calloc((size_t)partitions, sizeof(*marks));
    int result = 0;

    if (!ranges || !marks) {
        free(ranges);
        free(marks);
        return error_set(err, EX_OSERR, "out of memory");
    }
    for (int i = 0; result == 0 && i < partitions; i++) {
        result = find_log(replaying, i, &ranges[i], &marks[i], err);
    }
    if (result == 0) {
        result = log_guard_check(&replaying->options->kafka, marks, partitions, err);
    }
    if (result == 0) {
        result = reread_start(replaying->reread, ranges, (size_t)partitions, err);
    }
    free(ranges);
    free(marks);
    return result;
}

static int rebuild_records(struct replaying *replaying, struct error *err)
{
    const struct options *options = replaying->options;
    struct rebuild *rebuild = replaying->rebuild;
    int64_t started_ms = clock_monotonic_ms();
    struct chunk *chunk;
    int result;

    progress_begin(&replaying->progress, "rebuilding", reread_total(replaying->reread));
    while ((result = reread_next(replaying->reread, &chunk, err)) == 0 && chunk) {
        chunk->one_partition = reread_partitions(replaying->reread) == 1;
        result = rebuild_chunk(rebuild, chunk, err);
        for (size_t i = 0; result == 0 && i < chunk->item_count; i++) {
            const struct chunk_item *item = &chunk->items[i];
            bool is_news = !options->redecide && !rebuild_was_bound(rebuild, chunk, item);
            replay_count(&replaying->report, item, is_news);
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

/* The new ledger's accounts are strict, or not, as the old one's are, or as is said. */
static int set_mode(const struct replaying *replaying, struct error *err)
{
    const struct options *options = replaying->options;
    struct store *store = replaying->store;
    struct store *old = replaying->old;
    bool strict = options->accounts == ACCOUNTS_STRICT;
    struct store_stats stats;

    if (old && options->accounts == ACCOUNTS_AS_THEY_ARE) {
        if (old->ops->stats(old, &stats, err) != STORE_OK) {
            return -1;
        }
        strict = stats.strict;
        store_stats_release(&stats);
    }
    return !strict || store->ops->set_mode(store, true, err) == STORE_OK ? 0 : -1;
}

/* Whose decisions hold. To decide anew is to compare with them at the end, and not before. */
static struct rebuild_old whose(const struct replaying *replaying)
{
    if (replaying->options->redecide) {
        return (struct rebuild_old){.store = NULL};
    }
    return replaying->told ? (struct rebuild_old){told_store(replaying->told), true}
                           : (struct rebuild_old){replaying->old, false};
}

/* Prints what was decided in another way than the first time. */
static int list_changes(struct replaying *replaying, const char *path, struct error *err)
{
    struct store *old = replaying->told ? told_store(replaying->told) : replaying->old;
    const struct diff_view view = {.json = replaying->options->json,
                                   .is_told = replaying->told != NULL};
    struct store *moment = NULL;
    int result = store_sqlite_open_moment(&moment, path, err);

    if (result == 0) {
        result = diff_print(old, moment, &view, &replaying->report.changes, err);
    }
    store_close(moment);
    return result;
}

static int end(struct replaying *replaying, const char *path, struct error *err)
{
    if (replaying->options->redecide) {
        return list_changes(replaying, path, err);
    }
    int result = rebuild_end(replaying->rebuild, path, err);
    replaying->report.gone = rebuild_gone(replaying->rebuild);
    if (result != 0) {
        findings_print(stderr, rebuild_findings(replaying->rebuild));
    }
    return result;
}

static int fill_new_ledger(struct replaying *replaying, const char *path, struct error *err)
{
    struct store *store = replaying->store;
    struct rebuild_old old = whose(replaying);

    if (store->ops->bind(store, reread_cluster(replaying->reread), replaying->options->kafka.topic,
                         err) != STORE_OK ||
        set_mode(replaying, err) != 0 || replay_check_order(replaying, store, err) != 0) {
        return -1;
    }
    return rebuild_open(&replaying->rebuild, store, &old, err) == 0 &&
                   start_all(replaying, err) == 0 && rebuild_records(replaying, err) == 0
               ? end(replaying, path, err)
               : -1;
}

/* Gives the finished ledger its name, durably. */
static int finish(struct replaying *replaying, const char *path, struct error *err)
{
    const char *into = replaying->options->into;
    struct store *store = replaying->store;

    replaying->store = NULL;
    if (store_sqlite_finish(store, path, STORE_FINISH_MS, err) != 0) {
        return -1;
    }
    if (renameat2(AT_FDCWD, path, AT_FDCWD, into, RENAME_NOREPLACE) != 0) {
        return error_set(err, EX_CANTCREAT, "%s: %s", into, strerror(errno));
    }
    return store_sync_name(into, err);
}

static int make_new_ledger(struct replaying *replaying, struct error *err)
{
    const char *into = replaying->options->into;
    char path[PATH_MAX];
    struct error ignored;

    if (snprintf(path, sizeof(path), "%s" UNFINISHED, into) >= (int)sizeof(path)) {
        return error_set(err, EX_CANTCREAT, "%s: %s", into, strerror(ENAMETOOLONG));
    }
    if (access(into, F_OK) == 0 || access(path, F_OK) == 0) {
        return error_set(err, EX_CANTCREAT, "%s: is there already",
                         access(into, F_OK) == 0 ? into : path);
    }
    int result = store_sqlite_open(&replaying->store, path, topic_reader_header, err);
    if (result == 0) {
        result = fill_new_ledger(replaying, path, err);
    }
    if (result == 0 && replaying->report.executed) {
        result = finish(replaying, path, err);
    }
    if (result != 0 || !replaying->report.executed) {
        (void)(store_sqlite_remove(path, &ignored) == 0); /* else its name says what it is */
    }
    return result;
}

static int open_old(struct replaying *replaying, struct error *err)
{
    const struct options *options = replaying->options;

    return store_sqlite_open_snapshot(&replaying->old, options->decisions, err) == 0 &&
                   replaying->old->ops->bind(replaying->old, reread_cluster(replaying->reread),
                                             options->kafka.topic, err) == STORE_OK
               ? replay_check_order(replaying, replaying->old, err)
               : -1;
}

static int open_told(struct replaying *replaying, struct error *err)
{
    const struct options *options = replaying->options;
    const struct told_source source = {&options->kafka, options->decisions_topic,
                                       reread_cluster(replaying->reread), options->stores};

    if (told_open(&replaying->told, &source, &replaying->progress, err) != 0) {
        return -1;
    }
    replaying->report.ignored = told_ignored(replaying->told);
    return told_decisions(replaying->told) > 0
               ? 0
               : error_set(err, EX_DATAERR,
                           "topic \"%s\" has no outcomes%s: without --decisions all is decided "
                           "anew",
                           options->decisions_topic, options->stores ? " of this ledger" : "");
}

int replay_into(struct replaying *replaying, struct error *err)
{
    const struct options *options = replaying->options;

    if (reread_open(&replaying->reread, &options->kafka, replay_chunk_size(options), err) != 0 ||
        (options->decisions && open_old(replaying, err) != 0) ||
        (options->decisions_topic && open_told(replaying, err) != 0)) {
        return -1;
    }
    return make_new_ledger(replaying, err);
}
