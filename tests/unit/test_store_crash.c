/*
 * The SQLite store and the end of its process: killed after a commit, or out of room on a real
 * file system.
 */
#include "tests/lib/ledger_kit.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROWS 40

/* Keys in a segment: each chunk seals one. */
#define SEGMENT_KEYS 20

static char folder[KIT_PATH_SIZE];
static char path[KIT_PATH_SIZE + 32];
static char wal[KIT_PATH_SIZE + 40];
static struct error err;

static void make_folder(void)
{
    kit_folder_make(folder);
    snprintf(path, sizeof(path), "%s/ledger.db", folder);
    snprintf(wal, sizeof(wal), "%s-wal", path);
}

static void remove_folder(void)
{
    kit_folder_remove(folder);
}

TestSuite(store_crash, .init = make_folder, .fini = remove_folder);

static struct store *open_store(void)
{
    struct store *store = NULL;

    cr_assert_eq(store_sqlite_open_segments(&store, path, NULL, SEGMENT_KEYS, &err), 0, "%s",
                 err.text);
    return store;
}

/* 0 when the file is not there. */
static off_t size_of(const char *file)
{
    struct stat info;

    return stat(file, &info) == 0 ? info.st_size : 0;
}

/* ROWS payments of 1.00 from alice to bob, from an offset on. */
static struct chunk *payments_chunk(int first)
{
    struct chunk *chunk = chunk_new(ROWS);

    cr_assert_not_null(chunk);
    for (int i = first; i < first + ROWS; i++) {
        char key[PAYMENT_KEY_MAX + 1];
        snprintf(key, sizeof(key), "%0200d", i);
        struct kit_row row = {key, "alice", "bob", 100, "EUR", NULL, NULL};
        kit_add(chunk, &row, 0, i);
    }
    return chunk;
}

/* Asserts that the books have count payments: in stats, balances and position alike. */
static void expect_paid(struct store *store, int64_t count)
{
    struct store_stats stats;

    cr_assert_eq(store->ops->stats(store, &stats, &err), STORE_OK, "%s", err.text);
    cr_expect_eq(stats.counts[OUTCOME_APPLIED], count);
    cr_expect_eq(stats.currency_count > 0 ? stats.currencies[0].applied : 0, count);
    store_stats_release(&stats);
    cr_expect_eq(kit_position(store, 0), count);
    cr_expect_eq(kit_account(store, "alice").balance_minor, -100 * count);
    cr_expect_eq(kit_account(store, "bob").balance_minor, 100 * count);
}

/* ---- killed ---- */

/* In the child: one chunk is committed, the next is saved and not committed. */
static void commit_and_die(void)
{
    struct store *store = NULL;
    struct chunk *chunk = payments_chunk(0);

    if (store_sqlite_open_segments(&store, path, NULL, SEGMENT_KEYS, &err) != 0 ||
        kit_transact(store, chunk, &err) != STORE_OK) {
        _exit(1);
    }
    struct chunk *next = payments_chunk(ROWS);
    chunk_index(next);
    for (size_t i = 0; i < ROWS; i++) {
        next->items[i].decision.outcome = OUTCOME_APPLIED;
        next->keys[next->items[i].key].owner = &next->items[i];
    }
    if (store->ops->begin(store, &err) != STORE_OK ||
        store->ops->claim(store, next, &err) != STORE_OK ||
        store->ops->load(store, next, &err) != STORE_OK ||
        store->ops->save(store, next, &err) != STORE_OK) {
        _exit(2);
    }
    raise(SIGKILL);
}

Test(store_crash, what_a_killed_writer_committed_is_checkpointed_at_the_next_start)
{
    int status;
    struct store *store = open_store();

    kit_begin(store);
    store_close(store);
    pid_t child = fork();
    if (child == 0) {
        commit_and_die();
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "status %d", status);
    cr_assert_gt(size_of(wal), 0, "nothing was left in the WAL, so nothing is tested");

    store = open_store();
    cr_expect_eq(size_of(wal), 0, "the WAL has %lld bytes", (long long)size_of(wal));
    expect_paid(store, ROWS);
    struct chunk *chunk = payments_chunk(ROWS);
    cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK, "%s", err.text);
    chunk_free(chunk);
    expect_paid(store, 2 * ROWS);
    store_close(store);
}

/* ---- no room ---- */

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    setrlimit(RLIMIT_FSIZE, &limit);
}

/*
 * In the child: takes a chunk while no file may grow beyond so many bytes, and once more when that
 * is over, unless the first try has to stop the process. Exits with the first try's status.
 */
static void commit_in_little_room(rlim_t bytes)
{
    struct store *store = NULL;
    struct chunk *chunk = payments_chunk(0);

    signal(SIGXFSZ, SIG_IGN);
    if (store_sqlite_open_segments(&store, path, NULL, SEGMENT_KEYS, &err) != 0) {
        _exit(100);
    }
    limit_files(bytes);
    enum store_status status = kit_transact(store, chunk, &err);
    limit_files(RLIM_INFINITY);
    if (status == STORE_FULL && kit_transact(store, chunk, &err) != STORE_OK) {
        _exit(101);
    }
    _exit((int)status);
}

/* Returns what became of the chunk at the first try. */
static enum store_status try_in_little_room(rlim_t bytes)
{
    int exited;
    struct store *store = open_store();

    kit_begin(store);
    store_close(store);
    pid_t child = fork();
    if (child == 0) {
        commit_in_little_room(bytes);
    }
    cr_assert_eq(waitpid(child, &exited, 0), child);
    cr_assert(WIFEXITED(exited), "%llu bytes: %d", (unsigned long long)bytes, exited);
    int status = WEXITSTATUS(exited);
    cr_assert(status == STORE_OK || status == STORE_FULL || status == STORE_FAILED,
              "%llu bytes: %d", (unsigned long long)bytes, status);

    store = open_store();
    int64_t position = kit_position(store, 0);
    cr_assert(position == ROWS || (position == 0 && status == STORE_FAILED), "%llu bytes: at %lld",
              (unsigned long long)bytes, (long long)position);
    expect_paid(store, position);
    struct chunk *chunk = payments_chunk(0);
    cr_assert_eq(kit_transact(store, chunk, &err), position == 0 ? STORE_OK : STORE_STALE);
    chunk_free(chunk);
    expect_paid(store, ROWS);
    store_close(store);
    cr_assert_eq(unlink(path), 0);
    return (enum store_status)status;
}

Test(store_crash, without_room_a_chunk_is_whole_or_absent)
{
    int failures = 0;
    rlim_t bytes = 0;

    /* A step that is no multiple of a page also ends inside one. */
    while (try_in_little_room(bytes) != STORE_OK) {
        failures++;
        bytes += 7000;
    }
    cr_expect_geq(failures, 5, "the limit hit %d times only", failures);
}
