/*
 * The decisions of old keys go, each with its key, and what followed from them is added to the sums
 * of what was forgotten before.
 */
#include "consumer/store_sqlite_purge.h"

#include <stdlib.h>
#include <string.h>

/* Columns of PURGE_NEXT_DECISIONS. */
enum column {
    SEQ,
    KEY,
    TYPE,
    SRC,
    DEST,
    AMOUNT,
    CURRENCY,
    OUTCOME,
    REASON,
    DIGEST,
    DECIDED_MS,
    HELD,
    OLD,
};

static void bind_key(sqlite3_stmt *query, int place, sqlite3_stmt *row)
{
    sqlite3_bind_blob(query, place, sqlite3_column_blob(row, KEY), sqlite3_column_bytes(row, KEY),
                      SQLITE_STATIC);
}

static enum store_status save_segment(struct store_purge *purge, struct error *err)
{
    struct purge_gone *now = &purge->now;
    sqlite3_stmt *query = purge->queries[PURGE_SET_KEYS];
    unsigned char checksum[KEY_HASH_SIZE];

    if (now->segment == 0) {
        return STORE_OK;
    }
    enum store_status status = sqlite_add_forgotten_keys(
        purge->store, now->segment, &now->segment_keys, &now->segment_sum, err);
    if (status == STORE_OK) {
        key_hash_store(checksum, now->segment_sum);
        sqlite3_bind_int64(query, 1, now->segment);
        sqlite3_bind_int64(query, 2, now->segment_keys);
        sqlite3_bind_blob(query, 3, checksum, KEY_HASH_SIZE, SQLITE_STATIC);
        status = purge_run(purge, PURGE_SET_KEYS, err);
    }
    now->segment = 0;
    return status;
}

/* The current segment has one key less; a sealed one has lost it. */
static enum store_status note_segment(struct store_purge *purge, int64_t segment,
                                      struct key_hash hash, struct error *err)
{
    struct purge_gone *now = &purge->now;
    enum store_status status = STORE_OK;

    purge->segment = segment;
    if (segment == purge->store->keys.current) {
        purge->store->keys.count--;
        return STORE_OK;
    }
    if (now->segment != segment) {
        status = save_segment(purge, err);
        now->segment = segment;
        now->segment_keys = 0;
        now->segment_sum = (struct key_hash){0, 0};
    }
    now->segment_keys++;
    key_hash_add(&now->segment_sum, hash);
    return status;
}

static enum store_status forget_key(struct store_purge *purge, sqlite3_stmt *row, struct error *err)
{
    const int64_t segments = purge->store->keys.current;
    sqlite3_stmt *query = purge->queries[PURGE_FORGET_KEY];

    bind_key(query, 2, row);
    sqlite3_bind_int64(query, 3, sqlite3_column_int64(row, SEQ));
    for (int64_t i = 0; i < segments; i++) {
        int64_t segment = (purge->segment - 1 + i) % segments + 1;
        sqlite3_bind_int64(query, 1, segment);
        enum store_status status = purge_run(purge, PURGE_FORGET_KEY, err);
        if (status != STORE_OK) {
            return status;
        }
        if (sqlite3_changes(purge->store->db) == 1) {
            struct key_hash hash =
                key_hash(sqlite3_column_blob(row, KEY), (size_t)sqlite3_column_bytes(row, KEY));
            return note_segment(purge, segment, hash, err);
        }
    }
    return sqlite_damaged(purge->store, "a decision that its key does not lead to", err);
}

static enum store_status forget_count(struct store_purge *purge, sqlite3_stmt *row,
                                      struct error *err)
{
    sqlite3_stmt *query = purge->queries[PURGE_FORGET_COUNT];
    bool has_row = true;
    enum store_status status = STORE_OK;

    bind_key(query, 1, row);
    while (status == STORE_OK && has_row) {
        status = purge_row(purge, PURGE_FORGET_COUNT, &has_row, err);
        if (status == STORE_OK && has_row) {
            purge->now.repeats += sqlite3_column_int64(query, 0);
        }
    }
    sqlite3_reset(query);
    return status;
}

static struct store_currency *total_of(struct purge_gone *now, const char *currency)
{
    size_t at = 0;

    while (at < now->total_count && strcmp(now->totals[at].currency, currency) != 0) {
        at++;
    }
    if (at == now->total_count) {
        if (at == PURGE_CURRENCIES_MAX || strlen(currency) >= MONEY_CURRENCY_SIZE) {
            return NULL;
        }
        now->totals[now->total_count++] = (struct store_currency){.applied = 0};
        memcpy(now->totals[at].currency, currency, strlen(currency) + 1);
    }
    return &now->totals[at];
}

