/*
 * Decisions, and what follows from them: balances, totals and the digest. One pass over the
 * decisions, in their order, with all accounts in memory.
 */
#include "consumer/store_sqlite_verify.h"

#include "common/command_digest.h"
#include "common/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* ---- accounts ---- */

static enum store_status on_account(struct verify *verify, sqlite3_stmt *row, struct error *err)
{
    int64_t id = sqlite3_column_int64(row, 0);

    (void)err;
    if (id < 1 || (size_t)id > verify->account_count) {
        verify_found(verify, STORE_CHECK_ACCOUNTS, "account number %" PRId64 " is none of %zu", id,
                     verify->account_count);
        return STORE_OK;
    }
    struct verify_account *account = &verify->accounts[id - 1];
    account->balance_minor = sqlite3_column_int64(row, 1);
    if (sqlite3_column_type(row, 2) != SQLITE_NULL &&
        !sqlite_copy_text(row, 2, account->currency, sizeof(account->currency))) {
        verify_found(verify, STORE_CHECK_ACCOUNTS, "account number %" PRId64 " has no currency",
                     id);
    }
    return STORE_OK;
}

static enum store_status load_accounts(struct verify *verify, struct error *err)
{
    int64_t count = 0;

    if (sqlite_ask_int(verify->store, "SELECT count(*) FROM accounts", &count, err) != STORE_OK) {
        return verify_damage(verify, STORE_CHECK_ACCOUNTS, err);
    }
    verify->accounts = calloc((size_t)count + 1, sizeof(*verify->accounts));
    if (!verify->accounts) {
        error_set(err, EX_OSERR, "out of memory for %" PRId64 " accounts", count);
        return STORE_FAILED;
    }
    verify->account_count = (size_t)count;
    return verify_rows(verify, STORE_CHECK_ACCOUNTS,
                       "SELECT id, balance_minor, currency FROM accounts ORDER BY id", on_account,
                       err);
}

/* ---- currencies ---- */

/* The sums of a currency; NULL when there are more than there can be. */
static struct store_currency *currency_of(struct verify *verify, const char *code)
{
    for (size_t i = 0; i < verify->currency_count; i++) {
        if (strcmp(verify->currencies[i].currency, code) == 0) {
            return &verify->currencies[i];
        }
    }
    if (verify->currency_count == VERIFY_CURRENCIES_MAX) {
        return NULL;
    }
    struct store_currency *currency = &verify->currencies[verify->currency_count++];
    memcpy(currency->currency, code, MONEY_CURRENCY_SIZE);
    return currency;
}

/* ---- what was forgotten ---- */

static enum store_status on_forgotten(struct verify *verify, sqlite3_stmt *row, struct error *err)
{
    (void)err;
    verify->counts[OUTCOME_APPLIED] = sqlite3_column_int64(row, 0);
    verify->counts[OUTCOME_REJECTED] = sqlite3_column_int64(row, 1);
    if (sqlite3_column_bytes(row, 2) == KEY_HASH_SIZE) {
        memcpy(verify->proof->digest, sqlite3_column_blob(row, 2), KEY_HASH_SIZE);
    }
    return STORE_OK;
}

static enum store_status on_forgotten_postings(struct verify *verify, sqlite3_stmt *row,
                                               struct error *err)
{
    int64_t id = sqlite3_column_int64(row, 0);

    (void)err;
    if (id < 1 || (size_t)id > verify->account_count) {
        verify_found(verify, STORE_CHECK_ACCOUNTS,
                     "account number %" PRId64 " was forgotten, but is none", id);
        return STORE_OK;
    }
    verify->accounts[id - 1].postings =
        (struct money_sum){sqlite3_column_int64(row, 1), sqlite3_column_int64(row, 2)};
    return STORE_OK;
}

static enum store_status on_forgotten_total(struct verify *verify, sqlite3_stmt *row,
                                            struct error *err)
{
    const char *code = (const char *)sqlite3_column_text(row, 0);
    struct store_currency *currency =
        code && strlen(code) == MONEY_CURRENCY_SIZE - 1 ? currency_of(verify, code) : NULL;

    (void)err;
    if (!currency) {
        verify_found(verify, STORE_CHECK_CURRENCIES, "a forgotten total has no currency");
        return STORE_OK;
    }
    currency->applied = sqlite3_column_int64(row, 1);
    currency->total =
        (struct money_sum){sqlite3_column_int64(row, 2), sqlite3_column_int64(row, 3)};
    return STORE_OK;
}

/* The sums begin with what purges have forgotten. */
static enum store_status load_forgotten(struct verify *verify, struct error *err)
{
    enum store_status status =
        verify_faults(verify, STORE_CHECK_DECISIONS,
                      "SELECT applied, rejected, digest FROM forgotten", on_forgotten, err);

