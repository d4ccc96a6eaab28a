#include "consumer/ledger.h"

#include "common/mutant.h"

#include <string.h>

static bool is_in_currency(const struct chunk_account *account, const char *currency)
{
    return account->currency[0] == '\0' || strcmp(account->currency, currency) == 0;
}

/* Whether the accounts may take part, whatever they hold. */
static enum reason accounts_refusal(const struct chunk *chunk, const struct chunk_account *src,
                                    const struct chunk_account *dest, const char *currency)
{
    if (chunk->strict && (src->state == ACCOUNT_UNOPENED || dest->state == ACCOUNT_UNOPENED)) {
        return REASON_UNKNOWN_ACCOUNT;
    }
    if (src->state == ACCOUNT_CLOSED || dest->state == ACCOUNT_CLOSED) {
        return REASON_ACCOUNT_CLOSED;
    }
    if (!is_in_currency(src, currency) || !is_in_currency(dest, currency)) {
        return REASON_CURRENCY_MISMATCH;
    }
    return REASON_NONE;
}

static enum reason balance_refusal(const struct chunk_account *src,
                                   const struct chunk_account *dest, int64_t amount_minor)
{
    int64_t left;
    int64_t sum;
    bool overflow = __builtin_sub_overflow(src->balance_minor, amount_minor, &left);

    if (src->has_min && (overflow || left < src->min_minor)) {
        return REASON_INSUFFICIENT_FUNDS;
    }
    /* INT64_MIN stays out of reach, so that every balance can be negated. */
    if (overflow || left == INT64_MIN ||
        __builtin_add_overflow(dest->balance_minor, amount_minor, &sum)) {
        return REASON_BALANCE_OVERFLOW;
    }
    return REASON_NONE;
}

/* The first rule that refuses a payment whose key is new. */
static enum reason payment_refusal(const struct chunk *chunk, const struct chunk_item *item)
{
    const struct payment *payment = &item->command.payment;
    const struct chunk_account *src = &chunk->accounts[item->src];
    const struct chunk_account *dest = &chunk->accounts[item->dest];

    if (item->src == item->dest) {
        return REASON_SAME_ACCOUNT;
    }
    if (payment->amount_minor < 1 || payment->amount_minor > MONEY_MAX_MINOR) {
        return REASON_AMOUNT_OUT_OF_RANGE;
    }
    if (money_exponent(payment->currency) < 0) {
        return REASON_UNKNOWN_CURRENCY;
    }
    enum reason reason = accounts_refusal(chunk, src, dest, payment->currency);
    return reason != REASON_NONE ? reason : balance_refusal(src, dest, payment->amount_minor);
}

static void post(struct chunk_account *account, const char *currency, int64_t amount_minor)
{
    if (account->state == ACCOUNT_UNOPENED) {
        account->state = ACCOUNT_USED;
    }
    memcpy(account->currency, currency, sizeof(account->currency));
    /* Of a decision that binds, the rules have not seen whether it overflows: no undefined sum. */
    account->balance_minor = (int64_t)((uint64_t)account->balance_minor + (uint64_t)amount_minor);
    account->changed = true;
}

/* Two postings that sum to zero. */
static enum reason transfer(struct chunk *chunk, const struct chunk_item *item)
{
    const struct payment *payment = &item->command.payment;
    enum reason reason = payment_refusal(chunk, item);

    if (reason == REASON_NONE) {
        post(&chunk->accounts[item->src], payment->currency, -payment->amount_minor);
        if (!MUTANT("posting-dropped") || item->origin.offset % 7 != 3) {
            post(&chunk->accounts[item->dest], payment->currency, payment->amount_minor);
        }
    }
    return reason;
}

/* ---- accounts ---- */

static void set_limit(struct chunk_account *account, const struct command *command)
{
    account->has_min = command->has_min;
    account->min_minor = command->min_minor;
    account->changed = true;
}

static enum reason open_account(struct chunk *chunk, const struct chunk_item *item)
{
    const struct command *command = &item->command;
    struct chunk_account *account = &chunk->accounts[item->src];

    if (money_exponent(command->payment.currency) < 0) {
        return REASON_UNKNOWN_CURRENCY;
    }
    if (account->state != ACCOUNT_UNOPENED) {
        return account->state == ACCOUNT_CLOSED ? REASON_ACCOUNT_CLOSED : REASON_ACCOUNT_EXISTS;
    }
    if (command->has_min && !chunk->one_partition) {
        return REASON_NEEDS_ONE_PARTITION;
    }
    account->state = ACCOUNT_OPEN;
    memcpy(account->currency, command->payment.currency, sizeof(account->currency));
    set_limit(account, command);
    return REASON_NONE;
}

static enum reason limit_account(struct chunk *chunk, const struct chunk_item *item)
{
    const struct command *command = &item->command;
    struct chunk_account *account = &chunk->accounts[item->src];

    if (account->state == ACCOUNT_UNOPENED) {
        return REASON_UNKNOWN_ACCOUNT;
    }
    if (account->state == ACCOUNT_CLOSED) {
        return REASON_ACCOUNT_CLOSED;
    }
    if (!is_in_currency(account, command->payment.currency)) {
        return REASON_CURRENCY_MISMATCH;
    }
    if (command->has_min && !chunk->one_partition) {
        return REASON_NEEDS_ONE_PARTITION;
    }
    set_limit(account, command);
    return REASON_NONE;
}

static enum reason close_account(struct chunk *chunk, const struct chunk_item *item)
{
    struct chunk_account *account = &chunk->accounts[item->src];