/* Two postings, and a part of the total. */
static enum store_status note_payment(struct store_purge *purge, sqlite3_stmt *row,
                                      struct error *err)
{
    struct purge_gone *now = &purge->now;
    int64_t amount = sqlite3_column_int64(row, AMOUNT);
    const char *currency = (const char *)sqlite3_column_text(row, CURRENCY);
    struct store_currency *total = currency ? total_of(now, currency) : NULL;

    if (!total) {
        return sqlite_damaged(purge->store, "a payment's currency", err);
    }
    total->applied++;
    money_sum_add(&total->total, amount);
    now->postings[now->posting_count++] =
        (struct purge_posting){sqlite3_column_int64(row, SRC), -amount};
    now->postings[now->posting_count++] =
        (struct purge_posting){sqlite3_column_int64(row, DEST), amount};
    return STORE_OK;
}

static enum store_status note_decision(struct store_purge *purge, sqlite3_stmt *row,
                                       struct error *err)
{
    struct purge_gone *now = &purge->now;
    enum outcome outcome = (enum outcome)sqlite3_column_int(row, OUTCOME);

    if (sqlite3_column_bytes(row, DIGEST) != DIGEST_SHORT_SIZE) {
        return sqlite_damaged(purge->store, "a decision that cannot be read", err);
    }
    key_hash_add(&purge->gone, decision_hash(sqlite3_column_blob(row, KEY),
                                             (size_t)sqlite3_column_bytes(row, KEY),
                                             sqlite3_column_blob(row, DIGEST), outcome,
                                             (enum reason)sqlite3_column_int(row, REASON)));
    now->seqs[now->count++] = sqlite3_column_int64(row, SEQ);
    now->applied += outcome == OUTCOME_APPLIED;
    now->rejected += outcome == OUTCOME_REJECTED;
    return outcome == OUTCOME_APPLIED && sqlite3_column_int(row, TYPE) == COMMAND_PAYMENT &&
                   sqlite3_column_int64(row, SEQ) > purge->reset_seq
               ? note_payment(purge, row, err)
               : STORE_OK;
}

static enum store_status forget_row(struct store_purge *purge, sqlite3_stmt *row, struct error *err)
{
    enum store_status status = forget_key(purge, row, err);

    if (status == STORE_OK) {
        status = forget_count(purge, row, err);
    }
    return status == STORE_OK ? note_decision(purge, row, err) : status;
}

/* How the rows of a step went. */
struct looked {
    int64_t cursor;
    int64_t rows;
    int64_t before_floor;
    int64_t ageless;
    int64_t retained;
};

static enum store_status look_at_decisions(struct store_purge *purge, struct looked *ret,
                                           struct error *err)
{
    sqlite3_stmt *row = purge->queries[PURGE_NEXT_DECISIONS];
    enum store_status status = STORE_OK;
    bool has_row = true;

    purge_bind_held(purge, PURGE_NEXT_DECISIONS);
    sqlite3_bind_int64(row, 4, purge->cursor);
    sqlite3_bind_int(row, 5, STORE_PURGE_ROWS);
    while (status == STORE_OK && has_row) {
        status = purge_row(purge, PURGE_NEXT_DECISIONS, &has_row, err);
        if (status != STORE_OK || !has_row) {
            break;
        }
        bool is_before = sqlite3_column_int64(row, DECIDED_MS) < purge->purged.floor_ms;
        bool is_old = sqlite3_column_int(row, OLD) != 0;
        bool is_held = sqlite3_column_int(row, HELD) != 0;
        ret->cursor = sqlite3_column_int64(row, SEQ);
        ret->rows++;
        ret->before_floor += is_before;
        ret->ageless += is_before && !is_old;
        ret->retained += is_before && is_old && is_held;
        if (is_old && !is_held) {
            status = forget_row(purge, row, err);
        }
    }
    sqlite3_reset(row);
    return status;
}

static int compare_postings(const void *a, const void *b)
{
    const struct purge_posting *left = a;
    const struct purge_posting *right = b;

    return (left->account > right->account) - (left->account < right->account);
}

static enum store_status add_postings(struct store_purge *purge, int64_t account,
                                      struct money_sum sum, struct error *err)
{
    sqlite3_stmt *find = purge->queries[PURGE_FIND_POSTINGS];
    sqlite3_stmt *set = purge->queries[PURGE_SET_POSTINGS];
    bool has_row;

    sqlite3_bind_int64(find, 1, account);
    enum store_status status = purge_row(purge, PURGE_FIND_POSTINGS, &has_row, err);
    if (status == STORE_OK && has_row) {
        sum.high += sqlite3_column_int64(find, 0);
        money_sum_add(&sum, sqlite3_column_int64(find, 1));
    }
    sqlite3_reset(find);
    sqlite3_bind_int64(set, 1, account);
    sqlite3_bind_int64(set, 2, sum.high);
    sqlite3_bind_int64(set, 3, sum.low);
    return status == STORE_OK ? purge_run(purge, PURGE_SET_POSTINGS, err) : status;
}

