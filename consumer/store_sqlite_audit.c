#include "consumer/store_audit.h"
#include "consumer/store_sqlite_internal.h"

#include "consumer/key_form.h"

#include <string.h>

/* A key, from its stored form or as it came. */
static void read_key(sqlite3_stmt *row, bool is_form, char ret[PAYMENT_KEY_MAX + 1])
{
    const char *bytes = sqlite3_column_blob(row, 3);
    size_t len = (size_t)sqlite3_column_bytes(row, 3);

    ret[0] = '\0';
    if (is_form) {
        if (!bytes || !key_form_text(ret, (const unsigned char *)bytes, len)) {
            ret[0] = '\0';
        }
    } else if (bytes && !payment_key_problem(bytes, len)) {
        payment_copy(ret, bytes, len);
    }
}

enum store_status store_sqlite_places(struct store *base, store_visit_place *visit, void *user,
                                      struct error *err)
{
    static const char sql[] =
        "SELECT outcome, partition, offset, key FROM decisions WHERE log = ?1 UNION ALL"
        " SELECT outcome, partition, offset, key FROM repeats WHERE log = ?1 UNION ALL"
        " SELECT 6, partition, offset, key FROM quarantine WHERE log = ?1";
    struct store_sqlite *store = sqlite_of(base);
    sqlite3_stmt *row = NULL;
    int code = sqlite3_prepare_v2(store->db, sql, -1, &row, NULL);

    if (code == SQLITE_OK) {
        code = sqlite3_bind_int64(row, 1, store->log);
    }
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(row);
        if (code == SQLITE_ROW) {
            char key[PAYMENT_KEY_MAX + 1];
            struct store_place place = {
                .outcome = (enum outcome)sqlite3_column_int(row, 0),
                .partition = sqlite3_column_int(row, 1),
                .offset = sqlite3_column_int64(row, 2),
                .key = key,
            };
            read_key(row, place.outcome != OUTCOME_QUARANTINED, key);
            visit(user, &place);
        }
    }
    enum store_status status = code == SQLITE_DONE ? STORE_OK : sqlite_failed(store, "audit", err);
    sqlite3_finalize(row);
    return status;
}

enum store_status store_sqlite_repeats(struct store *base, const char *key, int64_t *ret,
                                       struct error *err)
{
    unsigned char form[KEY_FORM_SIZE];
    size_t len = key_form(form, key);

    return sqlite_count_repeats(sqlite_of(base), form, len, ret, err);
}

/* Whether a column is these bytes, NULL as no bytes. */
static bool is_bytes(sqlite3_stmt *row, int column, const void *bytes, size_t len)
{
    if (!bytes) {
        return sqlite3_column_type(row, column) == SQLITE_NULL;
    }
    return sqlite3_column_type(row, column) != SQLITE_NULL &&
           (size_t)sqlite3_column_bytes(row, column) == len &&
           (len == 0 || memcmp(sqlite3_column_blob(row, column), bytes, len) == 0);
}

static void read_kept(sqlite3_stmt *row, const struct chunk_item *item, struct store_kept *ret)
{
    const char *reason = (const char *)sqlite3_column_text(row, 0);
    const void *digest = sqlite3_column_blob(row, 1);
    bool is_whole = digest && sqlite3_column_bytes(row, 1) == DIGEST_SHORT_SIZE;

    ret->is_there = true;
    if (reason && is_whole && is_bytes(row, 2, item->raw.key, item->raw.key_len) &&
        unreadable_parse(reason, &ret->reason)) {
        memcpy(ret->digest, digest, DIGEST_SHORT_SIZE);
        sqlite_copy_text(row, 3, ret->detail, sizeof(ret->detail));
    }
}

enum store_status store_sqlite_kept(struct store *base, const struct chunk_item *item,
                                    struct store_kept *ret, struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    char sql[160];
    sqlite3_stmt *row;

    sqlite3_snprintf(sizeof(sql), sql,
                     "SELECT reason, digest, key, detail FROM quarantine WHERE log = %lld AND"
                     " partition = %d AND offset = %lld",
                     (long long)store->log, (int)item->origin.partition,
                     (long long)item->origin.offset);
    enum store_status status = sqlite_ask(store, sql, NULL, NULL, &row, err);
    *ret = (struct store_kept){.is_there = false, .reason = READABLE};
    if (status == STORE_OK && sqlite3_data_count(row) > 0) {
        read_kept(row, item, ret);
    }
    sqlite3_finalize(row);
    return status;
}

/* ---- what is recorded, against the message ---- */

/* The columns of STATEMENT_READ_RECORDED. */
enum recorded_column {
    RECORDED_OUTCOME,
    RECORDED_REASON, /* a name in the quarantine */
    RECORDED_KEY,    /* as it came in the quarantine, else its stored form */
    RECORDED_DIGEST,
    RECORDED_VALUE,
    RECORDED_FIRST_SEQ,
    RECORDED_FIELDS,
    RECORDED_KEY_LEN,
    RECORDED_VALUE_LEN,
    RECORDED_TIMESTAMP_MS,
};

