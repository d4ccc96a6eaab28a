/*
 * The SQLite store on a medium that fails: the n-th write or sync fails, for every n. Whatever
 * fails, a chunk is in the books as a whole or not at all, and paid once in the end.
 */
#include "consumer/ledger.h"
#include "tests/lib/fault_vfs.h"
#include "tests/lib/ledger_kit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const enum fault_vfs_kind kinds[] = {FAULT_VFS_FULL, FAULT_VFS_WRITE, FAULT_VFS_SYNC};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

#define ROWS 40

/* Keys in a segment: the chunk seals one. */
#define SEGMENT_KEYS 20

static char folder[KIT_PATH_SIZE];
static char path[KIT_PATH_SIZE + 32];
static struct error err;

static void make_folder(void)
{
    kit_folder_make(folder);
    snprintf(path, sizeof(path), "%s/ledger.db", folder);
    fault_vfs_install();
}

static void remove_folder(void)
{
    kit_folder_remove(folder);
}

TestSuite(store_faults, .init = make_folder, .fini = remove_folder);

static struct store *open_store(void)
{
    struct store *store = NULL;

    cr_assert_eq(store_sqlite_open_segments(&store, path, NULL, SEGMENT_KEYS, &err), 0, "%s",
                 err.text);
    return store;
}

static void forget_files(void)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        char file[sizeof(path) + 16];
        snprintf(file, sizeof(file), "%s%s", path, endings[i]);
        unlink(file);
    }
}

/* ROWS payments of 1.00 from alice, of different keys and to different accounts. */
static struct chunk *payments_chunk(void)
{
    struct chunk *chunk = chunk_new(ROWS);

    cr_assert_not_null(chunk);
    for (int i = 0; i < ROWS; i++) {
        char key[PAYMENT_KEY_MAX + 1];
        char dest[32];
        snprintf(key, sizeof(key), "%0200d", i);
        snprintf(dest, sizeof(dest), "account %d", i);
        struct kit_row row = {key, "alice", dest, 100, "EUR", NULL, NULL};
        kit_add(chunk, &row, 0, i);
    }
    return chunk;
}

/* How many of the chunk's payments the books have, all of them or none: -1 = something else. */
static int64_t paid(struct store *store)
{
    struct store_stats stats;

    cr_assert_eq(store->ops->stats(store, &stats, &err), STORE_OK, "%s", err.text);
    int64_t applied = stats.counts[OUTCOME_APPLIED];
    int64_t in_currency = stats.currency_count > 0 ? stats.currencies[0].applied : 0;
    int64_t accounts = stats.currency_count > 0 ? stats.currencies[0].accounts : 0;
    bool balanced = stats.currency_count == 0 || (stats.currencies[0].balances.high == 0 &&
                                                  stats.currencies[0].balances.low == 0);
    store_stats_release(&stats);
    bool whole = applied == 0 ? accounts == 0 : applied == ROWS && accounts == ROWS + 1;
    whole = whole && in_currency == applied && balanced;
    whole = whole && kit_position(store, 0) == applied;
    whole = whole && kit_account(store, "alice").balance_minor == -100 * applied;
    return whole ? applied : -1;
}

/* One chunk with a fault in it. Returns whether the fault struck. */
static bool commit_with_fault(enum fault_vfs_kind kind, int n)
{
    struct store *store = open_store();
    struct chunk *chunk = payments_chunk();

    kit_begin(store);
    fault_vfs_arm(kind, n);
    enum store_status status = kit_transact(store, chunk, &err);
    bool struck = fault_vfs_disarm();
    cr_assert_eq(struck, status != STORE_OK, "%s %d: status %d", fault_vfs_name(kind), n, status);
    if (struck) {
        cr_expect_eq(status, kind == FAULT_VFS_FULL ? STORE_FULL : STORE_FAILED, "%s %d: status %d",
                     fault_vfs_name(kind), n, status);
        cr_expect_eq(err.code, EX_IOERR);
        cr_expect(strstr(err.text, path) != NULL, "%s", err.text);
    }
    if (status == STORE_FULL) {
        cr_assert_eq(paid(store), 0, "full %d: half a chunk", n);
        cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK, "full %d: %s", n, err.text);
        status = STORE_OK;
    }
    if (status == STORE_OK) {
        cr_assert_eq(paid(store), ROWS, "%s %d", fault_vfs_name(kind), n);
    }
    store_close(store);

    store = open_store();
    int64_t found = paid(store);
    cr_assert(found == ROWS || (found == 0 && status == STORE_FAILED), "%s %d: %lld paid",
              fault_vfs_name(kind), n, (long long)found);
    if (found == 0) {
        cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK, "%s", err.text);
    } else {
        cr_assert_eq(kit_transact(store, chunk, &err), STORE_STALE, "paid twice");
    }
    cr_assert_eq(paid(store), ROWS);
    chunk_free(chunk);
    store_close(store);
    forget_files();
    return struck;
}

