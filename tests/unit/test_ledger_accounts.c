/*
 * The rules about accounts and about other commands' keys, row by row, over both stores: opened on
 * first use or by command, limits, closing, strict mode, cancelling.
 */
#include "consumer/ledger.h"
#include "tests/lib/ledger_kit.h"

#include <criterion/criterion.h>
#include <string.h>

#define PAY(k, from, to, minor)                                                                    \
    {                                                                                              \
        .type = COMMAND_PAYMENT, .payment = {                                                      \
            .key = k,                                                                              \
            .src = from,                                                                           \
            .dest = to,                                                                            \
            .currency = "EUR",                                                                     \
            .amount_minor = minor                                                                  \
        }                                                                                          \
    }
#define ACCOUNT(t, k, name, money, ...)                                                            \
    {                                                                                              \
        .type = t, .payment = {.key = k, .src = name, .currency = money}, __VA_ARGS__              \
    }
#define OPEN(k, name) ACCOUNT(COMMAND_ACCOUNT_OPEN, k, name, "EUR", .has_min = false)
#define OPEN_MIN(k, n, min)                                                                        \
    ACCOUNT(COMMAND_ACCOUNT_OPEN, k, n, "EUR", .has_min = true, .min_minor = min)
#define LIMIT(k, n, min)                                                                           \
    ACCOUNT(COMMAND_ACCOUNT_LIMIT, k, n, "EUR", .has_min = true, .min_minor = min)
#define UNLIMIT(k, n)  ACCOUNT(COMMAND_ACCOUNT_LIMIT, k, n, "EUR", .has_min = false)
#define CLOSE(k, name) ACCOUNT(COMMAND_ACCOUNT_CLOSE, k, name, "", .has_min = false)
#define MODE(k, on)                                                                                \
    {                                                                                              \
        .type = COMMAND_ACCOUNTS, .payment = {.key = k}, .strict = on                              \
    }
#define CANCEL(k)                                                                                  \
    {                                                                                              \
        .type = COMMAND_CANCEL, .payment = {.key = k }                                             \
    }

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const char *which_store;

static void expect_account(struct store *store, const char *name, enum account_state state,
                           int64_t balance)
{
    struct chunk_account account = kit_account(store, name);

    cr_expect_eq(account.state, state, "%s: %s is %d", which_store, name, account.state);
    cr_expect_eq(account.balance_minor, balance, "%s: %s has %lld", which_store, name,
                 (long long)account.balance_minor);
}

/* Begins a topic of one partition, and takes the rows in as one chunk and then one by one. */
static void run(struct store *store, const struct kit_command *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        kit_run_commands(store, true, &rows[i], 1);
    }
}

