/*
 * A backup is of one moment, whole, durable and a ledger of its own, also while the store is
 * written; nobody's file is written over, and a failure leaves no file.
 */
#include "common/clock.h"
#include "consumer/store_backup.h"
#include "consumer/store_verify.h"
#include "tests/lib/segments_kit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

static char copy[sizeof(segments_path) + 8];
static struct error err;
static int64_t bytes;
static int paid; /* payments that are made while it is copied */

static void make_ledger(void)
{
    segments_make();
    segments_pay(0, 17, 5, "applied");
    snprintf(copy, sizeof(copy), "%s.copy", segments_path);
}

TestSuite(backup, .init = make_ledger, .fini = segments_remove);

static int go_on(void *user, int64_t done, int64_t total, struct error *step_err)
{
    (void)user;
    (void)step_err;
    cr_expect(done >= 0 && done <= total);
    if (paid < 3) {
        segments_pay(100 + paid, 101 + paid, 1, "applied");
        paid++;
    }
    return 0;
}

static int stop(void *user, int64_t done, int64_t total, struct error *step_err)
{
    (void)user;
    (void)done;
    (void)total;
    return error_set(step_err, EX_TEMPFAIL, "stopped");
}

static void ignore(void *user, enum store_check check, const char *text)
{
    (void)user;
    cr_expect(false, "%s: %s", store_check_name(check), text);
}

static int64_t decisions_of(const char *path)
{
    struct store_proof proof;

    cr_assert_eq(store_sqlite_verify(path, ignore, NULL, &proof, &err), 0, "%s", err.text);
    cr_expect_eq(store_proof_found(&proof), 0);
    return proof.looked_at[STORE_CHECK_DECISIONS];
}

Test(backup, a_copy_that_is_made_while_the_store_is_written_is_of_one_moment)
{
    struct stat file;

    cr_assert_eq(store_sqlite_backup(segments_path, copy, go_on, NULL, &bytes, &err), 0, "%s",
                 err.text);
    cr_expect_gt(paid, 0);
    cr_expect_eq(decisions_of(copy), 17);
    cr_expect_eq(decisions_of(segments_path), 17 + paid);
    cr_assert_eq(stat(copy, &file), 0);
    cr_expect_eq(file.st_size, bytes);
    cr_expect_eq(file.st_mode & 0777, 0600, "%o", file.st_mode);
}

Test(backup, a_copy_goes_on_as_the_store_would)
{
    paid = 3;
    cr_assert_eq(store_sqlite_backup(segments_path, copy, go_on, NULL, &bytes, &err), 0, "%s",
                 err.text);
    segments_close();
    cr_assert_eq(rename(copy, segments_path), 0);
    segments_open();
    segments_pay(0, 17, 17, "duplicate");
    segments_pay(17, 30, 13, "applied");
    cr_expect_eq(decisions_of(segments_path), 30);
}

Test(backup, a_file_that_is_there_is_not_written_over)
{
    FILE *there = fopen(copy, "w");

    fputs("mine", there);
    fclose(there);
    cr_expect_eq(store_sqlite_backup(segments_path, copy, go_on, NULL, &bytes, &err), -1);
    cr_expect_eq(err.code, EX_CANTCREAT);
    cr_expect(strstr(err.text, copy) != NULL, "%s", err.text);
    there = fopen(copy, "r");
    char text[8] = "";
    cr_expect_not_null(fgets(text, sizeof(text), there));
    cr_expect_str_eq(text, "mine");
    fclose(there);
}

Test(backup, one_that_is_stopped_leaves_no_file)
{
    cr_expect_eq(store_sqlite_backup(segments_path, copy, stop, NULL, &bytes, &err), -1);
    cr_expect_eq(err.code, EX_TEMPFAIL);
    cr_expect_eq(access(copy, F_OK), -1);
    cr_expect_eq(store_sqlite_backup("/nonexistent/l.db", copy, go_on, NULL, &bytes, &err), -1);
    cr_expect_eq(err.code, EX_IOERR);
    cr_expect_eq(access(copy, F_OK), -1);
}

/* Opens the ledger as a program of its own would, which has it open until it is closed. */
static sqlite3 *other_program(void)
{
    sqlite3 *db = NULL;

    cr_assert_eq(sqlite3_open_v2(segments_path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "SELECT count(*) FROM decisions", NULL, NULL, NULL), SQLITE_OK);
    return db;
}

