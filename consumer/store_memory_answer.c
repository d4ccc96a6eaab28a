#include "consumer/store_memory_internal.h"

#include "consumer/decision_hash.h"
#include "consumer/key_form.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum store_status memory_outcomes(struct store *base, int64_t after_seq, struct store_outcome *ret,
                                  size_t max, size_t *ret_count, struct error *err)
{
    const struct record_row *row;
    size_t count = 0;

    (void)err;
    for (size_t i = (size_t)after_seq;
         count < max && (row = memory_row(&memory_of(base)->now, TABLE_RECORDS, i)); i++) {
        ret[count].record = row->record;
        ret[count].traceparent_len = ret[count].tracestate_len = 0;
        count++;
    }
    *ret_count = count;
    return STORE_OK;
}

enum store_status memory_show(struct store *base, const char *key, store_visit *visit, void *user,
                              int64_t *ret_repeats, struct error *err)
{
    const struct contents *now = &memory_of(base)->now;
    const struct record_row *row = memory_find_decision(now, key);

    (void)err;
    *ret_repeats = 0;
    if (row) {
        visit(user, &row->record);
    }
    for (size_t i = 0; (row = memory_row(now, TABLE_RECORDS, i)); i++) {
        enum outcome verdict = row->record.verdict;
        if ((verdict == OUTCOME_DUPLICATE || verdict == OUTCOME_CONFLICT) &&
            strcmp(row->record.key, key) == 0 && ++*ret_repeats <= STORE_REPEATS_KEPT) {
            visit(user, &row->record);
        }
    }
    return STORE_OK;
}

/* It forgets nothing. */
enum store_status memory_is_stale(struct store *base, const char *key, bool *ret, struct error *err)
{
    (void)base;
    (void)key;
    (void)err;
    *ret = false;
    return STORE_OK;
}

/* ---- stats ---- */

static int compare_currencies(const void *a, const void *b)
{
    return strcmp(((const struct store_currency *)a)->currency,
                  ((const struct store_currency *)b)->currency);
}

static int compare_positions(const void *a, const void *b)
{
    int32_t left = ((const struct store_position *)a)->partition;
    int32_t right = ((const struct store_position *)b)->partition;

    return (left > right) - (left < right);
}

static struct store_currency *stats_currency(struct store_stats *stats, const char *code)
{
    for (size_t i = 0; i < stats->currency_count; i++) {
        if (strcmp(stats->currencies[i].currency, code) == 0) {
            return &stats->currencies[i];
        }
    }
    struct store_currency *entry = &stats->currencies[stats->currency_count++];
    memcpy(entry->currency, code, MONEY_CURRENCY_SIZE);
    return entry;
}

/* The digest of all decisions. */
static void sum_decisions(const struct contents *now, unsigned char ret[KEY_HASH_SIZE])
{
    struct key_hash sum = {0, 0};
    const struct record_row *row;

    for (size_t i = 0; (row = memory_row(now, TABLE_RECORDS, i)); i++) {
        const struct outcome_record *record = &row->record;
        unsigned char form[KEY_FORM_SIZE];
        if (record->verdict == OUTCOME_APPLIED || record->verdict == OUTCOME_REJECTED) {
            size_t len = key_form(form, record->key);
            key_hash_add(&sum, decision_hash(form, len, record->digest, record->verdict,
                                             record->first.reason));
        }
    }
    key_hash_store(ret, sum);
}

static void sum_currencies(const struct contents *now, struct store_stats *ret)
{
    const struct account_row *row;
    const struct record_row *decision;

    for (size_t i = 0; (row = memory_row(now, TABLE_ACCOUNTS, i)); i++) {
        if (row->account.state != ACCOUNT_UNOPENED) {
            struct store_currency *currency = stats_currency(ret, row->account.currency);
            currency->accounts++;
            money_sum_add(&currency->balances, row->account.balance_minor);
        }
    }
    for (size_t i = 0; (decision = memory_row(now, TABLE_RECORDS, i)); i++) {
        const struct command *command = &decision->record.first.command;
        if (decision->record.verdict == OUTCOME_APPLIED && command->type == COMMAND_PAYMENT) {
            struct store_currency *currency = stats_currency(ret, command->payment.currency);
            currency->applied++;
            money_sum_add(&currency->total, command->payment.amount_minor);
        }
    }
}

enum store_status memory_stats(struct store *base, struct store_stats *ret, struct error *err)
{
    const struct store_memory *store = memory_of(base);
    const struct contents *now = &store->now;
    size_t positions = now->tables[TABLE_POSITIONS].count;

    *ret = (struct store_stats){.topic = store->topic ? strdup(store->topic) : NULL};
    ret->currencies = calloc(now->tables[TABLE_ACCOUNTS].count + 1, sizeof(*ret->currencies));
    ret->positions = calloc(positions + 1, sizeof(*ret->positions));
    if (!ret->currencies || !ret->positions || (store->topic && !ret->topic)) {
        store_stats_release(ret);
        error_set(err, EX_OSERR, "out of memory");
        return STORE_FAILED;
    }
    memcpy(ret->counts, now->counts, sizeof(ret->counts));
    ret->strict = now->strict;
    ret->last_seq = (int64_t)now->tables[TABLE_RECORDS].count;
    ret->published_seq = now->published;
    ret->skipped = (int64_t)now->tables[TABLE_SKIPPED].count;
    sum_currencies(now, ret);
    sum_decisions(now, ret->digest);
    for (size_t i = 0; i < positions; i++) {
        const struct position_row *row = memory_row(now, TABLE_POSITIONS, i);
        ret->positions[i] = row->position;
    }
    ret->position_count = positions;
    qsort(ret->currencies, ret->currency_count, sizeof(*ret->currencies), compare_currencies);
    qsort(ret->positions, positions, sizeof(*ret->positions), compare_positions);
    return STORE_OK;
}
