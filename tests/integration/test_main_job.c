/*
 * The main job on the embedded broker: submit, apply once, answer repeats, set poison aside.
 */
#include "tests/lib/scene.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct scene scene;

static void open_scene(void)
{
    scene_open_embedded(&scene);
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(main_job, .init = open_scene, .fini = close_scene);

static const char *const sample_batch[] = {"batch", "--batch-id", "sample", scene.sample, NULL};

Test(main_job, the_sample_is_paid_once_however_often_it_is_sent)
{
    struct process pay;
    struct process payd;

    cr_assert_eq(scene_pay(&scene, NULL, &pay, sample_batch), 0);
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE outcome = 'applied'"),
                 1000);
    cr_expect_str_eq(scene_text(&scene, "SELECT high || ' ' || low FROM totals"), "0 100000");

    cr_assert_eq(scene_pay(&scene, NULL, &pay, sample_batch), 0);
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments"), 1000);
    cr_expect_eq(scene_int(&scene, "SELECT count FROM counters WHERE outcome = 3"), 1000);
    cr_expect(file_has(payd.err, "duplicate=1000"));
    scene_check_books(&scene);
}

Test(main_job, the_same_key_again_is_a_duplicate_and_with_another_payload_a_conflict)
{
    struct process pay;
    struct process payd;

    cr_assert_eq(
        scene_pay(&scene, NULL, &pay,
                  (const char *const[]){"send", "ann", "bob", "12.34", "--key", "k", NULL}),
        0);
    cr_assert_eq(
        scene_pay(&scene, NULL, &pay,
                  (const char *const[]){"send", "ann", "bob", "12.34", "--key", "k", NULL}),
        0);
    cr_assert_eq(
        scene_pay(&scene, NULL, &pay,
                  (const char *const[]){"send", "ann", "eve", "12.35", "--key", "k", NULL}),
        0);
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);

    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments"), 1);
    cr_expect_eq(scene_int(&scene, "SELECT balance_minor FROM balances WHERE account = 'bob'"),
                 1234);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM balances WHERE account = 'eve'"), 0);
    cr_expect_str_eq(scene_text(&scene, "SELECT key || ':' || fields FROM conflicts"),
                     "k:dest,amount");
    cr_expect(file_has(payd.err, "event=conflict"));
    cr_expect(file_has(payd.err, "fields=dest,amount"));
    cr_expect_eq(scene_int(&scene, "SELECT count FROM counters WHERE outcome = 3"), 1);
    cr_expect_eq(scene_int(&scene, "SELECT count FROM counters WHERE outcome = 4"), 1);
    scene_check_books(&scene);
}

#define GOOD(src, dest)                                                                            \
    "{\"v\":1,\"type\":\"payment\",\"src\":\"" src "\",\"dest\":\"" dest                           \
    "\",\"amount\":\"500\",\"currency\":\"EUR\"}"

Test(main_job, poison_between_good_messages_is_quarantined_and_stops_nothing)
{
    static const struct {
        const char *key;
        const char *value;
        const char *reason; /* NULL = paid */
    } rows[] = {
        {"good-1", GOOD("ann", "bob"), NULL},
        {NULL, GOOD("ann", "bob"), "bad_key"},
        {"poison-empty", "", "empty"},
        {"poison-tombstone", NULL, "empty"},
        {"poison-text", "hello", "bad_json"},
        {"good-2", GOOD("ann", "bob"), NULL},
        {"poison-number",
         "{\"v\":1,\"type\":\"payment\",\"src\":\"a\",\"dest\":\"b\",\"amount\":1e3}", "bad_field"},
        {"poison-version", "{\"v\":2,\"type\":\"payment\"}", "unknown_version"},
        {"poison-utf8", "{\"v\":1,\"src\":\"\xFF\"}", "bad_utf8"},
        {"good-3", GOOD("ann", "bob"), NULL},
    };
    struct process payd;
    char sql[256];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        scene_produce(&scene, rows[i].key, rows[i].value);
    }
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE outcome = 'applied'"), 3);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM quarantined"), 7);
    cr_expect_eq(file_count(payd.err, "event=quarantined"), 7);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].key && rows[i].reason) {
            snprintf(sql, sizeof(sql),
                     "SELECT reason FROM quarantined WHERE CAST(key AS TEXT) = '%s'", rows[i].key);
            cr_expect_str_eq(scene_text(&scene, sql), rows[i].reason, "%s", rows[i].key);
        }
    }
    cr_expect_str_eq(scene_text(&scene, "SELECT CAST(value AS TEXT) FROM quarantined"
                                        " WHERE CAST(key AS TEXT) = 'poison-text'"),
                     "hello", "the raw bytes are kept");
    cr_expect_str_eq(scene_text(&scene, "SELECT CAST(name AS TEXT) || '=' || CAST(value AS TEXT)"
                                        " FROM quarantine_headers LIMIT 1"),
                     "sent-by=a test", "the headers are kept");
    scene_check_books(&scene);
}

Test(main_job, what_the_ledger_refuses_is_rejected_with_its_reason_and_stays_so)
{
    static const struct {
        const char *key;
        const char *value;
        const char *reason;
    } rows[] = {
        {"same", GOOD("ann", "ann"), "same_account"},
        {"zero", "{\"v\":1,\"type\":\"payment\",\"src\":\"a\",\"dest\":\"b\",\"amount\":\"0\"}",
         "amount_out_of_range"},
        {"huge",
         "{\"v\":1,\"type\":\"payment\",\"src\":\"a\",\"dest\":\"b\","
         "\"amount\":\"10000000000000000\"}",
         "amount_out_of_range"},
        {"gold",
         "{\"v\":1,\"type\":\"payment\",\"src\":\"a\",\"dest\":\"b\",\"amount\":\"1\","
         "\"currency\":\"XAU\"}",
         "unknown_currency"},
    };
    struct process payd;
    char sql[256];

    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            scene_produce(&scene, rows[i].key, rows[i].value);
        }
    }
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(sql, sizeof(sql), "SELECT outcome || ':' || reason FROM payments WHERE key = '%s'",
                 rows[i].key);
        char wanted[64];
        snprintf(wanted, sizeof(wanted), "rejected:%s", rows[i].reason);
        cr_expect_str_eq(scene_text(&scene, sql), wanted, "%s", rows[i].key);
    }
    cr_expect_eq(scene_int(&scene, "SELECT count FROM counters WHERE outcome = 3"), 4,
                 "sent again, each answers the same");
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM balances"), 0);
}
