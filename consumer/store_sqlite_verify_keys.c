/*
 * Segments and keys. Each segment's keys are read in their order, all segments side by side, and
 * merged: a key that stands in two of them comes twice in a row. That the keys are those of the
 * decisions is told by two sums; only when they differ are the rows compared.
 */
#include "consumer/store_sqlite_verify.h"

#include "common/text.h"
#include "consumer/key_form.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* One segment on its way through the merge; on its next key, unless it is at its end. */
struct cursor {
    sqlite3_stmt *row;
    const unsigned char *key; /* borrowed from the row */
    size_t key_len;
    int64_t segment;
    int64_t count;
    struct key_hash sum;
};

struct merge {
    struct verify *verify;
    struct cursor *cursors;
    size_t cursor_count;
    struct cursor **heap; /* those that have a key; the smallest key is on top */
    size_t heap_count;
    unsigned char last[KEY_FORM_SIZE]; /* the key before */
    size_t last_len;
    int64_t last_segment;
};

struct key_hash verify_key_hash(const void *form, size_t form_len, int64_t seq)
{
    unsigned char bytes[KEY_FORM_SIZE + sizeof(seq)];
    size_t len = form_len < KEY_FORM_SIZE ? form_len : KEY_FORM_SIZE;

    memcpy(bytes, &seq, sizeof(seq));
    if (len > 0) {
        memcpy(bytes + sizeof(seq), form, len);
    }
    return key_hash(bytes, sizeof(seq) + len);
}

/* ---- the heap ---- */

