/*
 * The reference model: what the documented rules make of orders, one after the other. It judges
 * first and follows then, so that one wrong decision of the store is one violation, and not one
 * for everything that comes after it.
 */
#ifndef TESTS_CHECKER_MODEL_H
#define TESTS_CHECKER_MODEL_H

#include "tests/checker/keys.h"
#include "tests/checker/ledger.h"
#include "tests/checker/order.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum account_state { ACCOUNT_NONE, ACCOUNT_USED, ACCOUNT_OPEN, ACCOUNT_CLOSED };

struct account {
    enum account_state state;
    bool has_min;
    int64_t min_minor;
    int64_t balance_minor;
    char currency[ORDER_CURRENCY_SIZE]; /* "" while there is none */
};

struct model {
    struct account *accounts; /* by number of words.accounts */
    size_t account_room;
    int32_t *bound; /* by number of words.batches: its content + 1, 0 = free */
    size_t bound_room;
    bool is_strict;
    bool one_partition; /* the order of all commands exists: set before each judgement */
};

struct verdict {
    int outcome;        /* enum outcome */
    const char *reason; /* "" for none; a static string */
    char fields[ORDER_FIELDS_SIZE];
};

/* What the rules make of an order for this key. Changes nothing that shows. */
void model_judge(struct model *model, const struct key *key, const struct order *order,
                 struct verdict *ret);

/* An order has come, whatever becomes of it: a batch is bound to the content that comes first. */
void model_see(struct model *model, const struct order *order);

/* It was applied: move the money, change the account. Sums beyond 64 bits wrap around. */
void model_apply(struct model *model, const struct order *order);

/* The account of a number, made when it is new. Valid until the next. */
struct account *model_account(struct model *model, int32_t number);

void model_release(struct model *model);

#endif
