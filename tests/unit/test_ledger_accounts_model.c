/*
 * Every type of command in random order, against a model that reads the rules once more in the
 * simplest words, however the sequence is cut into chunks. (Batches, redeliveries, unreadable
 * messages: test_ledger_model.c)
 *
 * PAY_SEED repeats a run.
 */
#include "tests/lib/ledger_kit.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SEQUENCES    6000
#define COMMANDS_MAX 40
#define ACCOUNTS     3
#define KEYS         12

static uint64_t random_state;

/* splitmix64 */
static size_t random_below(size_t limit)
{
    uint64_t z = random_state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (size_t)((z ^ (z >> 31)) % limit);
}

static const char *const accounts[ACCOUNTS] = {"ann", "bob", "eve"};
static const char *const currencies[] = {"EUR", "EUR", "EUR", "EUR", "JPY", "ZZZ"};

static void set(char *field, const char *text)
{
    payment_copy(field, text, strlen(text));
}

static struct command random_command(void)
{
    static const enum command_type types[] = {
        COMMAND_PAYMENT,      COMMAND_PAYMENT,       COMMAND_PAYMENT,       COMMAND_PAYMENT,
        COMMAND_ACCOUNT_OPEN, COMMAND_ACCOUNT_LIMIT, COMMAND_ACCOUNT_LIMIT, COMMAND_ACCOUNT_CLOSE,
        COMMAND_ACCOUNTS,     COMMAND_CANCEL};
    struct command command;

    command_init(&command, types[random_below(sizeof(types) / sizeof(types[0]))]);
    snprintf(command.payment.key, sizeof(command.payment.key), "k%zu", random_below(KEYS));
    if (command.type == COMMAND_ACCOUNTS) {
        command.strict = random_below(2) == 0;
    } else if (command.type != COMMAND_CANCEL) {
        set(command.payment.src, accounts[random_below(ACCOUNTS)]);
    }
    if (command.type == COMMAND_PAYMENT) {
        set(command.payment.dest, accounts[random_below(ACCOUNTS)]);
        command.payment.amount_minor = (int64_t)random_below(4);
    }
    if (command.type == COMMAND_ACCOUNT_OPEN || command.type == COMMAND_ACCOUNT_LIMIT) {
        command.has_min = random_below(2) == 0;
        command.min_minor = command.has_min ? (int64_t)random_below(5) - 4 : 0;
    }
    if (command.type == COMMAND_PAYMENT || command.type == COMMAND_ACCOUNT_OPEN ||
        command.type == COMMAND_ACCOUNT_LIMIT) {
        set(command.payment.currency,
            currencies[random_below(sizeof(currencies) / sizeof(currencies[0]))]);
    }
    return command;
}

/* ---- the model ---- */

struct model_account {
    bool there;
    bool closed;
    const char *currency;
    int64_t balance;
    bool limited;
    int64_t limit;
};

struct model {
    struct model_account accounts[ACCOUNTS];
    const struct command *first[KEYS]; /* NULL = the key is not decided */
    bool strict;
    bool one_partition;
};

static struct model_account *account_of(struct model *model, const char *name)
{
    size_t i = 0;

    while (strcmp(accounts[i], name) != 0) {
        i++;
    }
    return &model->accounts[i];
}

static const char *model_pay(struct model *model, const struct payment *payment)
{
    struct model_account *src = account_of(model, payment->src);
    struct model_account *dest = account_of(model, payment->dest);

    if (src == dest) {
        return "rejected same_account";
    }
    if (payment->amount_minor == 0) {
        return "rejected amount_out_of_range";
    }
    if (strcmp(payment->currency, "ZZZ") == 0) {
        return "rejected unknown_currency";
    }
    if (model->strict && (!src->there || !dest->there)) {
        return "rejected unknown_account";
    }
    if (src->closed || dest->closed) {
        return "rejected account_closed";
    }
    if ((src->there && strcmp(src->currency, payment->currency) != 0) ||
        (dest->there && strcmp(dest->currency, payment->currency) != 0)) {
        return "rejected currency_mismatch";
    }
    if (src->limited && src->balance - payment->amount_minor < src->limit) {
        return "rejected insufficient_funds";
    }
    src->there = dest->there = true;
    src->currency = dest->currency = payment->currency;
    src->balance -= payment->amount_minor;
    dest->balance += payment->amount_minor;
    return "applied";
}

static const char *model_open(struct model *model, const struct command *command)
{
    struct model_account *account = account_of(model, command->payment.src);

    if (strcmp(command->payment.currency, "ZZZ") == 0) {
        return "rejected unknown_currency";
    }
    if (account->closed) {
        return "rejected account_closed";
    }
    if (account->there) {
        return "rejected account_exists";
    }
    if (command->has_min && !model->one_partition) {
        return "rejected needs_one_partition";
    }
    *account = (struct model_account){.there = true,
                                      .currency = command->payment.currency,
                                      .limited = command->has_min,
                                      .limit = command->min_minor};
    return "applied";
}

