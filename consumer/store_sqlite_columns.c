/*
 * The tables of store_sqlite_rows.c, row by row and column by column:
 *
 *   chunk_decisions  what gets a row among the decisions
 *   chunk_repeats    duplicates and conflicts
 *   chunk_keys       keys that are decided now
 *   chunk_repeated   keys that have repeats in the chunk
 *   chunk_sought     keys to be looked up in a segment
 *   chunk_known      decisions to be looked up
 */
#include "consumer/store_sqlite_internal.h"

/* The first column of the tables of keys. */
#define KEY_FORM 0

/* ---- decisions ---- */

static size_t count_items(const struct store_sqlite *store)
{
    return store->shown->item_count;
}

static bool is_decision(const struct store_sqlite *store, size_t at)
{
    chunk_prefetch(store->shown, at);
    return sqlite_is_decision(&store->shown->items[at]);
}

static void result_form(sqlite3_context *ret, const struct chunk_key *key)
{
    sqlite3_result_blob(ret, key->form, (int)key->form_len, SQLITE_STATIC);
}

/* Stays NULL when there is none. */
static void result_optional(sqlite3_context *ret, bool is_there, int64_t value)
{
    if (is_there) {
        sqlite3_result_int64(ret, value);
    }
}

static void result_account(sqlite3_context *ret, const struct chunk *chunk, size_t account)
{
    if (account != CHUNK_NONE) {
        sqlite3_result_int64(ret, chunk->accounts[account].id);
    }
}

static void payload_column(const struct chunk *chunk, const struct chunk_item *item, int column,
                           sqlite3_context *ret)
{
    const struct command *command = &item->command;

    switch (column) {
    case DECISION_TYPE:
        sqlite3_result_int(ret, (int)command->type);
        break;
    case DECISION_SRC:
        result_account(ret, chunk, item->src);
        break;
    case DECISION_DEST:
        result_account(ret, chunk, item->dest);
        break;
    case DECISION_AMOUNT:
        sqlite3_result_int64(ret, command->payment.amount_minor);
        break;
    case DECISION_CURRENCY:
        sqlite3_result_text(ret, command->payment.currency, -1, SQLITE_STATIC);
        break;
    case DECISION_BATCH:
        if (item->batch != CHUNK_NONE) {
            sqlite3_result_int64(ret, chunk->batches[item->batch].id);
        }
        break;
    case DECISION_MIN:
        result_optional(ret, command->has_min, command->min_minor);
        break;
    case DECISION_STRICT:
        result_optional(ret, command->type == COMMAND_ACCOUNTS, command->strict);
        break;
    default: /* the decision's own have been given, but rules, which nothing asks for here */
        break;
    }
}

static void decision_column(const struct store_sqlite *store, size_t at, int column,
                            sqlite3_context *ret)
{
    const struct chunk *chunk = store->shown;
    const struct chunk_item *item = &chunk->items[at];

    switch (column) {
    case DECISION_SEQ:
        sqlite3_result_int64(ret, item->seq);
        break;
    case DECISION_KEY:
        result_form(ret, &chunk->keys[item->key]);
        break;
    case DECISION_OUTCOME:
        sqlite3_result_int(ret, (int)item->decision.outcome);
        break;
    case DECISION_REASON:
        sqlite3_result_int(ret, (int)item->decision.reason);
        break;
    case DECISION_DIGEST:
        sqlite3_result_blob(ret, item->digest, sizeof(item->digest), SQLITE_STATIC);
        break;
    case DECISION_LOG:
        sqlite3_result_int64(ret, store->log);
        break;
    case DECISION_PARTITION:
        sqlite3_result_int(ret, item->origin.partition);
        break;
    case DECISION_OFFSET:
        sqlite3_result_int64(ret, item->origin.offset);
        break;
    case DECISION_DECIDED_MS:
        sqlite3_result_int64(ret, chunk->now_ms);
        break;
    default:
        payload_column(chunk, item, column, ret);
    }
}

static const struct sqlite_rows decisions = {
    .name = "chunk_decisions",
    .declaration = "CREATE TABLE chunk_decisions (" DECISION_FIELDS ")",
    .count = count_items,
    .has = is_decision,
    .column = decision_column,
};

/* ---- repeats ---- */

/* The columns of chunk_repeats, which are those of the table. */
enum repeat_field {
    REPEAT_SEQ,
    REPEAT_KEY,
    REPEAT_FIRST_SEQ,
    REPEAT_OUTCOME,
    REPEAT_REASON,
    REPEAT_FIELDS,
    REPEAT_PAYLOAD,
    REPEAT_DIGEST,
    REPEAT_LOG,
    REPEAT_PARTITION,
    REPEAT_OFFSET,
    REPEAT_DECIDED_MS,
    REPEAT_KEPT,
};

static bool is_repeat(const struct store_sqlite *store, size_t at)
{
    return sqlite_is_repeat(&store->shown->items[at]);
}

/* What only a conflict has. */
static void conflict_column(const struct chunk_item *item, int column, sqlite3_context *ret)
{
    char fields[COMMAND_FIELDS_SIZE];

    if (item->decision.outcome != OUTCOME_CONFLICT) {
        return;
    }
    if (column == REPEAT_FIELDS) {
        sqlite3_result_text(ret, command_fields(fields, item->decision.fields), -1,
                            SQLITE_TRANSIENT);
    } else {
        sqlite3_result_blob(ret, item->raw.value, (int)item->raw.value_len, SQLITE_STATIC);
    }
}