/* Each account once. */
static enum store_status save_postings(struct store_purge *purge, struct error *err)
{
    struct purge_gone *now = &purge->now;
    enum store_status status = STORE_OK;

    qsort(now->postings, now->posting_count, sizeof(*now->postings), compare_postings);
    for (size_t from = 0, to; status == STORE_OK && from < now->posting_count; from = to) {
        int64_t account = now->postings[from].account;
        struct money_sum sum = {0, 0};
        for (to = from; to < now->posting_count && now->postings[to].account == account; to++) {
            money_sum_add(&sum, now->postings[to].amount_minor);
        }
        status = add_postings(purge, account, sum, err);
    }
    return status;
}

static enum store_status add_total(struct store_purge *purge, const struct store_currency *more,
                                   struct error *err)
{
    sqlite3_stmt *find = purge->queries[PURGE_FIND_TOTAL];
    sqlite3_stmt *set = purge->queries[PURGE_SET_TOTAL];
    struct money_sum total = more->total;
    int64_t applied = more->applied;
    bool has_row;

    sqlite3_bind_text(find, 1, more->currency, -1, SQLITE_STATIC);
    enum store_status status = purge_row(purge, PURGE_FIND_TOTAL, &has_row, err);
    if (status == STORE_OK && has_row) {
        applied += sqlite3_column_int64(find, 0);
        total.high += sqlite3_column_int64(find, 1);
        money_sum_add(&total, sqlite3_column_int64(find, 2));
    }
    sqlite3_reset(find);
    sqlite3_bind_text(set, 1, more->currency, -1, SQLITE_STATIC);
    sqlite3_bind_int64(set, 2, applied);
    sqlite3_bind_int64(set, 3, total.high);
    sqlite3_bind_int64(set, 4, total.low);
    return status == STORE_OK ? purge_run(purge, PURGE_SET_TOTAL, err) : status;
}

static enum store_status save_sums(struct store_purge *purge, struct error *err)
{
    struct purge_gone *now = &purge->now;
    sqlite3_stmt *query = purge->queries[PURGE_SET_FORGOTTEN];
    unsigned char digest[KEY_HASH_SIZE];
    enum store_status status = save_postings(purge, err);

    for (size_t i = 0; status == STORE_OK && i < now->total_count; i++) {
        status = add_total(purge, &now->totals[i], err);
    }
    key_hash_store(digest, purge->gone);
    sqlite3_bind_int64(query, 1, now->applied);
    sqlite3_bind_int64(query, 2, now->rejected);
    sqlite3_bind_int64(query, 3, now->repeats);
    sqlite3_bind_blob(query, 4, digest, sizeof(digest), SQLITE_STATIC);
    return status == STORE_OK ? purge_run(purge, PURGE_SET_FORGOTTEN, err) : status;
}

/* What the rows have left to do, once they are no longer read. */
static enum store_status save_gone(struct store_purge *purge, struct error *err)
{
    enum store_status status = save_segment(purge, err);

    for (size_t i = 0; status == STORE_OK && i < purge->now.count; i++) {
        sqlite3_bind_int64(purge->queries[PURGE_FORGET_DECISION], 1, purge->now.seqs[i]);
        status = purge_run(purge, PURGE_FORGET_DECISION, err);
    }
    return status == STORE_OK && purge->now.count > 0 ? save_sums(purge, err) : status;
}

static void clear_gone(struct purge_gone *now)
{
    now->count = 0;
    now->posting_count = 0;
    now->total_count = 0;
    now->applied = 0;
    now->rejected = 0;
    now->repeats = 0;
    now->segment = 0;
}

enum store_status purge_decisions(struct store_purge *purge, struct error *err)
{
    struct store *base = &purge->store->base;
    struct looked looked = {.cursor = purge->cursor};
    enum store_status status = base->ops->begin(base, err);

    clear_gone(&purge->now);
    if (status == STORE_OK) {
        status = purge_note_held(purge, err);
    }
    if (status == STORE_OK) {
        status = look_at_decisions(purge, &looked, err);
    }
    if (status == STORE_OK) {
        status = save_gone(purge, err);
    }
    status = sqlite_end(base, status, err);
    if (status != STORE_OK) {
        purge->gone = purge->committed_gone;
        purge->held_seq = 0;
        return status;
    }
    purge->committed_gone = purge->gone;
    purge->cursor = looked.cursor;
    purge->purged.keys += (int64_t)purge->now.count;
    purge->purged.ageless += looked.ageless;
    purge->purged.retained += looked.retained;
    if (looked.before_floor == 0) { /* decisions come in the order of their time */
        purge->stage = PURGE_STAGE_DONE;
    }
    return STORE_OK;
}
