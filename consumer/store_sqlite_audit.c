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

enum store_status store_sqlite_was_stale(struct store *base, int32_t partition, int64_t offset,
                                         bool *ret, struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    char sql[160];
    sqlite3_stmt *row;

    sqlite3_snprintf(sizeof(sql), sql,
                     "SELECT 1 FROM quarantine WHERE log = %lld AND partition = %d AND"
                     " offset = %lld AND reason = ?",
                     (long long)store->log, (int)partition, (long long)offset);
    enum store_status status =
        sqlite_ask(store, sql, unreadable_name(UNREADABLE_STALE), NULL, &row, err);
    *ret = status == STORE_OK && sqlite3_data_count(row) > 0;
    sqlite3_finalize(row);
    return status;
}
