/*
 * Both stores' keys come in the order of their stored forms, and both stores' accounts in that of
 * their names: they are compared side by side.
 */
#include "consumer/store_diff.h"
#include "consumer/store_sqlite_merge.h"

#include <string.h>

/* One of the stores. */
struct side {
    struct store_sqlite *store;
    struct sqlite_merge *merge;
    struct sqlite_merged key; /* the current one; form NULL at the end */
    sqlite3_stmt *brief;      /* of a seq: digest, outcome, reason */
    sqlite3_stmt *whole;      /* of a seq: DECISION_COLUMNS */
    sqlite3_stmt *accounts;
    struct store_account account; /* the current one; name NULL at the end */
};

struct diffing {
    struct side a;
    struct side b;
    const struct store_diff_visitor *visitor;
    struct store_diff *ret;
};

/* ---- a side ---- */

static enum store_status prepare(struct side *side, const char *sql, sqlite3_stmt **ret,
                                 struct error *err)
{
    return sqlite3_prepare_v2(side->store->db, sql, -1, ret, NULL) == SQLITE_OK
               ? STORE_OK
               : sqlite_failed(side->store, "diff", err);
}

static enum store_status open_side(struct side *side, struct store *store, struct error *err)
{
    int64_t segments = 0;

    side->store = sqlite_of(store);
    enum store_status status =
        sqlite_ask_int(side->store, "SELECT count(*) + 1 FROM segments", &segments, err);
    if (status == STORE_OK) {
        status = sqlite_merge_open(&side->merge, side->store, segments, err);
    }
    if (status == STORE_OK) {
        status = prepare(side, "SELECT digest, outcome, reason FROM decisions WHERE seq = ?",
                         &side->brief, err);
    }
    if (status == STORE_OK) {
        status = prepare(side, "SELECT" DECISION_COLUMNS "FROM decisions d WHERE d.seq = ?",
                         &side->whole, err);
    }
    return status == STORE_OK
               ? prepare(side,
                         "SELECT name, state, currency, balance_minor, min_minor FROM accounts"
                         " WHERE state <> 0 ORDER BY name",
                         &side->accounts, err)
               : status;
}

static void close_side(struct side *side)
{
    sqlite_merge_close(side->merge);
    sqlite3_finalize(side->brief);
    sqlite3_finalize(side->whole);
    sqlite3_finalize(side->accounts);
}

/* A decision by one of the prepared statements, which the caller resets. */
static enum store_status find(struct side *side, sqlite3_stmt *statement, struct error *err)
{
    sqlite3_bind_int64(statement, 1, side->key.seq);
    int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) {
        return sqlite_damaged(side->store, "a key without its decision", err);
    }
    return code == SQLITE_ROW ? STORE_OK : sqlite_failed(side->store, "diff", err);
}

static enum store_status read_record(struct side *side, struct outcome_record *ret,
                                     struct error *err)
{
    enum store_status status = find(side, side->whole, err);

    if (status == STORE_OK) {
        status = sqlite_read_decision(side->store, side->whole, ret, err);
    }
    sqlite3_reset(side->whole);
    return status;
}

/* ---- keys ---- */

static enum store_status next_key(struct side *side, int64_t *count, struct error *err)
{
    enum store_status status = sqlite_merge_next(side->merge, &side->key, err);

    *count += status == STORE_OK && side->key.form;
    return status;
}

static enum store_status tell_key(struct diffing *diffing, bool in_a, bool in_b, struct error *err)
{
    struct outcome_record a;
    struct outcome_record b;
    enum store_status status = in_a ? read_record(&diffing->a, &a, err) : STORE_OK;

    if (status == STORE_OK && in_b) {
        status = read_record(&diffing->b, &b, err);
    }
    if (status == STORE_OK) {
        const struct store_key_difference difference = {in_a ? a.key : b.key, in_a ? &a : NULL,
                                                        in_b ? &b : NULL};
        diffing->ret->keys_differ++;
        diffing->visitor->key(diffing->visitor->user, &difference);
    }
    return status;
}

/* Both have decided the key. */
static enum store_status compare_decisions(struct diffing *diffing, struct error *err)
{
    sqlite3_stmt *a = diffing->a.brief;
    sqlite3_stmt *b = diffing->b.brief;
    bool same = false;
    enum store_status status = find(&diffing->a, a, err);

    if (status == STORE_OK) {
        status = find(&diffing->b, b, err);
    }
    if (status == STORE_OK) {
        int len = sqlite3_column_bytes(a, 0);
        same = len == sqlite3_column_bytes(b, 0) &&
               memcmp(sqlite3_column_blob(a, 0), sqlite3_column_blob(b, 0), (size_t)len) == 0 &&
               sqlite3_column_int(a, 1) == sqlite3_column_int(b, 1) &&
               sqlite3_column_int(a, 2) == sqlite3_column_int(b, 2);
    }
    sqlite3_reset(a);
    sqlite3_reset(b);
    return status == STORE_OK && !same ? tell_key(diffing, true, true, err) : status;
}

