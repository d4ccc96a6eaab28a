/*
 * The ledger against a model: random sequences of messages, with repeats, conflicts, unreadable
 * ones and redeliveries, get the answers and the balances that a plain one-by-one reading of the
 * rules gives, however they are cut into chunks.
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

#define SEQUENCES    12000
#define MESSAGES_MAX 24
#define PARTITIONS   2
#define ACCOUNTS     4
#define CURRENCIES   5

struct message {
    struct kit_row row;
    int32_t partition;
    int64_t offset;
    bool again; /* an earlier message of the sequence, delivered once more */
    char answer[KIT_ANSWER_SIZE];
};

static const char *const keys[] = {"k1", "k2", "k3", "018f3c6e-0123-7abc-89de-f0123456789a"};
static const char *const accounts[ACCOUNTS] = {"ann", "bob", "eve", "zoe"};
static const char *const currencies[CURRENCIES] = {"EUR", "EUR", "EUR", "JPY", "ZZZ"};
static const int64_t amounts[] = {1, 1, 7, 500, MONEY_MAX_MINOR, 0, MONEY_MAX_MINOR + 1};

#define DIGEST_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define DIGEST_2 "2222222222222222222222222222222222222222222222222222222222222222"

static const struct payment_batch batches[] = {
    {"b1", DIGEST_1, 3}, {"b1", DIGEST_2, 3}, {"b1", DIGEST_1, 4}, {"b2", DIGEST_1, 3}};

#define PICK(array) (array)[random_below(sizeof(array) / sizeof((array)[0]))]

static uint64_t random_state;

/* splitmix64 */
static size_t random_below(size_t limit)
{
    uint64_t z = random_state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (size_t)((z ^ (z >> 31)) % limit);
}

static uint64_t seed_of_run(void)
{
    const char *given = getenv("PAY_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 0;

    if (!given && getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
        seed = 1;
    }
    fprintf(stderr, "PAY_SEED=%" PRIu64 "\n", seed);
    return seed;
}

/* ---- sequences ---- */

static struct kit_row random_row(const struct message *messages, size_t count)
{
    struct kit_row row = {.key = NULL};

    if (random_below(10) == 0) {
        return row;
    }
    if (count > 0 && random_below(4) == 0) {
        return messages[random_below(count)].row; /* the same payload once more */
    }
    row.key = PICK(keys);
    row.src = PICK(accounts);
    row.dest = PICK(accounts);
    row.amount_minor = PICK(amounts);
    row.currency = PICK(currencies);
    row.batch = random_below(3) == 0 ? &PICK(batches) : NULL;
    return row;
}

static size_t random_sequence(struct message *messages)
{
    size_t count = 1 + random_below(MESSAGES_MAX);
    int64_t next[PARTITIONS] = {0};

    for (size_t i = 0; i < count; i++) {
        struct message *message = &messages[i];
        if (i > 0 && random_below(8) == 0) {
            *message = messages[random_below(i)];
            message->again = true;
            continue;
        }
        message->row = random_row(messages, i);
        message->partition = (int32_t)random_below(PARTITIONS);
        /* Aborted transactions leave holes between the offsets. */
        next[message->partition] += (int64_t)random_below(3);
        message->offset = next[message->partition]++;
        message->again = false;
    }
    return count;
}

/* ---- the model: the rules once more, message by message, in the simplest words ---- */

struct model {
    const struct kit_row *decided[MESSAGES_MAX];
    size_t decided_count;
    const struct payment_batch *bound[MESSAGES_MAX];
    size_t bound_count;
    const char *currency[ACCOUNTS]; /* NULL = none yet */
    int64_t balance[ACCOUNTS];
};

static size_t number_of(const char *account)
{
    size_t i = 0;

    while (strcmp(accounts[i], account) != 0) {
        i++;
    }
    return i;
}

static bool same_batch(const struct payment_batch *a, const struct payment_batch *b)
{
    if (!a || !b) {
        return a == b;
    }
    return strcmp(a->id, b->id) == 0 && a->rows == b->rows && strcmp(a->digest, b->digest) == 0;
}

/* " src,amount", or "" when nothing differs. */
static void list_differences(char *list, const struct kit_row *a, const struct kit_row *b)
{
    const struct {
        const char *name;
        bool differs;
    } fields[] = {
        {"src", strcmp(a->src, b->src) != 0},
        {"dest", strcmp(a->dest, b->dest) != 0},
        {"amount", a->amount_minor != b->amount_minor},
        {"currency", strcmp(a->currency, b->currency) != 0},
        {"batch", !same_batch(a->batch, b->batch)},
    };

    list[0] = '\0';
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (fields[i].differs) {
            strcat(list, list[0] ? "," : " ");
            strcat(list, fields[i].name);
        }
    }
}