/* Whether a column has the beginning of these bytes, or nothing. */
static bool is_beginning(sqlite3_stmt *row, int column, const char *bytes, size_t len)
{
    size_t kept = (size_t)sqlite3_column_bytes(row, column);

    return kept <= len && (kept == 0 || memcmp(sqlite3_column_blob(row, column), bytes, kept) == 0);
}

static bool is_length(sqlite3_stmt *row, int column, const void *bytes, size_t len)
{
    return bytes ? sqlite3_column_int64(row, column) == (int64_t)len
                 : sqlite3_column_type(row, column) == SQLITE_NULL;
}

static const char *compare_repeat(sqlite3_stmt *row, const struct chunk *chunk,
                                  const struct chunk_item *item)
{
    const struct chunk_key *key = &chunk->keys[item->key];
    bool is_kept = sqlite3_column_int(row, RECORDED_OUTCOME) == OUTCOME_CONFLICT;

    if (!is_bytes(row, RECORDED_KEY, key->form, key->form_len)) {
        return "key";
    }
    if (!is_bytes(row, RECORDED_DIGEST, item->digest, sizeof(item->digest))) {
        return "digest";
    }
    return is_bytes(row, RECORDED_VALUE, is_kept ? item->raw.value : NULL, item->raw.value_len)
               ? NULL
               : "payload";
}

/* What the quarantine keeps of a message; that a whole value has its digest, verify proves. */
static const char *compare_kept(sqlite3_stmt *row, const struct chunk_item *item)
{
    const struct raw_message *raw = &item->raw;

    if (!is_beginning(row, RECORDED_KEY, raw->key, raw->key_len) ||
        !is_length(row, RECORDED_KEY_LEN, raw->key, raw->key_len)) {
        return "key";
    }
    if (!is_beginning(row, RECORDED_VALUE, raw->value, raw->value_len) ||
        !is_length(row, RECORDED_VALUE_LEN, raw->value, raw->value_len)) {
        return "value";
    }
    return sqlite3_column_int64(row, RECORDED_TIMESTAMP_MS) == item->origin.timestamp_ms
               ? NULL
               : "timestamp";
}

static const char *compare_quarantined(sqlite3_stmt *row, const struct chunk_item *item)
{
    const char *name =
        unreadable_name(item->unreadable != READABLE ? item->unreadable : UNREADABLE_STALE);

    if (!is_bytes(row, RECORDED_REASON, name, strlen(name))) {
        return "reason";
    }
    return is_bytes(row, RECORDED_DIGEST, item->digest, sizeof(item->digest))
               ? compare_kept(row, item)
               : "digest";
}

/* The bits of the names in a list as command_fields() writes it. */
static unsigned read_fields(sqlite3_stmt *row)
{
    char names[COMMAND_FIELDS_SIZE] = "";
    unsigned fields = 0;
    char *rest;

    if (!sqlite_copy_text(row, RECORDED_FIELDS, names, sizeof(names))) {
        return 0;
    }
    for (char *name = strtok_r(names, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        fields |= command_field_of(name);
    }
    return fields;
}

static void read_recorded(sqlite3_stmt *row, const struct chunk *chunk,
                          const struct chunk_item *item, struct store_recorded *ret)
{
    const char *stale = unreadable_name(UNREADABLE_STALE);
    bool is_readable = item->unreadable == READABLE;

    ret->outcome = (enum outcome)sqlite3_column_int(row, RECORDED_OUTCOME);
    if (ret->outcome == OUTCOME_QUARANTINED) {
        ret->is_stale = is_bytes(row, RECORDED_REASON, stale, strlen(stale));
        ret->wrong = !is_readable || ret->is_stale ? compare_quarantined(row, item)
                                                   : compare_kept(row, item);
        return;
    }
    ret->reason = (enum reason)sqlite3_column_int(row, RECORDED_REASON);
    ret->first_seq = sqlite3_column_int64(row, RECORDED_FIRST_SEQ);
    ret->fields = read_fields(row);
    ret->wrong = is_readable ? compare_repeat(row, chunk, item) : NULL;
}

enum store_status store_sqlite_recorded(struct store *base, const struct chunk *chunk,
                                        const struct chunk_item *item, struct store_recorded *ret,
                                        struct error *err)
{
    const enum statement id = STATEMENT_READ_RECORDED;
    struct store_sqlite *store = sqlite_of(base);
    sqlite3_stmt *row;

    *ret = (struct store_recorded){.outcome = OUTCOME_NONE};
    sqlite_bind_int(store, id, 1, item->origin.partition);
    sqlite_bind_int(store, id, 2, item->origin.offset);
    sqlite_bind_int(store, id, 3, store->log);
    enum store_status status = sqlite_row(store, id, "look up a record", &row, err);
    if (status == STORE_OK) {
        if (row) {
            read_recorded(row, chunk, item, ret);
        }
        sqlite_done(store, id);
    }
    return status;
}
