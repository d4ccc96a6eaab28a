#include "tests/simulation/model.h"

#include <string.h>

void model_begin(struct model *model, bool one_partition)
{
    memset(model, 0, sizeof(*model));
    model->one_partition = one_partition;
    for (size_t i = 0; i < COMMANDS_ACCOUNTS; i++) {
        model->accounts[i].currency = "";
    }
}

static struct model_account *account_of(struct model *model, const char *name)
{
    size_t i = 0;

    while (strcmp(commands_account(i), name) != 0) {
        i++;
    }
    return &model->accounts[i];
}

static bool same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static bool is_known(const char *currency)
{
    return !same(currency, "ZZZ");
}

static bool keeps_other(const struct model_account *account, const char *currency)
{
    return account->currency[0] != '\0' && !same(account->currency, currency);
}

/* ---- what each type of command does; the answer is the reason of a refusal, or "" ---- */

static const char *pay(struct model *model, const struct payment *payment)
{
    struct model_account *src = account_of(model, payment->src);
    struct model_account *dest = account_of(model, payment->dest);

    if (src == dest) {
        return "same_account";
    }
    if (payment->amount_minor < 1 || payment->amount_minor > INT64_C(9999999999999999)) {
        return "amount_out_of_range";
    }
    if (!is_known(payment->currency)) {
        return "unknown_currency";
    }
    if (model->strict && (src->currency[0] == '\0' || dest->currency[0] == '\0')) {
        return "unknown_account";
    }
    if (src->closed || dest->closed) {
        return "account_closed";
    }
    if (keeps_other(src, payment->currency) || keeps_other(dest, payment->currency)) {
        return "currency_mismatch";
    }
    if (src->limited && src->balance - payment->amount_minor < src->limit) {
        return "insufficient_funds";
    }
    src->currency = dest->currency = payment->currency;
    src->balance -= payment->amount_minor;
    dest->balance += payment->amount_minor;
    return "";
}

static const char *open_account(struct model *model, const struct command *command)
{
    struct model_account *account = account_of(model, command->payment.src);

    if (!is_known(command->payment.currency)) {
        return "unknown_currency";
    }
    if (account->closed) {
        return "account_closed";
    }
    if (account->currency[0] != '\0') {
        return "account_exists";
    }
    if (command->has_min && !model->one_partition) {
        return "needs_one_partition";
    }
    account->open = true;
    account->currency = command->payment.currency;
    account->limited = command->has_min;
    account->limit = command->min_minor;
    return "";
}

static const char *change_account(struct model *model, const struct command *command)
{
    struct model_account *account = account_of(model, command->payment.src);

    if (account->currency[0] == '\0') {
        return "unknown_account";
    }
    if (account->closed) {
        return "account_closed";
    }
    if (command->type == COMMAND_ACCOUNT_CLOSE) {
        account->closed = account->balance == 0;
        return account->closed ? "" : "balance_not_zero";
    }
    if (keeps_other(account, command->payment.currency)) {
        return "currency_mismatch";
    }
    if (command->has_min && !model->one_partition) {
        return "needs_one_partition";
    }
    account->limited = command->has_min;
    account->limit = command->min_minor;
    return "";
}

static const char *carry_out(struct model *model, const struct command *command)
{
    switch (command->type) {
    case COMMAND_PAYMENT:
        return pay(model, &command->payment);
    case COMMAND_ACCOUNT_OPEN:
        return open_account(model, command);
    case COMMAND_ACCOUNT_LIMIT:
    case COMMAND_ACCOUNT_CLOSE:
        return change_account(model, command);
    case COMMAND_ACCOUNTS:
        if (command->strict && !model->one_partition) {
            return "needs_one_partition";
        }
        model->strict = command->strict;
        return "";
    case COMMAND_CANCEL:
    case COMMAND_TYPE_COUNT:
    default:
        return "cancelled";
    }
}

/* ---- keys and batches ---- */

static bool same_batch(const struct payment_batch *a, const struct payment_batch *b)
{
    return same(a->id, b->id) && same(a->digest, b->digest) && a->rows == b->rows;
}

static unsigned differences(const struct command *a, const struct command *b)
{
    bool is_payment = a->type == COMMAND_PAYMENT;
    unsigned fields = 0;

    if (a->type != b->type) {
        return COMMAND_FIELD_TYPE;
    }
    if (!same(a->payment.src, b->payment.src)) {
        fields |= is_payment ? (unsigned)PAYMENT_SRC : (unsigned)COMMAND_FIELD_ACCOUNT;
    }
    fields |= same(a->payment.dest, b->payment.dest) ? 0U : PAYMENT_DEST;
    fields |= a->payment.amount_minor == b->payment.amount_minor ? 0U : PAYMENT_AMOUNT;
    fields |= same(a->payment.currency, b->payment.currency) ? 0U : PAYMENT_CURRENCY;
    fields |= same_batch(&a->payment.batch, &b->payment.batch) ? 0U : PAYMENT_BATCH;
    if (a->has_min != b->has_min || a->min_minor != b->min_minor) {
        fields |= COMMAND_FIELD_MIN_BALANCE;
    }
    fields |= a->strict == b->strict ? 0U : COMMAND_FIELD_MODE;
    return fields;
}

bool model_same_payload(const struct command *a, const struct command *b)
{
    return differences(a, b) == 0 && same(a->payment.key, b->payment.key);
}

/* The first row of a batch says what belongs to its name. */
static bool fits_batch(struct model *model, const struct payment_batch *batch)
{
    for (size_t i = 0; i < model->batch_count; i++) {
        if (same(model->batches[i]->id, batch->id)) {
            return same_batch(model->batches[i], batch);
        }
    }
    model->batches[model->batch_count++] = batch;
    return true;
}

static struct model_answer decide(struct model *model, const struct record *record, int64_t seq)
{
    const struct message *message = record->message;
    const struct command *command = &message->command;

    if (message->unreadable) {
        return (struct model_answer){OUTCOME_QUARANTINED, message->unreadable, 0, NULL};
    }
    struct model_key *key = &model->keys[message->key_id];
    const struct command *first = key->decided ? &key->record->message->command : NULL;
    bool cancel = first && (first->type == COMMAND_CANCEL || command->type == COMMAND_CANCEL);
    unsigned fields = first && !cancel ? differences(first, command) : 0;
    if (command->payment.batch.id[0] != '\0' && !fits_batch(model, &command->payment.batch)) {
        return (struct model_answer){OUTCOME_CONFLICT, "batch_changed", fields, first ? key : NULL};
    }
    if (!first) {
        const char *reason = carry_out(model, command);
        enum outcome outcome = reason[0] == '\0' ? OUTCOME_APPLIED : OUTCOME_REJECTED;
        *key = (struct model_key){true, record, seq, outcome, reason};
        return (struct model_answer){outcome, reason, 0, key};
    }
    return fields == 0 ? (struct model_answer){OUTCOME_DUPLICATE, "", 0, key}
                       : (struct model_answer){OUTCOME_CONFLICT, "payload_differs", fields, key};
}

struct model_answer model_decide(struct model *model, const struct record *record, int64_t seq)
{
    struct model_answer answer = decide(model, record, seq);

    model->counts[answer.verdict]++;
    return answer;
}
