#include "consumer/store_sqlite_internal.h"

/*
 * How many keys ahead the filter's rows are asked for, while one is looked at: about as long as
 * memory takes.
 */
#define AHEAD 8

/* A key that is looked up. */
struct asked {
    const unsigned char *form; /* borrowed from the chunk */
    size_t len;
    struct key_hash hash;
};

/* Sets *ret to the key's seq when the segment has it. */
static enum store_status find_in(struct store_sqlite *store, int64_t segment,
                                 const struct asked *asked, int64_t *ret, struct error *err)
{
    sqlite3_stmt *row;

    sqlite_bind_int(store, STATEMENT_FIND_KEY, 1, segment);
    sqlite_bind_blob(store, STATEMENT_FIND_KEY, 2, asked->form, asked->len);
    enum store_status status = sqlite_row(store, STATEMENT_FIND_KEY, "look up a key", &row, err);
    if (status == STORE_OK) {
        *ret = row ? sqlite3_column_int64(row, 0) : 0;
        sqlite_done(store, STATEMENT_FIND_KEY);
    }
    return status;
}

/*
 * The first sealed segment from `from` on that may hold the key, 0 = none does. Segments that the
 * filter does not cover always may.
 */
static int64_t next_segment(const struct sqlite_keys *keys, const struct asked *asked, int64_t from)
{
    size_t found = key_filter_next(keys->filter, asked->hash, (size_t)from - 1);

    if (found != KEY_FILTER_NONE) {
        return (int64_t)found + 1;
    }
    int64_t covered = (int64_t)key_filter_segments(keys->filter);
    int64_t uncovered = from > covered ? from : covered + 1;
    return uncovered < keys->current ? uncovered : 0;
}

/*
 * The filter has just said of a key that no segment has it. One of them is asked all the same, for
 * the key or its neighbour below: what it has, the filter must have said of it. So a filter that
 * has lost keys is found even while no key is repeated.
 */
static enum store_status check_sample(struct store_sqlite *store, const struct asked *asked,
                                      struct error *err)
{
    struct sqlite_keys *keys = &store->keys;
    int64_t segment = 1 + (int64_t)(keys->samples++ % (uint64_t)(keys->current - 1));
    size_t number = (size_t)segment - 1;
    bool missed = false;
    sqlite3_stmt *row;

    sqlite_bind_int(store, STATEMENT_SAMPLE_KEY, 1, segment);
    sqlite_bind_blob(store, STATEMENT_SAMPLE_KEY, 2, asked->form, asked->len);
    enum store_status status =
        sqlite_row(store, STATEMENT_SAMPLE_KEY, "check the filter", &row, err);
    if (status != STORE_OK) {
        return status;
    }
    if (row) {
        struct key_hash hash =
            key_hash(sqlite3_column_blob(row, 0), (size_t)sqlite3_column_bytes(row, 0));
        missed = key_filter_next(keys->filter, hash, number) != number;
    }
    sqlite_done(store, STATEMENT_SAMPLE_KEY);
    return missed ? sqlite_damaged(store, "the key filter has lost a key that a segment has", err)
                  : STORE_OK;
}

static enum store_status find_sealed(struct store_sqlite *store, const struct asked *asked,
                                     int64_t *ret, struct error *err)
{
    struct sqlite_keys *keys = &store->keys;
    int64_t segment = next_segment(keys, asked, 1);
    enum store_status status = STORE_OK;

    if (segment == 0 && keys->surely_new++ % STORE_SAMPLE == 0) {
        status = check_sample(store, asked, err);
    }
    while (status == STORE_OK && segment != 0 && *ret == 0) {
        status = find_in(store, segment, asked, ret, err);
        segment = next_segment(keys, asked, segment + 1);
    }
    return status;
}

/* All of the chunk's keys that the current segment has, by one statement. */
static enum store_status find_newest(struct store_sqlite *store, struct chunk *chunk,
                                     struct error *err)
{
    const enum statement id = STATEMENT_FIND_NEWEST;
    sqlite3_stmt *row;
    enum store_status status;

    for (size_t i = 0; i < chunk->key_count; i++) {
        chunk->keys[i].seq = 0;
    }
    store->shown = chunk;
    sqlite_bind_int(store, id, 1, store->keys.current);
    while ((status = sqlite_row(store, id, "look up keys", &row, err)) == STORE_OK && row) {
        chunk->keys[sqlite3_column_int64(row, 0)].seq = sqlite3_column_int64(row, 1);
    }
    if (status == STORE_OK) {
        sqlite_done(store, id);
    }
    store->shown = NULL;
    return status;
}

/* The others in the sealed segments. */
static enum store_status find_older(struct store_sqlite *store, struct chunk *chunk,
                                    struct error *err)
{
    struct asked asked[AHEAD + 1];
    enum store_status status = STORE_OK;

    for (size_t i = 0; status == STORE_OK && i < chunk->key_count + AHEAD; i++) {
        struct asked *ahead = &asked[i % (AHEAD + 1)];
        if (i < chunk->key_count) {
            ahead->form = chunk->keys[i].form;
            ahead->len = chunk->keys[i].form_len;
            ahead->hash = key_hash(ahead->form, ahead->len);
            key_filter_prefetch(store->keys.filter, ahead->hash);
        }
        if (i >= AHEAD && chunk->keys[i - AHEAD].seq == 0) {
            const struct asked *now = &asked[(i - AHEAD) % (AHEAD + 1)];
            status = find_sealed(store, now, &chunk->keys[i - AHEAD].seq, err);
        }
    }
    return status;
}

/* The newest keys are the likeliest to come again. */
enum store_status sqlite_find_keys(struct store_sqlite *store, struct chunk *chunk,
                                   struct error *err)
{
    enum store_status status = find_newest(store, chunk, err);

    return status == STORE_OK && store->keys.current > 1 ? find_older(store, chunk, err) : status;
}

enum store_status sqlite_keys_added(struct store_sqlite *store, int64_t added, struct error *err)
{
    store->keys.count += added;
    return store->keys.count >= store->keys.segment_keys ? sqlite_seal(store, err) : STORE_OK;
}

/* ---- the end of a transaction ---- */

void sqlite_keys_committed(struct store_sqlite *store)
{
    store->keys.committed_current = store->keys.current;
    store->keys.committed_count = store->keys.count;
}

void sqlite_keys_rolled_back(struct store_sqlite *store)
{
    struct sqlite_keys *keys = &store->keys;

    if (keys->current != keys->committed_current) {
        key_filter_cut(keys->filter, (size_t)keys->committed_current - 1);
    }
    keys->current = keys->committed_current;
    keys->count = keys->committed_count;
}
