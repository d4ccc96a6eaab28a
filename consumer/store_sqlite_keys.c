#include "consumer/store_sqlite_internal.h"

#include <stdlib.h>

/*
 * How many keys ahead the filter's rows are asked for, while one is looked at: about as long as
 * memory takes.
 */
#define AHEAD 8

/* ---- which segments to ask ---- */

/*
 * The first sealed segment from `from` on that may hold the key, 0 = none does. Segments that the
 * filter does not cover always may.
 */
static int64_t next_segment(const struct sqlite_keys *keys, struct key_hash hash, int64_t from)
{
    size_t found = key_filter_next(keys->filter, hash, (size_t)from - 1);

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
static enum store_status check_sample(struct store_sqlite *store, const struct chunk_key *key,
                                      struct error *err)
{
    struct sqlite_keys *keys = &store->keys;
    int64_t segment = 1 + (int64_t)(keys->samples++ % (uint64_t)(keys->current - 1));
    size_t number = (size_t)segment - 1;
    bool missed = false;
    sqlite3_stmt *row;

    sqlite_bind_int(store, STATEMENT_SAMPLE_KEY, 1, segment);
    sqlite_bind_blob(store, STATEMENT_SAMPLE_KEY, 2, key->form, key->form_len);
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

/* ---- asking them ---- */

static int compare_sought(const void *a, const void *b)
{
    const struct sqlite_sought *left = a;
    const struct sqlite_sought *right = b;

    if (left->order != right->order) {
        return left->order < right->order ? -1 : 1;
    }
    return (left->place > right->place) - (left->place < right->place);
}

enum store_status sqlite_seek(struct store_sqlite *store, struct chunk *chunk,
                              struct sqlite_sought sought, sqlite_look *look, struct error *err)
{
    enum store_status status =
        store->sought_count == SQLITE_SOUGHT_MAX ? look(store, chunk, err) : STORE_OK;

    store->sought[store->sought_count++] = sought;
    return status;
}

void sqlite_sort_sought(struct store_sqlite *store)
{
    qsort(store->sought, store->sought_count, sizeof(*store->sought), compare_sought);
    store->sought_from = 0;
    store->sought_to = store->sought_count;
}

/* All that is sought in one segment, by one statement. */
static enum store_status ask_segment(struct store_sqlite *store, struct chunk *chunk,
                                     int64_t segment, struct error *err)
{
    const enum statement id = STATEMENT_FIND_KEYS;
    sqlite3_stmt *row;
    enum store_status status;

    sqlite_bind_int(store, id, 1, segment);
    while ((status = sqlite_row(store, id, "look up keys", &row, err)) == STORE_OK && row) {
        chunk->keys[sqlite3_column_int64(row, 0)].seq = sqlite3_column_int64(row, 1);
    }
    if (status == STORE_OK) {
        sqlite_done(store, id);
    }
    return status;
}

/* Each segment once, for its keys in their order. */
static enum store_status ask_segments(struct store_sqlite *store, struct chunk *chunk,
                                      struct error *err)
{
    enum store_status status = STORE_OK;

    sqlite_sort_sought(store);
    for (size_t from = 0, to; status == STORE_OK && from < store->sought_count; from = to) {
        int64_t segment = store->sought[from].order;
        for (to = from; to < store->sought_count && store->sought[to].order == segment; to++) {
        }
        store->sought_from = from;
        store->sought_to = to;
        status = ask_segment(store, chunk, segment, err);
    }
    store->sought_count = 0;
    return status;
}

static enum store_status seek_in(struct store_sqlite *store, struct chunk *chunk, size_t place,
                                 int64_t segment, struct error *err)
{
    struct sqlite_sought sought = {.order = segment, .place = (uint32_t)place};

    return sqlite_seek(store, chunk, sought, ask_segments, err);
}

/* Notes the segments that may have the key. */
static enum store_status seek_key(struct store_sqlite *store, struct chunk *chunk, size_t place,
                                  struct key_hash hash, struct error *err)
{
    struct sqlite_keys *keys = &store->keys;
    int64_t segment = next_segment(keys, hash, 1);
    enum store_status status = STORE_OK;

    if (segment == 0 && keys->current > 1 && keys->surely_new++ % STORE_SAMPLE == 0) {
        status = check_sample(store, &chunk->keys[place], err);
    }
    for (; status == STORE_OK && segment != 0; segment = next_segment(keys, hash, segment + 1)) {
        status = seek_in(store, chunk, place, segment, err);
    }
    if (status == STORE_OK && key_filter_has(keys->newest, keys->bitmap_bytes, hash)) {
        status = seek_in(store, chunk, place, keys->current, err);
    }
    return status;
}

enum store_status sqlite_find_keys(struct store_sqlite *store, struct chunk *chunk,
                                   struct error *err)
{
    struct key_hash hashes[AHEAD + 1];
    enum store_status status = sqlite_mark_newest(store, err);

    store->sought_count = 0;
    for (size_t i = 0; status == STORE_OK && i < chunk->key_count + AHEAD; i++) {
        if (i < chunk->key_count) {
            struct key_hash hash = key_hash(chunk->keys[i].form, chunk->keys[i].form_len);
            chunk->keys[i].seq = 0;
            key_filter_prefetch(store->keys.filter, hash);
            hashes[i % (AHEAD + 1)] = hash;
        }
        if (i >= AHEAD) {
            status = seek_key(store, chunk, i - AHEAD, hashes[(i - AHEAD) % (AHEAD + 1)], err);
        }
    }
    return status == STORE_OK ? ask_segments(store, chunk, err) : status;
}

/* ---- new keys ---- */

enum store_status sqlite_keys_added(struct store_sqlite *store, const struct chunk *chunk,
                                    int64_t added, struct error *err)
{
    struct sqlite_keys *keys = &store->keys;

    for (size_t i = 0; i < chunk->key_count; i++) {
        const struct chunk_key *key = &chunk->keys[i];
        if (key->owner) {
            key_filter_mark(keys->newest, keys->bitmap_bytes, key_hash(key->form, key->form_len));
        }
    }
    keys->count += added;
    return keys->count >= keys->segment_keys ? sqlite_seal(store, err) : STORE_OK;
}

/* ---- the end of a transaction ---- */

void sqlite_keys_committed(struct store_sqlite *store)
{
    store->keys.committed_current = store->keys.current;
    store->keys.committed_count = store->keys.count;
}

/* What was marked for keys that are not there now is too much, and does no harm. */
void sqlite_keys_rolled_back(struct store_sqlite *store)
{
    struct sqlite_keys *keys = &store->keys;

    if (keys->current != keys->committed_current) {
        key_filter_cut(keys->filter, (size_t)keys->committed_current - 1);
        keys->newest_of = 0;
    }
    keys->current = keys->committed_current;
    keys->count = keys->committed_count;
}
