/*
 * The SQLite store as a file: made private, kept over a restart, written by one process, and never
 * taken for what it is not. Its views stand in test_store_views.c, its failures in
 * test_store_faults.c and test_store_crash.c.
 */
#include "tests/lib/ledger_kit.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

static char folder[KIT_PATH_SIZE];
static char path[KIT_PATH_SIZE + 32];
static struct error err;

static void make_folder(void)
{
    kit_folder_make(folder);
    snprintf(path, sizeof(path), "%s/ledger.db", folder);
}

static void remove_folder(void)
{
    kit_folder_remove(folder);
}

TestSuite(store_sqlite, .init = make_folder, .fini = remove_folder);

static struct store *open_store(void)
{
    struct store *store = NULL;

    cr_assert_eq(store_sqlite_open(&store, path, NULL, &err), 0, "%s", err.text);
    return store;
}

/* Expects a file to be refused by both ways to open it, with a sentence that has text in it. */
static void expect_refused(const char *file, int code, const char *text)
{
    struct store *store = NULL;

    err = (struct error){EX_OK, ""};
    cr_assert_eq(store_sqlite_open(&store, file, NULL, &err), -1, "%s was opened", text);
    cr_expect_null(store);
    cr_expect_eq(err.code, code, "%d: %s", err.code, err.text);
    cr_expect(strstr(err.text, file) != NULL, "%s", err.text);
    cr_expect(strstr(err.text, text) != NULL, "%s", err.text);
}

static void expect_refused_readonly(const char *file, int code, const char *text)
{
    struct store *store = NULL;

    err = (struct error){EX_OK, ""};
    cr_assert_eq(store_sqlite_open_readonly(&store, file, &err), -1, "%s was opened", text);
    cr_expect_null(store);
    cr_expect_eq(err.code, code, "%d: %s", err.code, err.text);
    cr_expect(strstr(err.text, text) != NULL, "%s", err.text);
}

/* The bytes of a file, which the caller frees; NULL = it is not there. */
static char *bytes_of(const char *file, size_t *ret_len)
{
    FILE *in = fopen(file, "rb");
    struct stat info;

    *ret_len = 0;
    if (!in) {
        return NULL;
    }
    cr_assert_eq(fstat(fileno(in), &info), 0);
    char *bytes = malloc((size_t)info.st_size + 1);
    cr_assert_not_null(bytes);
    *ret_len = fread(bytes, 1, (size_t)info.st_size, in);
    cr_assert_eq(*ret_len, (size_t)info.st_size);
    fclose(in);
    return bytes;
}

static void expect_bytes(const char *file, const char *bytes, size_t len)
{
    size_t now_len;
    char *now = bytes_of(file, &now_len);

    cr_assert_eq(now == NULL, bytes == NULL, "%s", file);
    cr_expect_eq(now_len, len, "%s has %zu bytes, not %zu", file, now_len, len);
    cr_expect(!bytes || (now_len == len && memcmp(now, bytes, len) == 0), "%s changed", file);
    free(now);
}

static void write_file(const char *text)
{
    FILE *out = fopen(path, "w");

    cr_assert_not_null(out);
    fputs(text, out);
    fclose(out);
}