    if (account->state == ACCOUNT_UNOPENED) {
        return REASON_UNKNOWN_ACCOUNT;
    }
    if (account->state == ACCOUNT_CLOSED) {
        return REASON_ACCOUNT_CLOSED;
    }
    if (account->balance_minor != 0) {
        return REASON_BALANCE_NOT_ZERO;
    }
    account->state = ACCOUNT_CLOSED;
    account->changed = true;
    return REASON_NONE;
}

static enum reason set_mode(struct chunk *chunk, const struct chunk_item *item)
{
    if (item->command.strict && !chunk->one_partition) {
        return REASON_NEEDS_ONE_PARTITION;
    }
    chunk->strict_changed = chunk->strict_changed || chunk->strict != item->command.strict;
    chunk->strict = item->command.strict;
    return REASON_NONE;
}

/* ---- keys ---- */

/* Does what the command orders, or says why not. */
static enum reason carry_out(struct chunk *chunk, const struct chunk_item *item)
{
    switch (item->command.type) {
    case COMMAND_PAYMENT:
        return transfer(chunk, item);
    case COMMAND_ACCOUNT_OPEN:
        return open_account(chunk, item);
    case COMMAND_ACCOUNT_LIMIT:
        return limit_account(chunk, item);
    case COMMAND_ACCOUNT_CLOSE:
        return close_account(chunk, item);
    case COMMAND_ACCOUNTS:
        return set_mode(chunk, item);
    case COMMAND_CANCEL:
    case COMMAND_TYPE_COUNT:
    default:
        return REASON_CANCELLED;
    }
}

/* ---- decisions that bind ---- */

/* What an applied account command did. */
static void repeat_account(struct chunk_account *account, const struct command *command)
{
    if (command->type == COMMAND_ACCOUNT_CLOSE) {
        account->state = ACCOUNT_CLOSED;
        account->changed = true;
        return;
    }
    if (command->type == COMMAND_ACCOUNT_OPEN) {
        account->state = ACCOUNT_OPEN;
        memcpy(account->currency, command->payment.currency, sizeof(account->currency));
    }
    set_limit(account, command);
}

/* What an applied command did, whatever the rules say now: other orders of arrival are no reason.
 */
static void repeat_applied(struct chunk *chunk, const struct chunk_item *item)
{
    const struct command *command = &item->command;
    const struct payment *payment = &command->payment;

    switch (command->type) {
    case COMMAND_PAYMENT:
        post(&chunk->accounts[item->src], payment->currency, -payment->amount_minor);
        post(&chunk->accounts[item->dest], payment->currency, payment->amount_minor);
        break;
    case COMMAND_ACCOUNT_OPEN:
    case COMMAND_ACCOUNT_LIMIT:
    case COMMAND_ACCOUNT_CLOSE:
        repeat_account(&chunk->accounts[item->src], command);
        break;
    case COMMAND_ACCOUNTS:
        chunk->strict_changed = chunk->strict_changed || chunk->strict != command->strict;
        chunk->strict = command->strict;
        break;
    case COMMAND_CANCEL: /* is never applied */
    case COMMAND_TYPE_COUNT:
    default:
        break;
    }
}

unsigned ledger_differs(const struct command *first, const struct command *command)
{
    if (first->type == COMMAND_CANCEL || command->type == COMMAND_CANCEL) {
        return 0;
    }
    return command_differs(first, command);
}

/* The key is not decided here, but was elsewhere. */
static struct decision decide_bound(struct chunk *chunk, const struct chunk_item *item)
{
    struct chunk_key *key = &chunk->keys[item->key];
    const struct command *first = &key->bound->first;
    /* A payment may take what a cancel decided, which moved nothing; never the other way round. */
    unsigned fields = first->type == COMMAND_CANCEL ? 0 : command_differs(first, &item->command);

    if (fields != 0) {
        return (struct decision){OUTCOME_CONFLICT, REASON_PAYLOAD_DIFFERS, fields};
    }
    if (key->bound->outcome == OUTCOME_APPLIED) {
        repeat_applied(chunk, item);
    }
    key->owner = item;
    return (struct decision){key->bound->outcome, key->bound->reason, 0};
}

static struct decision decide_new(struct chunk *chunk, const struct chunk_item *item)
{
    if (chunk->keys[item->key].bound) {
        return decide_bound(chunk, item);
    }
    enum reason reason = carry_out(chunk, item);

    chunk->keys[item->key].owner = item;
    return (struct decision){reason == REASON_NONE ? OUTCOME_APPLIED : OUTCOME_REJECTED, reason, 0};
}

/* The payload that decided the key, NULL while it is undecided. */
static const struct command *first_payload(const struct chunk_key *key)
{
    if (key->known) {
        return key->first;
    }
    return key->owner ? &key->owner->command : NULL;
}

static struct decision decide(struct chunk *chunk, struct chunk_item *item)
{
    if (item->recorded) {
        return (struct decision){OUTCOME_REDELIVERED, REASON_NONE, 0};
    }
    if (item->unreadable != READABLE) {
        return (struct decision){OUTCOME_QUARANTINED, REASON_NONE, 0};
    }
    if (chunk_is_first(chunk, item)) {
        return (struct decision){OUTCOME_REDELIVERED, REASON_NONE, 0};
    }
    if (chunk_is_stale(chunk, item)) {
        chunk_refuse_stale(item); /* whether it was paid, nobody knows any more */
        return (struct decision){OUTCOME_QUARANTINED, REASON_NONE, 0};
    }
    const struct command *first = first_payload(&chunk->keys[item->key]);
    unsigned fields = first ? ledger_differs(first, &item->command) : 0;
    if (!chunk_bind_batch(chunk, item)) {
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
        chunk_prefetch(chunk, i);
        chunk->items[i].decision = decide(chunk, &chunk->items[i]);
    }
}
