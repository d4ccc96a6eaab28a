/*
 * Rows 41-43: hostile messages, and one key from many hands.
 */
#include "tests/lib/fault.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS 60000

static struct fault fault;

static void open_scene(void)
{
    fault_open_embedded(&fault);
}

static void close_scene(void)
{
    fault_close(&fault);
}

TestSuite(row_41, .init = open_scene, .fini = close_scene);
TestSuite(row_42, .init = open_scene, .fini = close_scene);
TestSuite(row_43, .init = open_scene, .fini = close_scene);

#define PAYMENT(amount)                                                                            \
    "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":" amount "}"

static int64_t count(const char *what)
{
    char sql[128];

    snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", what);
    return scene_int(&fault.scene, sql);
}

/* ---- hostile payloads ---- */

/* None of them is a payment; those with a key are quarantined under it. */
static const struct {
    const char *value;
    size_t len;
} hostile[] = {
#define TEXT(text)                                                                                 \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }
    TEXT(""),
    TEXT("{"),
    TEXT("null"),
    TEXT("[]"),
    TEXT("\0"),
    TEXT("{\"v\":1,\"type\":\"payment\"}"),
    TEXT(PAYMENT("\"5\"") "\0"),
    TEXT(PAYMENT("\"5\"") " {}"),
    TEXT(PAYMENT("5")),
    TEXT(PAYMENT("1e3")),
    TEXT(PAYMENT("1.5")),
    TEXT(PAYMENT("\"1e3\"")),
    TEXT(PAYMENT("\"1.5\"")),
    TEXT(PAYMENT("\"-1\"")),
    TEXT(PAYMENT("\"007\"")),
    TEXT(PAYMENT("\"99999999999999999999999999\"")),
    TEXT(PAYMENT("\"5\",\"amount\":\"6\"")),
    TEXT(PAYMENT("\"\\u0000\"")),
    TEXT(PAYMENT("\"5\",\"src\":\"\xff\xfe\"")),
    TEXT("{\"v\":2,\"type\":\"payment\"}"),
    TEXT("{\"v\":1,\"type\":\"gift\"}"),
#undef TEXT
};

#define HOSTILE (sizeof(hostile) / sizeof(hostile[0]))
#define DEEP    100000
#define MUTATED 200

/* Brackets in brackets, and a value of a megabyte. */
static void produce_large(void)
{
    char *value = malloc(DEEP);

    cr_assert(value);
    memset(value, '[', DEEP);
    fault_produce(&fault, "deep", value, DEEP);
    memset(value, 'x', DEEP);
    fault_produce(&fault, "long", value, DEEP);
    free(value);
}

/* A good payment with some bytes changed: whatever it says now, it must not end payd. */
static void produce_mutated(int number)
{
    char value[] = PAYMENT("\"500\"");
    char key[32];

    snprintf(key, sizeof(key), "mutated-%d", number);
    for (int changes = 1 + fault_draw(&fault, 3); changes > 0; changes--) {
        value[fault_draw(&fault, (int)sizeof(value) - 1)] = (char)fault_draw(&fault, 256);
    }
    fault_produce(&fault, key, value, sizeof(value) - 1);
}

Test(row_41, hostile_payloads_are_quarantined_and_the_good_ones_applied)
{
    char key[32];

    fault_produce_text(&fault, "good-1", PAYMENT("\"500\""));
    for (size_t i = 0; i < HOSTILE; i++) {
        snprintf(key, sizeof(key), "hostile-%zu", i);
        fault_produce(&fault, key, hostile[i].value, hostile[i].len);
        fault_hit(&fault, 1);
    }
    produce_large();
    fault_produce_text(&fault, NULL, PAYMENT("\"500\"")); /* without a key */
    fault_produce_text(&fault, "good-2", PAYMENT("\"9999999999999999\""));
    fault_drain(&fault);
    cr_expect_eq(count("payments WHERE outcome = 'applied'"), 2);
    cr_expect_eq(count("quarantined"), HOSTILE + 3);
    fault_judge(&fault);
}

Test(row_41, payments_with_changed_bytes_never_end_it)
{
    for (int i = 0; i < MUTATED; i++) {
        produce_mutated(i);
        fault_hit(&fault, 1);
    }
    fault_drain(&fault);
    cr_expect_eq(count("decisions") + count("quarantine"), MUTATED);
    cr_expect_gt(count("quarantine"), 0);
    fault_judge(&fault);
}

/* ---- one key from many hands ---- */

#define PRODUCERS 6
#define ROWS      200

Test(row_42, the_same_keys_from_many_producers_at_once_apply_each_once)
{
    struct fault_batch batch;
    struct process pays[PRODUCERS];

    fault_make_batch(&fault, &batch, "shared", ROWS);
    struct process payd = scene_start_payd(&fault.scene, NULL, NULL);
    for (int i = 0; i < PRODUCERS; i++) {
        pays[i] = fault_start_pay(&fault, &batch, "PAY_FAILPOINT=before-publish=slow", NULL);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        int code = process_wait(&pays[i], WAIT_MS);
        cr_assert_eq(code, 0, "%s", file_tail(pays[i].err));
        fault_note_pay(&fault, &batch, &pays[i], code);
    }
    process_kill(&payd);
    fault_drain(&fault);
    cr_expect_eq(count("payments WHERE outcome = 'applied'"), ROWS);
    int64_t repeats = count("repeats");
    cr_expect_eq(repeats, (PRODUCERS - 1) * ROWS);
    fault_hit(&fault, repeats);
    fault_judge(&fault);
}

Test(row_43, a_key_with_another_payload_is_a_conflict_and_moves_nothing)
{
    char key[32];
    int conflicts = 0;

    for (int i = 0; i < 300; i++) {
        snprintf(key, sizeof(key), "key-%d", fault_draw(&fault, 60));
        fault_produce_text(&fault, key,
                           fault_draw(&fault, 3) == 0 ? PAYMENT("\"501\"") : PAYMENT("\"500\""));
    }
    fault_drain(&fault);
    conflicts = (int)count("conflicts");
    fault_hit(&fault, conflicts);
    cr_expect_eq(count("payments"), scene_int(&fault.scene, "SELECT count(*) FROM keys"));
    fault_judge(&fault);
}