static const char *model_limit(struct model *model, const struct command *command)
{
    struct model_account *account = account_of(model, command->payment.src);

    if (!account->there) {
        return "rejected unknown_account";
    }
    if (account->closed) {
        return "rejected account_closed";
    }
    if (strcmp(account->currency, command->payment.currency) != 0) {
        return "rejected currency_mismatch";
    }
    if (command->has_min && !model->one_partition) {
        return "rejected needs_one_partition";
    }
    account->limited = command->has_min;
    account->limit = command->min_minor;
    return "applied";
}

static const char *model_close(struct model *model, const struct command *command)
{
    struct model_account *account = account_of(model, command->payment.src);

    if (!account->there) {
        return "rejected unknown_account";
    }
    if (account->closed) {
        return "rejected account_closed";
    }
    if (account->balance != 0) {
        return "rejected balance_not_zero";
    }
    account->closed = true;
    return "applied";
}

static const char *model_decide(struct model *model, const struct command *command)
{
    switch (command->type) {
    case COMMAND_PAYMENT:
        return model_pay(model, &command->payment);
    case COMMAND_ACCOUNT_OPEN:
        return model_open(model, command);
    case COMMAND_ACCOUNT_LIMIT:
        return model_limit(model, command);
    case COMMAND_ACCOUNT_CLOSE:
        return model_close(model, command);
    case COMMAND_ACCOUNTS:
        if (command->strict && !model->one_partition) {
            return "rejected needs_one_partition";
        }
        model->strict = command->strict;
        return "applied";
    case COMMAND_CANCEL:
    case COMMAND_TYPE_COUNT:
    default:
        return "rejected cancelled";
    }
}

/* Equal as bytes: random_command() leaves nothing undefined. */
static const char *model_answer(struct model *model, const struct command *command)
{
    size_t key = (size_t)atoi(command->payment.key + 1);
    const struct command *first = model->first[key];

    if (!first) {
        model->first[key] = command;
        return model_decide(model, command);
    }
    if (first->type == COMMAND_CANCEL || command->type == COMMAND_CANCEL ||
        memcmp(first, command, sizeof(*first)) == 0) {
        return "duplicate";
    }
    return "conflict";
}

/* ---- the ledger ---- */

static char where[64];

static void run_chunk(struct store *store, struct chunk *chunk, const struct command *commands,
                      const char *const *answers, size_t count)
{
    struct error err = {0, ""};
    int64_t offset = kit_position(store, 0);

    chunk_clear(chunk);
    for (size_t i = 0; i < count; i++) {
        kit_add_command(chunk, &commands[i], 0, offset + (int64_t)i);
    }
    cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK, "%s: %s", where, err.text);
    for (size_t i = 0; i < count; i++) {
        char answer[KIT_ANSWER_SIZE];
        kit_answer(answer, &chunk->items[i].decision);
        cr_assert_eq(strncmp(answer, answers[i], strlen(answers[i])), 0, "%s, %lld: %s, not %s",
                     where, (long long)offset + (long long)i, answer, answers[i]);
    }
}

static void expect_model(struct store *store, const struct model *model)
{
    for (size_t i = 0; i < ACCOUNTS; i++) {
        const struct model_account *wanted = &model->accounts[i];
        struct chunk_account account = kit_account(store, accounts[i]);
        cr_assert_eq(account.balance_minor, wanted->balance, "%s: %s", where, accounts[i]);
        cr_assert_eq(account.state == ACCOUNT_CLOSED, wanted->closed, "%s: %s", where, accounts[i]);
        cr_assert_eq(account.state != ACCOUNT_UNOPENED, wanted->there, "%s: %s", where,
                     accounts[i]);
        cr_assert_eq(account.has_min, wanted->limited, "%s: %s", where, accounts[i]);
    }
}

static void run_sequence(uint64_t seed, size_t longest)
{
    static struct command commands[COMMANDS_MAX];
    const char *answers[COMMANDS_MAX];
    struct model model = {.strict = false};
    struct chunk *chunk = chunk_new(COMMANDS_MAX);
    struct store *store = store_memory_new();
    size_t count;
    size_t size;

    cr_assert(chunk && store);
    random_state = seed;
    snprintf(where, sizeof(where), "PAY_SEED=%" PRIu64, seed);
    count = 1 + random_below(COMMANDS_MAX);
    model.one_partition = chunk->one_partition = random_below(4) != 0;
    for (size_t i = 0; i < count; i++) {
        commands[i] = i > 0 && random_below(5) == 0 ? commands[random_below(i)] : random_command();
        answers[i] = model_answer(&model, &commands[i]);
    }
    kit_begin(store);
    for (size_t done = 0; done < count; done += size) {
        size = 1 + random_below(longest);
        size = size < count - done ? size : count - done;
        run_chunk(store, chunk, commands + done, answers + done, size);
    }
    expect_model(store, &model);
    store_close(store);
    chunk_free(chunk);
}

Test(ledger_accounts_model, commands_in_any_order_and_any_chunks_get_the_answers_of_the_model)
{
    const char *given = getenv("PAY_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 0;

    if (!given && getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
        seed = 1;
    }
    fprintf(stderr, "PAY_SEED=%" PRIu64 "\n", seed);
    for (uint64_t i = 0; i < SEQUENCES; i++) {
        run_sequence(seed + i, 1);
        run_sequence(seed + i, COMMANDS_MAX);
        run_sequence(seed + i, 5);
    }
}
