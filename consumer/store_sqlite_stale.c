/*
 * A purge forgets keys that tell their age themselves, so that one which comes again is known to be
 * too old although nothing of it is left: a UUIDv7 by its time, a batch's row by its batch's id,
 * which stays.
 */
#include "consumer/store_sqlite_internal.h"

#include "consumer/key_form.h"

#include <string.h>

enum store_status sqlite_read_forgotten(struct store_sqlite *store, struct error *err)
{
    struct sqlite_forgotten *forgotten = &store->forgotten;
    enum store_status status =
        sqlite_ask_int(store, "SELECT floor_ms FROM forgotten", &forgotten->floor_ms, err);

    /* Batches are forgotten only by a purge, which raises the floor before. */
    forgotten->batches = 0;
    if (status == STORE_OK && forgotten->floor_ms > 0) {
        status = sqlite_ask_int(store, "SELECT count(*) FROM batches WHERE forgotten = 1",
                                &forgotten->batches, err);
    }
    return status;
}

/* The rows of a batch when it is forgotten, else 0. */
static enum store_status forgotten_rows(struct store_sqlite *store, const char *id, int64_t *ret,
                                        struct error *err)
{
    sqlite3_stmt *row;

    sqlite_bind_text(store, STATEMENT_FIND_FORGOTTEN, 1, id);
    enum store_status status =
        sqlite_row(store, STATEMENT_FIND_FORGOTTEN, "look up a forgotten batch", &row, err);
    if (status == STORE_OK) {
        *ret = row ? sqlite3_column_int64(row, 0) : 0;
        sqlite_done(store, STATEMENT_FIND_FORGOTTEN);
    }
    return status;
}

/* Keys come in their order, so all rows of a batch one after the other: it is looked up once. */
struct last_batch {
    char id[PAYMENT_BATCH_ID_MAX + 1];
    int64_t rows; /* 0: it is not forgotten */
};

static enum store_status is_old(struct store_sqlite *store, const unsigned char *form, size_t len,
                                struct last_batch *last, bool *ret, struct error *err)
{
    char id[PAYMENT_BATCH_ID_MAX + 1];
    int64_t made_ms = key_form_made_ms(form, len);
    enum store_status status = STORE_OK;
    int64_t number;

    *ret = made_ms >= 0 && made_ms < store->forgotten.floor_ms;
    if (made_ms >= 0 || store->forgotten.batches == 0 || !key_form_row(id, &number, form, len)) {
        return STORE_OK;
    }
    if (strcmp(id, last->id) != 0) {
        status = forgotten_rows(store, id, &last->rows, err);
        memcpy(last->id, id, sizeof(id));
    }
    *ret = number >= 1 && number <= last->rows;
    return status;
}

enum store_status sqlite_is_old_key(struct store_sqlite *store, const unsigned char *form,
                                    size_t len, bool *ret, struct error *err)
{
    struct last_batch last = {.rows = 0};

    return is_old(store, form, len, &last, ret, err);
}

/* A store that only reads learns of another's purge here. */
enum store_status sqlite_is_stale(struct store *base, const char *key, bool *ret, struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    unsigned char form[KEY_FORM_SIZE];
    size_t len = key_form(form, key);
    enum store_status status = sqlite_read_forgotten(store, err);

    return status == STORE_OK ? sqlite_is_old_key(store, form, len, ret, err) : status;
}

enum store_status sqlite_mark_stale(struct store_sqlite *store, struct chunk *chunk,
                                    struct error *err)
{
    struct last_batch last = {.rows = 0};
    enum store_status status = STORE_OK;

    if (store->forgotten.floor_ms == 0) {
        return STORE_OK;
    }
    for (size_t i = 0; status == STORE_OK && i < chunk->key_count; i++) {
        struct chunk_key *key = &chunk->keys[i];
        if (!key->known) {
            status = is_old(store, key->form, key->form_len, &last, &key->stale, err);
        }
    }
    for (size_t i = 0; status == STORE_OK && store->forgotten.batches > 0 && i < chunk->batch_count;
         i++) {
        int64_t rows = 0;
        status = forgotten_rows(store, chunk->batches[i].content.id, &rows, err);
        chunk->batches[i].forgotten = rows > 0;
    }
    return status;
}

enum store_status sqlite_add_forgotten_keys(struct store_sqlite *store, int64_t segment,
                                            int64_t *keys, struct key_hash *sum, struct error *err)
{
    char sql[96];
    sqlite3_stmt *row;

    sqlite3_snprintf(sizeof(sql), sql,
                     "SELECT keys, checksum FROM forgotten_keys WHERE segment = %lld",
                     (long long)segment);
    enum store_status status = sqlite_ask(store, sql, NULL, NULL, &row, err);
    if (status == STORE_OK && sqlite3_data_count(row) > 0) {
        if (sqlite3_column_bytes(row, 1) == KEY_HASH_SIZE) {
            *keys += sqlite3_column_int64(row, 0);
            key_hash_add(sum, key_hash_load(sqlite3_column_blob(row, 1)));
        } else {
            status = sqlite_damaged(store, "what was forgotten of a key segment", err);
        }
    }
    sqlite3_finalize(row);
    return status;
}
