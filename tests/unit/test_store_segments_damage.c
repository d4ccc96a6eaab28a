/*
 * Key segments of the SQLite store that are damaged: a filter that is not as it was written is made
 * again, one that lies is found out, and segments that have not their keys any more stop the store.
 */
#include "consumer/key_hash.h"
#include "tests/lib/segments_kit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

TestSuite(store_segments_damage, .init = segments_make, .fini = segments_remove);

static void expect_refused(int first, const char *text)
{
    struct chunk *chunk = segments_chunk(first, 1);

    segments_err = (struct error){EX_OK, ""};
    cr_expect_eq(kit_transact(segments_store, chunk, &segments_err), STORE_FAILED);
    cr_expect_eq(segments_err.code, EX_IOERR);
    cr_expect(strstr(segments_err.text, segments_path) && strstr(segments_err.text, text), "%s",
              segments_err.text);
    chunk_free(chunk);
}

/* ---- damage ---- */

Test(store_segments_damage, a_filter_that_is_damaged_is_made_again_from_the_keys)
{
    static const char *const damages[] = {
        "UPDATE segments SET filter = zeroblob(length(filter)) WHERE id = 2",
        "UPDATE segments SET filter = x'' WHERE id = 1",
        "UPDATE segments SET filter = CAST(substr(filter, 2) AS BLOB) WHERE id = 3",
        "UPDATE segments SET filter = CAST(filter || x'00' AS BLOB) WHERE id = 3",
        "UPDATE segments SET filter_checksum = zeroblob(16) WHERE id = 3",
        "UPDATE segments SET filter_checksum = x'01' WHERE id = 3",
        "UPDATE segments SET filter = (SELECT filter FROM segments WHERE id = 1),"
        " filter_checksum = (SELECT filter_checksum FROM segments WHERE id = 1) WHERE id = 2",
    };

    segments_pay(0, 17, 5, "applied");
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        segments_close();
        segments_change(damages[i]);
        segments_open();
        cr_expect_eq(segments_rebuilt(), 1, "%s", damages[i]);
        segments_pay(0, 17, 17, "duplicate");
        segments_close();
        segments_open();
        cr_expect_eq(segments_rebuilt(), 0, "%s: not kept", damages[i]);
    }
}

Test(store_segments_damage, segments_that_are_not_as_they_were_sealed_are_refused)
{
    static const struct {
        const char *damage;
        const char *says;
    } damages[] = {
        {"UPDATE segments SET filter = x'' WHERE id = 2; DELETE FROM keys WHERE seq = 7",
         "has not the keys that it was sealed with"},
        {"UPDATE segments SET filter = x'' WHERE id = 2; UPDATE keys SET key = x'0231' WHERE seq = "
         "7",
         "has not the keys that it was sealed with"},
        {"UPDATE segments SET keys = 6 WHERE id = 2", "has not the keys that it was sealed with"},
        {"UPDATE segments SET checksum = x'00' WHERE id = 2",
         "has not the keys that it was sealed with"},
        {"DELETE FROM segments WHERE id = 1", "a key segment is not known"},
        {"DELETE FROM segments WHERE id = 3", "a key segment is not known"},
        {"DELETE FROM segments; INSERT INTO segments VALUES (2, 5, x'', x'', x'')",
         "a key segment is not known"},
        {"UPDATE keys SET segment = 5 WHERE seq = 17", "a key segment is not known"},
        {"UPDATE store SET segment_keys = 800001", "the size of its key segments"},
    };
    char kept[sizeof(segments_path) + 8];
    char command[3 * sizeof(segments_path)];

    segments_pay(0, 17, 5, "applied");
    segments_close();
    snprintf(kept, sizeof(kept), "%s.kept", segments_path);
    snprintf(command, sizeof(command), "VACUUM INTO '%s'", kept);
    segments_change(command);
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        struct store *refused = NULL;
        segments_change(damages[i].damage);
        cr_expect_eq(store_sqlite_open(&refused, segments_path, NULL, &segments_err), -1, "%s",
                     damages[i].damage);
        cr_expect_eq(segments_err.code, EX_IOERR, "%s", segments_err.text);
        cr_expect(strstr(segments_err.text, damages[i].says) != NULL, "%s: %s", damages[i].damage,
                  segments_err.text);
        snprintf(command, sizeof(command), "cp '%s' '%s'", kept, segments_path);
        cr_assert_eq(unlink(segments_path), 0);
        cr_assert_eq(system(command), 0);
    }
    segments_open();
    segments_pay(0, 17, 17, "duplicate");
}

Test(store_segments_damage, keys_that_went_from_the_current_segment_stop_the_seal)
{
    segments_pay(0, 4, 4, "applied");
    segments_change("DELETE FROM keys WHERE seq = 2");
    expect_refused(4, "has not the keys that it was given");
}

/* ---- a filter that lies, with the right checksum ---- */

static void lose_keys_of_segment(int64_t id)
{
    unsigned char checksum[KEY_HASH_SIZE];
    static const unsigned char nothing[SEGMENTS_BYTES];
    sqlite3 *db = segments_database();
    sqlite3_stmt *row;

    cr_assert_eq(
        sqlite3_prepare_v2(db, "SELECT checksum FROM segments WHERE id = ?", -1, &row, NULL),
        SQLITE_OK);
    sqlite3_bind_int64(row, 1, id);
    cr_assert_eq(sqlite3_step(row), SQLITE_ROW);
    memcpy(checksum, sqlite3_column_blob(row, 0), sizeof(checksum));
    sqlite3_finalize(row);
    segments_set_filter(db, id, 5, checksum, nothing);
    sqlite3_close(db);
}

Test(store_segments_damage, a_filter_that_has_lost_keys_is_found_without_a_repeat)
{
    segments_pay(0, 12, 5, "applied");
    segments_close();
    lose_keys_of_segment(1);
    segments_open();
    cr_assert_eq(segments_rebuilt(), 0, "the checksum is wrong, so nothing is tested");
    expect_refused(900, "the key filter has lost a key that a segment has");
}

/* Claims so many keys that are new, and changes nothing. */
static enum store_status claim_new(int number)
{
    struct chunk *chunk = chunk_new((size_t)number);

    cr_assert_not_null(chunk);
    for (int i = 0; i < number; i++) {
        char key[32];
        snprintf(key, sizeof(key), "new %d", i);
        struct kit_row row = {key, "ann", "bob", 1, "EUR", NULL, NULL};
        kit_add(chunk, &row, 1, i);
    }
    chunk_index(chunk);
    cr_assert_eq(segments_store->ops->begin(segments_store, &segments_err), STORE_OK, "%s",
                 segments_err.text);
    enum store_status status = segments_store->ops->claim(segments_store, chunk, &segments_err);
    segments_store->ops->rollback(segments_store);
    chunk_free(chunk);
    return status;
}

Test(store_segments_damage, samples_go_round_over_all_segments)
{
    segments_pay(0, 12, 5, "applied");
    segments_close();
    lose_keys_of_segment(2);
    segments_open();
    cr_expect_eq(claim_new(10), STORE_OK, "the first sample has to ask segment 1: %s",
                 segments_err.text);
    cr_expect_eq(claim_new(STORE_SAMPLE / 2), STORE_OK, "too many samples: %s", segments_err.text);
    cr_expect_eq(claim_new(STORE_SAMPLE), STORE_FAILED, "no second sample");
    cr_expect(strstr(segments_err.text, "the key filter has lost a key") != NULL, "%s",
              segments_err.text);
}
