/*
 * The views that SQL users read: their columns, which stay, and what stands in them. And the
 * quarantine, which keeps every byte.
 */
#include "tests/lib/ledger_kit.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#define UUID     "018f3c6e-0123-7abc-89de-f0123456789a"
#define DIGEST_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define DIGEST_2 "2222222222222222222222222222222222222222222222222222222222222222"

/* What is kept of a conflict: 2 cents of a row of batch b1. */
#define PAYLOAD(src, dest, digest)                                                                 \
    "{\"v\":1,\"type\":\"payment\",\"src\":\"" src "\",\"dest\":\"" dest                           \
    "\",\"amount\":\"2\",\"currency\":\"EUR\",\"batch\":{\"id\":\"b1\",\"rows\":2,"                \
    "\"digest\":\"" digest "\"}}"
#define BOB_PAYS   PAYLOAD("bob", "J\xC3\xB6rg", DIGEST_1)
#define ALICE_PAYS PAYLOAD("alice", "bob", DIGEST_2)

static const struct payment_batch b1 = {"b1", DIGEST_1, 2};
static const struct payment_batch b1_edited = {"b1", DIGEST_2, 2};

static char folder[KIT_PATH_SIZE];
static char path[KIT_PATH_SIZE + 32];
static struct store *store;
static sqlite3 *db; /* a reader beside the store */
static struct error err;

/* Headers of a message: what raw_message.headers points to here. */
struct header {
    const char *name; /* NULL ends the list */
    const char *value;
    size_t len;
};

static bool read_header(const void *headers, size_t index, const char **ret_name,
                        const void **ret_value, size_t *ret_value_len)
{
    const struct header *header = (const struct header *)headers + index;

    if (!header->name) {
        return false;
    }
    *ret_name = header->name;
    *ret_value = header->value;
    *ret_value_len = header->len;
    return true;
}

static void open_all(void)
{
    kit_folder_make(folder);
    snprintf(path, sizeof(path), "%s/ledger.db", folder);
    cr_assert_eq(store_sqlite_open(&store, path, read_header, &err), 0, "%s", err.text);
    kit_begin(store);
    cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
}

static void close_all(void)
{
    sqlite3_close(db);
    store_close(store);
    kit_folder_remove(folder);
}

TestSuite(store_views, .init = open_all, .fini = close_all);

/* Asserts what a query answers: columns joined by '|', rows by a line end, NULL as "-". */
static void expect_rows(const char *sql, const char *wanted)
{
    sqlite3_stmt *rows;
    char text[4096] = "";
    size_t used = 0;

    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &rows, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    while (sqlite3_step(rows) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(rows); i++) {
            const char *value = (const char *)sqlite3_column_text(rows, i);
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i > 0 ? "|" : "",
                                     value ? value : "-");
            cr_assert_lt(used, sizeof(text));
        }
        used += (size_t)snprintf(text + used, sizeof(text) - used, "\n");
    }
    sqlite3_finalize(rows);
    cr_expect_str_eq(text, wanted, "%s\nis\n%swanted\n%s", sql, text, wanted);
}

static const struct kit_row history[] = {
    {"k1", "alice", "bob", 500, "EUR", NULL, "applied"},
    {UUID, "alice", "J\xC3\xB6rg", 1, "EUR", &b1, "applied"},
    {"018F3C6E-0123-7ABC-89DE-F0123456789A", "alice", "bob", 2, "EUR", NULL, "applied"},
    {"k2", "carol", "carol", 5, "EUR", NULL, "rejected same_account"},
    {"k1", "alice", "bob", 500, "EUR", NULL, "duplicate"},
    {UUID, "bob", "J\xC3\xB6rg", 2, "EUR", &b1, "conflict payload_differs src,amount"},
    {"b1:2", "alice", "bob", 2, "EUR", &b1_edited, "conflict batch_changed"},
    {NULL, NULL, NULL, 0, NULL, NULL, "quarantined"},
    {"k3", "yuki", "ren", MONEY_MAX_MINOR, "JPY", NULL, "applied"},
};
static const size_t history_count = sizeof(history) / sizeof(history[0]);

