#include "consumer/restore_internal.h"

#include "common/failpoint.h"
#include "common/stop.h"
#include "common/text.h"
#include "common/topic_reader.h"
#include "consumer/ledger_json.h"
#include "consumer/store_backup.h"
#include "consumer/store_reset.h"
#include "consumer/store_verify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/* A ledger that is not finished has another name: nobody takes it for one. */
#define UNFINISHED ".restoring"

static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
#define SUFFIXES (sizeof(suffixes) / sizeof(suffixes[0]))

/* ---- the files ---- */

/* The path with a suffix; false when it is too long. */
static bool add_suffix(char ret[PATH_MAX], const char *path, const char *suffix)
{
    return snprintf(ret, PATH_MAX, "%s%s", path, suffix) < PATH_MAX;
}

/* Neither the ledger nor anything that SQLite would take for a part of it may be there. */
static int check_free(const char *path, const char *what, struct error *err)
{
    char file[PATH_MAX];

    for (size_t i = 0; i < SUFFIXES; i++) {
        if (!add_suffix(file, path, suffixes[i])) {
            return error_set(err, EX_CANTCREAT, "%s: %s", path, strerror(ENAMETOOLONG));
        }
        if (access(file, F_OK) == 0) {
            return error_set(err, EX_CANTCREAT, "%s: is there already: %s", file, what);
        }
    }
    return 0;
}

/* A backup is one file: what lies beside it would be a part of it that is left behind. */
static int check_whole(const char *backup, struct error *err)
{
    char file[PATH_MAX];
    struct stat found;

    if (stat(backup, &found) != 0) {
        return error_set(err, EX_NOINPUT, "%s: %s", backup, strerror(errno));
    }
    for (size_t i = 1; i < SUFFIXES; i++) {
        bool is_index = strcmp(suffixes[i], "-shm") == 0; /* holds nothing of its own */
        if (!is_index && add_suffix(file, backup, suffixes[i]) && stat(file, &found) == 0 &&
            found.st_size > 0) {
            return error_set(err, EX_DATAERR,
                             "%s: lies beside the backup, which is not whole without it, or in "
                             "use: make a backup of that ledger (payd backup)",
                             file);
        }
    }
    return 0;
}

static int on_step(void *user, int64_t done, int64_t total, struct error *err)
{
    struct progress *progress = user;

    progress->total = total;
    progress_update(progress, done);
    return stop_requested() ? error_set(err, EX_TEMPFAIL, "stopped: nothing was restored") : 0;
}

static void on_finding(void *user, enum store_check check, const char *text)
{
    findings_add(user, "%s: %s", store_check_name(check), text);
}

/* What payd verify proves. */
static int verify_copy(const struct restoring *restoring, struct error *err)
{
    const char *backup = restoring->options->operands[0];
    struct findings findings = {.count = 0};
    struct store_proof proof;
    int result = store_sqlite_verify(restoring->path, on_finding, &findings, &proof, err);

    if (result == 0 && store_proof_found(&proof) > 0) {
        findings_print(stderr, &findings);
        result =
            error_set(err, EX_DATAERR, "%s: is not whole: payd verify finds %" PRId64 " faults",
                      backup, store_proof_found(&proof));
    }
    findings_release(&findings);
    return result;
}

static int copy_backup(struct restoring *restoring, struct error *err)
{
    int64_t bytes = 0;

    progress_begin(&restoring->progress, "copying", 0);
    int result = store_sqlite_backup(restoring->options->operands[0], restoring->path, on_step,
                                     &restoring->progress, &bytes, err);
    progress_clear(&restoring->progress);
    restoring->is_made = result == 0;
    return result == 0 ? verify_copy(restoring, err) : result;
}

/* Gives the finished copy its name, durably. */
static int finish(struct restoring *restoring, struct error *err)
{
    const char *db = restoring->options->db;
    struct store *store = restoring->store;

    restoring->store = NULL;
    if (store_sqlite_finish(store, restoring->path, STORE_FINISH_MS, err) != 0) {
        return -1;
    }
    FAILPOINT("restore-made");
    if (check_free(db, "nothing was restored", err) != 0) {
        return -1;
    }
    if (renameat2(AT_FDCWD, restoring->path, AT_FDCWD, db, RENAME_NOREPLACE) != 0) {
        return error_set(err, EX_CANTCREAT, "%s: %s", db, strerror(errno));
    }
    restoring->is_made = false;
    if (store_sync_name(db, err) != 0) {
        return -1;
    }
    FAILPOINT("restore-named");
    return 0;
}

/* ---- the way of a backup to its place ---- */

static int print_restored(const struct restoring *restoring, const struct store_stats *stats,
                          struct error *err)
{
    const char *db = restoring->options->db;
    char escaped[TEXT_ESCAPED_SIZE];