/* What a repeat's row says in the same way as a decision's. */
static const int as_decision[] = {
    [REPEAT_SEQ] = DECISION_SEQ,
    [REPEAT_KEY] = DECISION_KEY,
    [REPEAT_OUTCOME] = DECISION_OUTCOME,
    [REPEAT_REASON] = DECISION_REASON,
    [REPEAT_DIGEST] = DECISION_DIGEST,
    [REPEAT_LOG] = DECISION_LOG,
    [REPEAT_PARTITION] = DECISION_PARTITION,
    [REPEAT_OFFSET] = DECISION_OFFSET,
    [REPEAT_DECIDED_MS] = DECISION_DECIDED_MS,
};

static void repeat_column(const struct store_sqlite *store, size_t at, int column,
                          sqlite3_context *ret)
{
    const struct chunk_item *item = &store->shown->items[at];
    const struct chunk_key *key = &store->shown->keys[item->key];

    switch (column) {
    case REPEAT_FIRST_SEQ: /* else the key is not decided yet, or only further on in this chunk */
        result_optional(ret, key->seq > 0 && key->seq < item->seq, key->seq);
        break;
    case REPEAT_FIELDS:
    case REPEAT_PAYLOAD:
        conflict_column(item, column, ret);
        break;
    case REPEAT_KEPT:
        sqlite3_result_int(ret, item->kept);
        break;
    default:
        decision_column(store, at, as_decision[column], ret);
    }
}

static const struct sqlite_rows repeats = {
    .name = "chunk_repeats",
    .declaration = "CREATE TABLE chunk_repeats (seq, key, first_seq, outcome, reason, fields,"
                   " payload, digest, log, partition, offset, decided_ms, kept)",
    .count = count_items,
    .has = is_repeat,
    .column = repeat_column,
};

/* ---- new keys ---- */

static size_t count_keys(const struct store_sqlite *store)
{
    return store->shown->key_count;
}

static bool is_new_key(const struct store_sqlite *store, size_t at)
{
    return store->shown->keys[at].owner != NULL;
}

static void key_column(const struct store_sqlite *store, size_t at, int column,
                       sqlite3_context *ret)
{
    const struct chunk_key *key = &store->shown->keys[at];

    if (column == KEY_FORM) {
        result_form(ret, key);
    } else {
        sqlite3_result_int64(ret, key->seq);
    }
}

static const struct sqlite_rows keys = {
    .name = "chunk_keys",
    .declaration = "CREATE TABLE chunk_keys (key, seq)",
    .count = count_keys,
    .has = is_new_key,
    .column = key_column,
};

/* ---- keys with repeats in the chunk ---- */

static bool is_repeated(const struct store_sqlite *store, size_t at)
{
    return store->shown->keys[at].repeated;
}

enum repeated_field { REPEATED_FORM, REPEATED_PLACE, REPEATED_COUNT };

static void repeated_column(const struct store_sqlite *store, size_t at, int column,
                            sqlite3_context *ret)
{
    const struct chunk_key *key = &store->shown->keys[at];

    switch (column) {
    case REPEATED_FORM:
        result_form(ret, key);
        break;
    case REPEATED_PLACE:
        sqlite3_result_int64(ret, (sqlite3_int64)at);
        break;
    case REPEATED_COUNT:
    default:
        sqlite3_result_int64(ret, key->repeats);
    }
}

static const struct sqlite_rows repeated_keys = {
    .name = "chunk_repeated",
    .declaration = "CREATE TABLE chunk_repeated (key, place, count)",
    .count = count_keys,
    .has = is_repeated,
    .column = repeated_column,
};

/* ---- what is sought ---- */

static size_t count_sought(const struct store_sqlite *store)
{
    return store->sought_to - store->sought_from;
}

static bool is_any(const struct store_sqlite *store, size_t at)
{
    (void)store;
    (void)at;
    return true;
}

static void sought_column(const struct store_sqlite *store, size_t at, int column,
                          sqlite3_context *ret)
{
    const struct sqlite_sought *sought = &store->sought[store->sought_from + at];

    if (column == KEY_FORM) {
        result_form(ret, &store->shown->keys[sought->place]);
    } else {
        sqlite3_result_int64(ret, sought->place);
    }
}

static const struct sqlite_rows sought_keys = {
    .name = "chunk_sought",
    .declaration = "CREATE TABLE chunk_sought (key, place)",
    .count = count_sought,
    .has = is_any,
    .column = sought_column,
};

static void known_column(const struct store_sqlite *store, size_t at, int column,
                         sqlite3_context *ret)
{
    const struct sqlite_sought *sought = &store->sought[store->sought_from + at];

    sqlite3_result_int64(ret, column == 0 ? sought->order : sought->place);
}

static const struct sqlite_rows known_keys = {
    .name = "chunk_known",
    .declaration = "CREATE TABLE chunk_known (seq, place)",
    .count = count_sought,
    .has = is_any,
    .column = known_column,
};

const struct sqlite_rows *const sqlite_rows_kinds[SQLITE_ROWS_KINDS] = {
    &decisions, &repeats, &keys, &repeated_keys, &sought_keys, &known_keys};
