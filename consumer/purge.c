#include "consumer/purge.h"

#include "common/clock.h"
#include "common/stop.h"
#include "consumer/purge_log.h"

#include <inttypes.h>
#include <sysexits.h>

#define BUSY_MS 100 /* until a step is tried again that another process was in the way of */

void purge_print(FILE *out, const struct store_purged *purged)
{
    const struct {
        const char *name;
        int64_t count;
        const char *what;
    } rows[] = {
        {"keys", purged->keys, "forgotten, with their decisions"},
        {"batches", purged->batches, "forgotten as a whole; their ids and digests stay"},
        {"repeats", purged->repeats, "forgotten"},
        {"retained", purged->retained, "as old, but still in the log, or not published"},
        {"ageless", purged->ageless, "decided as long ago, but their keys do not tell it"},
    };
    char time[CLOCK_TEXT_SIZE];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fprintf(out, "%-9s %15" PRId64 "  %s\n", rows[i].name, rows[i].count, rows[i].what);
    }
    clock_text(time, purged->floor_ms);
    fprintf(out, "\nfloor     %s: an older key that is not known is not run\n", time);
}

static int print(const struct store_purged *purged, bool json, struct error *err)
{
    if (!json) {
        purge_print(stdout, purged);
    } else if (purge_print_json(stdout, purged) != 0) {
        error_set(err, EX_OSERR, "out of memory");
        return EX_OSERR;
    }
    return EX_OK;
}

static int take_steps(struct store_purge *purge, struct error *err)
{
    bool is_done = false;

    while (!is_done) {
        enum store_status status = store_sqlite_purge_step(purge, &is_done, err);
        if (status != STORE_OK && status != STORE_BUSY) {
            return -1;
        }
        if (status == STORE_BUSY ? stop_wait(BUSY_MS) : stop_requested()) {
            return error_set(err, EX_TEMPFAIL, "stopped before the end: run it again");
        }
    }
    return 0;
}

static int find_floor(const struct options *options, const struct purge_log *log,
                      struct store *store, int64_t *ret, struct error *err)
{
    int64_t unread = 0;

    if (store->ops->bind(store, log->cluster, options->kafka.topic, err) != STORE_OK ||
        purge_log_unread(log, store, &unread, err) != 0) {
        return -1;
    }
    if (unread > 0) {
        return error_set(err, EX_TEMPFAIL,
                         "%" PRId64 " records of the topic are not read yet, and may have old keys:"
                         " run payd run --until-end before",
                         unread);
    }
    return purge_log_floor(log, options->older_ms, clock_unix_ms(), ret, err);
}

static int purge_store(const struct options *options, const struct purge_log *log,
                       struct store *store, struct error *err)
{
    struct store_purge *purge = NULL;
    struct store_purge_terms terms = {.log_starts = log->starts,
                                      .partitions = (size_t)log->partitions};

    if (find_floor(options, log, store, &terms.floor_ms, err) != 0 ||
        store_sqlite_purge_open(&purge, store, &terms, err) != STORE_OK) {
        return err->code;
    }
    int code = take_steps(purge, err) == 0 ? EX_OK : err->code;
    struct store_purged purged = *store_sqlite_purged(purge);
    store_sqlite_purge_close(purge);
    return code == EX_OK ? print(&purged, options->json, err) : code;
}

int purge(const struct options *options, struct error *err)
{
    struct purge_log log = {.partitions = 0};
    struct store *store = NULL;
    int code = EX_OK;

    /* The lock first: nobody reads on meanwhile. */
    if (store_sqlite_open_existing(&store, options->db, err) != 0 ||
        purge_log_read(&log, &options->kafka, err) != 0) {
        code = err->code;
    }
    if (code == EX_OK) {
        code = purge_store(options, &log, store, err);
    }
    purge_log_release(&log);
    store_close(store);
    return code;
}