static int compare_keys(const unsigned char *a, size_t a_len, const unsigned char *b, size_t b_len)
{
    size_t len = a_len < b_len ? a_len : b_len;
    int order = len > 0 ? memcmp(a, b, len) : 0;

    return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

static bool is_before(const struct cursor *a, const struct cursor *b)
{
    return compare_keys(a->key, a->key_len, b->key, b->key_len) < 0;
}

/* Brings what stands at `at` down to its place. */
static void sift(struct merge *merge, size_t at)
{
    struct cursor **heap = merge->heap;

    for (size_t child; (child = 2 * at + 1) < merge->heap_count; at = child) {
        if (child + 1 < merge->heap_count && is_before(heap[child + 1], heap[child])) {
            child++;
        }
        if (!is_before(heap[child], heap[at])) {
            return;
        }
        struct cursor *down = heap[at];
        heap[at] = heap[child];
        heap[child] = down;
    }
}

/* ---- a segment ---- */

/* To the next key; cursor->key is NULL at the end, also when the rest cannot be read. */
static enum store_status step(struct verify *verify, struct cursor *cursor, struct error *err)
{
    int code = sqlite3_step(cursor->row);

    cursor->key = NULL;
    if (code == SQLITE_ROW) {
        cursor->key = sqlite3_column_blob(cursor->row, 0);
        cursor->key_len = (size_t)sqlite3_column_bytes(cursor->row, 0);
        if (!cursor->key) {
            cursor->key = (const unsigned char *)"";
        }
        return STORE_OK;
    }
    if (code == SQLITE_DONE) {
        return STORE_OK;
    }
    sqlite_failed(verify->store, "read a key segment", err);
    return verify_damage(verify, STORE_CHECK_KEYS, err);
}

static enum store_status open_cursor(struct merge *merge, struct cursor *cursor, int64_t segment,
                                     struct error *err)
{
    struct store_sqlite *store = merge->verify->store;

    cursor->segment = segment;
    if (sqlite3_prepare_v2(store->db, "SELECT key, seq FROM keys WHERE segment = ? ORDER BY key",
                           -1, &cursor->row, NULL) != SQLITE_OK ||
        sqlite3_bind_int64(cursor->row, 1, segment) != SQLITE_OK) {
        return sqlite_failed(store, "read a key segment", err);
    }
    enum store_status status = step(merge->verify, cursor, err);
    if (status == STORE_OK && cursor->key) {
        merge->heap[merge->heap_count++] = cursor;
    }
    return status;
}

/* Counts the key that a cursor stands on, and sees whether the one before was the same. */
static void take_key(struct merge *merge, struct cursor *cursor)
{
    struct verify *verify = merge->verify;
    char key[TEXT_ESCAPED_SIZE];

    verify->proof->looked_at[STORE_CHECK_KEYS]++;
    cursor->count++;
    key_hash_add(&cursor->sum, key_hash(cursor->key, cursor->key_len));
    key_hash_add(&verify->keys, verify_key_hash(cursor->key, cursor->key_len,
                                                sqlite3_column_int64(cursor->row, 1)));
    if (cursor->key_len == 0 || cursor->key_len > KEY_FORM_SIZE) {
        verify_found(verify, STORE_CHECK_KEYS, "segment %" PRId64 " has a key of %zu bytes",
                     cursor->segment, cursor->key_len);
        return;
    }
    if (merge->last_segment != 0 &&
        compare_keys(cursor->key, cursor->key_len, merge->last, merge->last_len) == 0) {
        verify_found(verify, STORE_CHECK_KEYS, "%s: stands in segments %" PRId64 " and %" PRId64,
                     verify_key_text(key, cursor->row, 0), merge->last_segment, cursor->segment);
    }
    memcpy(merge->last, cursor->key, cursor->key_len);
    merge->last_len = cursor->key_len;
    merge->last_segment = cursor->segment;
}

static enum store_status run_merge(struct merge *merge, struct error *err)
{
    enum store_status status = STORE_OK;

    for (size_t i = merge->heap_count / 2; i-- > 0;) {
        sift(merge, i);
    }
    while (status == STORE_OK && merge->heap_count > 0) {
        struct cursor *first = merge->heap[0];
        take_key(merge, first);
        status = step(merge->verify, first, err);
        if (!first->key) {
            merge->heap[0] = merge->heap[--merge->heap_count];
        }
        sift(merge, 0);
    }
    return status;
}

/* ---- the rows of segments ---- */

/* A sealed segment must have what its row says. Its cursor is number id - 1. */
static void check_segment(struct merge *merge, sqlite3_stmt *row)
{
    struct verify *verify = merge->verify;
    int64_t id = sqlite3_column_int64(row, 4);
    unsigned char sum[KEY_HASH_SIZE];

    verify->proof->looked_at[STORE_CHECK_SEGMENTS]++;
    if (id < 1 || (size_t)id >= merge->cursor_count) {
        verify_found(verify, STORE_CHECK_SEGMENTS, "segment %" PRId64 " cannot be: %zu are sealed",
                     id, merge->cursor_count - 1);
        return;
    }
    const struct cursor *cursor = &merge->cursors[id - 1];
    key_hash_store(sum, cursor->sum);
    if (cursor->count != sqlite3_column_int64(row, 0) ||
        sqlite3_column_bytes(row, 1) != KEY_HASH_SIZE ||
        memcmp(sum, sqlite3_column_blob(row, 1), KEY_HASH_SIZE) != 0) {
        verify_found(verify, STORE_CHECK_SEGMENTS,
                     "segment %" PRId64 " has not the keys that it was sealed with", id);
    }
    if (!sqlite_segment_is_whole(verify->store, row, id)) {
        verify_found(verify, STORE_CHECK_SEGMENTS,
                     "segment %" PRId64 ": its filter is not as it was written; the next payd run "
                     "makes it again",
                     id);
    }
}

static enum store_status check_segments(struct merge *merge, struct error *err)
{
    struct verify *verify = merge->verify;
    sqlite3_stmt *row = NULL;
    int code = sqlite3_prepare_v2(
        verify->store->db, "SELECT keys, checksum, filter_checksum, filter, id FROM segments", -1,
        &row, NULL);

    enum store_status status = STORE_OK;
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(row);
        if (code == SQLITE_ROW) {
            check_segment(merge, row);
        }
    }
    if (code != SQLITE_DONE) {
        sqlite_failed(verify->store, "read the key segments", err);
        status = verify_damage(verify, STORE_CHECK_SEGMENTS, err);
    }
    sqlite3_finalize(row);
    return status;
}

static enum store_status merge_segments(struct merge *merge, struct error *err)
{
    enum store_status status = STORE_OK;

