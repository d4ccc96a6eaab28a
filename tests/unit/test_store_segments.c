/*
 * Key segments of the SQLite store: a key is known whatever segment it stands in, also after a
 * restart, and after a rollback or a crash around a seal. What is damaged stands in
 * test_store_segments_damage.c.
 */
#include "consumer/key_filter.h"
#include "tests/lib/segments_kit.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEGMENT SEGMENTS_KEYS

TestSuite(store_segments, .init = segments_make, .fini = segments_remove);

/* ---- sealing ---- */

Test(store_segments, keys_are_known_in_every_segment_and_after_a_restart)
{
    segments_pay(0, 22, 2, "applied"); /* six keys a segment, and four in the last */
    cr_expect_eq(segments_number("SELECT count(*) FROM segments"), 3);
    cr_expect_eq(segments_number("SELECT count(*) FROM segments s WHERE keys = 6 AND keys ="
                                 " (SELECT count(*) FROM keys WHERE segment = s.id)"),
                 3);
    segments_pay(0, 22, 22, "duplicate");
    segments_close();
    segments_open();
    segments_pay(0, 22, 4, "duplicate");
    segments_pay(22, 23, 1, "applied");
    cr_expect_eq(segments_number("SELECT count(*) FROM segments"), 4,
                 "the count went on after a restart");
    segments_pay(0, 23, 7, "duplicate");
    cr_expect_eq(segments_rebuilt(), 0);
}

Test(store_segments, a_chunk_beyond_a_segment_goes_into_one)
{
    segments_pay(0, 33, 33, "applied");
    cr_expect_eq(segments_number("SELECT keys FROM segments"), 33);
    segments_pay(0, 33, 5, "duplicate");
    segments_pay(33, 34, 1, "applied");
}

Test(store_segments, a_conflict_with_a_sealed_key_names_its_first_payment)
{
    struct kit_row other = {
        "k001", "ann", "bob", 101, "EUR", NULL, "conflict payload_differs amount"};

    segments_pay(0, 12, 3, "applied");
    kit_run(segments_store, 0, &other, 1);
    cr_expect_eq(segments_number("SELECT first_seq FROM repeats"), 2);
}

static void count_visit(void *user, const struct outcome_record *record)
{
    (void)record;
    ++*(int *)user;
}

Test(store_segments, a_reader_finds_the_keys_of_all_segments)
{
    struct store *reader = NULL;
    int64_t repeats;
    int found = 0;

    segments_pay(0, 13, 1, "applied");
    cr_assert_eq(store_sqlite_open_readonly(&reader, segments_path, &segments_err), 0, "%s",
                 segments_err.text);
    for (int i = 0; i < 13; i++) {
        cr_assert_eq(reader->ops->show(reader, segments_key(i), count_visit, &found, &repeats,
                                       &segments_err),
                     STORE_OK, "%s", segments_err.text);
        cr_expect_eq(found, i + 1, "%s", segments_key(i));
    }
    store_close(reader);
}

/* ---- transactions that do not commit ---- */

static void save_and_roll_back(int first, size_t count)
{
    struct chunk *chunk = segments_chunk(first, count);

    cr_assert_eq(segments_save(chunk), STORE_OK, "%s", segments_err.text);
    segments_store->ops->rollback(segments_store);
    chunk_free(chunk);
}

/* A seal that stayed in memory would shift what the filter says by a segment. */
Test(store_segments, a_seal_that_is_rolled_back_has_not_happened)
{
    segments_pay(0, 13, 3, "applied");
    cr_assert_eq(segments_number("SELECT count(*) FROM segments"), 2);
    save_and_roll_back(13, 5);
    save_and_roll_back(18, 5);
    cr_expect_eq(segments_number("SELECT count(*) FROM segments"), 2);
    segments_pay(18, 22, 4, "applied");
    cr_expect_eq(segments_number("SELECT count(*) FROM segments"), 3);
    segments_pay(13, 18, 2, "applied");
    segments_pay(0, 22, 22, "duplicate");
}

/* In the child: the seal is in the open transaction or in a committed one. */
static void seal_and_die(bool commit)
{
    if (segments_save(segments_chunk(0, SEGMENT)) != STORE_OK ||
        (commit && segments_store->ops->commit(segments_store, &segments_err) != STORE_OK)) {
        _exit(1);
    }
    raise(SIGKILL);
}

static void seal_in_a_child_that_dies(bool commit)
{
    int status;

    segments_close();
    pid_t child = fork();
    if (child == 0) {
        segments_open();
        seal_and_die(commit);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "status %d", status);
    segments_open();
}

Test(store_segments, a_crash_around_a_seal_leaves_it_whole_or_absent)
{
    seal_in_a_child_that_dies(false);
    cr_expect_eq(segments_number("SELECT count(*) FROM segments"), 0);
    cr_expect_eq(segments_number("SELECT count(*) FROM keys"), 0);
    seal_in_a_child_that_dies(true);
    cr_expect_eq(segments_number("SELECT count(*) FROM segments"), 1);
    segments_pay(0, SEGMENT, SEGMENT, "duplicate");
    segments_pay(SEGMENT, 2 * SEGMENT, SEGMENT, "applied");
    cr_expect_eq(segments_number("SELECT count(*) FROM segments"), 2);
}

/* ---- beyond the filter ---- */

Test(store_segments, segments_that_the_filter_does_not_reach_are_asked_themselves)
{
    static const unsigned char nothing[SEGMENTS_BYTES];
    sqlite3 *db;

    segments_close();
    db = segments_database();
    cr_assert_eq(sqlite3_exec(db, "BEGIN", NULL, NULL, NULL), SQLITE_OK);
    for (int64_t id = 1; id < KEY_FILTER_SEGMENTS_MAX; id++) {
        segments_set_filter(db, id, 0, nothing, nothing);
    }
    cr_assert_eq(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    segments_open();
    segments_pay(0, 20, 5,
                 "applied"); /* the first of the four is the last that the filter covers */
    segments_pay(0, 20, 20, "duplicate");
    segments_close();
    segments_open();
    cr_expect_eq(segments_rebuilt(), 0);
    segments_pay(0, 20, 4, "duplicate");
    save_and_roll_back(20, 5);
    segments_pay(20, 25, 5, "applied");
    segments_pay(0, 25, 25, "duplicate");
}
