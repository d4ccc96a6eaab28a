#include "consumer/store_sqlite_merge.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* One segment on its way through the merge. */
struct cursor {
    sqlite3_stmt *row;
    struct sqlite_merged now;
};

struct sqlite_merge {
    struct store_sqlite *store;
    struct cursor *cursors;
    size_t cursor_count;
    size_t opened;
    struct cursor **heap; /* those that have a key; the smallest key is on top */
    size_t heap_count;
    bool given; /* the key on top */
};

int sqlite_compare_forms(const unsigned char *a, size_t a_len, const unsigned char *b, size_t b_len)
{
    size_t len = a_len < b_len ? a_len : b_len;
    int order = len > 0 ? memcmp(a, b, len) : 0;

    return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

static bool is_before(const struct cursor *a, const struct cursor *b)
{
    return sqlite_compare_forms(a->now.form, a->now.form_len, b->now.form, b->now.form_len) < 0;
}

static void swap(struct cursor **heap, size_t a, size_t b)
{
    struct cursor *kept = heap[a];

    heap[a] = heap[b];
    heap[b] = kept;
}

/* Brings what stands at `at` down to its place. */
static void sift_down(struct sqlite_merge *merge, size_t at)
{
    struct cursor **heap = merge->heap;

    for (size_t child; (child = 2 * at + 1) < merge->heap_count; at = child) {
        if (child + 1 < merge->heap_count && is_before(heap[child + 1], heap[child])) {
            child++;
        }
        if (!is_before(heap[child], heap[at])) {
            return;
        }
        swap(heap, at, child);
    }
}

/* Adds one, and brings it up to its place. */
static void add(struct sqlite_merge *merge, struct cursor *cursor)
{
    size_t at = merge->heap_count++;

    merge->heap[at] = cursor;
    for (size_t parent; at > 0; at = parent) {
        parent = (at - 1) / 2;
        if (!is_before(merge->heap[at], merge->heap[parent])) {
            return;
        }
        swap(merge->heap, at, parent);
    }
}

/* To the next key; NULL at the end, and after a failure. */
static enum store_status step(struct sqlite_merge *merge, struct cursor *cursor, struct error *err)
{
    int code = sqlite3_step(cursor->row);

    cursor->now.form = NULL;
    if (code == SQLITE_ROW) {
        const unsigned char *form = sqlite3_column_blob(cursor->row, 0);
        cursor->now.form = form ? form : (const unsigned char *)"";
        cursor->now.form_len = (size_t)sqlite3_column_bytes(cursor->row, 0);
        cursor->now.seq = sqlite3_column_int64(cursor->row, 1);
    }
    return code == SQLITE_ROW || code == SQLITE_DONE
               ? STORE_OK
               : sqlite_failed(merge->store, "read a key segment", err);
}

static enum store_status open_cursor(struct sqlite_merge *merge, struct cursor *cursor,
                                     struct error *err)
{
    if (sqlite3_prepare_v2(merge->store->db,
                           "SELECT key, seq FROM keys WHERE segment = ? ORDER BY key", -1,
                           &cursor->row, NULL) != SQLITE_OK ||
        sqlite3_bind_int64(cursor->row, 1, cursor->now.segment) != SQLITE_OK) {
        return sqlite_failed(merge->store, "read a key segment", err);
    }
    enum store_status status = step(merge, cursor, err);
    if (cursor->now.form) {
        add(merge, cursor);
    }
    return status;
}

enum store_status sqlite_merge_open(struct sqlite_merge **ret, struct store_sqlite *store,
                                    int64_t segments, struct error *err)
{
    struct sqlite_merge *merge = calloc(1, sizeof(*merge));

    if (merge) {
        merge->store = store;
        merge->cursor_count = (size_t)segments;
        merge->cursors = calloc(merge->cursor_count, sizeof(*merge->cursors));
        merge->heap = calloc(merge->cursor_count, sizeof(struct cursor *));
    }
    if (!merge || !merge->cursors || !merge->heap) {
        sqlite_merge_close(merge);
        error_set(err, EX_OSERR, "out of memory");
        return STORE_FAILED;
    }
    for (size_t i = 0; i < merge->cursor_count; i++) {
        merge->cursors[i].now.segment = (int64_t)i + 1;
    }
    *ret = merge;
    return STORE_OK;
}

enum store_status sqlite_merge_next(struct sqlite_merge *merge, struct sqlite_merged *ret,
                                    struct error *err)
{
    enum store_status status = STORE_OK;

    while (status == STORE_OK && merge->opened < merge->cursor_count) {
        status = open_cursor(merge, &merge->cursors[merge->opened], err);
        merge->opened++;
    }
    if (status == STORE_OK && merge->given) {
        struct cursor *first = merge->heap[0];
        merge->given = false;
        status = step(merge, first, err);
        if (!first->now.form) {
            merge->heap[0] = merge->heap[--merge->heap_count];
        }
        sift_down(merge, 0);
    }
    if (status != STORE_OK) {
        return status;
    }
    *ret = merge->heap_count > 0 ? merge->heap[0]->now : (struct sqlite_merged){.form = NULL};
    merge->given = merge->heap_count > 0;
    return STORE_OK;
}

void sqlite_merge_close(struct sqlite_merge *merge)
{
    if (!merge) {
        return;
    }
    for (size_t i = 0; merge->cursors && i < merge->cursor_count; i++) {
        sqlite3_finalize(merge->cursors[i].row);
    }
    free(merge->cursors);
    free(merge->heap);
    free(merge);
}
