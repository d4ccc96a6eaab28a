/*
 * The rules of the ledger, row by row: a message, the answer that it gets, and the balances at the
 * end. All rows of a table are one chunk, in the order of arrival.
 */
#include "consumer/ledger.h"
#include "tests/lib/ledger_kit.h"

#include <criterion/criterion.h>
#include <string.h>

#define ALICE "alice"
#define BOB   "bob"
#define CAROL "carol"
#define DAVE  "dave"

#define APPLIED      "applied"
#define DUPLICATE    "duplicate"
#define QUARANTINED  "quarantined"
#define SAME_ACCOUNT "rejected same_account"
#define OUT_OF_RANGE "rejected amount_out_of_range"
#define UNKNOWN      "rejected unknown_currency"
#define MISMATCH     "rejected currency_mismatch"
#define OVERFLOW     "rejected balance_overflow"
#define DIFFERS      "conflict payload_differs "
#define CHANGED      "conflict batch_changed"

#define DIGEST_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define DIGEST_2 "2222222222222222222222222222222222222222222222222222222222222222"

struct balance {
    const char *account;
    const char *currency; /* "" = the account was never used */
    int64_t minor;
};

static struct store *store;

static void open_store(void)
{
    store = store_memory_new();
    cr_assert_not_null(store);
    kit_begin(store);
}

static void close_store(void)
{
    store_close(store);
}

TestSuite(ledger, .init = open_store, .fini = close_store);

static void expect_balances(const struct balance *balances, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct chunk_account account = kit_account(store, balances[i].account);
        cr_expect_str_eq(account.currency, balances[i].currency, "%s", balances[i].account);
        cr_expect_eq(account.balance_minor, balances[i].minor, "%s has %lld", balances[i].account,
                     (long long)account.balance_minor);
    }
}

#define COUNT(rows)               (sizeof(rows) / sizeof((rows)[0]))
#define RUN(rows)                 kit_run(store, 0, rows, COUNT(rows))
#define EXPECT_BALANCES(balances) expect_balances(balances, COUNT(balances))

Test(ledger, money_moves_once_for_each_key)
{
    static const struct kit_row rows[] = {
        {"k1", ALICE, BOB, 500, "EUR", NULL, APPLIED},
        {"k2", ALICE, BOB, 500, "EUR", NULL, APPLIED},
        {"k1", ALICE, BOB, 500, "EUR", NULL, DUPLICATE},
        {"k3", BOB, CAROL, 70, "EUR", NULL, APPLIED},
        {"k1", ALICE, BOB, 500, "EUR", NULL, DUPLICATE},
        {"K1", ALICE, BOB, 1, "EUR", NULL, APPLIED},
        {"k4", DAVE, ALICE, 3, "EUR", NULL, APPLIED},
    };
    static const struct balance balances[] = {
        {ALICE, "EUR", -998}, {BOB, "EUR", 931}, {CAROL, "EUR", 70}, {DAVE, "EUR", -3}};

    RUN(rows);
    EXPECT_BALANCES(balances);
}

Test(ledger, a_key_of_an_earlier_chunk_is_remembered)
{
    static const struct kit_row first[] = {
        {"k1", ALICE, BOB, 500, "EUR", NULL, APPLIED},
        {"k2", ALICE, ALICE, 500, "EUR", NULL, SAME_ACCOUNT},
    };
    static const struct kit_row second[] = {
        {"k1", ALICE, BOB, 500, "EUR", NULL, DUPLICATE},
        {"k1", ALICE, BOB, 501, "EUR", NULL, DIFFERS "amount"},
        {"k2", ALICE, ALICE, 500, "EUR", NULL, DUPLICATE},
        {"k2", ALICE, BOB, 500, "EUR", NULL, DIFFERS "dest"},
    };
    static const struct balance balances[] = {{ALICE, "EUR", -500}, {BOB, "EUR", 500}};

    RUN(first);
    RUN(second);
    EXPECT_BALANCES(balances);
}

