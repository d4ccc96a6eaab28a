#include "consumer/ledger.h"

#include <string.h>

static bool is_in_currency(const struct chunk_account *account, const char *currency)
{
    return account->currency[0] == '\0' || strcmp(account->currency, currency) == 0;
}

/* The first rule that refuses a payment whose key is new. */
static enum reason refusal(const struct chunk *chunk, const struct chunk_item *item)
{
    const struct payment *payment = &item->payment;
    const struct chunk_account *src = &chunk->accounts[item->src];
    const struct chunk_account *dest = &chunk->accounts[item->dest];
    int64_t sum;

    if (item->src == item->dest) {
        return REASON_SAME_ACCOUNT;
    }
    if (payment->amount_minor < 1 || payment->amount_minor > MONEY_MAX_MINOR) {
        return REASON_AMOUNT_OUT_OF_RANGE;
    }
    if (money_exponent(payment->currency) < 0) {
        return REASON_UNKNOWN_CURRENCY;
    }
    if (!is_in_currency(src, payment->currency) || !is_in_currency(dest, payment->currency)) {
        return REASON_CURRENCY_MISMATCH;
    }
    /* INT64_MIN stays out of reach, so that every balance can be negated. */
    if (__builtin_sub_overflow(src->balance_minor, payment->amount_minor, &sum) ||
        sum == INT64_MIN ||
        __builtin_add_overflow(dest->balance_minor, payment->amount_minor, &sum)) {
        return REASON_BALANCE_OVERFLOW;
    }
    return REASON_NONE;
}

static void post(struct chunk_account *account, const char *currency, int64_t amount_minor)
{
    memcpy(account->currency, currency, sizeof(account->currency));
    account->balance_minor += amount_minor;
    account->changed = true;
}

/* Two postings that sum to zero. */
static void transfer(struct chunk *chunk, const struct chunk_item *item)
{
    const struct payment *payment = &item->payment;

    post(&chunk->accounts[item->src], payment->currency, -payment->amount_minor);
    post(&chunk->accounts[item->dest], payment->currency, payment->amount_minor);
}

static struct decision decide_new(struct chunk *chunk, const struct chunk_item *item)
{
    enum reason reason = refusal(chunk, item);

    chunk->keys[item->key].owner = item;
    if (reason != REASON_NONE) {
        return (struct decision){OUTCOME_REJECTED, reason, 0};
    }
    transfer(chunk, item);
    return (struct decision){OUTCOME_APPLIED, REASON_NONE, 0};
}

/* The payload that decided the key, NULL while it is undecided. */
static const struct payment *first_payload(const struct chunk_key *key)
{
    if (key->known) {
        return &key->first;
    }
    return key->owner ? &key->owner->payment : NULL;
}

/* The first row of a batch binds its id to its content. False for a row of other content. */
static bool bind_batch(struct chunk *chunk, const struct chunk_item *item)
{
    if (item->batch == CHUNK_NO_BATCH) {
        return true;
    }
    struct chunk_batch *batch = &chunk->batches[item->batch];
    if (!batch->bound) {
        batch->content = item->payment.batch;
        batch->bound = true;
    }
    return payment_batch_equal(&batch->content, &item->payment.batch);
}

static struct decision decide(struct chunk *chunk, const struct chunk_item *item)
{
    if (item->recorded) {
        return (struct decision){OUTCOME_REDELIVERED, REASON_NONE, 0};
    }
    if (item->unreadable != READABLE) {
        return (struct decision){OUTCOME_QUARANTINED, REASON_NONE, 0};
    }
    const struct chunk_key *key = &chunk->keys[item->key];
    if (key->known && key->origin.partition == item->origin.partition &&
        key->origin.offset == item->origin.offset) {
        return (struct decision){OUTCOME_REDELIVERED, REASON_NONE, 0};
    }
    const struct payment *first = first_payload(key);
    unsigned fields = first ? payment_differs(first, &item->payment) : 0;
    if (!bind_batch(chunk, item)) {
        return (struct decision){OUTCOME_CONFLICT, REASON_BATCH_CHANGED, fields};
    }
    if (!first) {
        return decide_new(chunk, item);
    }
    return fields == 0 ? (struct decision){OUTCOME_DUPLICATE, REASON_NONE, 0}
                       : (struct decision){OUTCOME_CONFLICT, REASON_PAYLOAD_DIFFERS, fields};
}

void ledger_decide(struct chunk *chunk)
{
    for (size_t i = 0; i < chunk->item_count; i++) {
        chunk->items[i].decision = decide(chunk, &chunk->items[i]);
    }
}