    for (size_t i = 0; status == STORE_OK && i < merge->cursor_count; i++) {
        status = open_cursor(merge, &merge->cursors[i], (int64_t)i + 1, err);
    }
    if (status == STORE_OK) {
        status = run_merge(merge, err);
    }
    const struct cursor *current = &merge->cursors[merge->cursor_count - 1];
    if (status == STORE_OK && current->count >= merge->verify->store->keys.segment_keys) {
        verify_found(merge->verify, STORE_CHECK_SEGMENTS,
                     "segment %" PRId64 " is full, but not sealed", current->segment);
    }
    return status == STORE_OK ? check_segments(merge, err) : status;
}

enum store_status verify_segments(struct verify *verify, struct error *err)
{
    struct merge *merge = calloc(1, sizeof(*merge));
    int64_t segments = 0;
    int64_t last_used = 0;
    enum store_status status = sqlite_segment_size(verify->store, err);

    if (status == STORE_OK) {
        status = sqlite_ask_int(verify->store, "SELECT count(*) FROM segments", &segments, err);
    }
    if (status == STORE_OK) {
        status = sqlite_ask_int(verify->store, "SELECT ifnull(max(segment), 0) FROM keys",
                                &last_used, err);
    }
    if (status != STORE_OK) {
        free(merge);
        return verify_damage(verify, STORE_CHECK_SEGMENTS, err);
    }
    if (last_used > segments + 1) {
        verify_found(verify, STORE_CHECK_SEGMENTS,
                     "keys stand in segment %" PRId64 ", but only %" PRId64 " are sealed",
                     last_used, segments);
    }
    size_t count = (size_t)segments + 1; /* with the current one */
    if (merge) {
        merge->verify = verify;
        merge->cursor_count = count;
        merge->cursors = calloc(count, sizeof(*merge->cursors));
        merge->heap = calloc(count, sizeof(struct cursor *));
    }
    if (!merge || !merge->cursors || !merge->heap) {
        error_set(err, EX_OSERR, "out of memory");
        status = STORE_FAILED;
    } else {
        status = merge_segments(merge, err);
    }
    for (size_t i = 0; merge && merge->cursors && i < count; i++) {
        sqlite3_finalize(merge->cursors[i].row);
    }
    if (merge) {
        free(merge->cursors);
        free(merge->heap);
    }
    free(merge);
    return status;
}

/* ---- keys and decisions ---- */

static enum store_status on_key_alone(struct verify *verify, sqlite3_stmt *row, struct error *err)
{
    char key[TEXT_ESCAPED_SIZE];

    (void)err;
    verify_found(verify, STORE_CHECK_KEYS, "%s: its decision, seq %lld, %s",
                 verify_key_text(key, row, 0), sqlite3_column_int64(row, 1),
                 sqlite3_column_int(row, 2) ? "is that of another key" : "is not there");
    return STORE_OK;
}

static enum store_status on_decision_alone(struct verify *verify, sqlite3_stmt *row,
                                           struct error *err)
{
    char key[TEXT_ESCAPED_SIZE];

    (void)err;
    verify_found(verify, STORE_CHECK_KEYS,
                 "%s: has a decision, seq %lld, that its key does not lead to: it could be paid "
                 "again",
                 verify_key_text(key, row, 0), sqlite3_column_int64(row, 1));
    return STORE_OK;
}

enum store_status verify_keys_of_decisions(struct verify *verify, struct error *err)
{
    int64_t before = verify->proof->found[STORE_CHECK_KEYS];

    if (memcmp(&verify->keys, &verify->decisions, sizeof(verify->keys)) == 0) {
        return STORE_OK;
    }
    enum store_status status = verify_faults(
        verify, STORE_CHECK_KEYS,
        "SELECT k.key, k.seq, d.seq IS NOT NULL FROM keys k LEFT JOIN decisions d ON d.seq = k.seq"
        " WHERE d.key IS NOT k.key",
        on_key_alone, err);
    if (status == STORE_OK) {
        status = verify_faults(verify, STORE_CHECK_KEYS,
                               "SELECT key, seq FROM decisions WHERE seq NOT IN"
                               " (SELECT seq FROM keys)",
                               on_decision_alone, err);
    }
    if (status == STORE_OK && verify->proof->found[STORE_CHECK_KEYS] == before) {
        verify_found(verify, STORE_CHECK_KEYS, "keys and decisions do not belong together");
    }
    return status;
}