Test(ledger, a_conflict_names_the_fields_and_moves_nothing)
{
    static const struct payment_batch batch = {"b1", DIGEST_1, 2};
    static const struct kit_row rows[] = {
        {"k1", ALICE, BOB, 500, "EUR", NULL, APPLIED},
        {"k1", CAROL, BOB, 500, "EUR", NULL, DIFFERS "src"},
        {"k1", ALICE, CAROL, 500, "EUR", NULL, DIFFERS "dest"},
        {"k1", ALICE, BOB, 501, "EUR", NULL, DIFFERS "amount"},
        {"k1", ALICE, BOB, 500, "USD", NULL, DIFFERS "currency"},
        {"k1", ALICE, BOB, 500, "EUR", &batch, DIFFERS "batch"},
        {"k1", BOB, ALICE, 1, "JPY", &batch, DIFFERS "src,dest,amount,currency,batch"},
        /* whatever the ledger would have said of it as a new one */
        {"k1", ALICE, ALICE, 500, "EUR", NULL, DIFFERS "dest"},
        {"k1", ALICE, BOB, 0, "EUR", NULL, DIFFERS "amount"},
        {"k1", ALICE, BOB, 500, "ZZZ", NULL, DIFFERS "currency"},
        {"k1", ALICE, BOB, 500, "EUR", NULL, DUPLICATE},
    };
    static const struct balance balances[] = {
        {ALICE, "EUR", -500}, {BOB, "EUR", 500}, {CAROL, "", 0}};

    RUN(rows);
    EXPECT_BALANCES(balances);
}

Test(ledger, a_rejection_uses_the_key_up)
{
    static const struct kit_row rows[] = {
        {"k1", ALICE, ALICE, 500, "EUR", NULL, SAME_ACCOUNT},
        {"k1", ALICE, ALICE, 500, "EUR", NULL, DUPLICATE},
        {"k1", ALICE, BOB, 500, "EUR", NULL, DIFFERS "dest"},
        {"k2", ALICE, BOB, 0, "EUR", NULL, OUT_OF_RANGE},
        {"k2", ALICE, BOB, 1, "EUR", NULL, DIFFERS "amount"},
        {"k3", ALICE, BOB, 1, "ZZZ", NULL, UNKNOWN},
        {"k3", ALICE, BOB, 1, "EUR", NULL, DIFFERS "currency"},
    };
    static const struct balance balances[] = {{ALICE, "", 0}, {BOB, "", 0}};

    RUN(rows);
    EXPECT_BALANCES(balances);
}

Test(ledger, amounts_are_in_range_to_the_unit)
{
    static const struct kit_row rows[] = {
        {"k0", ALICE, BOB, 0, "EUR", NULL, OUT_OF_RANGE},
        {"k1", ALICE, BOB, 1, "EUR", NULL, APPLIED},
        {"k2", ALICE, BOB, MONEY_MAX_MINOR, "EUR", NULL, APPLIED},
        {"k3", ALICE, BOB, MONEY_MAX_MINOR + 1, "EUR", NULL, OUT_OF_RANGE},
        {"k4", ALICE, BOB, INT64_C(999999999999999999), "EUR", NULL, OUT_OF_RANGE},
    };
    static const struct balance balances[] = {{ALICE, "EUR", -MONEY_MAX_MINOR - 1},
                                              {BOB, "EUR", MONEY_MAX_MINOR + 1}};

    RUN(rows);
    EXPECT_BALANCES(balances);
}

Test(ledger, the_first_rule_that_refuses_gives_the_reason)
{
    static const struct kit_row rows[] = {
        {"k1", ALICE, BOB, 1, "EUR", NULL, APPLIED},
        {"k2", ALICE, ALICE, 0, "ZZZ", NULL, SAME_ACCOUNT},
        {"k3", ALICE, BOB, 0, "ZZZ", NULL, OUT_OF_RANGE},
        {"k4", ALICE, BOB, 1, "ZZZ", NULL, UNKNOWN},
        {"k5", ALICE, BOB, 1, "XAU", NULL, UNKNOWN},
        {"k6", ALICE, BOB, 1, "USD", NULL, MISMATCH},
    };

    RUN(rows);
}

Test(ledger, the_first_applied_payment_fixes_an_accounts_currency)
{
    static const struct kit_row rows[] = {
        {"k1", ALICE, ALICE, 1, "USD", NULL, SAME_ACCOUNT}, /* fixes nothing */
        {"k2", ALICE, BOB, 0, "JPY", NULL, OUT_OF_RANGE},
        {"k3", ALICE, BOB, 5, "EUR", NULL, APPLIED},
        {"k4", ALICE, CAROL, 5, "USD", NULL, MISMATCH},
        {"k5", CAROL, BOB, 5, "USD", NULL, MISMATCH},
        {"k6", CAROL, DAVE, 7, "USD", NULL, APPLIED}, /* the refusals did not bind carol */
        {"k7", CAROL, ALICE, 7, "USD", NULL, MISMATCH},
        {"k8", CAROL, ALICE, 7, "EUR", NULL, MISMATCH},
        {"k9", BOB, ALICE, 5, "EUR", NULL, APPLIED}, /* and zero again does not free it */
        {"k10", BOB, DAVE, 5, "USD", NULL, MISMATCH},
    };
    static const struct balance balances[] = {
        {ALICE, "EUR", 0}, {BOB, "EUR", 0}, {CAROL, "USD", -7}, {DAVE, "USD", 7}};

    RUN(rows);
    EXPECT_BALANCES(balances);
}