Test(store_views, have_the_documented_columns)
{
    static const struct {
        const char *view;
        const char *columns;
    } rows[] = {
        {"payments", "seq,key,src,dest,amount_minor,currency,outcome,reason,topic,partition,offset,"
                     "applied_at\n"},
        {"balances", "account,currency,balance_minor\n"},
        {"postings", "seq,account,amount_minor,currency\n"},
        {"conflicts", "topic,partition,offset,key,reason,fields,payload,first_seq,decided_at\n"},
        {"account_list", "account,state,currency,balance_minor,min_minor\n"},
        {"quarantined", "topic,partition,offset,reason,detail,key,value,key_len,value_len,digest,"
                        "quarantined_at\n"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char sql[128];
        snprintf(sql, sizeof(sql), "SELECT group_concat(name) FROM pragma_table_info('%s')",
                 rows[i].view);
        expect_rows(sql, rows[i].columns);
    }
    expect_rows("SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema WHERE type = "
                "'view' ORDER BY name)",
                "account_list,balances,conflicts,payments,postings,quarantined\n");
}

Test(store_views, payments_are_final_decisions_in_order)
{
    kit_run(store, 1, history, history_count);
    expect_rows(
        "SELECT * FROM payments",
        "1|k1|alice|bob|500|EUR|applied|-|payments|1|0|2023-11-14T22:13:20.123Z\n"
        "2|" UUID "|alice|J\xC3\xB6rg|1|EUR|applied|-|payments|1|1|2023-11-14T22:13:20.123Z\n"
        "3|018F3C6E-0123-7ABC-89DE-F0123456789A|alice|bob|2|EUR|applied|-|payments|1|2|"
        "2023-11-14T22:13:20.123Z\n"
        "4|k2|carol|carol|5|EUR|rejected|same_account|payments|1|3|2023-11-14T22:13:20.123Z\n"
        "9|k3|yuki|ren|9999999999999999|JPY|applied|-|payments|1|8|2023-11-14T22:13:20.123Z\n");
}

Test(store_views, balances_are_of_accounts_that_were_used)
{
    kit_run(store, 0, history, history_count);
    expect_rows("SELECT * FROM balances ORDER BY account",
                "J\xC3\xB6rg|EUR|1\nalice|EUR|-503\nbob|EUR|502\nren|JPY|9999999999999999\n"
                "yuki|JPY|-9999999999999999\n");
}

Test(store_views, postings_sum_to_zero_and_make_the_balances)
{
    kit_run(store, 0, history, history_count);
    expect_rows("SELECT count(*), sum(amount_minor) FROM postings", "8|0\n");
    expect_rows("SELECT count(*) FROM (SELECT seq FROM postings GROUP BY seq"
                " HAVING count(*) = 2 AND sum(amount_minor) = 0)",
                "4\n");
    expect_rows("SELECT count(*) FROM (SELECT account, currency, sum(amount_minor) FROM postings"
                " GROUP BY account, currency EXCEPT SELECT * FROM balances)",
                "0\n");
    expect_rows("SELECT * FROM postings WHERE seq = 2 ORDER BY amount_minor",
                "2|alice|-1|EUR\n2|J\xC3\xB6rg|1|EUR\n");
}

Test(store_views, conflicts_tell_what_differs_and_keep_the_payload)
{
    kit_run(store, 0, history, history_count);
    expect_rows("SELECT * FROM conflicts",
                "payments|0|5|" UUID "|payload_differs|src,amount|" BOB_PAYS "|2|"
                "2023-11-14T22:13:20.123Z\n"
                "payments|0|6|b1:2|batch_changed||" ALICE_PAYS "|-|2023-11-14T22:13:20.123Z\n");
}

/* The conflict came before the decision: it cannot point at it, in one chunk as in two. */
Test(store_views, a_conflict_on_an_undecided_key_names_no_decision)
{
    static const struct kit_row before[] = {
        {"a", "alice", "bob", 1, "EUR", &b1, "applied"},
        {"b", "alice", "bob", 1, "EUR", &b1, "applied"},
    };
    static const struct kit_row rows[] = {
        {"k1", "alice", "bob", 1, "EUR", &b1_edited, "conflict batch_changed"},
        {"k1", "alice", "bob", 1, "EUR", &b1, "applied"},
        {"k1", "alice", "bob", 2, "EUR", &b1, "conflict payload_differs amount"},
    };
    struct chunk *chunk = chunk_new(8);
    int64_t offset = 0;

    /* Chunks are used again, so leftovers of the one before must not be seen. */
    cr_assert_not_null(chunk);
    for (size_t i = 0; i < 2; i++) {
        kit_add(chunk, &before[i], 0, offset++);
    }
    cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK, "%s", err.text);
    chunk_clear(chunk);
    for (size_t i = 0; i < 3; i++) {
        kit_add(chunk, &rows[i], 0, offset++);
    }
    cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK, "%s", err.text);
    chunk_free(chunk);
    expect_rows("SELECT offset, reason, first_seq FROM conflicts",
                "2|batch_changed|-\n4|payload_differs|4\n");
}

