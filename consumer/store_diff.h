/*
 * What two stores have decided differently.
 */
#ifndef CONSUMER_STORE_DIFF_H
#define CONSUMER_STORE_DIFF_H

#include "common/outcome_record.h"
#include "consumer/chunk.h"
#include "consumer/store.h"

#include <stdint.h>

/* A key that only one has decided, or that both have decided differently. NULL = not there. */
struct store_key_difference {
    const char *key;
    const struct outcome_record *a;
    const struct outcome_record *b;
};

/* An account as one of the stores has it. */
struct store_account {
    const char *name;
    enum account_state state;
    char currency[MONEY_CURRENCY_SIZE]; /* "" = not opened */
    int64_t balance_minor;
    bool has_min;
    int64_t min_minor;
};

struct store_account_difference {
    const struct store_account *a;
    const struct store_account *b;
};

/* Called with each difference, keys first; borrowed for the call. */
struct store_diff_visitor {
    void *user;
    void (*key)(void *user, const struct store_key_difference *difference);
    void (*account)(void *user, const struct store_account_difference *difference);
};

/* What was compared, and how much of it differs. */
struct store_diff {
    int64_t keys[2]; /* of each store */
    int64_t accounts[2];
    int64_t keys_differ;
    int64_t accounts_differ;
};

/*
 * Compare two snapshots: which keys are decided, each key's payload (by its digest), outcome and
 * reason; of each account its state, currency, balance and limit. Not compared: the order, times,
 * places in the log, and repeats. An account that nobody opened is as one that is not there.
 * Memory: some 20 KiB a key segment.
 */
MUST_CHECK enum store_status store_sqlite_diff(struct store *a, struct store *b,
                                               const struct store_diff_visitor *visitor,
                                               struct store_diff *ret, struct error *err);

#endif
