#include "consumer/store_sqlite_internal.h"

#include <string.h>

/* ---- decisions ---- */

/* Gives the account that a decision names, if any, its row, with what the ledger made of it. */
static enum store_status ensure_account(struct store_sqlite *store, struct chunk *chunk,
                                        size_t index, struct error *err)
{
    const enum statement id = STATEMENT_ADD_ACCOUNT;

    if (index == CHUNK_NONE || chunk->accounts[index].id != 0) {
        return STORE_OK;
    }
    struct chunk_account *account = &chunk->accounts[index];
    sqlite_bind_text(store, id, 1, account->name);
    sqlite_bind_text(store, id, 2, account->currency[0] ? account->currency : NULL);
    sqlite_bind_int(store, id, 3, account->balance_minor);
    sqlite_bind_int(store, id, 4, account->state);
    if (account->has_min) {
        sqlite_bind_int(store, id, 5, account->min_minor);
    }
    enum store_status status = sqlite_run(store, id, "add an account", err);
    account->id = sqlite3_last_insert_rowid(store->db);
    return status;
}

/* A final decision, applied or rejected: what its row needs, which sqlite_save() writes. */
static enum store_status note_decision(struct store_sqlite *store, struct chunk *chunk,
                                       const struct chunk_item *item, struct error *err)
{
    struct chunk_key *key = &chunk->keys[item->key];
    enum store_status status = ensure_account(store, chunk, item->src, err);

    key->seq = store->now.last_seq;
    key_hash_add(&store->now.decided, decision_hash(key->form, key->form_len, item->digest,
                                                    item->decision.outcome, item->decision.reason));
    return status == STORE_OK ? ensure_account(store, chunk, item->dest, err) : status;
}

/* ---- quarantine ---- */

static void bind_origin(struct store_sqlite *store, enum statement id, int place,
                        const struct chunk_item *item)
{
    sqlite_bind_int(store, id, place, store->log);
    sqlite_bind_int(store, id, place + 1, item->origin.partition);
    sqlite_bind_int(store, id, place + 2, item->origin.offset);
}

/* How much of len bytes is kept, which *room is then smaller by. */
static size_t keep(size_t *room, size_t len)
{
    size_t kept = len < *room ? len : *room;

    *room -= kept;
    return kept;
}

static enum store_status add_headers(struct store_sqlite *store, const struct chunk_item *item,
                                     size_t *room, struct error *err)
{
    const enum statement id = STATEMENT_ADD_HEADER;
    enum store_status status = STORE_OK;
    const char *name;
    const void *value;
    size_t len;

    if (!store->headers || !item->raw.headers) {
        return STORE_OK;
    }
    for (size_t i = 0; status == STORE_OK && *room > 0 && i < CHUNK_HEADERS_MAX &&
                       store->headers(item->raw.headers, i, &name, &value, &len);
         i++) {
        sqlite_bind_int(store, id, 1, store->now.last_seq);
        sqlite_bind_int(store, id, 2, (int64_t)i);
        sqlite_bind_blob(store, id, 3, name, keep(room, strlen(name)));
        sqlite_bind_blob(store, id, 4, value, keep(room, len));
        status = sqlite_run(store, id, "add a header", err);
    }
    return status;
}

static enum store_status add_quarantine(struct store_sqlite *store, const struct chunk *chunk,
                                        const struct chunk_item *item, struct error *err)
{
    const enum statement id = STATEMENT_ADD_QUARANTINE;
    const struct raw_message *raw = &item->raw;
    bool has_room = store->now.quarantine_bytes < STORE_QUARANTINE_BYTES;
    size_t room = has_room ? STORE_QUARANTINE_MESSAGE_BYTES : 0;

    sqlite_bind_int(store, id, 1, store->now.last_seq);
    bind_origin(store, id, 2, item);
    sqlite_bind_text(store, id, 5, unreadable_name(item->unreadable));
    sqlite_bind_text(store, id, 6, item->detail);
    if (has_room) {
        sqlite_bind_blob(store, id, 7, raw->key, keep(&room, raw->key_len));
        sqlite_bind_blob(store, id, 8, raw->value, keep(&room, raw->value_len));
    } else if (raw->key && !payment_key_problem(raw->key, raw->key_len)) {
        sqlite_bind_blob(store, id, 7, raw->key, raw->key_len); /* its sender gets an answer */
    }
    if (raw->key) {
        sqlite_bind_int(store, id, 9, (int64_t)raw->key_len);
    }
    if (raw->value) {
        sqlite_bind_int(store, id, 10, (int64_t)raw->value_len);
    }
    sqlite_bind_blob(store, id, 11, item->digest, sizeof(item->digest));
    sqlite_bind_int(store, id, 12, item->origin.timestamp_ms);
    sqlite_bind_int(store, id, 13, chunk->now_ms);
    enum store_status status = sqlite_run(store, id, "add to the quarantine", err);
    if (status == STORE_OK) {
        status = add_headers(store, item, &room, err);
    }
    if (has_room) {
        store->now.quarantine_bytes += (int64_t)(STORE_QUARANTINE_MESSAGE_BYTES - room);
    }
    return status;
}

/* ---- traces ---- */

/* The trace headers of a message go along to its outcome, and are kept until then. */
static enum store_status add_trace(struct store_sqlite *store, const struct chunk_item *item,
                                   struct error *err)
{
    static const char *const names[] = {"traceparent", "tracestate"};
    bool found = false;
    const char *name;
    const void *value;
    size_t len;

    if (!store->headers || !item->raw.headers) {
        return STORE_OK;
    }
    for (size_t i = 0;
         i < CHUNK_HEADERS_MAX && store->headers(item->raw.headers, i, &name, &value, &len); i++) {
        for (int j = 0; j < 2; j++) {
            if (value && len > 0 && len <= STORE_TRACE_MAX && strcmp(name, names[j]) == 0) {
                sqlite_bind_blob(store, STATEMENT_ADD_TRACE, 2 + j, value, len);
                found = true;
            }
        }
    }
    if (!found) {
        return STORE_OK;
    }
    sqlite_bind_int(store, STATEMENT_ADD_TRACE, 1, store->now.last_seq);
    return sqlite_run(store, STATEMENT_ADD_TRACE, "add a trace", err);
}

static enum store_status add_record(struct store_sqlite *store, struct chunk *chunk,
                                    const struct chunk_item *item, struct error *err)
{
    switch (item->decision.outcome) {
    case OUTCOME_APPLIED:
    case OUTCOME_REJECTED:
        return note_decision(store, chunk, item, err);
    case OUTCOME_DUPLICATE:
    case OUTCOME_CONFLICT:
        return STORE_OK;
    case OUTCOME_QUARANTINED:
        return add_quarantine(store, chunk, item, err);
    case OUTCOME_NONE:
    case OUTCOME_REDELIVERED:
    case OUTCOME_COUNT:
    default:
        return sqlite_damaged(store, "an item without a decision", err);
    }
}

enum store_status sqlite_save_item(struct store_sqlite *store, struct chunk *chunk,
                                   struct chunk_item *item, struct error *err)
{
    if (item->decision.outcome == OUTCOME_REDELIVERED) {
        return STORE_OK; /* only counted */
    }
    item->seq = ++store->now.last_seq;
    enum store_status status = add_record(store, chunk, item, err);
    return status == STORE_OK ? add_trace(store, item, err) : status;
}
