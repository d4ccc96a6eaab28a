#include "consumer/store_sqlite_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Reads one row into the stats; false when memory ran out or the row is damaged. */
typedef bool row_reader(sqlite3_stmt *row, struct store_stats *stats);

static bool read_counter(sqlite3_stmt *row, struct store_stats *stats)
{
    int64_t outcome = sqlite3_column_int64(row, 0);

    if (outcome < 0 || outcome >= OUTCOME_COUNT) {
        return false;
    }
    stats->counts[outcome] = sqlite3_column_int64(row, 1);
    return true;
}

static bool read_store(sqlite3_stmt *row, struct store_stats *stats)
{
    const char *topic = (const char *)sqlite3_column_text(row, 0);

    stats->topic = topic ? strdup(topic) : NULL;
    stats->strict = sqlite3_column_int(row, 1) != 0;
    stats->published_seq = sqlite3_column_int64(row, 2);
    stats->quarantine_bytes = sqlite3_column_int64(row, 3);
    stats->skipped = sqlite3_column_int64(row, 4);
    stats->last_seq = sqlite3_column_int64(row, 5);
    if (sqlite3_column_bytes(row, 6) != KEY_HASH_SIZE) {
        return false;
    }
    memcpy(stats->digest, sqlite3_column_blob(row, 6), KEY_HASH_SIZE);
    return !topic || stats->topic;
}

/* The entry of a currency, made when there is none; rows come in the order of the codes. */
static struct store_currency *currency_of(struct store_stats *stats, sqlite3_stmt *row)
{
    const char *code = (const char *)sqlite3_column_text(row, 0);

    if (!code || !money_is_currency_form(code, strlen(code))) {
        return NULL;
    }
    if (stats->currency_count > 0 &&
        strcmp(stats->currencies[stats->currency_count - 1].currency, code) == 0) {
        return &stats->currencies[stats->currency_count - 1];
    }
    struct store_currency *grown =
        realloc(stats->currencies, (stats->currency_count + 1) * sizeof(*grown));
    if (!grown) {
        return NULL;
    }
    stats->currencies = grown;
    grown += stats->currency_count++;
    *grown = (struct store_currency){.applied = 0};
    memcpy(grown->currency, code, MONEY_CURRENCY_SIZE);
    return grown;
}

/* One row an account, with its currency's total beside it. The sum is ours: SUM() overflows. */
static bool read_account(sqlite3_stmt *row, struct store_stats *stats)
{
    struct store_currency *currency = currency_of(stats, row);

    if (!currency) {
        return false;
    }
    currency->accounts++;
    money_sum_add(&currency->balances, sqlite3_column_int64(row, 1));
    currency->applied = sqlite3_column_int64(row, 2);
    currency->total =
        (struct money_sum){sqlite3_column_int64(row, 3), sqlite3_column_int64(row, 4)};
    return true;
}

static bool read_position(sqlite3_stmt *row, struct store_stats *stats)
{
    struct store_position *grown =
        realloc(stats->positions, (stats->position_count + 1) * sizeof(*grown));

    if (!grown) {
        return false;
    }
    stats->positions = grown;
    grown[stats->position_count++] =
        (struct store_position){sqlite3_column_int(row, 0), sqlite3_column_int64(row, 1)};
    return true;
}

/* ---- size ---- */

#define DAY_MS INT64_C(86400000)

/* The first decision from seq on: its seq and time; seq 0 when there is none. */
static enum store_status decision_from(struct store_sqlite *store, int64_t seq, int64_t *ret_seq,
                                       int64_t *ret_ms, struct error *err)
{
    char sql[128];
    sqlite3_stmt *row;

    sqlite3_snprintf(sizeof(sql), sql,
                     "SELECT seq, decided_ms FROM decisions WHERE seq >= %lld ORDER BY seq LIMIT 1",
                     (long long)seq);
    enum store_status status = sqlite_ask(store, sql, NULL, NULL, &row, err);
    *ret_seq = status == STORE_OK ? sqlite3_column_int64(row, 0) : 0;
    *ret_ms = status == STORE_OK ? sqlite3_column_int64(row, 1) : 0;
    sqlite3_finalize(row);
    return status;
}

/* Decisions come in the order of their time: how many rows there are since a day before the last.
 */
static enum store_status count_day(struct store_sqlite *store, int64_t last_seq, int64_t *ret,
                                   struct error *err)
{
    int64_t last_decision = 0;
    int64_t seq;
    int64_t ms = 0;
    int64_t low = 1;
    enum store_status status =
        sqlite_ask_int(store, "SELECT ifnull(max(seq), 0) FROM decisions", &last_decision, err);
    int64_t high = last_decision;