    if (status == STORE_OK) {
        status = verify_faults(verify, STORE_CHECK_ACCOUNTS,
                               "SELECT account, high, low FROM forgotten_postings",
                               on_forgotten_postings, err);
    }
    return status == STORE_OK
               ? verify_faults(verify, STORE_CHECK_CURRENCIES,
                               "SELECT currency, applied, high, low FROM forgotten_totals",
                               on_forgotten_total, err)
               : status;
}

/* ---- decisions ---- */

/* One posting: to an account in the payment's currency. */
static void post(struct verify *verify, const struct payment *payment, const char *name, int64_t id,
                 int64_t amount_minor)
{
    char key[TEXT_ESCAPED_SIZE];
    char account[TEXT_ESCAPED_SIZE];

    if (id < 1 || (size_t)id > verify->account_count ||
        strcmp(verify->accounts[id - 1].currency, payment->currency) != 0) {
        verify_found(verify, STORE_CHECK_ACCOUNTS, "%s: paid in %s, but account %s is not",
                     text_escape(key, sizeof(key), payment->key, strlen(payment->key)),
                     payment->currency, text_escape(account, sizeof(account), name, strlen(name)));
        return;
    }
    money_sum_add(&verify->accounts[id - 1].postings, amount_minor);
}

static void post_payment(struct verify *verify, sqlite3_stmt *row, const struct payment *payment)
{
    char key[TEXT_ESCAPED_SIZE];
    struct store_currency *currency = currency_of(verify, payment->currency);

    if (payment->amount_minor < 1 || payment->amount_minor > MONEY_MAX_MINOR || !currency) {
        verify_found(verify, STORE_CHECK_DECISIONS,
                     "%s: applied with an amount or a currency that cannot be",
                     text_escape(key, sizeof(key), payment->key, strlen(payment->key)));
        return;
    }
    currency->applied++;
    money_sum_add(&currency->total, payment->amount_minor);
    post(verify, payment, payment->src, sqlite3_column_int64(row, DECISION_SRC),
         -payment->amount_minor);
    post(verify, payment, payment->dest, sqlite3_column_int64(row, DECISION_DEST),
         payment->amount_minor);
}

static enum store_status check_digest(struct verify *verify, const struct outcome_record *record,
                                      struct error *err)
{
    unsigned char digest[DIGEST_SHORT_SIZE];
    char key[TEXT_ESCAPED_SIZE];

    if (command_digest(verify->digest, &record->first.command, digest, err) != 0) {
        return STORE_FAILED;
    }
    if (memcmp(digest, record->digest, sizeof(digest)) != 0) {
        verify_found(verify, STORE_CHECK_DECISIONS,
                     "%s: its payload is not the one that was decided (seq %" PRId64 ")",
                     text_escape(key, sizeof(key), record->key, strlen(record->key)), record->seq);
    }
    return STORE_OK;
}

static enum store_status on_decision(struct verify *verify, sqlite3_stmt *row, struct error *err)
{
    struct outcome_record record;
    enum store_status status = sqlite_read_decision(verify->store, row, &record, err);

    if (status != STORE_OK) {
        return verify_damage(verify, STORE_CHECK_DECISIONS, err);
    }
    const void *form = sqlite3_column_blob(row, DECISION_KEY);
    size_t form_len = (size_t)sqlite3_column_bytes(row, DECISION_KEY);
    struct key_hash sum = key_hash_load(verify->proof->digest);
    key_hash_add(&sum,
                 decision_hash(form, form_len, record.digest, record.verdict, record.first.reason));
    key_hash_store(verify->proof->digest, sum);
    key_hash_add(&verify->decisions, verify_key_hash(form, form_len, record.seq));
    verify->counts[record.verdict]++;
    verify_seen(verify, sqlite3_column_int64(row, DECISION_LOG), record.origin.partition,
                record.origin.offset);
    if (record.verdict == OUTCOME_APPLIED && record.first.command.type == COMMAND_PAYMENT &&
        record.seq > verify->reset_seq) {
        post_payment(verify, row, &record.first.command.payment);
    }
    return check_digest(verify, &record, err);
}

static enum store_status on_digest(struct verify *verify, sqlite3_stmt *row, struct error *err)
{
    (void)err;
    if (sqlite3_column_bytes(row, 0) != KEY_HASH_SIZE ||
        memcmp(sqlite3_column_blob(row, 0), verify->proof->digest, KEY_HASH_SIZE) != 0) {
        verify_found(verify, STORE_CHECK_DECISIONS,
                     "all decisions together are not those that were made: one is missing, or was "
                     "changed");
    }
    return STORE_OK;
}

/* ---- what follows ---- */