static void change_database(const char *sql)
{
    sqlite3 *db;

    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

static const struct kit_row first[] = {
    {"k1", "alice", "bob", 500, "EUR", NULL, "applied"},
    {"k2", "alice", "alice", 5, "EUR", NULL, "rejected same_account"},
    {"k1", "alice", "bob", 501, "EUR", NULL, "conflict payload_differs amount"},
    {NULL, NULL, NULL, 0, NULL, NULL, "quarantined"},
};
static const struct kit_row second[] = {
    {"k1", "alice", "bob", 500, "EUR", NULL, "duplicate"},
    {"k2", "alice", "bob", 5, "EUR", NULL, "conflict payload_differs dest"},
    {"k3", "bob", "alice", 1, "USD", NULL, "rejected currency_mismatch"},
    {"k4", "bob", "alice", 1, "EUR", NULL, "applied"},
};

/* ---- what lasts ---- */

Test(store_sqlite, everything_is_there_after_a_restart)
{
    struct store_stats stats;
    struct store *store = open_store();

    kit_begin(store);
    kit_run(store, 0, first, 4);
    store_close(store);

    store = open_store();
    cr_expect_eq(store->ops->bind(store, "c2", "payments", &err), STORE_FAILED);
    cr_expect_eq(err.code, EX_CONFIG);
    cr_expect_eq(store->ops->bind(store, "c1", "payments", &err), STORE_OK);
    cr_expect_eq(kit_position(store, 0), 4);
    cr_expect_eq(kit_account(store, "bob").balance_minor, 500);
    kit_run(store, 0, second, 4);
    cr_assert_eq(store->ops->stats(store, &stats, &err), STORE_OK);
    cr_expect_eq(stats.counts[OUTCOME_APPLIED], 2);
    cr_expect_eq(stats.counts[OUTCOME_REJECTED], 2);
    cr_expect_eq(stats.counts[OUTCOME_CONFLICT], 2);
    cr_expect_eq(stats.counts[OUTCOME_QUARANTINED], 1);
    store_stats_release(&stats);
    store_close(store);

    /* Decisions go on being numbered where they ended. */
    sqlite3 *db;
    sqlite3_stmt *row;
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(
        sqlite3_prepare_v2(db, "SELECT group_concat(seq || key) FROM payments", -1, &row, NULL),
        SQLITE_OK);
    cr_assert_eq(sqlite3_step(row), SQLITE_ROW);
    cr_expect_str_eq((const char *)sqlite3_column_text(row, 0), "1k1,2k2,7k3,8k4");
    sqlite3_finalize(row);
    sqlite3_close(db);
}

/* A decision that was told binds whatever its currency, and there are 17,576 of three letters. */
Test(store_sqlite, a_chunk_of_more_currencies_than_there_are_is_refused)
{
    enum { MANY = 300 };
    struct store *store = open_store();
    struct chunk *chunk = chunk_new(MANY);
    char key[16];
    char currency[MONEY_CURRENCY_SIZE];

    kit_begin(store);
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        snprintf(currency, sizeof(currency), "X%c%c", 'A' + i / 26, 'A' + i % 26);
        const struct kit_row row = {key, "alice", "bob", 1, currency, NULL, NULL};
        kit_add(chunk, &row, 0, i);
    }
    chunk_index(chunk);
    cr_assert_eq(store->ops->begin(store, &err), STORE_OK);
    cr_assert_eq(store->ops->claim(store, chunk, &err), STORE_OK);
    cr_assert_eq(store->ops->load(store, chunk, &err), STORE_OK);
    for (size_t i = 0; i < MANY; i++) {
        chunk->items[i].decision.outcome = OUTCOME_APPLIED;
        chunk->keys[chunk->items[i].key].owner = &chunk->items[i];
    }
    cr_expect_eq(store->ops->save(store, chunk, &err), STORE_FAILED);
    cr_expect_eq(err.code, EX_DATAERR);
    cr_expect(strstr(err.text, "payments in more than 256 currencies at once"), "%s", err.text);
    store->ops->rollback(store);
    chunk_free(chunk);
    store_close(store);
}

Test(store_sqlite, its_files_are_private)
{
    static const char *const endings[] = {"", "-wal", "-shm"};

    umask(0);
    struct store *store = open_store();
    kit_begin(store);
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        char file[sizeof(path) + 8];
        struct stat info;
        snprintf(file, sizeof(file), "%s%s", path, endings[i]);
        cr_assert_eq(stat(file, &info), 0, "%s", file);
        cr_expect_eq(info.st_mode & 07777, 0600, "%s: %o", file, info.st_mode);
    }
    store_close(store);
}

Test(store_sqlite, an_empty_file_becomes_a_store)
{
    write_file("");
    struct store *store = open_store();
    kit_begin(store);
    kit_run(store, 0, first, 4);
    store_close(store);
}

