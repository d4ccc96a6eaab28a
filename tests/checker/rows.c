#include "tests/checker/rows.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define ACCOUNT_BYTES_MAX  128
#define BATCH_ID_BYTES_MAX 244
#define BATCH_DIGEST_LEN   64

/* The first columns are the same in all three. */
static const char decisions_sql[] =
    "SELECT d.seq, d.outcome, nullif(r.name, 'none'), d.key, d.log, d.partition, d.offset,"
    " d.digest, d.type, s.name, t.name, d.amount_minor, d.currency, b.name, b.rows, b.digest,"
    " d.min_minor, d.strict FROM decisions d LEFT JOIN reason_names r ON r.id = d.reason"
    " LEFT JOIN accounts s ON s.id = d.src LEFT JOIN accounts t ON t.id = d.dest"
    " LEFT JOIN batches b ON b.id = d.batch ORDER BY d.seq";
static const char repeats_sql[] =
    "SELECT p.seq, p.outcome, nullif(r.name, 'none'), p.key, p.log, p.partition, p.offset,"
    " p.digest, p.first_seq, p.fields, p.kept, p.payload FROM repeats p"
    " LEFT JOIN reason_names r ON r.id = p.reason ORDER BY p.seq";
static const char quarantine_sql[] =
    "SELECT seq, 6, reason, key, log, partition, offset, digest, value, key_len, value_len,"
    " timestamp_ms FROM quarantine ORDER BY seq";

enum { OWN = 8 }; /* the first column that is not */

/* Copies a text, which must fit with its NUL; NULL becomes "". */
static bool copy_text(sqlite3_stmt *at, int column, char *field, size_t size)
{
    size_t len;
    const char *text = ledger_bytes(at, column, &len);

    if (len >= size) {
        return false;
    }
    memcpy(field, text ? text : "", len);
    field[len] = '\0';
    return true;
}

static bool take_digest(sqlite3_stmt *at, int column, unsigned char ret[SHA_SIZE])
{
    size_t len;
    const char *bytes = ledger_bytes(at, column, &len);

    if (len != SHA_SIZE) {
        return false;
    }
    memcpy(ret, bytes, SHA_SIZE);
    return true;
}

static bool take_account(struct words *words, sqlite3_stmt *at, int column, int32_t *ret)
{
    size_t len;
    const char *name = ledger_bytes(at, column, &len);

    *ret = name ? names_add(words->accounts, name, len) : NAMES_NONE;
    return len <= ACCOUNT_BYTES_MAX;
}

static bool take_batch(struct words *words, sqlite3_stmt *at, struct order *order)
{
    size_t id_len;
    size_t digest_len;
    const char *id = ledger_bytes(at, OWN + 5, &id_len);
    const char *digest = ledger_bytes(at, OWN + 7, &digest_len);

    order->batch = order->content = NAMES_NONE;
    if (!id) {
        return true;
    }
    if (id_len > BATCH_ID_BYTES_MAX || digest_len != BATCH_DIGEST_LEN) {
        return false;
    }
    order_set_batch(words, order, id, id_len, sqlite3_column_int64(at, OWN + 6), digest);
    return true;
}

static bool take_decision(struct words *words, sqlite3_stmt *at, struct row *row)
{
    struct order *order = &row->order;
    int type = sqlite3_column_int(at, OWN);

    if (type < ORDER_PAYMENT || type > ORDER_CANCEL) {
        return false;
    }
    order->type = (enum order_type)type;
    order->amount_minor = sqlite3_column_int64(at, OWN + 3);
    order->has_min = sqlite3_column_type(at, OWN + 8) != SQLITE_NULL;
    order->min_minor = sqlite3_column_int64(at, OWN + 8);
    order->strict = sqlite3_column_int(at, OWN + 9) != 0;
    if (!take_account(words, at, OWN + 1, &order->src) ||
        !take_account(words, at, OWN + 2, &order->dest) ||
        !copy_text(at, OWN + 4, order->currency, sizeof(order->currency)) ||
        !take_batch(words, at, order) ||
        (type == ORDER_PAYMENT && (order->src == NAMES_NONE || order->dest == NAMES_NONE))) {
        return false;
    }
    order_set_digest(words, order);
    return true;
}