Test(ledger, unreadable_messages_stand_aside)
{
    static const struct kit_row rows[] = {
        {NULL, NULL, NULL, 0, NULL, NULL, QUARANTINED},
        {"k1", ALICE, BOB, 5, "EUR", NULL, APPLIED},
        {NULL, NULL, NULL, 0, NULL, NULL, QUARANTINED},
        {"k1", ALICE, BOB, 5, "EUR", NULL, DUPLICATE},
    };
    static const struct balance balances[] = {{ALICE, "EUR", -5}, {BOB, "EUR", 5}};

    RUN(rows);
    EXPECT_BALANCES(balances);
}

/* ---- batches ---- */

static const struct payment_batch b1 = {"b1", DIGEST_1, 3};
static const struct payment_batch b1_edited = {"b1", DIGEST_2, 3};
static const struct payment_batch b1_longer = {"b1", DIGEST_1, 4};
static const struct payment_batch b2 = {"b2", DIGEST_2, 3};

Test(ledger, the_first_row_binds_a_batch_to_its_content)
{
    static const struct kit_row rows[] = {
        {"b1:1", ALICE, BOB, 1, "EUR", &b1, APPLIED},
        {"b1:2", ALICE, BOB, 2, "EUR", &b1_edited, CHANGED},
        {"b1:2", ALICE, BOB, 2, "EUR", &b1_longer, CHANGED},
        {"b1:2", ALICE, BOB, 2, "EUR", &b1, APPLIED}, /* the conflicts left the key free */
        {"b1:3", ALICE, BOB, 3, "EUR", &b2, APPLIED}, /* another batch is another matter */
        {"k9", ALICE, BOB, 10, "EUR", NULL, APPLIED},
    };
    static const struct balance balances[] = {{ALICE, "EUR", -16}, {BOB, "EUR", 16}};

    RUN(rows);
    EXPECT_BALANCES(balances);
}

Test(ledger, a_changed_batch_conflicts_on_decided_keys_too)
{
    static const struct kit_row rows[] = {
        {"b1:1", ALICE, BOB, 1, "EUR", &b1, APPLIED},
        {"b1:1", ALICE, BOB, 1, "EUR", &b1, DUPLICATE},
        {"b1:1", ALICE, BOB, 1, "EUR", &b1_edited, CHANGED " batch"},
        {"b1:1", ALICE, BOB, 9, "EUR", &b1_edited, CHANGED " amount,batch"},
        {"b1:1", ALICE, BOB, 1, "EUR", NULL, DIFFERS "batch"},
        {"b1:1", ALICE, BOB, 1, "EUR", &b2, DIFFERS "batch"},
        {"b1:4", ALICE, BOB, 4, "EUR", &b1_longer, CHANGED},
        {"b1:4", ALICE, BOB, 4, "EUR", &b1_longer, CHANGED},
    };
    static const struct balance balances[] = {{ALICE, "EUR", -1}, {BOB, "EUR", 1}};

    RUN(rows);
    EXPECT_BALANCES(balances);
}

Test(ledger, a_batch_stays_bound_in_later_chunks)
{
    static const struct kit_row first[] = {{"b1:1", ALICE, BOB, 1, "EUR", &b1, APPLIED}};
    static const struct kit_row second[] = {
        {"b1:2", ALICE, BOB, 2, "EUR", &b1_edited, CHANGED},
        {"b1:1", ALICE, BOB, 1, "EUR", &b1_longer, CHANGED " batch"},
        {"b1:2", ALICE, BOB, 2, "EUR", &b1, APPLIED},
    };

    RUN(first);
    RUN(second);
}

Test(ledger, a_rejected_row_binds_its_batch)
{
    static const struct kit_row first[] = {{"b1:1", ALICE, ALICE, 1, "EUR", &b1, SAME_ACCOUNT}};
    static const struct kit_row second[] = {
        {"b1:1", ALICE, BOB, 1, "EUR", &b1_edited, CHANGED " dest,batch"},
        {"b1:2", ALICE, BOB, 2, "EUR", &b1_edited, CHANGED},
    };

    RUN(first);
    RUN(second);
}