Test(store_sqlite, messages_below_a_position_that_was_set_back_are_redelivered)
{
    struct chunk *chunk = chunk_new(4);
    struct store_stats stats;
    struct store *store = open_store();

    kit_begin(store);
    kit_run(store, 0, first, 4);
    store_close(store);
    change_database("UPDATE positions SET next_offset = 0 WHERE partition = 0");
    store = open_store();
    cr_assert_not_null(chunk);
    for (size_t i = 0; i < 4; i++) {
        kit_add(chunk, &first[i], 0, (int64_t)i);
    }
    cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK, "%s", err.text);
    for (size_t i = 0; i < 4; i++) {
        cr_expect_eq(chunk->items[i].decision.outcome, OUTCOME_REDELIVERED, "row %zu", i);
    }
    chunk_free(chunk);
    cr_expect_eq(kit_position(store, 0), 4);
    cr_expect_eq(kit_account(store, "bob").balance_minor, 500);
    cr_assert_eq(store->ops->stats(store, &stats, &err), STORE_OK, "%s", err.text);
    cr_expect_eq(stats.counts[OUTCOME_REDELIVERED], 4);
    cr_expect_eq(stats.counts[OUTCOME_APPLIED], 1);
    cr_expect_eq(stats.counts[OUTCOME_QUARANTINED], 1);
    store_stats_release(&stats);
    store_close(store);
}

/* ---- one writer ---- */

Test(store_sqlite, a_second_writer_is_refused_and_told_who_the_first_is)
{
    int ready[2];
    int release[2];
    char byte = 0;
    char wanted[64];

    cr_assert(pipe(ready) == 0 && pipe(release) == 0);
    pid_t child = fork();
    if (child == 0) {
        struct store *held = NULL;
        bool good = store_sqlite_open(&held, path, NULL, &err) == 0;
        good = write(ready[1], good ? "y" : "n", 1) == 1 && read(release[0], &byte, 1) == 1 && good;
        _exit(good ? 0 : 1);
    }
    cr_assert_gt(child, 0);
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    cr_assert_eq(byte, 'y');
    snprintf(wanted, sizeof(wanted), "process %ld (test_store_sql", (long)child);
    expect_refused(path, EX_IOERR, wanted);

    /* The refused attempt has not loosened the first writer's hold. */
    expect_refused(path, EX_IOERR, "is writing this store; a store has one writer");
    cr_assert_eq(write(release[1], "x", 1), 1);
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    store_close(open_store());
    close(ready[0]);
    close(ready[1]);
    close(release[0]);
    close(release[1]);
}

Test(store_sqlite, the_same_process_is_refused_too)
{
    struct store *store = open_store();
    char wanted[64];

    kit_begin(store);
    snprintf(wanted, sizeof(wanted), "process %ld ", (long)getpid());
    expect_refused(path, EX_IOERR, wanted);
    kit_run(store, 0, first, 4);
    store_close(store);
}

Test(store_sqlite, a_file_with_two_names_is_refused)
{
    char other[sizeof(path) + 8];

    store_close(open_store());
    snprintf(other, sizeof(other), "%s.link", path);
    cr_assert_eq(link(path, other), 0);
    expect_refused(path, EX_IOERR, "has 2 hard links");
    expect_refused(other, EX_IOERR, "has 2 hard links");
    cr_assert_eq(unlink(other), 0);
    store_close(open_store());
}

/* ---- what is not a store ---- */

Test(store_sqlite, what_is_not_a_file_is_refused)
{
    char other[sizeof(path) + 8];

    expect_refused(folder, EX_IOERR, "Is a directory");
    snprintf(other, sizeof(other), "%s/no/l.db", folder);
    expect_refused(other, EX_IOERR, "No such file or directory");
    snprintf(other, sizeof(other), "%s/fifo", folder);
    cr_assert_eq(mkfifo(other, 0600), 0);
    expect_refused(other, EX_IOERR, "is not a regular file");
}

