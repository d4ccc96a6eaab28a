/*
 * Decisions that bind: a key that was decided elsewhere is decided in the same way here, whatever
 * the rules say, by the first message with the payload that decided it there.
 */
#include "consumer/ledger.h"
#include "tests/lib/ledger_kit.h"

#include <criterion/criterion.h>
#include <string.h>

#define ROOM 8

static struct chunk *chunk;
static struct binding binding;

static void make_chunk(void)
{
    chunk = chunk_new(ROOM);
    cr_assert_not_null(chunk);
}

static void free_chunk(void)
{
    chunk_free(chunk);
}

TestSuite(ledger_bound, .init = make_chunk, .fini = free_chunk);

/* Rows of one key, which is bound to what the first payload says. */
static void decide(const struct command *first, enum outcome outcome, enum reason reason,
                   const struct command *rows, size_t count)
{
    chunk_clear(chunk);
    for (size_t i = 0; i < count; i++) {
        kit_add_command(chunk, &rows[i], 0, (int64_t)i);
    }
    chunk_index(chunk);
    cr_assert_eq(chunk->key_count, 1);
    binding = (struct binding){*first, outcome, reason};
    chunk->keys[0].bound = &binding;
    ledger_decide(chunk);
}

static void expect_answer(size_t row, const char *wanted)
{
    char answer[KIT_ANSWER_SIZE];

    cr_expect_str_eq(kit_answer(answer, &chunk->items[row].decision), wanted, "row %zu", row);
}

static int64_t balance(const char *name)
{
    for (size_t i = 0; i < chunk->account_count; i++) {
        if (strcmp(chunk->accounts[i].name, name) == 0) {
            return chunk->accounts[i].balance_minor;
        }
    }
    return -1;
}

static struct command payment(const char *src, const char *dest, int64_t amount_minor)
{
    const struct kit_row row = {"k1", src, dest, amount_minor, "EUR", NULL, NULL};

    return (struct command){.type = COMMAND_PAYMENT, .payment = kit_payment(&row)};
}

Test(ledger_bound, what_was_applied_is_applied_though_the_rules_would_refuse_it)
{
    const struct command rows[] = {payment("ann", "bob", 500), payment("ann", "bob", 500)};

    chunk->strict = true; /* neither account was opened */
    decide(&rows[0], OUTCOME_APPLIED, REASON_NONE, rows, 2);
    expect_answer(0, "applied");
    expect_answer(1, "duplicate");
    cr_expect_eq(balance("ann"), -500);
    cr_expect_eq(balance("bob"), 500);
}

Test(ledger_bound, what_was_rejected_is_rejected_though_the_rules_would_apply_it)
{
    const struct command row = payment("ann", "bob", 500);

    decide(&row, OUTCOME_REJECTED, REASON_INSUFFICIENT_FUNDS, &row, 1);
    expect_answer(0, "rejected insufficient_funds");
    cr_expect_eq(balance("ann"), 0);
    cr_expect_not(chunk->accounts[0].changed);
}

Test(ledger_bound, another_payload_is_a_conflict_and_does_not_use_the_key_up)
{
    const struct command rows[] = {payment("ann", "bob", 999), payment("ann", "bob", 500)};

    decide(&rows[1], OUTCOME_APPLIED, REASON_NONE, rows, 2);
    expect_answer(0, "conflict payload_differs amount");
    expect_answer(1, "applied");
    cr_expect_eq(balance("bob"), 500);
}

Test(ledger_bound, a_key_that_was_cancelled_stays_cancelled)
{
    const struct command row = payment("ann", "bob", 500);
    struct command cancel;

    command_init(&cancel, COMMAND_CANCEL);
    payment_copy(cancel.payment.key, "k1", 2);
    decide(&cancel, OUTCOME_REJECTED, REASON_CANCELLED, &row, 1);
    expect_answer(0, "rejected cancelled");
    cr_expect_eq(balance("bob"), 0);
}

Test(ledger_bound, a_cancel_does_not_take_a_key_that_was_paid)
{
    struct command rows[] = {payment("ann", "bob", 500), payment("ann", "bob", 500)};

    command_init(&rows[0], COMMAND_CANCEL);
    payment_copy(rows[0].payment.key, "k1", 2);
    decide(&rows[1], OUTCOME_APPLIED, REASON_NONE, rows, 2);
    cr_expect_eq(chunk->items[0].decision.outcome, OUTCOME_CONFLICT);
    expect_answer(1, "applied");
    cr_expect_eq(balance("bob"), 500);
}

Test(ledger_bound, accounts_become_what_they_were)
{
    struct command open;

    command_init(&open, COMMAND_ACCOUNT_OPEN);
    payment_copy(open.payment.key, "k1", 2);
    payment_copy(open.payment.src, "ann", 3);
    payment_copy(open.payment.currency, "EUR", 3);
    open.has_min = true;
    open.min_minor = -100;
    decide(&open, OUTCOME_APPLIED, REASON_NONE, &open,
           1); /* the topic has more than one partition */
    expect_answer(0, "applied");
    cr_expect_eq(chunk->accounts[0].state, ACCOUNT_OPEN);
    cr_expect_str_eq(chunk->accounts[0].currency, "EUR");
    cr_expect(chunk->accounts[0].has_min);
    cr_expect_eq(chunk->accounts[0].min_minor, -100);

    open.type = COMMAND_ACCOUNT_CLOSE;
    decide(&open, OUTCOME_APPLIED, REASON_NONE, &open, 1);
    expect_answer(0, "applied");
    cr_expect_eq(chunk->accounts[0].state, ACCOUNT_CLOSED);

    command_init(&open, COMMAND_ACCOUNTS);
    payment_copy(open.payment.key, "k1", 2);
    open.strict = true;
    decide(&open, OUTCOME_APPLIED, REASON_NONE, &open, 1);
    expect_answer(0, "applied");
    cr_expect(chunk->strict && chunk->strict_changed);
}
