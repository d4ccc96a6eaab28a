#include "tests/lib/store_load.h"

#include "tests/lib/ledger_kit.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#define PAYMENTS   40
#define BATCH_ROWS 16
#define NOW_MS     INT64_C(1700000000456)

/* Keys in a segment: the payments and the batch each seal one, so that seals fail and crash too. */
#define SEGMENT_KEYS 16

/* Below any VFS that fails. */
#define PLAIN_VFS "unix"

static const char *const step_names[LOAD_STEPS] = {
    "open",      "bind",    "position 0",    "position 1", "payments", "mixed",
    "published", "skipped", "open with WAL", "batch",      "again",    "open again"};

/* After the payments, whose keys are "payment 000" and so on. */
static const struct kit_row mixed_rows[] = {
    {"new", "ann", "bob", 700, "EUR", NULL, NULL},
    {"payment 000", "ann", "shop 0", 100, "EUR", NULL, NULL}, /* a conflict: the amount differs */
    {"new", "ann", "bob", 700, "EUR", NULL, NULL},            /* a duplicate */
    {NULL, NULL, NULL, 0, NULL, NULL, NULL},                  /* unreadable */
    {"dollars", "ann", "bob", 5, "USD", NULL, NULL},          /* rejected */
    {"00000000-0000-7000-8000-000000000001", "carl", "dora", 1, "JPY", NULL, NULL},
};
#define MIXED_ROWS (sizeof(mixed_rows) / sizeof(mixed_rows[0]))

/* ---- chunks ---- */

static void add_payments(struct chunk *chunk, int64_t offset)
{
    char key[PAYMENT_KEY_MAX + 1];
    char dest[32];

    for (int i = 0; i < PAYMENTS; i++) {
        snprintf(key, sizeof(key), "payment %03d", i);
        snprintf(dest, sizeof(dest), "shop %d", i % 8);
        struct kit_row row = {key, "ann", dest, 1000 + i, "EUR", NULL, NULL};
        kit_add(chunk, &row, 0, offset + i);
    }
}

static void add_mixed(struct chunk *chunk)
{
    struct command open;
    struct command cancel;

    for (size_t i = 0; i < MIXED_ROWS; i++) {
        kit_add(chunk, &mixed_rows[i], 1, (int64_t)i);
    }
    command_init(&open, COMMAND_ACCOUNT_OPEN);
    payment_copy(open.payment.key, "open ann2", 9);
    payment_copy(open.payment.src, "ann2", 4);
    payment_copy(open.payment.currency, "EUR", 3);
    kit_add_command(chunk, &open, 1, MIXED_ROWS);
    command_init(&cancel, COMMAND_CANCEL);
    payment_copy(cancel.payment.key, "cancelled", 9);
    kit_add_command(chunk, &cancel, 1, MIXED_ROWS + 1);
    struct kit_row late = {"cancelled", "ann", "bob", 9, "EUR", NULL, NULL};
    kit_add(chunk, &late, 1, MIXED_ROWS + 2);
    struct kit_row paid = {"paid to ann2", "bob", "ann2", 9, "EUR", NULL, NULL};
    kit_add(chunk, &paid, 1, MIXED_ROWS + 3);
}

static void add_batch(struct chunk *chunk)
{
    struct payment_batch batch = {.id = "load", .rows = BATCH_ROWS};
    char key[64];

    memset(batch.digest, 'a', sizeof(batch.digest) - 1);
    for (int i = 0; i < BATCH_ROWS; i++) {
        snprintf(key, sizeof(key), "load:%d", i + 1);
        struct kit_row row = {key, "bob", "eve", 10 + i, "EUR", &batch, NULL};
        kit_add(chunk, &row, 0, PAYMENTS + i);
    }
    chunk->published = PAYMENTS + 2;
}

static enum store_status take_chunk(struct store_load *load, int step, struct error *err)
{
    struct chunk *chunk = chunk_new(64);

    if (!chunk) {
        error_set(err, 71, "out of memory");
        return STORE_FAILED;
    }
    if (step == LOAD_PAYMENTS) {
        add_payments(chunk, 0);
    } else if (step == LOAD_MIXED) {
        add_mixed(chunk);
    } else if (step == LOAD_BATCH) {
        add_batch(chunk);
    } else {
        add_payments(chunk, PAYMENTS + BATCH_ROWS);
    }
    enum store_status status = kit_transact(load->store, chunk, err);
    chunk_free(chunk);
    return status;
}

/* ---- opening ---- */

enum store_status store_load_open(struct store_load *load, struct error *err)
{
    store_load_close(load);
    return store_sqlite_open_segments(&load->store, load->path, NULL, SEGMENT_KEYS, err) == 0
               ? STORE_OK
               : STORE_FAILED;
}

void store_load_close(struct store_load *load)
{
    store_close(load->store);
    load->store = NULL;
}

/* A reader is in the way of the checkpoint at the end, so that the WAL stays. */
static enum store_status open_with_wal(struct store_load *load, struct error *err)
{
    sqlite3 *reader = NULL;

    sqlite3_open_v2(load->path, &reader, SQLITE_OPEN_READONLY, PLAIN_VFS);
    sqlite3_exec(reader, "SELECT count(*) FROM decisions", NULL, NULL, NULL);
    store_load_close(load);
    sqlite3_close(reader);
    return store_load_open(load, err);
}

/* ---- steps ---- */

const char *store_load_name(int step)
{
    return step_names[step];
}

bool store_load_is_chunk(int step)
{
    return step == LOAD_PAYMENTS || step == LOAD_MIXED || step == LOAD_BATCH || step == LOAD_AGAIN;
}

enum store_status store_load_step(struct store_load *load, int step, struct error *err)
{
    struct store *store = load->store;

    switch ((enum store_load_step)step) {
    case LOAD_OPEN:
    case LOAD_OPEN_AGAIN:
        return store_load_open(load, err);
    case LOAD_OPEN_WITH_WAL:
        return open_with_wal(load, err);
    case LOAD_BIND:
        return store->ops->bind(store, "c1", "payments", err);
    case LOAD_ADOPT_0:
        return store->ops->adopt(store, 0, 0, err);
    case LOAD_ADOPT_1:
        return store->ops->adopt(store, 1, 0, err);
    case LOAD_PUBLISHED:
        return store->ops->published(store, PAYMENTS, err);
    case LOAD_SKIPPED:
        return store->ops->skip(store, PAYMENTS + 1, "too large", NOW_MS, err);
    case LOAD_PAYMENTS:
    case LOAD_MIXED:
    case LOAD_BATCH:
    case LOAD_AGAIN:
    case LOAD_STEPS:
    default:
        return take_chunk(load, step, err);
    }
}