Test(store_sqlite, foreign_files_are_refused_and_left_as_they_are)
{
    static const struct {
        const char *text; /* or */
        const char *sql;
        const char *says;
    } rows[] = {
        {"src,dest,amount\nann,bob,1.00\nann,bob,2.00\nann,bob,3.00\nann,bob,4.00\nann,bob,5.00\n"
         "ann,bob,6.00\nann,bob,7.00\n",
         NULL, "file is not a database"},
        {NULL, "CREATE TABLE t (x)", "is a database of another program"},
        {NULL, "PRAGMA user_version = 1", "is a database of another program"},
        {NULL, "PRAGMA application_id = 1; PRAGMA user_version = 1",
         "is a database of another program"},
        {NULL, "PRAGMA application_id = 0x50415944; PRAGMA user_version = 3",
         "schema version 3, this payd reads and writes version 6: use the payd that made it"},
        {NULL, "PRAGMA application_id = 0x50415944; PRAGMA user_version = 0; CREATE TABLE t (x)",
         "schema version 0, this payd reads and writes version 6"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len;
        if (rows[i].text) {
            write_file(rows[i].text);
        } else {
            change_database(rows[i].sql);
        }
        char *before = bytes_of(path, &len);
        expect_refused(path, EX_CONFIG, rows[i].says);
        expect_refused_readonly(path, EX_CONFIG, rows[i].says);
        expect_bytes(path, before, len);
        free(before);
        cr_assert_eq(unlink(path), 0);
    }
}

/* ---- reading while another writes ---- */

Test(store_sqlite, a_reader_sees_commits_and_changes_nothing)
{
    static const char *const endings[] = {"", "-wal"};
    char file[2][sizeof(path) + 8];
    char *before[2];
    size_t len[2];
    struct store *reader = NULL;
    struct store_stats stats;
    struct store *writer = open_store();

    kit_begin(writer);
    kit_run(writer, 0, first, 4);
    cr_assert_eq(writer->ops->begin(writer, &err), STORE_OK); /* in the middle of its next chunk */
    for (size_t i = 0; i < 2; i++) {
        snprintf(file[i], sizeof(file[i]), "%s%s", path, endings[i]);
        before[i] = bytes_of(file[i], &len[i]);
    }
    cr_expect_gt(len[1], 0);
    cr_assert_eq(store_sqlite_open_readonly(&reader, path, &err), 0, "%s", err.text);
    cr_assert_eq(reader->ops->stats(reader, &stats, &err), STORE_OK, "%s", err.text);
    cr_expect_eq(stats.counts[OUTCOME_APPLIED], 1);
    cr_expect_eq(stats.counts[OUTCOME_QUARANTINED], 1);
    cr_expect_str_eq(stats.topic, "payments");
    store_stats_release(&stats);
    store_close(reader);
    for (size_t i = 0; i < 2; i++) {
        expect_bytes(file[i], before[i], len[i]);
        free(before[i]);
    }
    writer->ops->rollback(writer);
    kit_run(writer, 0, second, 4); /* the reader has taken no lock away */
    expect_refused(path, EX_IOERR, "is writing this store");
    store_close(writer);
}

/* An audit may take long, and payd is started again meanwhile. */
Test(store_sqlite, a_reader_that_stays_does_not_keep_it_from_opening)
{
    sqlite3 *reader = NULL;
    struct store *store = open_store();

    kit_begin(store);
    kit_run(store, 0, first, 4);
    cr_assert_eq(sqlite3_open_v2(path, &reader, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM decisions", NULL, NULL, NULL),
                 SQLITE_OK);
    store_close(store);
    store = open_store();
    kit_run(store, 0, second, 4);
    store_close(store);
    cr_assert_eq(sqlite3_close(reader), SQLITE_OK);
    store = open_store();
    cr_expect_eq(kit_position(store, 0), 8);
    store_close(store);
}

Test(store_sqlite, a_store_at_rest_can_be_read)
{
    struct store *reader = NULL;
    struct store_stats stats;
    struct store *store = open_store();
    size_t len;

    kit_begin(store);
    kit_run(store, 0, first, 4);
    store_close(store);
    char *before = bytes_of(path, &len);
    cr_assert_eq(store_sqlite_open_readonly(&reader, path, &err), 0, "%s", err.text);
    cr_assert_eq(reader->ops->stats(reader, &stats, &err), STORE_OK, "%s", err.text);
    cr_expect_eq(stats.counts[OUTCOME_APPLIED], 1);
    store_stats_release(&stats);
    store_close(reader);
    expect_bytes(path, before, len);
    free(before);
}

Test(store_sqlite, a_reader_never_makes_a_file)
{
    expect_refused_readonly(path, EX_IOERR, "cannot be read, or is not there");
    cr_expect_eq(access(path, F_OK), -1);
    write_file("");
    expect_refused_readonly(path, EX_CONFIG, "is empty, not a store");
    expect_bytes(path, "", 0);
}
