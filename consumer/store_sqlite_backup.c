#include "consumer/store_backup.h"

#include "common/clock.h"
#include "common/stop.h"
#include "consumer/store_sqlite_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/* Between two looks at whether to stop. */
#define PAGES_A_STEP 2048

#define LOOK_MS 100 /* between two looks at whether another program is done */

/* Takes the name: nobody's file is written over. */
static int make_file(const char *copy, struct error *err)
{
    int fd = open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);

    if (fd < 0) {
        return error_set(err, EX_CANTCREAT, "%s: %s", copy, strerror(errno));
    }
    close(fd);
    return 0;
}

static int failed(sqlite3 *to, const char *copy, struct error *err)
{
    return error_set(err, EX_IOERR, "%s: backup: %s", copy, sqlite3_errmsg(to));
}

static int copy_pages(sqlite3_backup *backup, sqlite3 *to, const char *copy,
                      store_backup_step *step, void *user, struct error *err)
{
    int code = SQLITE_OK;

    /* All of it sees one moment: the connection that it reads from holds a read transaction. */
    while (code == SQLITE_OK) {
        code = sqlite3_backup_step(backup, PAGES_A_STEP);
        int64_t total = sqlite3_backup_pagecount(backup);
        if ((code == SQLITE_OK || code == SQLITE_DONE) &&
            step(user, total - sqlite3_backup_remaining(backup), total, err) != 0) {
            return -1;
        }
    }
    return code == SQLITE_DONE ? 0 : failed(to, copy, err);
}

static int copy_store(struct store_sqlite *store, const char *copy, store_backup_step *step,
                      void *user, struct error *err)
{
    sqlite3 *to = NULL;
    int result = -1;

    if (sqlite3_open_v2(copy, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK) {
        failed(to, copy, err);
        sqlite3_close(to);
        return -1;
    }
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", store->db, "main");
    if (backup) {
        result = copy_pages(backup, to, copy, step, user, err);
        if (sqlite3_backup_finish(backup) != SQLITE_OK && result == 0) {
            result = failed(to, copy, err);
        }
    } else {
        failed(to, copy, err);
    }
    if (sqlite3_close(to) != SQLITE_OK && result == 0) {
        result = error_set(err, EX_IOERR, "%s: backup: it cannot be closed", copy);
    }
    return result;
}

int store_sqlite_backup(const char *path, const char *copy, store_backup_step *step, void *user,
                        int64_t *ret_bytes, struct error *err)
{
    struct store *store = NULL;
    struct stat file;

    if (store_sqlite_open_moment(&store, path, err) != 0) {
        return -1;
    }
    if (make_file(copy, err) != 0) {
        store_close(store);
        return -1;
    }
    int result = copy_store(sqlite_of(store), copy, step, user, err);
    store_close(store);
    if (result == 0) {
        result = store_sync_name(copy, err);
    }
    if (result == 0 && stat(copy, &file) == 0) {
        *ret_bytes = file.st_size;
    }
    if (result != 0) {
        unlink(copy);
    }
    return result;
}

/* Whether to look again at what another program has open; else *err says why not. */
static bool look_again(const char *path, int64_t until_ms, struct error *err)
{
    if (clock_monotonic_ms() > until_ms) {
        error_set(err, EX_TEMPFAIL,
                  "%s: another program has it open: end that one, and run this again", path);
        return false;
    }
    if (stop_wait(LOOK_MS)) {
        error_set(err, EX_TEMPFAIL, "stopped before the end: run it again");
        return false;
    }
    return true;
}

/* Waits while another program reads what would be written over. */
static int checkpoint_all(sqlite3 *db, const char *path, int64_t until_ms, struct error *err)
{
    int code;

    do {
        code = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    } while (code == SQLITE_BUSY && look_again(path, until_ms, err));
    if (code == SQLITE_OK || code == SQLITE_BUSY) {
        return code == SQLITE_OK ? 0 : -1;
    }
    return error_set(err, EX_IOERR, "%s: checkpoint: %s", path, sqlite3_errmsg(db));
}

/* Opens and closes it: whoever only reads leaves an empty WAL, who may write removes it. */
static void sweep(const char *path)
{
    sqlite3 *db = NULL;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
        SQLITE_OK) {
        sqlite3_exec(db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
    }
    sqlite3_close(db);
}

/* The last connection removes the WAL, but only when nothing of it is missing in the file. */
static int wait_for_no_wal(const char *path, int64_t until_ms, struct error *err)
{
    char wal[PATH_MAX];

    if (snprintf(wal, sizeof(wal), "%s-wal", path) >= (int)sizeof(wal)) {
        return error_set(err, EX_IOERR, "%s-wal: %s", path, strerror(ENAMETOOLONG));
    }
    while (access(wal, F_OK) == 0) {
        if (!look_again(path, until_ms, err)) {
            return -1;
        }
        sweep(path);
    }
    return errno == ENOENT ? 0 : error_set(err, EX_IOERR, "%s: %s", wal, strerror(errno));
}

int store_sqlite_finish(struct store *base, const char *path, int patience_ms, struct error *err)
{
    int64_t until_ms = clock_monotonic_ms() + patience_ms;
    int result = checkpoint_all(sqlite_of(base)->db, path, until_ms, err);

    store_close(base);
    return result == 0 ? wait_for_no_wal(path, until_ms, err) : result;
}

enum store_status store_sqlite_outrun(struct store *base, const struct store_identity *seen,
                                      struct error *err)
{
    const int64_t most = INT64_MAX / 2;
    char sql[160];

    if (seen->incarnation < 0 || seen->chunks < 0 || seen->incarnation > most ||
        seen->chunks > most) {
        error_set(err, EX_CONFIG,
                  "the group says incarnation %lld, chunk %lld, which no ledger comes to: somebody "
                  "else writes there",
                  (long long)seen->incarnation, (long long)seen->chunks);
        return STORE_FAILED;
    }
    sqlite3_snprintf(sizeof(sql), sql,
                     "UPDATE store SET incarnation = max(incarnation, %lld) + 1,"
                     " chunks = %lld + %lld * (max(chunks - %lld, 0) / %lld + 1)",
                     (long long)seen->incarnation, (long long)seen->chunks,
                     (long long)STORE_OUTRUN_CHUNKS, (long long)seen->chunks,
                     (long long)STORE_OUTRUN_CHUNKS);
    return sqlite_exec(sqlite_of(base), sql, "restore", err);
}
