#include "consumer/store_sqlite_internal.h"
#include "consumer/store_statement.h"

#include "common/text.h"
#include "consumer/key_form.h"

#include <string.h>
#include <sysexits.h>

/* Columns of POSTINGS_SQL. */
enum column { SEQ, DECIDED_MS, KEY, OTHER, AMOUNT, BATCH, LEAVES };

/* A payment from an account to itself is never applied. */
static const char postings_sql[] =
    "SELECT d.seq, d.decided_ms, d.key, CASE d.src WHEN ?1 THEN d.dest ELSE d.src END,"
    " d.amount_minor, d.batch, d.src = ?1 FROM decisions d"
    " WHERE d.outcome = 1 AND d.type = 1 AND (d.src = ?1 OR d.dest = ?1)"
    " AND d.seq > (SELECT reset_seq FROM store) ORDER BY d.seq";

static enum store_status find_account(struct store_sqlite *store, const char *name, int64_t *ret_id,
                                      int64_t *ret_balance, struct store_statement *ret,
                                      struct error *err)
{
    sqlite3_stmt *row;
    char escaped[TEXT_ESCAPED_SIZE];
    enum store_status status = sqlite_ask(
        store, "SELECT id, balance_minor, currency FROM accounts WHERE name = ? AND state <> 0",
        name, NULL, &row, err);

    if (status == STORE_OK && sqlite3_data_count(row) == 0) {
        error_set(err, EX_NOINPUT, "%s: there is no account %s", store->path,
                  text_escape(escaped, sizeof(escaped), name, strlen(name)));
        status = STORE_FAILED;
    }
    if (status == STORE_OK) {
        *ret_id = sqlite3_column_int64(row, 0);
        *ret_balance = sqlite3_column_int64(row, 1);
        if (!sqlite_copy_text(row, 2, ret->currency, sizeof(ret->currency))) {
            status = sqlite_damaged(store, "an account's currency", err);
        }
    }
    sqlite3_finalize(row);
    return status;
}

static enum store_status visit_row(struct store_sqlite *store, sqlite3_stmt *row,
                                   store_visit_posting *visit, void *user,
                                   struct store_statement *ret, struct error *err)
{
    char key[PAYMENT_KEY_MAX + 1];
    char other[PAYMENT_ACCOUNT_MAX + 1];
    struct payment_batch batch = {.id = ""};
    const void *form = sqlite3_column_blob(row, KEY);
    int64_t amount = sqlite3_column_int64(row, AMOUNT);
    enum store_status status =
        sqlite_account_name(store, sqlite3_column_int64(row, OTHER), other, err);

    if (status == STORE_OK &&
        (!form || !key_form_text(key, form, (size_t)sqlite3_column_bytes(row, KEY)))) {
        status = sqlite_damaged(store, "a decision that cannot be read", err);
    }
    if (status == STORE_OK && sqlite3_column_type(row, BATCH) != SQLITE_NULL) {
        status = sqlite_batch(store, sqlite3_column_int64(row, BATCH), &batch, err);
    }
    if (status == STORE_OK) {
        const struct store_posting posting = {
            .seq = sqlite3_column_int64(row, SEQ),
            .decided_ms = sqlite3_column_int64(row, DECIDED_MS),
            .key = key,
            .other = other,
            .batch = batch.id,
            .amount_minor = sqlite3_column_int(row, LEAVES) ? -amount : amount,
            .balance_minor = ret->closing_minor,
        };
        ret->postings++;
        visit(user, &posting);
    }
    return status;
}

/* The postings so far sum to closing_minor; those before since_ms to opening_minor. */
static enum store_status take_row(struct store_sqlite *store, sqlite3_stmt *row, int64_t since_ms,
                                  store_visit_posting *visit, void *user,
                                  struct store_statement *ret, struct error *err)
{
    int64_t amount = sqlite3_column_int64(row, AMOUNT);

    if (__builtin_add_overflow(ret->closing_minor,
                               sqlite3_column_int(row, LEAVES) ? -amount : amount,
                               &ret->closing_minor)) {
        return sqlite_damaged(store, "an account's postings", err);
    }
    if (ret->postings == 0 && sqlite3_column_int64(row, DECIDED_MS) < since_ms) {
        ret->opening_minor = ret->closing_minor;
        return STORE_OK;
    }
    return visit_row(store, row, visit, user, ret, err);
}

/* What was forgotten of the account is brought forward. */
static enum store_status bring_forward(struct store_sqlite *store, int64_t id,
                                       struct store_statement *ret, struct error *err)
{
    char sql[128];
    sqlite3_stmt *row;

    sqlite3_snprintf(sizeof(sql), sql,
                     "SELECT high, low FROM forgotten_postings WHERE account = %lld",
                     (long long)id);
    enum store_status status = sqlite_ask(store, sql, NULL, NULL, &row, err);
    if (status == STORE_OK && sqlite3_data_count(row) > 0 &&
        (__builtin_mul_overflow(sqlite3_column_int64(row, 0), MONEY_SUM_BASE,
                                &ret->opening_minor) ||
         __builtin_add_overflow(ret->opening_minor, sqlite3_column_int64(row, 1),
                                &ret->opening_minor))) {
        error_set(err, EX_IOERR, "%s: what was forgotten of the account is too much for 64 bits",
                  store->path);
        status = STORE_FAILED;
    }
    ret->closing_minor = ret->opening_minor;
    sqlite3_finalize(row);
    return status;
}

enum store_status store_sqlite_statement(struct store *base, const char *account, int64_t since_ms,
                                         store_visit_posting *visit, void *user,
                                         struct store_statement *ret, struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    sqlite3_stmt *row = NULL;
    int64_t id = 0;
    int64_t balance = 0;

    *ret = (struct store_statement){.postings = 0};
    enum store_status status = find_account(store, account, &id, &balance, ret, err);
    int code = SQLITE_ERROR;
    if (status == STORE_OK) {
        status = bring_forward(store, id, ret, err);
    }
    if (status == STORE_OK) {
        code = sqlite3_prepare_v2(store->db, postings_sql, -1, &row, NULL);
        code = code == SQLITE_OK ? sqlite3_bind_int64(row, 1, id) : code;
    }
    while (status == STORE_OK && (code == SQLITE_OK || code == SQLITE_ROW)) {
        code = sqlite3_step(row);
        if (code == SQLITE_ROW) {
            status = take_row(store, row, since_ms, visit, user, ret, err);
        }
    }
    if (status == STORE_OK && code != SQLITE_DONE) {
        status = sqlite_failed(store, "statement", err);
    }
    if (status == STORE_OK && ret->closing_minor != balance) {
        status = sqlite_damaged(
            store, "an account's postings do not give its balance: payd verify says more", err);
    }
    sqlite3_finalize(row);
    return status;
}