static void take_value(sqlite3_stmt *at, int column, struct row *row)
{
    size_t len;
    const char *value = ledger_bytes(at, column, &len);

    row->has_value = value != NULL;
    row->kept_len = (int64_t)len;
    sha_short(row->value_digest, value, len);
}

static bool take_repeat(struct words *words, sqlite3_stmt *at, struct row *row)
{
    (void)words;
    row->first_seq = sqlite3_column_int64(at, OWN);
    row->is_kept = sqlite3_column_int(at, OWN + 2) != 0;
    take_value(at, OWN + 3, row);
    return copy_text(at, OWN + 1, row->fields, sizeof(row->fields));
}

static int64_t length_at(sqlite3_stmt *at, int column)
{
    return sqlite3_column_type(at, column) == SQLITE_NULL ? -1 : sqlite3_column_int64(at, column);
}

/* Its key is the message's own bytes, not a stored form. */
static bool take_quarantined(struct words *words, sqlite3_stmt *at, struct row *row)
{
    size_t len;
    const char *key = ledger_bytes(at, 3, &len);

    row->key = key ? names_add(words->keys, key, len) : NAMES_NONE;
    take_value(at, OWN, row);
    row->key_len = length_at(at, OWN + 1);
    row->value_len = length_at(at, OWN + 2);
    row->timestamp_ms = sqlite3_column_int64(at, OWN + 3);
    return true;
}

struct table {
    const char *sql;
    bool (*take)(struct words *words, sqlite3_stmt *at, struct row *row);
    sqlite3_stmt *query;
    bool has_row;
};

#define TABLES 3

static int advance(const struct ledger *ledger, struct table *table, struct fault *fault)
{
    int result = ledger_step(ledger, table->query, fault);

    table->has_row = result == 1;
    return result < 0 ? -1 : 0;
}

static struct table *lowest(struct table *tables)
{
    struct table *found = NULL;

    for (int i = 0; i < TABLES; i++) {
        if (tables[i].has_row && (!found || sqlite3_column_int64(tables[i].query, 0) <
                                                sqlite3_column_int64(found->query, 0))) {
            found = &tables[i];
        }
    }
    return found;
}

static int refuse(const struct ledger *ledger, const struct row *row, struct fault *fault)
{
    return fault_set(fault, EX_DATAERR, "%s: seq %lld is no row that payd writes", ledger->path,
                     (long long)row->seq);
}

static int take_row(const struct ledger *ledger, struct words *words, const struct table *table,
                    struct row *row, struct fault *fault)
{
    sqlite3_stmt *at = table->query;

    *row = (struct row){.seq = sqlite3_column_int64(at, 0),
                        .outcome = sqlite3_column_int(at, 1),
                        .log = sqlite3_column_int64(at, 4),
                        .partition = sqlite3_column_int64(at, 5),
                        .offset = sqlite3_column_int64(at, 6)};
    if (row->outcome < OUTCOME_APPLIED || row->outcome > OUTCOME_QUARANTINED) {
        return refuse(ledger, row, fault);
    }
    if (row->outcome != OUTCOME_QUARANTINED) {
        row->key = ledger_key(words, at, 3);
    }
    if (!copy_text(at, 2, row->reason, sizeof(row->reason)) || !take_digest(at, 7, row->digest) ||
        !table->take(words, at, row)) {
        return refuse(ledger, row, fault);
    }
    return 0;
}

int rows_read(const struct ledger *ledger, struct words *words, rows_visit *visit, void *user,
              struct fault *fault)
{
    struct table tables[TABLES] = {{.sql = decisions_sql, .take = take_decision},
                                   {.sql = repeats_sql, .take = take_repeat},
                                   {.sql = quarantine_sql, .take = take_quarantined}};
    struct table *next = NULL;
    struct row row;
    int result = 0;

    for (int i = 0; result == 0 && i < TABLES; i++) {
        result = ledger_query(ledger, tables[i].sql, &tables[i].query, fault);
        if (result == 0) {
            result = advance(ledger, &tables[i], fault);
        }
    }
    while (result == 0 && (next = lowest(tables))) {
        result = take_row(ledger, words, next, &row, fault);
        if (result == 0) {
            visit(user, &row);
            result = advance(ledger, next, fault);
        }
    }
    for (int i = 0; i < TABLES; i++) {
        sqlite3_finalize(tables[i].query);
    }
    return result;
}
