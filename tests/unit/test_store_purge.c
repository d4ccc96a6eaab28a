/*
 * Forgetting old keys: what may go goes with all that belongs to it, what may not stays, a key that
 * was forgotten is never run again, and the books prove as before.
 */
#include "consumer/store_purge.h"
#include "consumer/store_statement.h"
#include "consumer/store_verify.h"
#include "tests/lib/segments_kit.h"

#include "consumer/store_reset.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* The kit decides at this time, and the floors are before and after it. */
#define DECIDED_MS INT64_C(1700000000123) /* NOW_MS of the kit */
#define FLOOR_MS   (DECIDED_MS + 1)
#define OLD_MS     INT64_C(1600000000000)
#define NOT_OLD_MS (FLOOR_MS + 1)
#define GONE       INT64_C(1000000) /* the log begins behind all that was read */
#define ALL_GONE   ((const int64_t[2]){GONE, GONE})

static const struct payment_batch payroll = {
    .id = "payroll",
    .rows = 3,
    .digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"};

static struct store_purged purged;

/* ---- keys ---- */

#define KEYS 64

/* The UUIDv7 that was made at the time; a static text. */
static const char *uuid_of(int64_t ms, int number)
{
    static char texts[KEYS][PAYMENT_KEY_MAX + 1];
    static int next;
    char *text = texts[next++ % KEYS];

    snprintf(text, sizeof(texts[0]), "%08llx-%04llx-7000-8000-%012x", (unsigned long long)ms >> 16,
             (unsigned long long)ms & 0xFFFF, (unsigned)number);
    return text;
}

static void pay(const char *key, const struct payment_batch *batch, const char *answer)
{
    const struct kit_row row = {key, "ann", "bob", 100, "EUR", batch, answer};

    kit_run(segments_store, 0, &row, 1);
}

/* ---- a purge ---- */

static struct store_purge *open_purge(int64_t floor_ms, const int64_t starts[2])
{
    struct store_purge *purge = NULL;
    const struct store_purge_terms terms = {
        .floor_ms = floor_ms, .log_starts = starts, .partitions = 2};

    cr_assert_eq(store_sqlite_purge_open(&purge, segments_store, &terms, &segments_err), STORE_OK,
                 "%s", segments_err.text);
    return purge;
}

static bool step(struct store_purge *purge)
{
    bool is_done = false;

    cr_assert_eq(store_sqlite_purge_step(purge, &is_done, &segments_err), STORE_OK, "%s",
                 segments_err.text);
    return !is_done;
}

static void end_purge(struct store_purge *purge)
{
    while (step(purge)) {
    }
    purged = *store_sqlite_purged(purge);
    store_sqlite_purge_close(purge);
}

static void publish_all(void)
{
    int64_t last = 0;

    cr_assert_eq(segments_store->ops->outbox(segments_store, NULL, &last, &segments_err), STORE_OK);
    cr_assert_eq(segments_store->ops->published(segments_store, last, &segments_err), STORE_OK);
}

static void purge_all(void)
{
    publish_all();
    end_purge(open_purge(FLOOR_MS, ALL_GONE));
}

/* ---- the books ---- */

static char findings[4096];

static void note(void *user, enum store_check check, const char *text)
{
    size_t len = strlen(findings);

    (void)user;
    snprintf(findings + len, sizeof(findings) - len, "%s: %s\n", store_check_name(check), text);
}

static void expect_whole(void)
{
    struct store_proof proof;
    struct store_stats stats;
    struct error err;

    findings[0] = '\0';
    cr_assert_eq(store_sqlite_verify(segments_path, note, NULL, &proof, &err), 0, "%s", err.text);
    cr_expect_str_empty(findings);
    cr_assert_eq(segments_store->ops->stats(segments_store, &stats, &err), STORE_OK);
    cr_expect_arr_eq(proof.digest, stats.digest, KEY_HASH_SIZE, "the digest is of all that was");
    store_stats_release(&stats);
}

static int64_t keys(void)
{
    return segments_number("SELECT count(*) FROM keys");
}

TestSuite(store_purge, .init = segments_make, .fini = segments_remove);

/* ---- what goes, and what stays ---- */

Test(store_purge, an_old_uuid7_goes_and_is_stale_when_it_comes_again)
{
    pay(uuid_of(OLD_MS, 1), NULL, "applied");
    pay(uuid_of(OLD_MS, 2), NULL, "applied");
    pay(uuid_of(OLD_MS, 2), NULL, "duplicate");
    int64_t balance = kit_account(segments_store, "ann").balance_minor;
    purge_all();
    cr_expect_eq(purged.keys, 2);
    cr_expect_eq(purged.repeats, 1);
    cr_expect_eq(purged.floor_ms, FLOOR_MS);
    cr_expect_eq(keys(), 0);
    cr_expect_eq(segments_number("SELECT count(*) FROM decisions"), 0);
    cr_expect_eq(segments_number("SELECT count(*) FROM repeat_counts"), 0);
    pay(uuid_of(OLD_MS, 1), NULL, "quarantined");
    cr_expect_eq(segments_number("SELECT count(*) FROM quarantine WHERE reason = 'stale'"), 1);
    cr_expect_eq(kit_account(segments_store, "ann").balance_minor, balance);
    expect_whole();
}

Test(store_purge, an_old_key_that_was_never_seen_is_stale_too)
{
    purge_all();
    pay(uuid_of(OLD_MS, 1), NULL, "quarantined");
    pay(uuid_of(NOT_OLD_MS, 1), NULL, "applied");
    pay(uuid_of(FLOOR_MS, 1), NULL, "applied");
    pay(uuid_of(FLOOR_MS - 1, 1), NULL, "quarantined");
    expect_whole();
}

Test(store_purge, a_stale_cancel_is_not_answered_as_if_nothing_had_been_paid)
{
    struct command cancel = {.type = COMMAND_CANCEL};
    struct kit_command row = {cancel, "quarantined"};

    strcpy(row.command.payment.key, uuid_of(OLD_MS, 1));
    pay(uuid_of(OLD_MS, 1), NULL, "applied");
    purge_all();
    kit_run_commands(segments_store, false, &row, 1);
}

Test(store_purge, keys_without_an_age_and_younger_ones_stay)
{
    static const char *const stay[] = {
        "invoice-1",
        "018F3C6E-7D1A-7B1C-8E65-0123456789AB", /* upper case is text */
        "00000000-7d1a-4b1c-8e65-0123456789ab", /* version 4 */
        "00000000-7d1a-7b1c-0e65-0123456789ab", /* another variant */
        "payroll:0000000001",                   /* of no batch */
        "payroll:000000001",
    };

    for (size_t i = 0; i < sizeof(stay) / sizeof(stay[0]); i++) {
        pay(stay[i], NULL, "applied");
    }
    pay(uuid_of(NOT_OLD_MS, 1), NULL, "applied");
    purge_all();
    cr_expect_eq(purged.keys, 0);
    cr_expect_eq(purged.ageless, 7);
    for (size_t i = 0; i < sizeof(stay) / sizeof(stay[0]); i++) {
        pay(stay[i], NULL, "duplicate");
    }
    pay(uuid_of(NOT_OLD_MS, 1), NULL, "duplicate");
    expect_whole();
}

Test(store_purge, what_the_log_still_has_or_is_not_published_stays)
{
    pay(uuid_of(OLD_MS, 1), NULL, "applied");
    pay(uuid_of(OLD_MS, 2), NULL, "applied");
    end_purge(open_purge(FLOOR_MS, ALL_GONE)); /* nothing is published */
    cr_expect_eq(purged.keys, 0);
    cr_expect_eq(purged.retained, 2);
    publish_all();
    end_purge(open_purge(FLOOR_MS, (const int64_t[2]){1, GONE}));
    cr_expect_eq(purged.keys, 1, "the log begins behind the first");
    cr_expect_eq(purged.retained, 1);
    pay(uuid_of(OLD_MS, 2), NULL, "duplicate");
    pay(uuid_of(OLD_MS, 1), NULL, "quarantined");
    expect_whole();
}

Test(store_purge, a_key_whose_repeat_the_log_still_has_stays)
{
    pay(uuid_of(OLD_MS, 1), NULL, "applied");
    pay(uuid_of(OLD_MS, 1), NULL, "duplicate");
    publish_all();
    end_purge(open_purge(FLOOR_MS, (const int64_t[2]){1, GONE}));
    cr_expect_eq(purged.keys, 0);
    cr_expect_eq(purged.repeats, 0);
    purge_all();
    cr_expect_eq(purged.keys, 1);
    expect_whole();
}

Test(store_purge, of_another_log_nothing_is_held)
{
    pay(uuid_of(OLD_MS, 1), NULL, "applied");
    publish_all();
    cr_assert_eq(segments_store->ops->new_log(segments_store, 1, &segments_err), STORE_OK);
    cr_assert_eq(segments_store->ops->bind(segments_store, "c2", "payments", &segments_err),
                 STORE_OK);
    end_purge(open_purge(FLOOR_MS, (const int64_t[2]){0, 0}));
    cr_expect_eq(purged.keys, 1);
}

Test(store_purge, decisions_younger_than_the_floor_stay)
{
    pay(uuid_of(OLD_MS, 1), NULL, "applied");
    publish_all();
    end_purge(open_purge(DECIDED_MS, ALL_GONE));
    cr_expect_eq(purged.keys, 0, "its key is old, but it was decided at the floor");
    pay(uuid_of(OLD_MS, 1), NULL, "duplicate");
}

Test(store_purge, the_floor_never_falls)
{
    end_purge(open_purge(FLOOR_MS, ALL_GONE));
    end_purge(open_purge(OLD_MS, ALL_GONE));
    cr_expect_eq(purged.floor_ms, FLOOR_MS);
    segments_close();
    segments_open();
    pay(uuid_of(FLOOR_MS - 1, 1), NULL, "quarantined");
}

static bool is_stale(const char *key)
{
    bool ret = false;

    cr_assert_eq(segments_store->ops->is_stale(segments_store, key, &ret, &segments_err), STORE_OK);
    return ret;
}

Test(store_purge, whoever_asks_for_a_key_is_told_that_it_is_not_paid_any_more)
{
    cr_expect_not(is_stale(uuid_of(OLD_MS, 1)));
    pay("payroll:0000000001",
        &(struct payment_batch){.id = "payroll",
                                .rows = 1,
                                .digest = "0123456789abcdef0123456789abcdef"
                                          "0123456789abcdef0123456789abcdef"},
        "applied");
    purge_all();
    cr_expect(is_stale(uuid_of(OLD_MS, 1)));
    cr_expect(is_stale("payroll:0000000001"));
    cr_expect_not(is_stale("payroll:0000000002"));
    cr_expect_not(is_stale(uuid_of(NOT_OLD_MS, 1)));
    cr_expect_not(is_stale("invoice-1"));
}

/* ---- batches ---- */

Test(store_purge, a_batch_goes_as_one_and_its_rows_are_stale)
{
    struct payment_batch other = payroll;

    pay("payroll:0000000001", &payroll, "applied");
    pay("payroll:0000000002", &payroll, "applied");
    purge_all();
    cr_expect_eq(purged.batches, 0, "one of its rows never came");
    pay("payroll:0000000003", &payroll, "applied");
    purge_all();
    cr_expect_eq(purged.batches, 1);
    cr_expect_eq(purged.keys, 3);
    cr_expect_eq(segments_number("SELECT rows FROM batches WHERE name = 'payroll'"), 3);
    pay("payroll:0000000002", &payroll, "quarantined");
    pay("payroll:0000000002", NULL, "quarantined"); /* the key alone tells */
    pay("of its own", &payroll, "quarantined");     /* so does the batch */
    strcpy(other.id, "other");
    pay("payroll:0000000002", &other, "quarantined");
    pay("payroll:0000000004", NULL, "applied"); /* it had no such row */
    expect_whole();
}

Test(store_purge, a_batch_with_a_key_that_is_not_its_own_stays)
{
    pay("payroll:0000000001", &payroll, "applied");
    pay("payroll:0000000002", &payroll, "applied");
    pay("of its own", &payroll, "applied");
    purge_all();
    cr_expect_eq(purged.batches, 0);
    cr_expect_eq(purged.keys, 0);
    pay("payroll:0000000001", &payroll, "duplicate");
}

static void pay_rows(const struct payment_batch *batch, int first, int last)
{
    char key[PAYMENT_KEY_MAX + 1];

    for (int row = first; row <= last; row++) {
        snprintf(key, sizeof(key), "%s:%010d", batch->id, row);
        pay(key, batch, "applied");
    }
}

/* Such keys sort between the rows of the batch, but rows that never came must not be stale. */
Test(store_purge, keys_that_only_look_like_rows_do_not_make_a_batch_complete)
{
    struct payment_batch batch = payroll;

    batch.rows = 20;
    pay("payroll:0000000001x", NULL, "applied");
    pay("payroll:000000001:", NULL, "applied");
    pay_rows(&batch, 1, 18);
    purge_all();
    cr_expect_eq(purged.batches, 0);
    pay_rows(&batch, 19, 20);
    purge_all();
    cr_expect_eq(purged.batches, 1);
    cr_expect_eq(purged.keys, 20);
    expect_whole();
}

Test(store_purge, stale_is_stale_in_any_cut)
{
    const struct kit_row rows[] = {
        {"plain", "ann", "bob", 100, "EUR", NULL, "applied"},
        {"plain", "ann", "bob", 100, "EUR", &payroll, "conflict payload_differs batch"},
        {"late", "ann", "bob", 100, "EUR", &payroll, "quarantined"},
        {"late", "ann", "bob", 100, "EUR", NULL, "applied"},
        {"payroll:0000000001", "ann", "bob", 100, "EUR", NULL, "quarantined"},
        {"payroll:0000000001", "ann", "bob", 100, "EUR", NULL, "quarantined"},
    };
    const size_t count = sizeof(rows) / sizeof(rows[0]);

    for (int i = 1; i <= 3; i++) {
        char key[PAYMENT_KEY_MAX + 1];
        snprintf(key, sizeof(key), "payroll:%010d", i);
        pay(key, &payroll, "applied");
    }
    purge_all();
    segments_close();
    char kept[sizeof(segments_path) + 8];
    char command[3 * sizeof(kept)];
    snprintf(kept, sizeof(kept), "%s.kept", segments_path);
    snprintf(command, sizeof(command), "cp '%s' '%s'", segments_path, kept);
    cr_assert_eq(system(command), 0);
    segments_open();
    kit_run(segments_store, 0, rows, count);
    segments_close();
    snprintf(command, sizeof(command), "cp '%s' '%s'", kept, segments_path);
    cr_assert_eq(system(command), 0);
    segments_open();
    for (size_t i = 0; i < count; i++) {
        kit_run(segments_store, 0, &rows[i], 1);
    }
    expect_whole();
}

/* ---- steps ---- */

#define CHUNK 50
#define MANY  (2 * STORE_PURGE_ROWS + 10 * CHUNK)

static void pay_many(void)
{
    static struct kit_row rows[MANY];
    static char texts[MANY][PAYMENT_KEY_MAX + 1];

    for (int i = 0; i < MANY; i++) {
        strcpy(texts[i], uuid_of(OLD_MS + i, i));
        rows[i] = (struct kit_row){texts[i], "ann", "bob", 100, "EUR", NULL, "applied"};
    }
    for (int i = 0; i < MANY; i += CHUNK) {
        kit_run(segments_store, 0, rows + i, CHUNK);
    }
    publish_all();
}

Test(store_purge, each_step_is_a_small_transaction_and_the_next_purge_goes_on)
{
    int64_t left = MANY;

    pay_many();
    struct store_purge *purge = open_purge(FLOOR_MS, ALL_GONE);
    while (step(purge)) {
        int64_t now = keys();
        cr_expect_leq(left - now, STORE_PURGE_ROWS);
        left = now;
        expect_whole();
        if (left < MANY) {
            break; /* as a crash between two steps would */
        }
    }
    store_sqlite_purge_close(purge);
    segments_close();
    segments_open();
    cr_expect_gt(left, 0);
    purge_all();
    cr_expect_eq(purged.keys, left);
    cr_expect_eq(keys(), 0);
    expect_whole();
}

Test(store_purge, chunks_between_the_steps_are_seen)
{
    pay(uuid_of(OLD_MS, 1), NULL, "applied");
    publish_all();
    struct store_purge *purge = open_purge(FLOOR_MS, (const int64_t[2]){1, GONE});
    cr_assert(step(purge));
    pay(uuid_of(OLD_MS, 1), NULL, "duplicate"); /* the log has this one */
    pay(uuid_of(NOT_OLD_MS, 7), NULL, "applied");
    end_purge(purge);
    cr_expect_eq(purged.keys, 0);
    pay(uuid_of(OLD_MS, 1), NULL, "duplicate");
    pay(uuid_of(NOT_OLD_MS, 7), NULL, "duplicate");
    expect_whole();
}

/* ---- segments ---- */

Test(store_purge, sealed_segments_lose_keys_and_their_filters_can_be_made_again)
{
    for (int i = 0; i < 4 * SEGMENTS_KEYS; i++) {
        pay(uuid_of(OLD_MS + i, i), NULL, "applied");
        segments_pay(i, i + 1, 1, "applied");
    }
    cr_assert_gt(segments_number("SELECT count(*) FROM segments"), 2);
    purge_all();
    cr_expect_eq(purged.keys, 4 * SEGMENTS_KEYS);
    expect_whole();
    segments_close();
    segments_change("UPDATE segments SET filter = x''");
    segments_open();
    cr_expect_gt(segments_rebuilt(), 0);
    segments_pay(0, 4 * SEGMENTS_KEYS, 5, "duplicate");
    pay(uuid_of(OLD_MS, 0), NULL, "quarantined");
    segments_pay(100, 120, 5, "applied"); /* the current one is sealed with what it has */
    expect_whole();
}

/* ---- books ---- */

struct seen {
    int64_t postings;
};

static void on_posting(void *user, const struct store_posting *posting)
{
    (void)posting;
    ((struct seen *)user)->postings++;
}

Test(store_purge, a_statement_brings_forward_what_was_forgotten)
{
    struct seen seen = {0};
    struct store_statement statement;

    pay(uuid_of(OLD_MS, 1), NULL, "applied");
    pay(uuid_of(OLD_MS, 2), NULL, "applied");
    pay("stays", NULL, "applied");
    purge_all();
    cr_assert_eq(store_sqlite_statement(segments_store, "bob", 0, on_posting, &seen, &statement,
                                        &segments_err),
                 STORE_OK, "%s", segments_err.text);
    cr_expect_eq(seen.postings, 1);
    cr_expect_eq(statement.opening_minor, 200);
    cr_expect_eq(statement.closing_minor, 300);
    cr_expect_eq(segments_number("SELECT sum(amount_minor) FROM postings WHERE account = 'bob'"),
                 300);
}

Test(store_purge, after_a_reset_nothing_is_brought_forward)
{
    pay(uuid_of(OLD_MS, 1), NULL, "applied");
    purge_all();
    pay(uuid_of(NOT_OLD_MS, 2), NULL, "applied");
    cr_assert_eq(store_sqlite_reset(segments_store, &segments_err), STORE_OK);
    expect_whole();
    pay(uuid_of(NOT_OLD_MS, 3), NULL, "applied");
    cr_expect_eq(kit_account(segments_store, "bob").balance_minor, 100);
    expect_whole();
}

Test(store_purge, stats_show_the_floor_and_what_is_left)
{
    struct store_stats stats;

    pay(uuid_of(OLD_MS, 1), NULL, "applied");
    pay("stays", NULL, "applied");
    cr_assert_eq(segments_store->ops->stats(segments_store, &stats, &segments_err), STORE_OK);
    cr_expect_eq(stats.size.floor_ms, 0);
    cr_expect_eq(stats.size.keys, 2);
    cr_expect_eq(stats.size.day_rows, 2);
    cr_expect_gt(stats.size.bytes, 0);
    store_stats_release(&stats);
    purge_all();
    cr_assert_eq(segments_store->ops->stats(segments_store, &stats, &segments_err), STORE_OK);
    cr_expect_eq(stats.size.floor_ms, FLOOR_MS);
    cr_expect_eq(stats.size.keys, 1);
    cr_expect_eq(stats.counts[OUTCOME_APPLIED], 2, "what was decided stays counted");
    store_stats_release(&stats);
}

Test(store_purge, what_is_lost_otherwise_is_still_found)
{
    struct store_proof proof;
    struct error err;

    pay(uuid_of(OLD_MS, 1), NULL, "applied");
    pay("stays", NULL, "applied");
    purge_all();
    segments_change("UPDATE forgotten_postings SET low = low + 1 WHERE account = 1");
    findings[0] = '\0';
    cr_assert_eq(store_sqlite_verify(segments_path, note, NULL, &proof, &err), 0, "%s", err.text);
    cr_expect(strstr(findings, "accounts: account ann"), "%s", findings);
    segments_change("UPDATE forgotten_postings SET low = low - 1 WHERE account = 1");
    segments_change("UPDATE forgotten SET applied = 2");
    findings[0] = '\0';
    cr_assert_eq(store_sqlite_verify(segments_path, note, NULL, &proof, &err), 0, "%s", err.text);
    cr_expect(strstr(findings, "decisions: 3 are there as applied"), "%s", findings);
}
