/*
 * payd diff: two ledgers that decided the same are the same, in whatever order and segments; every
 * key and account that differs is named.
 */
#include "consumer/diff.h"
#include "tests/lib/ledger_kit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define STORES 2

static char folder[KIT_PATH_SIZE];
static char paths[STORES][KIT_PATH_SIZE + 16];
static struct store *stores[STORES];
static struct error err;
static struct store_diff found;
static char differences[8192]; /* a line each */

/* The second has small segments. */
static void make_stores(void)
{
    kit_folder_make(folder);
    for (int i = 0; i < STORES; i++) {
        snprintf(paths[i], sizeof(paths[i]), "%s/%d.db", folder, i);
        cr_assert_eq(store_sqlite_open_segments(&stores[i], paths[i], NULL,
                                                i == 0 ? STORE_SEGMENT_KEYS : 2, &err),
                     0, "%s", err.text);
        kit_begin(stores[i]);
    }
}

static void remove_stores(void)
{
    for (int i = 0; i < STORES; i++) {
        store_close(stores[i]);
    }
    kit_folder_remove(folder);
}

TestSuite(diff, .init = make_stores, .fini = remove_stores);

static void add_line(const char *text)
{
    size_t len = strlen(differences);

    snprintf(differences + len, sizeof(differences) - len, "%s\n", text);
}

static void on_key(void *user, const struct store_key_difference *difference)
{
    char line[512];

    (void)user;
    snprintf(line, sizeof(line), "key %s %s %s", difference->key,
             difference->a ? outcome_name(difference->a->verdict) : "-",
             difference->b ? outcome_name(difference->b->verdict) : "-");
    add_line(line);
}

static void on_account(void *user, const struct store_account_difference *difference)
{
    char line[512];

    (void)user;
    snprintf(line, sizeof(line), "account %s %lld %lld",
             difference->a ? difference->a->name : difference->b->name,
             difference->a ? (long long)difference->a->balance_minor : -1,
             difference->b ? (long long)difference->b->balance_minor : -1);
    add_line(line);
}

static void compare(void)
{
    static const struct store_diff_visitor visitor = {NULL, on_key, on_account};
    struct store *moments[STORES];

    differences[0] = '\0';
    for (int i = 0; i < STORES; i++) {
        cr_assert_eq(store_sqlite_open_moment(&moments[i], paths[i], &err), 0, "%s", err.text);
    }
    cr_assert_eq(store_sqlite_diff(moments[0], moments[1], &visitor, &found, &err), STORE_OK, "%s",
                 err.text);
    for (int i = 0; i < STORES; i++) {
        store_close(moments[i]);
    }
}

#define PAID(key, dest, amount)                                                                    \
    {                                                                                              \
        key, "ann", dest, amount, "EUR", NULL, "applied"                                           \
    }

Test(diff, two_new_ledgers_are_the_same)
{
    compare();
    cr_expect_str_empty(differences);
    cr_expect_eq(found.keys[0] + found.keys[1] + found.accounts[0] + found.accounts[1], 0);
}

Test(diff, order_offsets_segments_and_repeats_do_not_matter)
{
    static const struct kit_row forth[] = {PAID("k1", "bob", 1), PAID("k2", "bob", 2),
                                           PAID("k3", "carl", 3), PAID("k4", "bob", 4),
                                           PAID("018f3c6e-7d1a-7b1c-8e65-0123456789ab", "bob", 5)};
    struct kit_row again = forth[0];

    kit_run(stores[0], 0, forth, 5);
    again.answer = "duplicate";
    kit_run(stores[0], 1, &again, 1);
    for (int i = 5; i-- > 0;) {
        kit_run(stores[1], i % 2, &forth[i], 1);
    }
    compare();
    cr_expect_str_empty(differences);
    cr_expect_eq(found.keys[0], 5);
    cr_expect_eq(found.keys[1], 5);
    cr_expect_eq(found.accounts[0], 3);
    cr_expect_eq(found.accounts[1], 3);
}

Test(diff, each_key_and_account_that_differs_is_named)
{
    static const struct kit_row a[] = {
        PAID("k1", "bob", 1),
        PAID("k2", "bob", 2),
        PAID("only-a", "bob", 3),
        PAID("k4", "bob", 4),
        {"k5", "ann", "ann", 5, "EUR", NULL, "rejected same_account"},
    };
    static const struct kit_row b[] = {
        PAID("0nly-b", "dora", 7), PAID("k1", "bob", 1), PAID("k2", "bob", 20),
        PAID("k4", "carl", 4),     PAID("k5", "bob", 5), PAID("z-only-b", "bob", 7),
    };

    kit_run(stores[0], 0, a, 5);
    kit_run(stores[1], 0, b, 6);
    compare();
    cr_expect_str_eq(differences, "key 0nly-b - applied\n"
                                  "key k2 applied applied\n"
                                  "key k4 applied applied\n"
                                  "key k5 rejected applied\n"
                                  "key only-a applied -\n"
                                  "key z-only-b - applied\n"
                                  "account ann -10 -44\n"
                                  "account bob 10 33\n"
                                  "account carl -1 4\n"
                                  "account dora -1 7\n");
    cr_expect_eq(found.keys_differ, 6);
    cr_expect_eq(found.accounts_differ, 4);
}

Test(diff, a_line_of_json_has_both_sides)
{
    static const struct kit_row row = PAID("k1", "bob", 1234);
    struct store_account account = {.name = "a\"n",
                                    .state = ACCOUNT_OPEN,
                                    .currency = "EUR",
                                    .balance_minor = -5,
                                    .has_min = true,
                                    .min_minor = -1000};
    struct outcome_record record = {.verdict = OUTCOME_APPLIED, .digest = {0xab}};
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    record.first.command = (struct command){.type = COMMAND_PAYMENT, .payment = kit_payment(&row)};
    cr_assert_eq(diff_print_key_json(out, &(struct store_key_difference){"k1", &record, NULL}), 0);
    cr_assert_eq(diff_print_account_json(out, &(struct store_account_difference){NULL, &account}),
                 0);
    fclose(out);
    cr_expect_str_eq(text, "{\"key\":\"k1\",\"a\":{\"outcome\":\"applied\",\"reason\":\"\","
                           "\"command\":\"ann -> bob 12.34 EUR\","
                           "\"digest\":\"ab000000000000000000000000000000\"},\"b\":null}\n"
                           "{\"account\":\"a\\\"n\",\"a\":null,\"b\":{\"state\":\"open\","
                           "\"currency\":\"EUR\",\"balance\":\"-0.05\",\"min_balance\":\"-10.00\"}}"
                           "\n");
    free(text);
}