    if (restoring->options->json) {
        return ledger_json_print(stdout, db, -1, stats) == 0
                   ? 0
                   : error_set(err, EX_OSERR, "out of memory");
    }
    printf("%s: restored, %" PRId64 " decisions\n",
           text_escape(escaped, sizeof(escaped), db, strlen(db)),
           stats->counts[OUTCOME_APPLIED] + stats->counts[OUTCOME_REJECTED]);
    for (size_t i = 0; i < stats->position_count; i++) {
        printf("partition %" PRId32 ": next offset %" PRId64 "\n", stats->positions[i].partition,
               stats->positions[i].next_offset);
    }
    return 0;
}

static int open_topic(struct restoring *restoring, struct error *err)
{
    const struct options *options = restoring->options;

    if (reread_open(&restoring->reread, &options->kafka, CHUNK_MESSAGES_MAX, err) != 0 ||
        inbox_group_open(&restoring->group, &options->kafka, options->group, err) != 0) {
        return -1;
    }
    restoring->partitions = reread_partitions(restoring->reread);
    restoring->parts = calloc((size_t)restoring->partitions, sizeof(*restoring->parts));
    return restoring->parts ? 0 : error_set(err, EX_OSERR, "out of memory");
}

/* Is it a ledger, of this topic, and where its group is? Nothing is made before that is known. */
static int look_at_backup(struct restoring *restoring, struct error *err)
{
    const struct options *options = restoring->options;
    struct store *backup = NULL;

    if (store_sqlite_open_moment(&backup, options->operands[0], err) != 0) {
        err->code = err->code == EX_IOERR ? EX_DATAERR : err->code;
        return -1;
    }
    int result = -1;
    if (backup->ops->bind(backup, reread_cluster(restoring->reread), options->kafka.topic, err) ==
            STORE_OK &&
        backup->ops->identify(backup, &restoring->self, err) == STORE_OK) {
        result = restore_compare(restoring, backup, err);
    }
    store_close(backup);
    return result;
}

/* The copy becomes what the ledger was, but for its name. */
static int make_copy(struct restoring *restoring, struct error *err)
{
    return copy_backup(restoring, err) == 0 &&
                   store_sqlite_open(&restoring->store, restoring->path, topic_reader_header,
                                     err) == 0 &&
                   (!restoring->options->rewind || restore_rewind(restoring, err) == 0)
               ? restore_outrun(restoring, err)
               : -1;
}

static int put_in_place(struct restoring *restoring, struct error *err)
{
    struct store_identity self;
    struct store_stats stats;
    int result = make_copy(restoring, err);
    struct store *store = restoring->store;

    if (result != 0 || store->ops->identify(store, &self, err) != STORE_OK ||
        store->ops->stats(store, &stats, err) != STORE_OK) {
        return -1;
    }
    result = finish(restoring, err);
    if (result == 0) {
        restore_sign(restoring, &self);
        result = print_restored(restoring, &stats, err);
    }
    store_stats_release(&stats);
    return result;
}

static int restore_all(struct restoring *restoring, struct error *err)
{
    const struct options *options = restoring->options;

    if (!add_suffix(restoring->path, options->db, UNFINISHED)) {
        return error_set(err, EX_CANTCREAT, "%s: %s", options->db, strerror(ENAMETOOLONG));
    }
    return check_free(options->db, "move it, with its -wal and -shm, out of the way first", err) ==
                       0 &&
                   check_free(restoring->path,
                              "a restore was cut off: remove it, with its -wal and -shm, and "
                              "restore again",
                              err) == 0 &&
                   check_whole(options->operands[0], err) == 0 && open_topic(restoring, err) == 0 &&
                   look_at_backup(restoring, err) == 0
               ? put_in_place(restoring, err)
               : -1;
}

int restore(const struct options *options, struct error *err)
{
    struct restoring *restoring = calloc(1, sizeof(*restoring));
    struct error ignored;

    if (!restoring) {
        error_set(err, EX_OSERR, "out of memory");
        return EX_OSERR;
    }
    restoring->options = options;
    restoring->report.topic = options->kafka.topic;
    restoring->report.executed = true;
    progress_init(&restoring->progress, isatty(STDERR_FILENO) ? stderr : NULL);
    int code = restore_all(restoring, err) == 0 ? EX_OK : err->code;
    findings_release(&restoring->report.news);
    rebuild_close(restoring->rebuild);
    told_close(restoring->told);
    reread_close(restoring->reread);
    inbox_group_close(restoring->group);
    store_close(restoring->store);
    if (restoring->is_made) {
        (void)(store_sqlite_remove(restoring->path, &ignored) == 0); /* its name says what it is */
    }
    free(restoring->parts);
    free(restoring);
    return code;
}
