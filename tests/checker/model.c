#include "tests/checker/model.h"

#include "tests/checker/currencies.h"
#include "tests/checker/memory.h"

#include <stdlib.h>
#include <string.h>

void model_release(struct model *model)
{
    free(model->accounts);
    free(model->bound);
    *model = (struct model){.accounts = NULL};
}

struct account *model_account(struct model *model, int32_t number)
{
    model->accounts = memory_grow(model->accounts, &model->account_room, (size_t)number + 1,
                                  sizeof(*model->accounts));
    return &model->accounts[number];
}

static int32_t *bound_content(struct model *model, int32_t batch)
{
    model->bound =
        memory_grow(model->bound, &model->bound_room, (size_t)batch + 1, sizeof(*model->bound));
    return &model->bound[batch];
}

/* ---- payments: each rule answers its reason, or NULL when it has no objection ---- */

static bool keeps(const struct account *account, const char *currency)
{
    return account->currency[0] == '\0' || strcmp(account->currency, currency) == 0;
}

static const char *refuse_accounts(const struct model *model, const struct account *src,
                                   const struct account *dest, const char *currency)
{
    if (model->is_strict && (src->state == ACCOUNT_NONE || dest->state == ACCOUNT_NONE)) {
        return "unknown_account";
    }
    if (src->state == ACCOUNT_CLOSED || dest->state == ACCOUNT_CLOSED) {
        return "account_closed";
    }
    return keeps(src, currency) && keeps(dest, currency) ? NULL : "currency_mismatch";
}

static const char *refuse_balances(const struct account *src, const struct account *dest,
                                   int64_t amount_minor)
{
    __int128 left = (__int128)src->balance_minor - amount_minor;
    __int128 sum = (__int128)dest->balance_minor + amount_minor;

    if (src->has_min && left < src->min_minor) {
        return "insufficient_funds";
    }
    return left <= INT64_MIN || sum > INT64_MAX ? "balance_overflow" : NULL;
}

static const char *refuse_payment(struct model *model, const struct order *order)
{
    if (order->src == order->dest) {
        return "same_account";
    }
    if (order->amount_minor < 1 || order->amount_minor > ORDER_AMOUNT_MAX) {
        return "amount_out_of_range";
    }
    if (!currency_is_known(order->currency)) {
        return "unknown_currency";
    }
    const struct account src = *model_account(model, order->src);
    const struct account dest = *model_account(model, order->dest);
    const char *reason = refuse_accounts(model, &src, &dest, order->currency);
    return reason ? reason : refuse_balances(&src, &dest, order->amount_minor);
}

/* ---- account commands ---- */

static const char *refuse_limit(const struct model *model, const struct order *order)
{
    return order->has_min && !model->one_partition ? "needs_one_partition" : NULL;
}

static const char *refuse_open(struct model *model, const struct order *order)
{
    enum account_state state = model_account(model, order->src)->state;

    if (!currency_is_known(order->currency)) {
        return "unknown_currency";
    }
    if (state == ACCOUNT_CLOSED) {
        return "account_closed";
    }
    return state != ACCOUNT_NONE ? "account_exists" : refuse_limit(model, order);
}

/* What a limit and a closing have in common: the account is there. */
static const char *refuse_absent(const struct account *account)
{
    if (account->state == ACCOUNT_NONE) {
        return "unknown_account";
    }
    return account->state == ACCOUNT_CLOSED ? "account_closed" : NULL;
}

static const char *refuse_change(struct model *model, const struct order *order)
{
    const struct account *account = model_account(model, order->src);

    if (!keeps(account, order->currency)) {
        return "currency_mismatch";
    }
    return refuse_limit(model, order);
}

static const char *refuse(struct model *model, const struct order *order)
{
    const char *reason = NULL;

    switch (order->type) {
    case ORDER_PAYMENT:
        return refuse_payment(model, order);
    case ORDER_OPEN:
        return refuse_open(model, order);
    case ORDER_LIMIT:
        reason = refuse_absent(model_account(model, order->src));
        return reason ? reason : refuse_change(model, order);
    case ORDER_CLOSE:
        reason = refuse_absent(model_account(model, order->src));
        if (!reason && model_account(model, order->src)->balance_minor != 0) {
            reason = "balance_not_zero";
        }
        return reason;
    case ORDER_MODE:
        return order->strict && !model->one_partition ? "needs_one_partition" : NULL;
    case ORDER_CANCEL:
    case ORDER_UNREADABLE:
    default:
        return "cancelled";
    }
}

/* ---- keys ---- */

void model_judge(struct model *model, const struct key *key, const struct order *order,
                 struct verdict *ret)
{
    const struct order *first = key->first;

    *ret = (struct verdict){.outcome = OUTCOME_QUARANTINED, .reason = ""};
    if (order->type == ORDER_UNREADABLE) {
        return;
    }
    if (first && first->type != ORDER_CANCEL && order->type != ORDER_CANCEL) {
        order_differs(ret->fields, first, order);
    }
    if (order->batch != NAMES_NONE) {
        int32_t bound = *bound_content(model, order->batch);
        if (bound != 0 && bound != order->content + 1) {
            ret->outcome = OUTCOME_CONFLICT;
            ret->reason = "batch_changed";
            return;
        }
    }
    if (first) {
        bool same = ret->fields[0] == '\0';
        ret->outcome = same ? OUTCOME_DUPLICATE : OUTCOME_CONFLICT;
        ret->reason = same ? "" : "payload_differs";
        return;
    }
    const char *reason = refuse(model, order);
    ret->outcome = reason ? OUTCOME_REJECTED : OUTCOME_APPLIED;
    ret->reason = reason ? reason : "";
}

void model_see(struct model *model, const struct order *order)
{
    if (order->type != ORDER_UNREADABLE && order->batch != NAMES_NONE) {
        int32_t *bound = bound_content(model, order->batch);
        *bound = *bound != 0 ? *bound : order->content + 1;
    }
}

static void post(struct model *model, int32_t number, const char *currency, int64_t amount_minor)
{
    struct account *account = model_account(model, number);

    if (account->state == ACCOUNT_NONE) {
        account->state = ACCOUNT_USED;
    }
    memcpy(account->currency, currency, sizeof(account->currency));
    account->balance_minor = (int64_t)((uint64_t)account->balance_minor + (uint64_t)amount_minor);
}

static void limit(struct model *model, const struct order *order)
{
    struct account *account = model_account(model, order->src);

    account->has_min = order->has_min;
    account->min_minor = order->min_minor;
}

void model_apply(struct model *model, const struct order *order)
{
    switch (order->type) {
    case ORDER_PAYMENT:
        post(model, order->src, order->currency, -order->amount_minor);
        post(model, order->dest, order->currency, order->amount_minor);
        break;
    case ORDER_OPEN:
        model_account(model, order->src)->state = ACCOUNT_OPEN;
        memcpy(model_account(model, order->src)->currency, order->currency,
               sizeof(order->currency));
        limit(model, order);
        break;
    case ORDER_LIMIT:
        limit(model, order);
        break;
    case ORDER_CLOSE:
        model_account(model, order->src)->state = ACCOUNT_CLOSED;
        break;
    case ORDER_MODE:
        model->is_strict = order->strict;
        break;
    case ORDER_CANCEL:
    case ORDER_UNREADABLE:
    default:
        break;
    }
}
