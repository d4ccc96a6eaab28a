/*
 * Segments and keys. Each segment's keys are read in their order, all segments side by side, and
 * merged: a key that stands in two of them comes twice in a row. That the keys are those of the
 * decisions is told by two sums; only when they differ are the rows compared.
 */
#include "consumer/store_sqlite_merge.h"
#include "consumer/store_sqlite_verify.h"

#include "common/text.h"
#include "consumer/key_form.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* What was read of a segment. */
struct seen {
    int64_t count;
    struct key_hash sum;
};

struct segments {
    struct verify *verify;
    struct seen *seen; /* by number, from 1 on; the last is the current one */
    size_t count;
    unsigned char last[KEY_FORM_SIZE]; /* the key before */
    size_t last_len;
    int64_t last_segment; /* 0 = there was none */
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

/* ---- the keys of the segments ---- */

/* Counts a key, and sees whether the one before was the same. */
static void take_key(struct segments *segments, const struct sqlite_merged *key)
{
    struct verify *verify = segments->verify;
    struct seen *seen = &segments->seen[key->segment - 1];
    char text[TEXT_ESCAPED_SIZE];

    verify->proof->looked_at[STORE_CHECK_KEYS]++;
    seen->count++;
    key_hash_add(&seen->sum, key_hash(key->form, key->form_len));
    key_hash_add(&verify->keys, verify_key_hash(key->form, key->form_len, key->seq));
    if (key->form_len == 0 || key->form_len > KEY_FORM_SIZE) {
        verify_found(verify, STORE_CHECK_KEYS, "segment %" PRId64 " has a key of %zu bytes",
                     key->segment, key->form_len);
        return;
    }
    if (segments->last_segment != 0 &&
        sqlite_compare_forms(key->form, key->form_len, segments->last, segments->last_len) == 0) {
        verify_found(verify, STORE_CHECK_KEYS, "%s: stands in segments %" PRId64 " and %" PRId64,
                     verify_form_text(text, key->form, key->form_len), segments->last_segment,
                     key->segment);
    }
    memcpy(segments->last, key->form, key->form_len);
    segments->last_len = key->form_len;
    segments->last_segment = key->segment;
}

/* What was forgotten of a sealed segment counts as if it were there. */
static enum store_status add_forgotten(struct segments *segments, struct error *err)
{
    struct verify *verify = segments->verify;
    enum store_status status = STORE_OK;

    for (size_t i = 0; status == STORE_OK && i + 1 < segments->count; i++) {
        struct seen *seen = &segments->seen[i];
        status =
            sqlite_add_forgotten_keys(verify->store, (int64_t)i + 1, &seen->count, &seen->sum, err);
    }
    return status == STORE_OK ? status : verify_damage(verify, STORE_CHECK_SEGMENTS, err);
}

static enum store_status read_segments(struct segments *segments, struct error *err)
{
    struct verify *verify = segments->verify;
    struct sqlite_merge *merge = NULL;
    struct sqlite_merged key = {.seq = 0};
    enum store_status status =
        sqlite_merge_open(&merge, verify->store, (int64_t)segments->count, err);
    bool more = true;

    while (status == STORE_OK && more) {
        if (sqlite_merge_next(merge, &key, err) != STORE_OK) {
            status = verify_damage(verify, STORE_CHECK_KEYS, err);
        } else if (key.form) {
            take_key(segments, &key);
        } else {
            more = false;
        }
    }
    sqlite_merge_close(merge);
    return status;
}

/* ---- the rows of segments ---- */

/* A sealed segment must have what its row says. */
static void check_segment(struct segments *segments, sqlite3_stmt *row)
{
    struct verify *verify = segments->verify;
    int64_t id = sqlite3_column_int64(row, 4);
    unsigned char sum[KEY_HASH_SIZE];

    verify->proof->looked_at[STORE_CHECK_SEGMENTS]++;
    if (id < 1 || (size_t)id >= segments->count) {
        verify_found(verify, STORE_CHECK_SEGMENTS, "segment %" PRId64 " cannot be: %zu are sealed",
                     id, segments->count - 1);
        return;
    }
    const struct seen *seen = &segments->seen[id - 1];
    key_hash_store(sum, seen->sum);
    if (seen->count != sqlite3_column_int64(row, 0) ||
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

static enum store_status check_segments(struct segments *segments, struct error *err)
{
    struct verify *verify = segments->verify;
    const struct seen *current = &segments->seen[segments->count - 1];
    sqlite3_stmt *row = NULL;
    enum store_status status = STORE_OK;
    int code = sqlite3_prepare_v2(
        verify->store->db, "SELECT keys, checksum, filter_checksum, filter, id FROM segments", -1,
        &row, NULL);

    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(row);
        if (code == SQLITE_ROW) {
            check_segment(segments, row);
        }
    }
    if (code != SQLITE_DONE) {
        sqlite_failed(verify->store, "read the key segments", err);
        status = verify_damage(verify, STORE_CHECK_SEGMENTS, err);
    }
    sqlite3_finalize(row);
    if (current->count >= verify->store->keys.segment_keys) {
        verify_found(verify, STORE_CHECK_SEGMENTS, "segment %zu is full, but not sealed",
                     segments->count);
    }
    return status;
}

/* How many are sealed, and whether keys stand in others. */
static enum store_status count_segments(struct verify *verify, int64_t *ret, struct error *err)
{
    int64_t last_used = 0;
    enum store_status status = sqlite_segment_size(verify->store, err);

    if (status == STORE_OK) {
        status = sqlite_ask_int(verify->store, "SELECT count(*) FROM segments", ret, err);
    }
    if (status == STORE_OK) {
        status = sqlite_ask_int(verify->store, "SELECT ifnull(max(segment), 0) FROM keys",
                                &last_used, err);
    }
    if (status == STORE_OK && last_used > *ret + 1) {
        verify_found(verify, STORE_CHECK_SEGMENTS,
                     "keys stand in segment %" PRId64 ", but only %" PRId64 " are sealed",
                     last_used, *ret);
    }
    return status;
}

enum store_status verify_segments(struct verify *verify, struct error *err)
{
    struct segments segments = {.verify = verify};
    int64_t sealed = 0;
    enum store_status status = count_segments(verify, &sealed, err);

    if (status != STORE_OK) {
        return verify_damage(verify, STORE_CHECK_SEGMENTS, err);
    }
    segments.count = (size_t)sealed + 1; /* with the current one */
    segments.seen = calloc(segments.count, sizeof(*segments.seen));
    if (!segments.seen) {
        error_set(err, EX_OSERR, "out of memory");
        return STORE_FAILED;
    }
    status = read_segments(&segments, err);
    if (status == STORE_OK) {
        status = add_forgotten(&segments, err);
    }
    if (status == STORE_OK) {
        status = check_segments(&segments, err);
    }
    free(segments.seen);
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