/* Below 0 when a's comes first, 0 for the same; the end comes last. */
static int order_of_keys(const struct sqlite_merged *a, const struct sqlite_merged *b)
{
    if (!a->form || !b->form) {
        return a->form ? -1 : 1;
    }
    return sqlite_compare_forms(a->form, a->form_len, b->form, b->form_len);
}

static enum store_status compare_keys(struct diffing *diffing, struct error *err)
{
    int64_t *counts = diffing->ret->keys;
    enum store_status status = next_key(&diffing->a, &counts[0], err);

    if (status == STORE_OK) {
        status = next_key(&diffing->b, &counts[1], err);
    }
    while (status == STORE_OK && (diffing->a.key.form || diffing->b.key.form)) {
        int order = order_of_keys(&diffing->a.key, &diffing->b.key);
        status = order == 0 ? compare_decisions(diffing, err)
                            : tell_key(diffing, order <= 0, order >= 0, err);
        if (status == STORE_OK && order <= 0) {
            status = next_key(&diffing->a, &counts[0], err);
        }
        if (status == STORE_OK && order >= 0) {
            status = next_key(&diffing->b, &counts[1], err);
        }
    }
    return status;
}

/* ---- accounts ---- */

static enum store_status next_account(struct side *side, int64_t *count, struct error *err)
{
    sqlite3_stmt *row = side->accounts;
    int code = sqlite3_step(row);

    side->account = (struct store_account){.name = NULL};
    if (code == SQLITE_DONE) {
        return STORE_OK;
    }
    if (code != SQLITE_ROW) {
        return sqlite_failed(side->store, "diff", err);
    }
    *count += 1;
    side->account.name = (const char *)sqlite3_column_text(row, 0);
    side->account.state = (enum account_state)sqlite3_column_int(row, 1);
    side->account.balance_minor = sqlite3_column_int64(row, 3);
    side->account.has_min = sqlite3_column_type(row, 4) != SQLITE_NULL;
    side->account.min_minor = sqlite3_column_int64(row, 4);
    return side->account.name &&
                   sqlite_copy_text(row, 2, side->account.currency, sizeof(side->account.currency))
               ? STORE_OK
               : sqlite_damaged(side->store, "an account that cannot be read", err);
}

static bool same_account(const struct store_account *a, const struct store_account *b)
{
    return a->state == b->state && strcmp(a->currency, b->currency) == 0 &&
           a->balance_minor == b->balance_minor && a->has_min == b->has_min &&
           a->min_minor == b->min_minor;
}

static void tell_account(struct diffing *diffing, bool in_a, bool in_b)
{
    const struct store_account_difference difference = {in_a ? &diffing->a.account : NULL,
                                                        in_b ? &diffing->b.account : NULL};

    diffing->ret->accounts_differ++;
    diffing->visitor->account(diffing->visitor->user, &difference);
}

static int order_of_accounts(const struct store_account *a, const struct store_account *b)
{
    if (!a->name || !b->name) {
        return a->name ? -1 : 1;
    }
    return strcmp(a->name, b->name);
}

static enum store_status compare_accounts(struct diffing *diffing, struct error *err)
{
    int64_t *counts = diffing->ret->accounts;
    struct side *a = &diffing->a;
    struct side *b = &diffing->b;
    enum store_status status = next_account(a, &counts[0], err);

    if (status == STORE_OK) {
        status = next_account(b, &counts[1], err);
    }
    while (status == STORE_OK && (a->account.name || b->account.name)) {
        int order = order_of_accounts(&a->account, &b->account);
        if (order != 0 || !same_account(&a->account, &b->account)) {
            tell_account(diffing, order <= 0, order >= 0);
        }
        if (order <= 0) {
            status = next_account(a, &counts[0], err);
        }
        if (status == STORE_OK && order >= 0) {
            status = next_account(b, &counts[1], err);
        }
    }
    return status;
}

enum store_status store_sqlite_diff(struct store *a, struct store *b,
                                    const struct store_diff_visitor *visitor,
                                    struct store_diff *ret, struct error *err)
{
    struct diffing diffing = {.visitor = visitor, .ret = ret};

    *ret = (struct store_diff){.keys_differ = 0};
    enum store_status status = open_side(&diffing.a, a, err);
    if (status == STORE_OK) {
        status = open_side(&diffing.b, b, err);
    }
    if (status == STORE_OK) {
        status = compare_keys(&diffing, err);
    }
    if (status == STORE_OK) {
        status = compare_accounts(&diffing, err);
    }
    close_side(&diffing.a);
    close_side(&diffing.b);
    return status;
}