static bool batch_is_as_bound(struct model *model, const struct payment_batch *batch)
{
    if (!batch) {
        return true;
    }
    for (size_t i = 0; i < model->bound_count; i++) {
        if (strcmp(model->bound[i]->id, batch->id) == 0) {
            return same_batch(model->bound[i], batch);
        }
    }
    model->bound[model->bound_count++] = batch;
    return true;
}

static const char *pay(struct model *model, const struct kit_row *row)
{
    size_t src = number_of(row->src);
    size_t dest = number_of(row->dest);

    if (src == dest) {
        return "rejected same_account";
    }
    if (row->amount_minor == 0 || row->amount_minor > INT64_C(9999999999999999)) {
        return "rejected amount_out_of_range";
    }
    if (strcmp(row->currency, "EUR") != 0 && strcmp(row->currency, "JPY") != 0) {
        return "rejected unknown_currency";
    }
    if ((model->currency[src] && strcmp(model->currency[src], row->currency) != 0) ||
        (model->currency[dest] && strcmp(model->currency[dest], row->currency) != 0)) {
        return "rejected currency_mismatch";
    }
    model->currency[src] = model->currency[dest] = row->currency;
    model->balance[src] -= row->amount_minor;
    model->balance[dest] += row->amount_minor;
    return "applied";
}

static void model_answer(struct model *model, struct message *message)
{
    const struct kit_row *row = &message->row;
    const struct kit_row *first = NULL;
    char differences[KIT_ANSWER_SIZE / 2] = "";

    if (message->again || !row->key) {
        strcpy(message->answer, message->again ? "redelivered" : "quarantined");
        return;
    }
    for (size_t i = 0; i < model->decided_count; i++) {
        if (strcmp(model->decided[i]->key, row->key) == 0) {
            first = model->decided[i];
            list_differences(differences, first, row);
        }
    }
    if (!batch_is_as_bound(model, row->batch)) {
        snprintf(message->answer, KIT_ANSWER_SIZE, "conflict batch_changed%s", differences);
    } else if (!first) {
        model->decided[model->decided_count++] = row;
        strcpy(message->answer, pay(model, row));
    } else if (differences[0]) {
        snprintf(message->answer, KIT_ANSWER_SIZE, "conflict payload_differs%s", differences);
    } else {
        strcpy(message->answer, "duplicate");
    }
}

/* ---- the ledger ---- */

static char where[64]; /* how to get at the sequence that runs */

/* What was answered so often over all sequences: a word that never came was not tested. */
static struct {
    char answer[KIT_ANSWER_SIZE];
    unsigned long count;
} seen[64];

static void note_answer(const char *answer)
{
    char word[KIT_ANSWER_SIZE]; /* without the fields behind the first */
    size_t i = 0;

    snprintf(word, sizeof(word), "%.*s", (int)strcspn(answer, ","), answer);
    while (seen[i].count > 0 && strcmp(seen[i].answer, word) != 0) {
        i++;
    }
    cr_assert_lt(i, 64);
    strcpy(seen[i].answer, word);
    seen[i].count++;
}

static bool is_in_chunk(const struct chunk *chunk, const struct message *message)
{
    for (size_t i = 0; i < chunk->item_count; i++) {
        if (chunk->items[i].origin.partition == message->partition &&
            chunk->items[i].origin.offset == message->offset) {
            return true;
        }
    }
    return false;
}

/* Puts messages into the chunk as the worker would. */
static void fill(struct store *store, struct chunk *chunk, const struct message *messages,
                 size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct message *message = &messages[i];
        if (is_in_chunk(chunk, message)) {
            chunk->redelivered++;
            continue;
        }
        struct chunk_range *range =
            chunk_range(chunk, message->partition, kit_position(store, message->partition));
        int64_t to = range->to;
        kit_add(chunk, &message->row, message->partition, message->offset);
        range->to = message->offset < to ? to : message->offset + 1;
    }
}

