#include "consumer/store_sqlite_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Filters that are read before they go into memory's one together: 32 MiB of them. */
#define READ_AT_ONCE 64

/* What is remembered of a sealed segment beside its filter. */
struct segment {
    int64_t id;
    int64_t keys;
    unsigned char checksum[KEY_HASH_SIZE]; /* the sum of its keys' hashes */
};

static size_t filter_bytes(const struct store_sqlite *store)
{
    return store->keys.bitmap_bytes;
}

enum store_status sqlite_segment_size(struct store_sqlite *store, struct error *err)
{
    struct sqlite_keys *keys = &store->keys;
    enum store_status status =
        sqlite_ask_int(store, "SELECT segment_keys FROM store", &keys->segment_keys, err);

    if (status == STORE_OK && (keys->segment_keys < 1 || keys->segment_keys > STORE_SEGMENT_KEYS)) {
        status = sqlite_damaged(store, "the size of its key segments", err);
    }
    if (status == STORE_OK) {
        keys->bitmap_bytes = key_filter_bytes((size_t)keys->segment_keys);
    }
    return status;
}

/* Over all that is remembered of a segment. */
static void make_checksum(unsigned char ret[KEY_HASH_SIZE], const struct segment *segment,
                          const unsigned char *filter, size_t bytes)
{
    unsigned char parts[3][KEY_HASH_SIZE];

    key_hash_store(parts[0], (struct key_hash){(uint64_t)segment->id, (uint64_t)segment->keys});
    memcpy(parts[1], segment->checksum, KEY_HASH_SIZE);
    key_hash_store(parts[2], key_hash(filter, bytes));
    key_hash_store(ret, key_hash(parts, sizeof(parts)));
}

/* Reads the segment's keys: fills *ret of its id, and marks them in the bitmap, which is zeroed. */
static enum store_status read_keys(struct store_sqlite *store, struct segment *ret,
                                   unsigned char *bitmap, struct error *err)
{
    const enum statement id = STATEMENT_SEGMENT_KEYS;
    struct key_hash sum = {0, 0};
    sqlite3_stmt *row;
    enum store_status status;

    ret->keys = 0;
    sqlite_bind_int(store, id, 1, ret->id);
    while ((status = sqlite_row(store, id, "read a key segment", &row, err)) == STORE_OK && row) {
        struct key_hash hash =
            key_hash(sqlite3_column_blob(row, 0), (size_t)sqlite3_column_bytes(row, 0));
        key_hash_add(&sum, hash);
        key_filter_mark(bitmap, filter_bytes(store), hash);
        ret->keys++;
    }
    if (status == STORE_OK) {
        sqlite_done(store, id);
    }
    key_hash_store(ret->checksum, sum);
    return status;
}

static enum store_status no_memory(struct store_sqlite *store, struct error *err)
{
    error_set(err, EX_OSERR, "%s: out of memory for the key filter", store->path);
    return STORE_FAILED;
}

/* ---- sealing ---- */

static enum store_status write_segment(struct store_sqlite *store, enum statement id,
                                       const struct segment *segment, const unsigned char *filter,
                                       struct error *err)
{
    unsigned char checksum[KEY_HASH_SIZE];

    make_checksum(checksum, segment, filter, filter_bytes(store));
    sqlite_bind_int(store, id, 1, segment->id);
    sqlite_bind_int(store, id, 2, segment->keys);
    sqlite_bind_blob(store, id, 3, segment->checksum, KEY_HASH_SIZE);
    sqlite_bind_blob(store, id, 4, checksum, KEY_HASH_SIZE);
    sqlite_bind_blob(store, id, 5, filter, filter_bytes(store));
    return sqlite_run(store, id, "write a key segment", err);
}

/* Beyond the filter's limit, segments stay uncovered, and each of them is asked for each key. */
static enum store_status cover(struct store_sqlite *store, const unsigned char *filter,
                               struct error *err)
{
    struct sqlite_keys *keys = &store->keys;

    if (keys->current > KEY_FILTER_SEGMENTS_MAX) {
        return STORE_OK;
    }
    return key_filter_add(keys->filter, &filter, 1) == 0 ? STORE_OK : no_memory(store, err);
}