    if (status == STORE_OK) {
        status = decision_from(store, last_decision, &seq, &ms, err);
    }
    int64_t since_ms = ms - DAY_MS;
    while (status == STORE_OK && low < high) {
        int64_t middle = low + (high - low) / 2;
        status = decision_from(store, middle, &seq, &ms, err);
        if (ms >= since_ms) {
            high = middle;
        } else {
            low = seq + 1;
        }
    }
    *ret = last_decision > 0 ? last_seq - low + 1 : 0;
    return status;
}

static enum store_status read_size(struct store_sqlite *store, struct store_stats *stats,
                                   struct error *err)
{
    struct store_size *size = &stats->size;
    int64_t forgotten = 0;
    enum store_status status =
        sqlite_ask_int(store, "SELECT applied + rejected FROM forgotten", &forgotten, err);

    if (status == STORE_OK) {
        status = sqlite_ask_int(store, "SELECT floor_ms FROM forgotten", &size->floor_ms, err);
    }
    if (status == STORE_OK) {
        status = sqlite_ask_int(store,
                                "SELECT (page_count - freelist_count) * page_size FROM"
                                " pragma_page_count, pragma_freelist_count, pragma_page_size",
                                &size->bytes, err);
    }
    if (status == STORE_OK) {
        status = count_day(store, stats->last_seq, &size->day_rows, err);
    }
    int64_t rows = stats->last_seq - forgotten;
    size->keys = stats->counts[OUTCOME_APPLIED] + stats->counts[OUTCOME_REJECTED] - forgotten;
    size->day_bytes =
        rows > 0 ? (int64_t)((double)size->bytes * (double)size->day_rows / (double)rows) : 0;
    return status;
}

static enum store_status read_all(struct store_sqlite *store, const char *sql, row_reader *reader,
                                  struct store_stats *stats, struct error *err)
{
    sqlite3_stmt *rows = NULL;
    enum store_status status = STORE_OK;
    int code = sqlite3_prepare_v2(store->db, sql, -1, &rows, NULL);

    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(rows);
        if (code == SQLITE_ROW && !reader(rows, stats)) {
            status = sqlite_damaged(store, "a row that stats cannot read", err);
            break;
        }
    }
    if (status == STORE_OK && code != SQLITE_DONE) {
        status = sqlite_failed(store, "stats", err);
    }
    sqlite3_finalize(rows);
    return status;
}

enum store_status sqlite_stats(struct store *base, struct store_stats *ret, struct error *err)
{
    static const struct {
        const char *sql;
        row_reader *reader;
    } parts[] = {
        {"SELECT (SELECT topic FROM logs WHERE id = log), strict, published_seq, quarantine_bytes,"
         " (SELECT count(*) FROM outcomes_skipped)," LAST_SEQ_SQL ", decisions_digest FROM store",
         read_store},
        {"SELECT outcome, count FROM counters", read_counter},
        {"SELECT a.currency, a.balance_minor, ifnull(t.applied, 0), ifnull(t.high, 0),"
         " ifnull(t.low, 0) FROM accounts a LEFT JOIN totals t ON t.currency = a.currency"
         " WHERE a.currency IS NOT NULL ORDER BY a.currency",
         read_account},
        {"SELECT partition, next_offset FROM positions ORDER BY partition", read_position},
    };
    struct store_sqlite *store = sqlite_of(base);
    enum store_status status = STORE_OK;

    *ret = (struct store_stats){.topic = NULL};
    /* One read transaction: all figures are of one moment. */
    if (!store->is_snapshot && sqlite3_exec(store->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK) {
        return sqlite_failed(store, "stats", err);
    }
    for (size_t i = 0; status == STORE_OK && i < sizeof(parts) / sizeof(parts[0]); i++) {
        status = read_all(store, parts[i].sql, parts[i].reader, ret, err);
    }
    if (status == STORE_OK) {
        status = read_size(store, ret, err);
    }
    if (!store->is_snapshot) {
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    }
    if (status != STORE_OK) {
        store_stats_release(ret);
    }
    return status;
}

int store_sqlite_read_stats(const char *path, struct store_stats *ret, struct error *err)
{
    struct store *store = NULL;

    if (store_sqlite_open_readonly(&store, path, err) != 0) {
        return -1;
    }
    enum store_status status = sqlite_stats(store, ret, err);
    store_close(store);
    return status == STORE_OK ? 0 : -1;
}