/* ---- quarantine ---- */

Test(store_views, quarantine_keeps_every_byte_and_tells_none_from_empty)
{
    static const struct header headers[] = {{"trace", "abc", 3},
                                            {"trace", "a\0c", 3},
                                            {"none", NULL, 0},
                                            {"empty", "", 0},
                                            {NULL, NULL, 0}};
    static const struct raw_message messages[] = {
        {NULL, 0, "{", 1, NULL}, {"", 0, "{", 1, NULL}, {"k\0\xFF", 3, "a\0\xFFz", 4, headers},
        {"k", 1, NULL, 0, NULL}, {"k", 1, "", 0, NULL},
    };
    static const struct kit_row unreadable = {NULL, NULL, NULL, 0, NULL, NULL, NULL};
    struct chunk *chunk = chunk_new(8);

    cr_assert_not_null(chunk);
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        struct chunk_item *item = kit_add(chunk, &unreadable, 0, (int64_t)i);
        item->raw = messages[i];
        item->unreadable = i == 0 ? UNREADABLE_KEY : UNREADABLE_UTF8;
    }
    cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK, "%s", err.text);
    chunk_free(chunk);
    expect_rows("SELECT topic, partition, offset, reason, detail, quote(key), quote(value),"
                " quarantined_at FROM quarantined WHERE offset = 0",
                "payments|0|0|bad_key|not a JSON object|NULL|X'7B'|2023-11-14T22:13:20.123Z\n");
    expect_rows("SELECT offset, reason, quote(key), quote(value) FROM quarantined",
                "0|bad_key|NULL|X'7B'\n"
                "1|bad_utf8|X''|X'7B'\n"
                "2|bad_utf8|X'6B00FF'|X'6100FF7A'\n"
                "3|bad_utf8|X'6B'|NULL\n"
                "4|bad_utf8|X'6B'|X''\n");
    expect_rows("SELECT seq, place, CAST(name AS TEXT), quote(value)"
                " FROM quarantine_headers",
                "3|0|trace|X'616263'\n3|1|trace|X'610063'\n3|2|none|NULL\n3|3|empty|X''\n");
    expect_rows("SELECT timestamp_ms, decided_ms FROM quarantine WHERE offset = 1",
                "1699999999123|1700000000123\n");
}

Test(store_views, quarantine_keeps_as_many_headers_as_it_says)
{
    static const struct kit_row unreadable = {NULL, NULL, NULL, 0, NULL, NULL, NULL};
    struct header headers[CHUNK_HEADERS_MAX + 2];
    struct chunk *chunk = chunk_new(1);

    for (size_t i = 0; i < CHUNK_HEADERS_MAX + 1; i++) {
        headers[i] = (struct header){"h", "v", 1};
    }
    headers[CHUNK_HEADERS_MAX + 1].name = NULL;
    cr_assert_not_null(chunk);
    kit_add(chunk, &unreadable, 0, 0)->raw.headers = headers;
    cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK, "%s", err.text);
    chunk_free(chunk);
    expect_rows("SELECT count(*), max(place) FROM quarantine_headers", "64|63\n");
}
