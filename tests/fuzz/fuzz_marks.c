/*
 * The marks before a position: fingerprints of records, and what a damaged ledger may hold instead
 * of them. Input, with line feeds between: key, value, another key, another value, and the bytes
 * that stand in the ledger as a fingerprint; what is missing is NULL.
 */
#include "consumer/fingerprint.h"
#include "consumer/store.h"
#include "tests/fuzz/fuzz.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct digest *digest;
static struct store *reader;
static sqlite3 *writer;
static sqlite3_stmt *update;
static char folder[200];
static char path[sizeof(folder) + 16];

static void run(const char *sql)
{
    FUZZ_CHECK(sqlite3_exec(writer, sql, NULL, NULL, NULL) == SQLITE_OK);
}

static void remove_ledger(void)
{
    char name[sizeof(path) + 8];
    static const char *const ends[] = {"", "-wal", "-shm"};

    sqlite3_finalize(update);
    sqlite3_close(writer);
    store_close(reader);
    digest_close(digest);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        unlink(name);
    }
    rmdir(folder);
}

/* A ledger with one position, which is read through the store and changed behind its back. */
static void make_ledger(void)
{
    const char *base = getenv("TMPDIR");
    struct store *store = NULL;
    struct error err;

    FUZZ_CHECK(digest_open(&digest, &err) == 0);
    snprintf(folder, sizeof(folder), "%.150s/pay-fuzz-XXXXXX", base ? base : "/tmp");
    FUZZ_CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/ledger.db", folder);
    atexit(remove_ledger);
    FUZZ_CHECK(store_sqlite_open(&store, path, NULL, &err) == 0);
    FUZZ_CHECK(store->ops->bind(store, "cluster", "topic", &err) == STORE_OK);
    FUZZ_CHECK(store->ops->adopt(store, 0, 7, &err) == STORE_OK);
    store_close(store);
    FUZZ_CHECK(sqlite3_open(path, &writer) == SQLITE_OK);
    run("PRAGMA synchronous = OFF; PRAGMA ignore_check_constraints = ON");
    FUZZ_CHECK(sqlite3_prepare_v2(writer,
                                  "UPDATE positions SET last_offset = ?1, last_print = ?2,"
                                  " anchor_offset = ?3, anchor_print = ?4",
                                  -1, &update, NULL) == SQLITE_OK);
    FUZZ_CHECK(store_sqlite_open_readonly(&reader, path, &err) == 0);
}

static void put(int column, bool known, const struct fuzz_part *print)
{
    if (known) {
        sqlite3_bind_int(update, column, 6);
    }
    if (print->data) {
        sqlite3_bind_blob(update, column + 1, print->data, (int)print->len, SQLITE_STATIC);
    }
}

static bool is_good(bool known, const struct fuzz_part *print)
{
    return !known || (print->data && print->len == DIGEST_SHORT_SIZE);
}

static void check_mark(const struct fingerprint *mark, bool known, const struct fuzz_part *print)
{
    FUZZ_CHECK(mark->known == known);
    FUZZ_CHECK(!known || mark->offset == 6);
    FUZZ_CHECK(!known || memcmp(mark->print, print->data, DIGEST_SHORT_SIZE) == 0);
}

/* What is a fingerprint is given as it stands there, anything else is damage and is told as such.
 */
static void check_stored(const struct fuzz_part *print, bool last, bool anchor)
{
    struct log_marks marks;
    struct error err = {0};
    int64_t offset = -1;
    bool found = false;

    sqlite3_clear_bindings(update);
    put(1, last, print);
    put(3, anchor, print);
    FUZZ_CHECK(sqlite3_step(update) == SQLITE_DONE);
    sqlite3_reset(update);
    enum store_status status = reader->ops->position(reader, 0, &found, &offset, &marks, &err);
    if (is_good(last, print) && is_good(anchor, print)) {
        FUZZ_CHECK(status == STORE_OK && found && offset == 7);
        check_mark(&marks.last, last, print);
        check_mark(&marks.anchor, anchor, print);
    } else {
        FUZZ_CHECK(status == STORE_FAILED && err.text[0] != '\0');
    }
}

struct record {
    struct fuzz_part key;
    struct fuzz_part value;
};

static struct fingerprint print_of(const struct record *record, int64_t timestamp_ms)
{
    struct raw_message raw = {record->key.data, record->key.len, record->value.data,
                              record->value.len, NULL};
    struct fingerprint print;
    struct error err;

    FUZZ_CHECK(fingerprint_make(digest, &raw, 6, timestamp_ms, &print, &err) == 0);
    FUZZ_CHECK(print.known && print.offset == 6);
    return print;
}

static bool parts_equal(const struct fuzz_part *a, const struct fuzz_part *b)
{
    return a->len == b->len && (a->data == NULL) == (b->data == NULL) &&
           (!a->data || memcmp(a->data, b->data, a->len) == 0);
}

static bool prints_equal(const struct fingerprint *a, const struct fingerprint *b)
{
    return memcmp(a->print, b->print, sizeof(a->print)) == 0;
}

/* Two records have one fingerprint exactly when key, value and time are the same. */
static void check_prints(const struct record *a, const struct record *b)
{
    struct fingerprint first = print_of(a, 1);
    struct fingerprint second = print_of(b, 1);
    struct fingerprint later = print_of(a, 2);
    bool equal = parts_equal(&a->key, &b->key) && parts_equal(&a->value, &b->value);

    FUZZ_CHECK(prints_equal(&first, &second) == equal);
    FUZZ_CHECK(!prints_equal(&first, &later));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record first;
    struct record second;

    if (!reader) {
        make_ledger();
    }
    first.key = fuzz_cut(&data, &size, '\n');
    first.value = fuzz_cut(&data, &size, '\n');
    second.key = fuzz_cut(&data, &size, '\n');
    second.value = fuzz_cut(&data, &size, '\n');
    struct fuzz_part stored = fuzz_rest(&data, &size);
    check_prints(&first, &second);
    check_stored(&stored, true, stored.len % 2 == 0);
    check_stored(&stored, stored.len % 2 == 0, stored.len % 3 == 0);
    fuzz_release(&first.key);
    fuzz_release(&first.value);
    fuzz_release(&second.key);
    fuzz_release(&second.value);
    fuzz_release(&stored);
    return 0;
}