enum store_status sqlite_seal(struct store_sqlite *store, struct error *err)
{
    struct sqlite_keys *keys = &store->keys;
    struct segment segment = {.id = keys->current};
    unsigned char *filter = calloc(1, filter_bytes(store));

    if (!filter) {
        return no_memory(store, err);
    }
    enum store_status status = read_keys(store, &segment, filter, err);
    if (status == STORE_OK && segment.keys != keys->count) {
        status = sqlite_damaged(store, "a key segment has not the keys that it was given", err);
    }
    if (status == STORE_OK) {
        status = write_segment(store, STATEMENT_ADD_SEGMENT, &segment, filter, err);
    }
    if (status == STORE_OK) {
        status = cover(store, filter, err);
    }
    free(filter);
    if (status == STORE_OK) {
        keys->current++;
        keys->count = 0;
        memset(keys->newest, 0, filter_bytes(store));
        keys->newest_of = keys->current;
    }
    return status;
}

enum store_status sqlite_mark_newest(struct store_sqlite *store, struct error *err)
{
    struct sqlite_keys *keys = &store->keys;
    struct segment newest = {.id = keys->current};

    if (keys->newest_of == keys->current) {
        return STORE_OK;
    }
    memset(keys->newest, 0, filter_bytes(store));
    enum store_status status = read_keys(store, &newest, keys->newest, err);
    if (status == STORE_OK) {
        keys->newest_of = keys->current;
    }
    return status;
}

/* ---- opening ---- */

/* Makes a filter anew that is not as it was written. The keys must be as they were sealed. */
static enum store_status rebuild(struct store_sqlite *store, const struct segment *sealed,
                                 unsigned char *bitmap, struct error *err)
{
    struct segment found = {.id = sealed->id};

    memset(bitmap, 0, filter_bytes(store));
    enum store_status status = read_keys(store, &found, bitmap, err);
    if (status == STORE_OK) {
        struct key_hash sum = key_hash_load(found.checksum);
        status = sqlite_add_forgotten_keys(store, found.id, &found.keys, &sum, err);
        key_hash_store(found.checksum, sum);
    }
    if (status == STORE_OK && (found.keys != sealed->keys ||
                               memcmp(found.checksum, sealed->checksum, KEY_HASH_SIZE) != 0)) {
        status =
            sqlite_damaged(store, "a key segment has not the keys that it was sealed with", err);
    }
    if (status == STORE_OK && store->lock_fd >= 0) {
        status = write_segment(store, STATEMENT_REPLACE_SEGMENT, sealed, bitmap, err);
        store->keys.rebuilt++;
    }
    return status;
}

/* True when all that the row says of the segment is as it was written. Fills bitmap, or NULL. */
static bool read_row(const struct store_sqlite *store, sqlite3_stmt *row, struct segment *segment,
                     unsigned char *bitmap)
{
    size_t bytes = filter_bytes(store);
    unsigned char checksum[KEY_HASH_SIZE];

    segment->keys = sqlite3_column_int64(row, 0);
    memset(segment->checksum, 0, KEY_HASH_SIZE);
    if (sqlite3_column_bytes(row, 1) == KEY_HASH_SIZE) {
        memcpy(segment->checksum, sqlite3_column_blob(row, 1), KEY_HASH_SIZE);
    }
    const void *filter = sqlite3_column_blob(row, 3);
    if (!filter || (size_t)sqlite3_column_bytes(row, 3) != bytes ||
        sqlite3_column_bytes(row, 2) != KEY_HASH_SIZE) {
        return false;
    }
    if (bitmap) {
        memcpy(bitmap, filter, bytes);
    }
    make_checksum(checksum, segment, filter, bytes);
    return memcmp(checksum, sqlite3_column_blob(row, 2), KEY_HASH_SIZE) == 0;
}

bool sqlite_segment_is_whole(const struct store_sqlite *store, sqlite3_stmt *row, int64_t id)
{
    struct segment segment = {.id = id};

    return read_row(store, row, &segment, NULL);
}

static enum store_status read_filter(struct store_sqlite *store, int64_t id, unsigned char *bitmap,
                                     struct error *err)
{
    struct segment segment = {.id = id};
    sqlite3_stmt *row;

