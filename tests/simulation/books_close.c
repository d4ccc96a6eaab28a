#include "tests/simulation/books_internal.h"

#include "common/outcome_json.h"
#include "tests/simulation/producers.h"
#include "tests/simulation/world.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int64_t totals[OUTCOME_COUNT];

int64_t books_total(enum outcome outcome)
{
    return totals[outcome];
}

/* ---- balances ---- */

/* A chunk that names every account, for the store to fill in. */
static struct chunk *name_accounts(void)
{
    struct chunk *chunk = chunk_new(COMMANDS_ACCOUNTS);

    if (!chunk) {
        abort();
    }
    for (size_t i = 0; i < COMMANDS_ACCOUNTS; i++) {
        struct command *command = &chunk_add(chunk)->command;
        memset(command, 0, sizeof(*command));
        command->type = COMMAND_ACCOUNT_CLOSE;
        memcpy(command->payment.src, commands_account(i), strlen(commands_account(i)) + 1);
    }
    chunk_index(chunk);
    return chunk;
}

static void check_account(const struct chunk_account *account, const struct model_account *wanted)
{
    if (account->balance_minor != wanted->balance ||
        strcmp(account->currency, wanted->currency) != 0 ||
        (account->state == ACCOUNT_CLOSED) != wanted->closed ||
        account->has_min != wanted->limited ||
        (wanted->limited && account->min_minor != wanted->limit)) {
        world_violated("account %s has %" PRId64 " %s, the model %" PRId64 " %s", account->name,
                       account->balance_minor, account->currency, wanted->balance,
                       wanted->currency);
    }
}

static void check_accounts(struct store *store)
{
    struct chunk *chunk = name_accounts();
    struct error err = {0, ""};

    if (store->ops->begin(store, &err) != STORE_OK ||
        store->ops->load(store, chunk, &err) != STORE_OK) {
        world_violated("the accounts cannot be read: %s", err.text);
    } else if (chunk->strict != books.model.strict) {
        world_violated("the accounts are %s", chunk->strict ? "strict" : "open");
    }
    store->ops->rollback(store);
    for (size_t i = 0; i < COMMANDS_ACCOUNTS; i++) {
        check_account(&chunk->accounts[chunk->items[i].src], &books.model.accounts[i]);
    }
    chunk_free(chunk);
}

/* ---- counts, and the sum of all balances ---- */

static int64_t count_skipped(void)
{
    int64_t count = 0;

    for (int64_t seq = 1; seq <= books.last_seq; seq++) {
        count += books.skipped[seq];
    }
    return count;
}

static void check_stats(struct store *store)
{
    struct store_stats stats;
    struct error err = {0, ""};

    if (store->ops->stats(store, &stats, &err) != STORE_OK) {
        world_violated("the counts cannot be read: %s", err.text);
        return;
    }
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        totals[i] += stats.counts[i];
        if (i != OUTCOME_REDELIVERED && stats.counts[i] != books.model.counts[i]) {
            world_violated("%" PRId64 " are counted as %s, and %" PRId64 " are", stats.counts[i],
                           outcome_name((enum outcome)i), books.model.counts[i]);
        }
    }
    for (size_t i = 0; i < stats.currency_count; i++) {
        const struct store_currency *currency = &stats.currencies[i];
        if (currency->balances.high != 0 || currency->balances.low != 0) {
            world_violated("the balances in %s do not sum to zero", currency->currency);
        }
    }
    if (stats.published_seq != books.last_seq || stats.skipped != count_skipped()) {
        world_violated("%" PRId64 " of %" PRId64 " outcomes are published, %" PRId64
                       " are skipped, and %" PRId64 " were",
                       stats.published_seq, books.last_seq, stats.skipped, count_skipped());
    }
    store_stats_release(&stats);
}

/* ---- the outcomes topic ---- */

static void lacks(const struct outcome_record *record, const char *what)
{
    world_violated("outcome %" PRId64 ", key \"%s\": %s", record->seq, record->key, what);
}

static void check_headers(const struct outcome_record *record, const struct published *published)
{
    const struct seen *seen = &books.seen[record->seq];
    char digest[DIGEST_SHORT_HEX_SIZE];
    char trace[COMMANDS_TRACE_SIZE] = "";
    enum outcome answer = seen->answer.verdict;

    if (answer == OUTCOME_DUPLICATE) {
        answer = seen->answer.first->outcome;
    }
    digest_hex(digest, record->digest, sizeof(record->digest));
    if (seen->record->message->traced) {
        commands_trace(trace, seen->record->message);
    }
    /* The store in memory keeps no traces. */
    if (strcmp(published->outcome, outcome_name(answer)) != 0 ||
        strcmp(published->digest, digest) != 0 ||
        (published->trace[0] != '\0' && strcmp(published->trace, trace) != 0) ||
        (published->trace[0] == '\0' && trace[0] != '\0' && strcmp(record->store, "memory") != 0)) {
        lacks(record, "its headers are wrong");
    }
}

static void check_outcome(const struct store_outcome *outcome)
{
    const struct outcome_record *record = &outcome->record;
    const struct published *published = outcomes_find(record->seq);
    size_t len = strlen(record->key);
    bool never = outcomes_is_refused(record->key, len) || outcomes_is_too_large(record->key, len);
    char value[OUTCOME_JSON_SIZE];

    if (len == 0 || never) {
        if (published && published->copies > 0) {
            lacks(record, "it stands in the topic, which cannot be");
        }
        if (never && !books.skipped[record->seq]) {
            lacks(record, "the topic does not take it, and it was not skipped");
        }
        return;
    }
    if (!published || published->copies == 0) {
        lacks(record, "it does not stand in the outcomes topic");
        return;
    }
    if (books.skipped[record->seq]) {
        lacks(record, "it was skipped, although the topic takes it");
    }
    size_t size = outcome_json_encode(record, value);
    if (size != published->len || memcmp(value, published->value, size) != 0) {
        lacks(record, "what was published is not what the ledger says");
    }
    check_headers(record, published);
}

/* Whoever takes the last copy of each gets them in the order of decision. */
static void check_order(void)
{
    size_t places[OUTCOMES_PARTITIONS] = {0};

    for (int64_t seq = 1; seq <= books.last_seq; seq++) {
        const struct published *published = outcomes_find(seq);
        if (published && published->copies > 0) {
            if (published->last_place < places[published->partition]) {
                world_violated("outcome %" PRId64 " stands before one that was decided earlier",
                               seq);
            }
            places[published->partition] = published->last_place;
        }
    }
}

/* ---- the producers ---- */

static void check_acknowledged(void)
{
    bool decided[COMMANDS_MAX] = {false};

    for (int64_t seq = 1; seq <= books.last_seq; seq++) {
        decided[books.seen[seq].record->message->number] = true;
    }
    for (size_t i = 0; i < commands_count(); i++) {
        if (producers_acknowledged(i) && !decided[i]) {
            world_violated("key \"%s\" was acknowledged to its producer and has no outcome",
                           commands_get(i)->key);
        }
    }
}

void books_close(struct store *store)
{
    books_compare(store);
    for (int32_t i = 0; i < topic_partitions() && !world_violation(); i++) {
        if (books.positions[i] != topic_high(i)) {
            world_violated("partition %d: payd ended at %" PRId64 " of %" PRId64, (int)i,
                           books.positions[i], topic_high(i));
        }
    }
    if (!world_violation()) {
        check_accounts(store);
        check_stats(store);
        books_each_record(store, check_outcome);
        check_order();
        check_acknowledged();
    }
}