/* ---- the same message again ---- */

static void expect_redelivered(int64_t offset, const struct kit_row *row)
{
    struct chunk *chunk = chunk_new(1);
    struct error err;
    char answer[KIT_ANSWER_SIZE];

    cr_assert_not_null(chunk);
    kit_add(chunk, row, 0, offset);
    chunk->range_count = 0; /* the position has passed it long ago */
    cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK);
    cr_expect_str_eq(kit_answer(answer, &chunk->items[0].decision), "redelivered", "%lld: %s",
                     (long long)offset, answer);
    chunk_free(chunk);
}

Test(ledger, every_outcome_is_recognised_by_its_origin)
{
    static const struct kit_row rows[] = {
        {"k1", ALICE, BOB, 5, "EUR", NULL, APPLIED},
        {"k2", ALICE, ALICE, 5, "EUR", NULL, SAME_ACCOUNT},
        {"k1", ALICE, BOB, 5, "EUR", NULL, DUPLICATE},
        {"k1", ALICE, BOB, 6, "EUR", NULL, DIFFERS "amount"},
        {NULL, NULL, NULL, 0, NULL, NULL, QUARANTINED},
        {"b1:1", ALICE, BOB, 1, "EUR", &b1, APPLIED},
        {"b1:2", ALICE, BOB, 2, "EUR", &b1_edited, CHANGED},
    };
    static const struct balance balances[] = {{ALICE, "EUR", -6}, {BOB, "EUR", 6}};

    RUN(rows);
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect_redelivered((int64_t)i, &rows[i]);
    }
    EXPECT_BALANCES(balances);
    cr_expect_eq(kit_position(store, 0), COUNT(rows));
}

Test(ledger, the_same_offset_of_another_partition_is_another_message)
{
    static const struct kit_row first[] = {{"k1", ALICE, BOB, 5, "EUR", NULL, APPLIED}};
    static const struct kit_row again[] = {{"k1", ALICE, BOB, 5, "EUR", NULL, DUPLICATE}};

    kit_run(store, 0, first, 1);
    kit_run(store, 1, again, 1);
}

/* ---- balances at the end of their range, which no store can be brought to in a test's time ----
 */

Test(ledger, a_balance_stays_within_64_bits_and_can_be_negated)
{
    static const struct {
        int64_t src;
        int64_t dest;
        int64_t amount;
        const char *answer;
    } rows[] = {
        {0, INT64_MAX - 5, 5, APPLIED},
        {0, INT64_MAX - 5, 6, OVERFLOW},
        {0, INT64_MAX, 1, OVERFLOW},
        {-INT64_MAX + 5, 0, 5, APPLIED},
        {-INT64_MAX + 5, 0, 6, OVERFLOW}, /* INT64_MIN has no opposite */
        {-INT64_MAX + 5, 0, 7, OVERFLOW},
        {-INT64_MAX, 0, 1, OVERFLOW},
        {-INT64_MAX, INT64_MAX, MONEY_MAX_MINOR, OVERFLOW},
        {INT64_MAX, -INT64_MAX, MONEY_MAX_MINOR, APPLIED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct kit_row row = {"k", ALICE, BOB, rows[i].amount, "EUR", NULL, NULL};
        struct chunk *chunk = chunk_new(1);
        char answer[KIT_ANSWER_SIZE];
        cr_assert_not_null(chunk);
        const struct chunk_item *item = kit_add(chunk, &row, 0, 0);
        chunk_index(chunk);
        struct chunk_account *src = &chunk->accounts[item->src];
        struct chunk_account *dest = &chunk->accounts[item->dest];
        src->balance_minor = rows[i].src;
        dest->balance_minor = rows[i].dest;
        ledger_decide(chunk);
        bool applied = item->decision.outcome == OUTCOME_APPLIED;
        cr_expect_str_eq(kit_answer(answer, &item->decision), rows[i].answer, "row %zu", i);
        cr_expect_eq(src->balance_minor, rows[i].src - (applied ? rows[i].amount : 0));
        cr_expect_eq(dest->balance_minor, rows[i].dest + (applied ? rows[i].amount : 0));
        cr_expect_eq(src->changed, applied, "row %zu", i);
        cr_expect_eq(dest->changed, applied, "row %zu", i);
        chunk_free(chunk);
    }
}