    sqlite_bind_int(store, STATEMENT_FIND_SEGMENT, 1, id);
    enum store_status status =
        sqlite_row(store, STATEMENT_FIND_SEGMENT, "read a key filter", &row, err);
    if (status != STORE_OK) {
        return status;
    }
    bool found = row != NULL;
    bool good = row && read_row(store, row, &segment, bitmap);
    sqlite_done(store, STATEMENT_FIND_SEGMENT);
    if (!found) {
        return sqlite_damaged(store, "a key segment is not known", err);
    }
    return good ? STORE_OK : rebuild(store, &segment, bitmap, err);
}

/* The filters of count segments behind those that are covered; buffer has room for them. */
static enum store_status read_filters(struct store_sqlite *store, unsigned char *buffer,
                                      size_t count, struct error *err)
{
    size_t covered = key_filter_segments(store->keys.filter);
    const unsigned char *bitmaps[READ_AT_ONCE];
    enum store_status status = STORE_OK;

    for (size_t i = 0; status == STORE_OK && i < count; i++) {
        unsigned char *bitmap = buffer + i * filter_bytes(store);
        status = read_filter(store, (int64_t)(covered + i + 1), bitmap, err);
        bitmaps[i] = bitmap;
    }
    if (status == STORE_OK && key_filter_add(store->keys.filter, bitmaps, count) != 0) {
        status = no_memory(store, err);
    }
    return status;
}

static enum store_status read_all_filters(struct store_sqlite *store, size_t wanted,
                                          struct error *err)
{
    size_t at_once = wanted < READ_AT_ONCE ? wanted : READ_AT_ONCE;
    size_t covered = 0;
    unsigned char *buffer = malloc(at_once * filter_bytes(store));
    enum store_status status = buffer ? STORE_OK : no_memory(store, err);

    while (status == STORE_OK && covered < wanted) {
        size_t left = wanted - covered;
        status = read_filters(store, buffer, left < at_once ? left : at_once, err);
        covered = key_filter_segments(store->keys.filter);
    }
    free(buffer);
    return status;
}

static enum store_status make_filter(struct store_sqlite *store, struct error *err)
{
    size_t sealed = (size_t)store->keys.current - 1;
    size_t wanted = sealed < KEY_FILTER_SEGMENTS_MAX ? sealed : KEY_FILTER_SEGMENTS_MAX;

    store->keys.filter = key_filter_new(filter_bytes(store));
    if (!store->keys.filter || key_filter_reserve(store->keys.filter, wanted) != 0) {
        return no_memory(store, err);
    }
    return wanted > 0 ? read_all_filters(store, wanted, err) : STORE_OK;
}

/* Which segment is the current one: the one behind the last that is sealed. */
static enum store_status find_current(struct store_sqlite *store, struct error *err)
{
    int64_t sealed = 0;
    int64_t last = 0;
    int64_t last_used = 0;
    enum store_status status = sqlite_ask_int(store, "SELECT count(*) FROM segments", &sealed, err);

    if (status == STORE_OK) {
        status = sqlite_ask_int(store, "SELECT ifnull(max(id), 0) FROM segments", &last, err);
    }
    if (status == STORE_OK) {
        status = sqlite_ask_int(store, "SELECT ifnull(max(segment), 0) FROM keys", &last_used, err);
    }
    if (status == STORE_OK && (sealed != last || last_used > last + 1)) {
        status = sqlite_damaged(store, "a key segment is not known", err);
    }
    store->keys.current = last + 1;
    return status;
}

enum store_status sqlite_keys_open(struct store_sqlite *store, struct error *err)
{
    struct sqlite_keys *keys = &store->keys;
    char sql[96];
    enum store_status status = sqlite_segment_size(store, err);

    if (status == STORE_OK) {
        status = find_current(store, err);
    }
    if (status == STORE_OK) {
        keys->newest = malloc(keys->bitmap_bytes);
        store->sought = calloc(SQLITE_SOUGHT_MAX, sizeof(*store->sought));
        status = keys->newest && store->sought ? make_filter(store, err) : no_memory(store, err);
    }
    if (status == STORE_OK) {
        sqlite3_snprintf(sizeof(sql), sql, "SELECT count(*) FROM keys WHERE segment = %lld",
                         (long long)keys->current);
        status = sqlite_ask_int(store, sql, &keys->count, err);
    }
    sqlite_keys_committed(store);
    return status;
}