static enum store_status on_balance(struct verify *verify, sqlite3_stmt *row, struct error *err)
{
    int64_t id = sqlite3_column_int64(row, 0);
    const char *name = (const char *)sqlite3_column_text(row, 1);
    char account[TEXT_ESCAPED_SIZE];
    char balance[MONEY_TEXT_SIZE];
    char postings[MONEY_TEXT_SIZE];

    (void)err;
    if (id < 1 || (size_t)id > verify->account_count) {
        return STORE_OK; /* found before */
    }
    const struct verify_account *known = &verify->accounts[id - 1];
    struct money_sum sum = {0, 0};
    if (known->balance_minor != INT64_MIN) {
        money_sum_add(&sum, known->balance_minor);
    }
    if (sum.high != known->postings.high || sum.low != known->postings.low) {
        verify_found(
            verify, STORE_CHECK_ACCOUNTS,
            "account %s: its balance is %s, its postings sum to %s %s",
            text_escape(account, sizeof(account), name ? name : "", name ? strlen(name) : 0),
            money_sum_format(balance, &sum, known->currency),
            money_sum_format(postings, &known->postings, known->currency), known->currency);
    }
    struct store_currency *currency =
        known->currency[0] ? currency_of(verify, known->currency) : NULL;
    if (currency && known->balance_minor != INT64_MIN) {
        money_sum_add(&currency->balances, known->balance_minor);
    }
    return STORE_OK;
}

static enum store_status on_total(struct verify *verify, sqlite3_stmt *row, struct error *err)
{
    const char *code = (const char *)sqlite3_column_text(row, 0);
    char total[MONEY_TEXT_SIZE];
    char payments[MONEY_TEXT_SIZE];

    (void)err;
    if (!code || strlen(code) != MONEY_CURRENCY_SIZE - 1) {
        verify_found(verify, STORE_CHECK_CURRENCIES, "a total has no currency");
        return STORE_OK;
    }
    struct store_currency *currency = currency_of(verify, code);
    struct money_sum stored = {sqlite3_column_int64(row, 2), sqlite3_column_int64(row, 3)};
    if (!currency || currency->applied != sqlite3_column_int64(row, 1) ||
        currency->total.high != stored.high || currency->total.low != stored.low) {
        verify_found(verify, STORE_CHECK_CURRENCIES,
                     "%s: the total is %s of %lld payments, the payments sum to %s of %" PRId64,
                     code, money_sum_format(total, &stored, code), sqlite3_column_int64(row, 1),
                     currency ? money_sum_format(payments, &currency->total, code) : "?",
                     currency ? currency->applied : 0);
    }
    if (currency) {
        currency->total = (struct money_sum){0, 0}; /* done */
    }
    return STORE_OK;
}

static void check_currencies(struct verify *verify)
{
    char sum[MONEY_TEXT_SIZE];

    for (size_t i = 0; i < verify->currency_count; i++) {
        const struct store_currency *currency = &verify->currencies[i];
        verify->proof->looked_at[STORE_CHECK_CURRENCIES]++;
        if (currency->balances.high != 0 || currency->balances.low != 0) {
            verify_found(verify, STORE_CHECK_CURRENCIES, "%s: all balances sum to %s, not to zero",
                         currency->currency,
                         money_sum_format(sum, &currency->balances, currency->currency));
        }
        if (currency->total.high != 0 || currency->total.low != 0) {
            verify_found(verify, STORE_CHECK_CURRENCIES, "%s: was paid, but has no total",
                         currency->currency);
        }
    }
}

enum store_status verify_books(struct verify *verify, struct error *err)
{
    enum store_status status = load_accounts(verify, err);

    if (status == STORE_OK && sqlite_ask_int(verify->store, "SELECT reset_seq FROM store",
                                             &verify->reset_seq, err) != STORE_OK) {
        status = verify_damage(verify, STORE_CHECK_DECISIONS, err);
    }
    if (status == STORE_OK) {
        status = load_forgotten(verify, err);
    }
    if (status == STORE_OK) {
        status = verify_rows(verify, STORE_CHECK_DECISIONS,
                             "SELECT" DECISION_COLUMNS "FROM decisions d ORDER BY d.seq",
                             on_decision, err);
    }
    if (status == STORE_OK) {
        status = verify_faults(verify, STORE_CHECK_DECISIONS, "SELECT decisions_digest FROM store",
                               on_digest, err);
    }
    if (status == STORE_OK) {
        status = verify_faults(verify, STORE_CHECK_ACCOUNTS,
                               "SELECT id, name FROM accounts ORDER BY id", on_balance, err);
    }
    if (status == STORE_OK) {
        status = verify_faults(verify, STORE_CHECK_CURRENCIES,
                               "SELECT currency, applied, high, low FROM totals", on_total, err);
    }
    check_currencies(verify);
    return status;
}