static void run_chunk(struct store *store, struct chunk *chunk, const struct message *messages,
                      size_t count)
{
    struct error err;
    size_t item = 0;

    chunk_clear(chunk);
    fill(store, chunk, messages, count);
    cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK);
    for (size_t i = 0; i < count; i++) {
        char answer[KIT_ANSWER_SIZE] = "redelivered";
        const struct origin *origin = &chunk->items[item].origin;
        if (item < chunk->item_count && origin->offset == messages[i].offset &&
            origin->partition == messages[i].partition) {
            kit_answer(answer, &chunk->items[item++].decision);
        }
        cr_assert_str_eq(answer, messages[i].answer, "%s, message %zu: %s, the model: %s", where, i,
                         answer, messages[i].answer);
        note_answer(answer);
    }
    cr_assert_eq(item, chunk->item_count);
}

static void expect_model(struct store *store, const struct model *model,
                         const struct message *messages, size_t count)
{
    int64_t applied = 0;
    int64_t counts[OUTCOME_COUNT] = {0};
    struct store_stats stats;
    struct error err;

    for (size_t i = 0; i < ACCOUNTS; i++) {
        struct chunk_account account = kit_account(store, accounts[i]);
        cr_assert_eq(account.balance_minor, model->balance[i], "%s: %s", where, accounts[i]);
        cr_assert_str_eq(account.currency, model->currency[i] ? model->currency[i] : "", "%s: %s",
                         where, accounts[i]);
    }
    for (size_t i = 0; i < count; i++) {
        for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
            const char *name = outcome_name((enum outcome)outcome);
            counts[outcome] += strncmp(messages[i].answer, name, strlen(name)) == 0;
        }
    }
    cr_assert_eq(store->ops->stats(store, &stats, &err), STORE_OK);
    for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        cr_assert_eq(stats.counts[outcome], counts[outcome], "%s: %s", where,
                     outcome_name((enum outcome)outcome));
    }
    for (size_t i = 0; i < stats.currency_count; i++) {
        cr_assert_eq(stats.currencies[i].balances.high, 0, "%s", where);
        cr_assert_eq(stats.currencies[i].balances.low, 0, "%s: %s is not balanced", where,
                     stats.currencies[i].currency);
        applied += stats.currencies[i].applied;
    }
    cr_assert_eq(applied, counts[OUTCOME_APPLIED]);
    store_stats_release(&stats);
}

/* Takes the sequence through a new store in chunks of 1 to longest messages. */
static void run_sequence(struct chunk *chunk, const struct model *model,
                         const struct message *messages, size_t count, size_t longest)
{
    struct store *store = store_memory_new();
    size_t size;

    cr_assert_not_null(store);
    kit_begin(store);
    for (size_t done = 0; done < count; done += size) {
        size = 1 + random_below(longest);
        size = size < count - done ? size : count - done;
        run_chunk(store, chunk, messages + done, size);
    }
    expect_model(store, model, messages, count);
    store_close(store);
}

Test(ledger_model, any_cut_into_chunks_gives_the_answers_of_the_model)
{
    static struct message messages[MESSAGES_MAX];
    struct chunk *chunk = chunk_new(MESSAGES_MAX);
    uint64_t seed = seed_of_run();

    cr_assert_not_null(chunk);
    for (uint64_t i = 0; i < SEQUENCES; i++) {
        struct model model = {.decided_count = 0};
        random_state = seed + i;
        snprintf(where, sizeof(where), "PAY_SEED=%" PRIu64 ", its first sequence", seed + i);
        size_t count = random_sequence(messages);
        for (size_t m = 0; m < count; m++) {
            model_answer(&model, &messages[m]);
        }
        run_sequence(chunk, &model, messages, count, 1);
        run_sequence(chunk, &model, messages, count, MESSAGES_MAX);
        run_sequence(chunk, &model, messages, count, 4);
    }
    chunk_free(chunk);

    static const char *const wanted[] = {"applied",
                                         "duplicate",
                                         "redelivered",
                                         "quarantined",
                                         "rejected same_account",
                                         "rejected amount_out_of_range",
                                         "rejected unknown_currency",
                                         "rejected currency_mismatch",
                                         "conflict payload_differs src",
                                         "conflict payload_differs batch",
                                         "conflict batch_changed"};
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        size_t at = 0;
        while (at < 64 && strcmp(seen[at].answer, wanted[i]) != 0) {
            at++;
        }
        cr_expect(at < 64 && seen[at].count > 100, "\"%s\" hardly ever came", wanted[i]);
    }
}
