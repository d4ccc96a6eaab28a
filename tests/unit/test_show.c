/*
 * What payd show prints of a key, and the exit code that it gives.
 */
#include "consumer/show.h"
#include "tests/lib/ledger_kit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct kit_row history[] = {
    {"k1", "ann", "bob", 1234, "EUR", NULL, "applied"},
    {"k1", "ann", "bob", 1234, "EUR", NULL, "duplicate"},
    {"k1", "ann", "bob", 1235, "EUR", NULL, "conflict payload_differs amount"},
    {"k2", "ann", "ann", 1, "EUR", NULL, "rejected same_account"},
};
static const struct payment_batch b1 = {
    "b1", "1111111111111111111111111111111111111111111111111111111111111111", 2};
static const struct payment_batch b1_edited = {
    "b1", "2222222222222222222222222222222222222222222222222222222222222222", 2};
static const struct kit_row changed[] = {
    {"r1", "ann", "bob", 1, "EUR", &b1, "applied"},
    {"r2", "ann", "bob", 1, "EUR", &b1_edited, "conflict batch_changed"},
};

static struct store *store;
static char *text;

static void open_store(void)
{
    store = store_memory_new();
    cr_assert_not_null(store);
    kit_begin(store);
    kit_run(store, 0, history, sizeof(history) / sizeof(history[0]));
    kit_run(store, 1, changed, sizeof(changed) / sizeof(changed[0]));
}

static void close_store(void)
{
    store_close(store);
    free(text);
}

TestSuite(show, .init = open_store, .fini = close_store);

static int show_text(const char *key, bool json)
{
    struct error err = {0, ""};
    size_t size;
    int code = -1;

    free(text);
    FILE *out = open_memstream(&text, &size);
    cr_assert_not_null(out);
    cr_assert_eq(show_key(out, store, key, json, &code, &err), 0, "%s", err.text);
    fclose(out);
    return code;
}

Test(show, tells_the_decision_and_the_repeats)
{
    cr_expect_eq(show_text("k1", false), 0);
    cr_expect_str_eq(text, "k1\n"
                           "  command  ann -> bob 12.34 EUR\n"
                           "  outcome  applied\n"
                           "  digest   975c5542687620a8ed815806d0b0e977\n"
                           "  decided  payments[0]@0  2023-11-14T22:13:20.123Z  seq 1\n"
                           "  duplicate payments[0]@1  2023-11-14T22:13:20.123Z\n"
                           "  conflict  payments[0]@2  2023-11-14T22:13:20.123Z  payload_differs "
                           "amount\n");
    cr_expect_eq(show_text("k2", false), SHOW_REJECTED);
    cr_expect(strstr(text, "  outcome  rejected: same_account\n") != NULL, "%s", text);
}

Test(show, a_key_that_is_not_decided_may_still_be_paid)
{
    cr_expect_eq(show_text("r2", false), SHOW_CONFLICT);
    cr_expect(strstr(text, "batch_changed") != NULL, "%s", text);
    cr_expect_eq(show_text("nobody's", false), SHOW_UNKNOWN);
    cr_expect_str_eq(text, "nobody's\n  unknown here: it may still be paid; resend it with the "
                           "same key\n");
}

Test(show, escapes_what_could_move_the_cursor)
{
    cr_expect_eq(show_text("a\x1B[2J", false), SHOW_UNKNOWN);
    cr_expect(strstr(text, "a\\x1B[2J") != NULL, "%s", text);
}

Test(show, json_is_a_line_a_record)
{
    cr_expect_eq(show_text("k1", true), 0);
    cr_expect(strstr(text, "{\"v\":1,\"type\":\"outcome\",\"key\":\"k1\"") == text, "%s", text);
    size_t lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')); at++) {
        lines++;
    }
    cr_expect_eq(lines, 3);
    cr_expect_eq(show_text("nobody's", true), SHOW_UNKNOWN);
    cr_expect_str_eq(text, "");
}