#define RULES(name, ...)                                                                           \
    static void check_##name(struct store *store, const char *which)                               \
    {                                                                                              \
        static const struct kit_command rows[] = {__VA_ARGS__};                                    \
        which_store = which;                                                                       \
        kit_begin(store);                                                                          \
        run(store, rows, COUNT(rows));                                                             \
        struct store *whole = store_memory_new(); /* in one chunk the answers are the same */      \
        kit_begin(whole);                                                                          \
        kit_run_commands(whole, true, rows, COUNT(rows));                                          \
        store_close(whole);                                                                        \
        after_##name(store);                                                                       \
    }                                                                                              \
    Test(ledger_accounts, name)                                                                    \
    {                                                                                              \
        kit_on_each_store(check_##name);                                                           \
    }

static void after_a_limit_holds_to_the_unit(struct store *store)
{
    expect_account(store, "ann", ACCOUNT_OPEN, -50);
    expect_account(store, "bob", ACCOUNT_USED, -1000);
}

RULES(a_limit_holds_to_the_unit, {OPEN_MIN("o1", "ann", -100), "applied"},
      {PAY("p1", "ann", "bob", 100), "applied"},
      {PAY("p2", "ann", "bob", 1), "rejected insufficient_funds"},
      {PAY("p3", "bob", "ann", 50), "applied"},
      {PAY("p2", "ann", "bob", 1), "duplicate"}, /* final, whatever the balance is now */
      {PAY("p4", "ann", "bob", 51), "rejected insufficient_funds"},
      {PAY("p5", "ann", "bob", 50), "applied"},
      {PAY("p6", "ann", "carol", INT64_C(9999999999999999)), "rejected insufficient_funds"},
      {LIMIT("l1", "ann", 0), "applied"}, /* below it already: only payments are refused */
      {PAY("p7", "ann", "bob", 1), "rejected insufficient_funds"},
      {UNLIMIT("l2", "ann"), "applied"}, {PAY("p8", "ann", "bob", 1000), "applied"},
      {LIMIT("l3", "ann", -1100), "applied"},
      {PAY("p9", "ann", "bob", 1), "rejected insufficient_funds"},
      {PAY("p10", "bob", "ann", 1050), "applied"}, {PAY("p11", "bob", "carol", 1050), "applied"})

static void after_accounts_are_opened_once(struct store *store)
{
    expect_account(store, "ann", ACCOUNT_OPEN, 0);
    expect_account(store, "yuki", ACCOUNT_UNOPENED, 0);
}

RULES(accounts_are_opened_once, {OPEN("o1", "ann"), "applied"}, {OPEN("o1", "ann"), "duplicate"},
      {OPEN_MIN("o1", "ann", 5), "conflict payload_differs min_balance"},
      {OPEN("o1", "bob"), "conflict payload_differs account"},
      {PAY("o1", "ann", "bob", 5), "conflict payload_differs type"},
      {OPEN("o2", "ann"), "rejected account_exists"}, {PAY("p1", "carol", "dave", 5), "applied"},
      {OPEN("o3", "carol"), "rejected account_exists"},
      {ACCOUNT(COMMAND_ACCOUNT_OPEN, "o4", "yuki", "ZZZ", .has_min = false),
       "rejected unknown_currency"},
      {ACCOUNT(COMMAND_ACCOUNT_LIMIT, "o5", "ann", "USD", .has_min = false),
       "rejected currency_mismatch"},
      {LIMIT("o6", "yuki", 0), "rejected unknown_account"})

static void after_a_closed_account_is_closed_for_good(struct store *store)
{
    expect_account(store, "ann", ACCOUNT_CLOSED, 0);
    expect_account(store, "bob", ACCOUNT_USED, 0);
}

RULES(a_closed_account_is_closed_for_good, {CLOSE("c1", "ann"), "rejected unknown_account"},
      {PAY("p1", "ann", "bob", 5), "applied"}, {CLOSE("c2", "ann"), "rejected balance_not_zero"},
      {PAY("p2", "bob", "ann", 5), "applied"}, {CLOSE("c3", "ann"), "applied"},
      {CLOSE("c3", "ann"), "duplicate"}, {CLOSE("c4", "ann"), "rejected account_closed"},
      {PAY("p3", "bob", "ann", 1), "rejected account_closed"},
      {PAY("p4", "ann", "bob", 1), "rejected account_closed"},
      {OPEN("o1", "ann"), "rejected account_closed"},
      {LIMIT("l1", "ann", 0), "rejected account_closed"})

static void after_strict_accounts_are_opened_only_by_command(struct store *store)
{
    expect_account(store, "ann", ACCOUNT_OPEN, -12);
    expect_account(store, "bob", ACCOUNT_USED, 15);
    expect_account(store, "carol", ACCOUNT_USED, -5);
    expect_account(store, "dave", ACCOUNT_USED, 2);
}

RULES(strict_accounts_are_opened_only_by_command, {PAY("p1", "carol", "bob", 5), "applied"},
      {MODE("m1", true), "applied"}, {PAY("p2", "carol", "dave", 5), "rejected unknown_account"},
      {PAY("p3", "dave", "carol", 5), "rejected unknown_account"}, {OPEN("o1", "ann"), "applied"},
      {PAY("p4", "ann", "bob", 10), "applied"},                  /* bob was there before */
      {PAY("p5", "ann", "dave", 1), "rejected unknown_account"}, /* a refusal opens nothing */
      {MODE("m1", false), "conflict payload_differs mode"}, {MODE("m2", false), "applied"},
      {PAY("p6", "bob", "ann", 5), "applied"}, {PAY("p7", "ann", "dave", 2), "applied"},
      {PAY("p2", "carol", "dave", 5), "duplicate"},
      {PAY("p8", "bob", "ann", 0), "rejected amount_out_of_range"},
      {PAY("p9", "ann", "bob", 5), "applied"})

static void after_a_cancelled_key_is_never_paid(struct store *store)
{
    expect_account(store, "ann", ACCOUNT_USED, -5);
}

RULES(a_cancelled_key_is_never_paid, {CANCEL("k1"), "rejected cancelled"},
      {CANCEL("k1"), "duplicate"},
      {PAY("k1", "ann", "bob", 5), "duplicate"}, /* of: rejected, cancelled */
      {PAY("k1", "ann", "bob", 6), "duplicate"}, {PAY("k2", "ann", "bob", 5), "applied"},
      {CANCEL("k2"), "duplicate"}, /* of: applied. Too late */
      {PAY("k2", "ann", "bob", 6), "conflict payload_differs amount"},
      {PAY("k3", "ann", "ann", 6), "rejected same_account"}, {CANCEL("k3"), "duplicate"})

static void after_the_first_rule_gives_the_reason(struct store *store)
{
    expect_account(store, "ann", ACCOUNT_CLOSED, 0);
}

RULES(the_first_rule_gives_the_reason, {OPEN("o1", "ann"), "applied"},
      {CLOSE("c1", "ann"), "applied"}, {OPEN_MIN("o2", "bob", 0), "applied"},
      {MODE("m1", true), "applied"}, {PAY("p1", "ann", "ann", 0), "rejected same_account"},
      {PAY("p2", "ann", "nobody", 0), "rejected amount_out_of_range"},
      {PAY("p3", "ann", "nobody", 1), "rejected unknown_account"},
      {PAY("p4", "bob", "ann", 1), "rejected account_closed"},
      {ACCOUNT(COMMAND_ACCOUNT_OPEN, "o3", "jp", "JPY", .has_min = false), "applied"},
      {PAY("p5", "bob", "jp", 1), "rejected currency_mismatch"})

/* ---- a topic of several partitions has no order that limits could rest on ---- */

static void check_partitions(struct store *store, const char *which)
{
    static const struct kit_command rows[] = {
        {OPEN("o1", "ann"), "applied"},
        {OPEN_MIN("o2", "bob", 0), "rejected needs_one_partition"},
        {LIMIT("l1", "ann", 0), "rejected needs_one_partition"},
        {UNLIMIT("l2", "ann"), "applied"},
        {MODE("m1", true), "rejected needs_one_partition"},
        {MODE("m2", false), "applied"},
        {PAY("p1", "ann", "bob", 5), "applied"},
        {CLOSE("c1", "carol"), "rejected unknown_account"},
    };
    struct error err;
    bool ordered = true;

    kit_begin(store);
    kit_run_commands(store, false, rows, COUNT(rows));
    cr_assert_eq(store->ops->ordered(store, &ordered, &err), STORE_OK, "%s", which);
    cr_expect_not(ordered, "%s", which);
}

Test(ledger_accounts, what_needs_one_order_is_refused_where_there_are_several)
{
    kit_on_each_store(check_partitions);
}

static void check_ordered(struct store *store, const char *which)
{
    static const struct kit_command limited[] = {{OPEN_MIN("o1", "ann", 0), "applied"}};
    static const struct kit_command strict[] = {{UNLIMIT("l1", "ann"), "applied"},
                                                {MODE("m1", true), "applied"}};
    static const struct kit_command neither[] = {{MODE("m2", false), "applied"}};
    struct error err;
    bool ordered = false;

    kit_begin(store);
    kit_run_commands(store, true, limited, COUNT(limited));
    cr_assert_eq(store->ops->ordered(store, &ordered, &err), STORE_OK, "%s", which);
    cr_expect(ordered, "%s: a limit", which);
    kit_run_commands(store, true, strict, COUNT(strict));
    cr_assert_eq(store->ops->ordered(store, &ordered, &err), STORE_OK, "%s", which);
    cr_expect(ordered, "%s: strict", which);
    kit_run_commands(store, true, neither, COUNT(neither));
    cr_assert_eq(store->ops->ordered(store, &ordered, &err), STORE_OK, "%s", which);
    cr_expect_not(ordered, "%s: neither", which);
}

Test(ledger_accounts, a_store_knows_that_it_needs_one_order)
{
    kit_on_each_store(check_ordered);
}

static void check_mode(struct store *store, const char *which)
{
    static const struct kit_command rows[] = {{PAY("p1", "a", "b", 5), "rejected unknown_account"}};
    struct error err = {0, ""};

    kit_begin(store);
    cr_expect_eq(store->ops->set_mode(store, true, &err), STORE_OK, "%s", which);
    cr_expect_eq(store->ops->set_mode(store, true, &err), STORE_OK, "%s", which);
    kit_run_commands(store, true, rows, COUNT(rows));
    cr_expect_eq(store->ops->set_mode(store, true, &err), STORE_OK, "%s", which);
    cr_expect_eq(store->ops->set_mode(store, false, &err), STORE_FAILED, "%s", which);
    cr_expect(strstr(err.text, "strict") != NULL, "%s: %s", which, err.text);
}

Test(ledger_accounts, the_mode_of_a_store_in_use_is_changed_only_by_command)
{
    kit_on_each_store(check_mode);
}