static struct store *take(void)
{
    struct store *store = segments_store;

    segments_store = NULL;
    return store;
}

static void expect_unfinished(void)
{
    struct store *store = take();

    cr_expect_eq(store_sqlite_finish(store, segments_path, 0, &err), -1);
    cr_expect_eq(err.code, EX_TEMPFAIL, "%s", err.text);
    cr_expect(strstr(err.text, "another program has it open"), "%s", err.text);
}

Test(backup, a_file_that_gets_another_name_has_all_in_it_or_none_is_told_of_it)
{
    struct store *store = take();

    cr_expect_eq(store_sqlite_finish(store, segments_path, 0, &err), 0, "%s", err.text);
    cr_assert_eq(rename(segments_path, copy), 0);
    cr_expect_eq(decisions_of(copy), 17);
    cr_assert_eq(rename(copy, segments_path), 0);

    segments_open();
    segments_pay(17, 20, 3, "applied");
    sqlite3 *idle = other_program();
    expect_unfinished();
    segments_open();
    segments_pay(20, 23, 3, "applied");
    cr_assert_eq(sqlite3_exec(idle, "BEGIN; SELECT count(*) FROM decisions", NULL, NULL, NULL),
                 SQLITE_OK);
    expect_unfinished();
    cr_assert_eq(sqlite3_close(idle), SQLITE_OK);
    segments_open();
    cr_expect_eq(store_sqlite_finish(take(), segments_path, 0, &err), 0, "%s", err.text);
    cr_expect_eq(decisions_of(segments_path), 23);
}

/* In a process of its own, as locks are: has the ledger open to read, and after a while no more. */
static pid_t start_reader(void)
{
    int ready[2];
    char byte = 0;

    cr_assert_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        sqlite3 *db = NULL;
        sqlite3_open_v2(segments_path, &db, SQLITE_OPEN_READONLY, NULL);
        sqlite3_exec(db, "SELECT count(*) FROM decisions", NULL, NULL, NULL);
        byte = (char)write(ready[1], "r", 1);
        usleep(300000);
        sqlite3_close(db);
        _exit(byte == 1 ? 0 : 1);
    }
    close(ready[1]);
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return child;
}

Test(backup, whoever_only_reads_it_is_waited_for)
{
    int status = -1;
    int64_t begin_ms = clock_monotonic_ms();

    segments_close(); /* a child knows of its parent's connections, and thinks them its own */
    pid_t reader = start_reader();
    segments_open();
    cr_expect_eq(store_sqlite_finish(take(), segments_path, 60000, &err), 0, "%s", err.text);
    cr_expect_geq(clock_monotonic_ms() - begin_ms, 300, "it had it open for so long");
    cr_assert_eq(waitpid(reader, &status, 0), reader);
    cr_expect_eq(status, 0);
    cr_expect_eq(decisions_of(segments_path), 17);
}

Test(backup, what_was_restored_counts_as_later_than_what_was_seen_of_the_other)
{
    struct store_identity seen = {.incarnation = 7, .chunks = 900};
    struct store_identity self;
    struct store *store = NULL;

    cr_assert_eq(store_sqlite_backup(segments_path, copy, go_on, NULL, &bytes, &err), 0, "%s",
                 err.text);
    cr_assert_eq(store_sqlite_open(&store, copy, NULL, &err), 0, "%s", err.text);
    cr_assert_eq(store_sqlite_outrun(store, &seen, &err), STORE_OK, "%s", err.text);
    cr_assert_eq(store->ops->identify(store, &self, &err), STORE_OK);
    cr_expect_eq(self.incarnation, 8);
    cr_expect_eq(self.chunks, 900 + STORE_OUTRUN_CHUNKS);
    /* What is behind it does not set it back. */
    cr_assert_eq(store_sqlite_outrun(store, &seen, &err), STORE_OK, "%s", err.text);
    cr_assert_eq(store->ops->identify(store, &self, &err), STORE_OK);
    cr_expect_eq(self.incarnation, 9);
    cr_expect_eq(self.chunks, 900 + 2 * STORE_OUTRUN_CHUNKS);
    seen.chunks = INT64_MAX;
    cr_expect_eq(store_sqlite_outrun(store, &seen, &err), STORE_FAILED);
    cr_expect_eq(err.code, EX_CONFIG);
    store_close(store);
    cr_assert_eq(remove(copy), 0);
}
