/*
 * payd verify on a file in which a byte is flipped: either it finds it, or nothing that is told of
 * the money changed.
 */
#include "consumer/store_verify.h"
#include "tests/lib/segments_kit.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define FLIPS 400

static int found;

static void note(void *user, enum store_check check, const char *text)
{
    (void)user;
    (void)check;
    (void)text;
    found++;
}

/* All that is told of keys, money and positions, as text; NULL when it cannot be read. */
static char *tell(void)
{
    static const char sql[] =
        "SELECT group_concat(line, char(10)) FROM ("
        "SELECT quote(key) || seq AS line FROM keys UNION ALL"
        " SELECT quote(key) || type || ifnull(src, 0) || ifnull(dest, 0) || amount_minor || "
        "currency"
        " || ifnull(batch, 0) || outcome || reason || quote(digest) FROM decisions UNION ALL"
        " SELECT quote(key) || ifnull(first_seq, 0) || outcome || quote(digest) || quote(payload)"
        " FROM repeats UNION ALL"
        " SELECT quote(digest) || quote(value) FROM quarantine UNION ALL"
        " SELECT id || name || ifnull(currency, '') || balance_minor FROM accounts UNION ALL"
        " SELECT currency || applied || ' ' || high || ' ' || low FROM totals UNION ALL"
        " SELECT partition || ' ' || next_offset FROM positions WHERE next_offset < 17 UNION ALL"
        " SELECT outcome || ' ' || count FROM counters WHERE outcome <> 5)";
    sqlite3 *db = NULL;
    sqlite3_stmt *row = NULL;
    char *text = NULL;

    if (sqlite3_open(segments_path, &db) == SQLITE_OK &&
        sqlite3_prepare_v2(db, sql, -1, &row, NULL) == SQLITE_OK &&
        sqlite3_step(row) == SQLITE_ROW && sqlite3_column_text(row, 0)) {
        text = strdup((const char *)sqlite3_column_text(row, 0));
    }
    sqlite3_finalize(row);
    sqlite3_close(db);
    return text;
}

/* Flips one bit; the same again brings it back. */
static void flip(off_t at, int bit)
{
    int fd = open(segments_path, O_RDWR);
    unsigned char byte;

    cr_assert_geq(fd, 0);
    cr_assert_eq(pread(fd, &byte, 1, at), 1);
    byte = (unsigned char)(byte ^ 1U << bit);
    cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

TestSuite(verify_bytes, .init = segments_make, .fini = segments_remove);

Test(verify_bytes, a_flipped_bit_is_found_or_changes_nothing_that_is_told)
{
    struct store_proof proof;
    struct error err;
    struct stat file;
    int refused = 0;
    int named = 0;

    segments_pay(0, 17, 5, "applied");
    segments_close();
    segments_change("PRAGMA journal_mode = DELETE"); /* all of it in one file */
    char *whole = tell();
    cr_assert_not_null(whole);
    cr_assert_eq(stat(segments_path, &file), 0);
    srand(1);
    for (int i = 0; i < FLIPS; i++) {
        /* Pages are filled from their ends: there is something in the last quarter of most. */
        off_t page = rand() % (file.st_size / 8192);
        off_t at = page * 8192 + (i % 4 == 0 ? rand() % 8192 : 8191 - rand() % 512);
        int bit = rand() % 8;
        flip(at, bit);
        found = 0;
        char *now = tell();
        bool is_refused = store_sqlite_verify(segments_path, note, NULL, &proof, &err) != 0;
        cr_expect(is_refused || found > 0 || (now && strcmp(now, whole) == 0),
                  "byte %lld, bit %d: not found", (long long)at, bit);
        refused += is_refused;
        named += found > 0;
        free(now);
        flip(at, bit);
    }
    cr_expect_gt(named, FLIPS / 20, "%d found, %d refused: hardly anything was tested", named,
                 refused);
    free(whole);
}