Test(store_faults, a_chunk_is_whole_or_absent_whatever_write_or_sync_fails)
{
    for (size_t kind = 0; kind < KINDS; kind++) {
        int n = 0;
        while (commit_with_fault(kinds[kind], n)) {
            n++;
        }
        cr_expect_gt(n, kinds[kind] == FAULT_VFS_SYNC ? 0 : 5, "%s struck %d times only",
                     fault_vfs_name(kinds[kind]), n);
    }
}

/* Not claimed, the keys look new, and only the unique index knows better. */
Test(store_faults, a_chunk_with_a_key_that_the_index_has_already_changes_nothing)
{
    static const struct kit_row known = {"key", "alice", "bob", 100, "EUR", NULL, "applied"};
    struct store *store = open_store();
    struct chunk *chunk = payments_chunk();

    kit_begin(store);
    kit_run(store, 1, &known, 1);
    payment_copy(chunk->items[ROWS / 2].command.payment.key, known.key, strlen(known.key));
    chunk_index(chunk);
    cr_assert_eq(store->ops->begin(store, &err), STORE_OK, "%s", err.text);
    cr_assert_eq(store->ops->load(store, chunk, &err), STORE_OK, "%s", err.text);
    ledger_decide(chunk);
    cr_assert_eq(chunk->items[ROWS / 2].decision.outcome, OUTCOME_APPLIED);
    cr_assert_eq(store->ops->save(store, chunk, &err), STORE_FAILED);
    cr_expect_not_null(strstr(err.text, "keys.key"), "%s", err.text);
    store->ops->rollback(store);
    cr_expect_eq(kit_account(store, "alice").balance_minor, -100);
    cr_expect_eq(kit_position(store, 0), 0);

    /* The store goes on. */
    cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK, "%s", err.text);
    cr_expect_eq(chunk->items[ROWS / 2].decision.outcome, OUTCOME_CONFLICT);
    cr_expect_eq(kit_account(store, "alice").balance_minor, -100 * ROWS);
    chunk_free(chunk);
    store_close(store);
}

Test(store_faults, a_store_whose_making_failed_is_made_by_the_next_start)
{
    for (size_t kind = 0; kind < KINDS; kind++) {
        bool struck = true;
        for (int n = 0; struck; n++) {
            struct store *store = NULL;
            fault_vfs_arm(kinds[kind], n);
            int result = store_sqlite_open(&store, path, NULL, &err);
            struck = fault_vfs_disarm();
            cr_assert_eq(struck, result != 0, "%s %d", fault_vfs_name(kinds[kind]), n);
            cr_expect(result == 0 || err.code == EX_IOERR, "%s %d: %s", fault_vfs_name(kinds[kind]),
                      n, err.text);
            store_close(store);
            store = open_store();
            kit_begin(store);
            cr_assert_eq(paid(store), 0);
            store_close(store);
            forget_files();
        }
    }
}

/* What is answered with success must be in the file. */
Test(store_faults, binding_and_first_positions_are_kept_or_refused)
{
    for (size_t kind = 0; kind < KINDS; kind++) {
        bool struck = true;
        for (int n = 0; struck; n++) {
            struct store *store = open_store();
            fault_vfs_arm(kinds[kind], n);
            enum store_status bound = store->ops->bind(store, "c1", "payments", &err);
            enum store_status adopted = store->ops->adopt(store, 0, 7, &err);
            struck = fault_vfs_disarm();
            store_close(store);

            store = open_store();
            cr_expect(adopted != STORE_OK || kit_position(store, 0) == 7, "%s %d: position lost",
                      fault_vfs_name(kinds[kind]), n);
            enum store_status foreign = store->ops->bind(store, "c2", "other", &err);
            cr_expect(bound != STORE_OK || foreign == STORE_FAILED, "%s %d: binding lost",
                      fault_vfs_name(kinds[kind]), n);
            store_close(store);
            forget_files();
        }
    }
}
