#include "tests/simulation/ledger_internal.h"

#include "tests/simulation/books.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/topic.h"

#include <stdlib.h>
#include <string.h>

int __wrap_store_sqlite_open(struct store **ret, const char *path, store_header_reader *headers,
                             struct error *err);

int __wrap_store_sqlite_open_readonly(struct store **ret, const char *path, struct error *err);

/* Keys in a segment: few, so that the histories cross many seals. */
#define SEGMENT_KEYS 2

struct ledger ledger;

enum store_status ledger_after(const char *place, enum store_status status)
{
    if (ledger.kind == LEDGER_SQLITE && disk_is_dead()) {
        world_crash(place);
    }
    if (status == STORE_FAILED && !world_has_to_end()) {
        if (!world_excused()) {
            world_violated("%s failed, and nothing was wrong", place);
        }
        world_must_end(world_excused());
    }
    return status;
}

int64_t ledger_last_seq(void)
{
    struct error err;
    int64_t last = 0;

    return ledger.inner->ops->outbox(ledger.inner, NULL, &last, &err) == STORE_OK ? last : 0;
}

/* ---- life ---- */

void ledger_begin(enum ledger_kind kind)
{
    memset(&ledger, 0, sizeof(ledger));
    ledger.base.ops = &ledger_ops;
    ledger.reader.ops = &ledger_reader_ops;
    ledger.kind = kind;
    if (kind == LEDGER_MEMORY) {
        ledger.inner = store_memory_new();
        if (!ledger.inner) {
            abort();
        }
    } else {
        disk_begin();
    }
}

void ledger_end(void)
{
    store_close(ledger.inner);
    ledger.inner = NULL;
}

int __wrap_store_sqlite_open(struct store **ret, const char *path, store_header_reader *headers,
                             struct error *err)
{
    world_step("store_open");
    ledger.openings++;
    if (ledger.kind == LEDGER_SQLITE &&
        store_sqlite_open_segments(&ledger.inner, path, headers, SEGMENT_KEYS, err) != 0) {
        ledger.inner = NULL;
        if (!disk_is_dead() && !world_excused()) {
            world_violated("the ledger cannot be opened: %s", err->text);
        }
        (void)ledger_after("store_open", STORE_FAILED);
        return -1;
    }
    /* Before payd does anything with it. */
    books_compare(ledger.inner);
    *ret = &ledger.base;
    return 0;
}

int __wrap_store_sqlite_open_readonly(struct store **ret, const char *path, struct error *err)
{
    (void)path;
    (void)err;
    *ret = &ledger.reader;
    return 0;
}

void ledger_bury(bool power_lost)
{
    if (ledger.kind == LEDGER_MEMORY) {
        ledger.inner->ops->rollback(ledger.inner);
        return;
    }
    disk_freeze();
    store_close(ledger.inner);
    ledger.inner = NULL;
    disk_thaw(power_lost);
}

struct store *ledger_open(void)
{
    struct error err = {0, ""};

    if (ledger.kind == LEDGER_SQLITE &&
        store_sqlite_open_segments(&ledger.inner, LEDGER_PATH, NULL, SEGMENT_KEYS, &err) != 0) {
        ledger.inner = NULL;
        world_violated("the ledger cannot be opened: %s", err.text);
    }
    ledger.openings++;
    return ledger.inner;
}

void ledger_close(struct store *store)
{
    if (ledger.kind == LEDGER_SQLITE) {
        ledger.inner = NULL;
        store_close(store);
    }
}

enum store_status ledger_set_back(enum event event, struct error *err)
{
    int32_t partition = (int32_t)world_below((size_t)topic_partitions());
    int64_t low = topic_low(partition);
    int64_t position = books_position(partition);

    if (position <= low) {
        return STORE_OK;
    }
    int64_t to = low + (int64_t)world_below((size_t)(position - low));
    world_event(event, partition, to);
    books_adopting(partition, to);
    books_uncertain();
    enum store_status status =
        ledger.inner->ops->move(ledger.inner, partition, to, world_unix_ms(), err);
    if (status == STORE_OK) {
        books_committed(ledger_last_seq());
    }
    return ledger_after("store_move", status);
}
