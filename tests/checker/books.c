#include "tests/checker/books.h"

#include "tests/checker/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Sums of postings; 128 bits hold any sum of what a store can hold. */
struct sums {
    __int128 *of_account; /* by number of words.accounts */
    size_t room;
    __int128 all;
};

/* A sum for a message: of what needs more than 64 bits only the fact. */
static long long shown(__int128 sum)
{
    return sum > INT64_MAX ? INT64_MAX : sum < INT64_MIN ? INT64_MIN : (long long)sum;
}

static int32_t account_of(struct evidence *evidence, sqlite3_stmt *row, int column)
{
    size_t len;
    const char *name = ledger_bytes(row, column, &len);

    return names_add(evidence->words.accounts, name ? name : "", len);
}

static void currency_of(sqlite3_stmt *row, int column, char ret[ORDER_CURRENCY_SIZE])
{
    const char *text = (const char *)sqlite3_column_text(row, column);

    snprintf(ret, ORDER_CURRENCY_SIZE, "%.3s", text ? text : "");
}

/* ---- postings ---- */

static struct transfer *find_transfer(struct evidence *evidence, int64_t seq)
{
    size_t low = 0;
    size_t high = evidence->transfer_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (evidence->transfers[middle].seq < seq) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < evidence->transfer_count && evidence->transfers[low].seq == seq
               ? &evidence->transfers[low]
               : NULL;
}

static void add_posting(struct evidence *evidence, sqlite3_stmt *row, struct sums *sums)
{
    int64_t seq = sqlite3_column_int64(row, 0);
    int32_t account = account_of(evidence, row, 1);
    int64_t amount = sqlite3_column_int64(row, 2);
    struct transfer *transfer = find_transfer(evidence, seq);

    sums->of_account =
        memory_grow(sums->of_account, &sums->room, (size_t)account + 1, sizeof(*sums->of_account));
    sums->of_account[account] += amount;
    sums->all += amount;
    if (!transfer) {
        report_any(&evidence->report, I2_ONE_OUTCOME_ONE_TRANSFER,
                   "a posting of %" PRId64 " belongs to seq %" PRId64 ", which moved no money",
                   amount, seq);
        return;
    }
    transfer->postings++;
    transfer->sum += amount;
}

static void check_transfers(struct evidence *evidence, const struct sums *sums)
{
    for (size_t i = 0; i < evidence->transfer_count; i++) {
        const struct transfer *transfer = &evidence->transfers[i];
        if (transfer->postings != 2) {
            report_of(evidence, I2_ONE_OUTCOME_ONE_TRANSFER, transfer->key,
                      "seq %" PRId64 " has %d postings, not 2", transfer->seq, transfer->postings);
        } else if (transfer->sum != 0) {
            report_of(evidence, I4_MONEY_ADDS_UP, transfer->key,
                      "the postings of seq %" PRId64 " sum to %lld", transfer->seq,
                      shown(transfer->sum));
        }
    }
    if (sums->all != 0) {
        report_any(&evidence->report, I4_MONEY_ADDS_UP, "all postings together sum to %lld",
                   shown(sums->all));
    }
}

static int read_postings(struct evidence *evidence, struct sums *sums, struct fault *fault)
{
    sqlite3_stmt *row = NULL;
    int result = ledger_query(&evidence->ledger, "SELECT seq, account, amount_minor FROM postings",
                              &row, fault);

    while (result == 0 && (result = ledger_step(&evidence->ledger, row, fault)) == 1) {
        add_posting(evidence, row, sums);
        result = 0;
    }
    sqlite3_finalize(row);
    return result;
}

/* ---- keys ---- */

static int check_markers(struct evidence *evidence, struct fault *fault)
{
    /* A key with two markers is also one that stands in two segments. */
    static const char sql[] =
        "SELECT d.key, d.seq, k.seq FROM decisions d LEFT JOIN keys k ON k.key = d.key"
        " WHERE k.seq IS NOT d.seq UNION ALL"
        " SELECT k.key, NULL, k.seq FROM keys k LEFT JOIN decisions d ON d.seq = k.seq"
        " WHERE d.key IS NOT k.key UNION ALL"
        " SELECT key, min(seq), max(seq) FROM keys GROUP BY key HAVING count(*) > 1";
    sqlite3_stmt *row = NULL;
    int result = ledger_query(&evidence->ledger, sql, &row, fault);

    while (result == 0 && (result = ledger_step(&evidence->ledger, row, fault)) == 1) {
        report_of(evidence, I2_ONE_OUTCOME_ONE_TRANSFER, ledger_key(&evidence->words, row, 0),
                  "the key's decision is seq %lld, its marker says %lld",
                  (long long)sqlite3_column_int64(row, 1), (long long)sqlite3_column_int64(row, 2));
        result = 0;
    }
    sqlite3_finalize(row);
    return result;
}

/* A sealed segment keeps the keys that it was sealed with, and only the one behind them grows. */
static int check_segments(struct evidence *evidence, struct fault *fault)
{
    static const char sql[] =
        "SELECT id, keys, (SELECT count(*) FROM keys k WHERE k.segment = s.id) AS found"
        " FROM segments s WHERE found <> keys OR id > (SELECT count(*) FROM segments) UNION ALL"
        " SELECT segment, 0, count(*) FROM keys WHERE segment <= 0 OR segment >"
        " 1 + (SELECT count(*) FROM segments) GROUP BY segment";
    sqlite3_stmt *row = NULL;
    int result = ledger_query(&evidence->ledger, sql, &row, fault);

    while (result == 0 && (result = ledger_step(&evidence->ledger, row, fault)) == 1) {
        report_any(&evidence->report, I2_ONE_OUTCOME_ONE_TRANSFER,
                   "key segment %lld was sealed with %lld keys and has %lld",
                   (long long)sqlite3_column_int64(row, 0), (long long)sqlite3_column_int64(row, 1),
                   (long long)sqlite3_column_int64(row, 2));
        result = 0;
    }
    sqlite3_finalize(row);
    return result;
}

/* ---- accounts ---- */

/* The store's words for the states. */
static const char *state_text(enum account_state state)
{
    static const char *const texts[] = {"none", "used", "open", "closed"};

    return texts[state];
}

static void check_balance(struct evidence *evidence, const char *name, int64_t balance,
                          __int128 posted, const struct account *model)
{
    if (balance != posted) {
        report_any(&evidence->report, I4_MONEY_ADDS_UP,
                   "account \"%s\" has a balance of %" PRId64 ", its postings sum to %lld", name,
                   balance, shown(posted));
    }
    if (balance != model->balance_minor) {
        report_any(&evidence->report, I4_MONEY_ADDS_UP,
                   "account \"%s\" has a balance of %" PRId64 ", by the topic's payments it is "
                   "%" PRId64,
                   name, balance, model->balance_minor);
    }
}

static void check_account(struct evidence *evidence, sqlite3_stmt *row, struct sums *sums)
{
    int32_t number = account_of(evidence, row, 0);
    const char *state = (const char *)sqlite3_column_text(row, 1);
    struct account *model = model_account(&evidence->model, number);
    bool has_min = sqlite3_column_type(row, 4) != SQLITE_NULL;
    char currency[ORDER_CURRENCY_SIZE];
    size_t len;
    const char *name = names_text(evidence->words.accounts, number, &len);

    sums->of_account =
        memory_grow(sums->of_account, &sums->room, (size_t)number + 1, sizeof(*sums->of_account));
    check_balance(evidence, name, sqlite3_column_int64(row, 3), sums->of_account[number], model);
    currency_of(row, 2, currency);
    if (!state || strcmp(state, state_text(model->state)) != 0 ||
        strcmp(currency, model->currency) != 0) {
        report_any(&evidence->report, I5_MODEL_AGREES,
                   "account \"%s\" is %s in %s, the rules make it %s in %s", name,
                   state ? state : "?", currency, state_text(model->state), model->currency);
    }
    if (has_min != model->has_min ||
        (has_min && sqlite3_column_int64(row, 4) != model->min_minor)) {
        report_any(&evidence->report, I5_MODEL_AGREES,
                   "account \"%s\" has not the lowest balance that the rules give it", name);
    }
    sums->of_account[number] = 0; /* what stays belongs to no account of the list */
    model->state = ACCOUNT_NONE;
}

/* Each account of the store, then those that it should have and has not. */
static int check_accounts(struct evidence *evidence, struct sums *sums, struct fault *fault)
{
    sqlite3_stmt *row = NULL;
    size_t len;
    int result = ledger_query(&evidence->ledger,
                              "SELECT account, state, currency, balance_minor, min_minor"
                              " FROM account_list",
                              &row, fault);

    while (result == 0 && (result = ledger_step(&evidence->ledger, row, fault)) == 1) {
        check_account(evidence, row, sums);
        result = 0;
    }
    sqlite3_finalize(row);
    for (size_t i = 0; result == 0 && i < names_count(evidence->words.accounts); i++) {
        const char *name = names_text(evidence->words.accounts, (int32_t)i, &len);
        if (i < evidence->model.account_room && evidence->model.accounts[i].state != ACCOUNT_NONE) {
            report_any(&evidence->report, I4_MONEY_ADDS_UP,
                       "account \"%s\" was used and the store does not list it", name);
        } else if (i < sums->room && sums->of_account[i] != 0) {
            report_any(&evidence->report, I4_MONEY_ADDS_UP,
                       "account \"%s\" has postings and the store does not list it", name);
        }
    }
    return result;
}

int books_check(struct evidence *evidence, struct fault *fault)
{
    struct sums sums = {.of_account = NULL};
    int result = check_markers(evidence, fault);

    if (result == 0) {
        result = check_segments(evidence, fault);
    }
    if (result == 0) {
        result = read_postings(evidence, &sums, fault);
    }
    if (result == 0) {
        check_transfers(evidence, &sums);
        result = check_accounts(evidence, &sums, fault);
    }
    free(sums.of_account);
    return result;
}
