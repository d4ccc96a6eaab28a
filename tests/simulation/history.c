#include "tests/simulation/history.h"

#include "tests/simulation/books.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/group.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/life.h"
#include "tests/simulation/outcomes.h"
#include "tests/simulation/producers.h"

#include <stdlib.h>
#include <unistd.h>

#define LIVES_MAX   8
#define STEPS_MAX   300 /* of a life that ends by a crash or a stop; most have fewer */
#define SQLITE_EACH 32  /* one history of so many has its ledger in SQLite, which takes longer */

static char folder[] = "/dev/shm/pay-simulate-XXXXXX";

bool history_prepare(void)
{
    disk_install();
    return mkdtemp(folder) && chdir(folder) == 0;
}

void history_clean_up(void)
{
    (void)unlink(LEDGER_PATH);
    if (chdir("/") == 0) {
        (void)rmdir(folder);
    }
}

/* ---- between two lives ---- */

/* Retention takes some of what is surely read. */
static void retain(void)
{
    for (int32_t i = 0; i < topic_partitions(); i++) {
        int64_t low = topic_low(i);
        int64_t position = books_position(i);
        if (position > low && world_has(EVENT_RETENTION) && world_chance(200)) {
            low += 1 + (int64_t)world_below((size_t)(position - low));
            topic_raise_low(i, low);
            world_event(EVENT_RETENTION, i, low);
        }
    }
}

/* payd position --partition N --to OFFSET: everything from there on is read again. */
static void move_position(void)
{
    int32_t partition = (int32_t)world_below((size_t)topic_partitions());
    struct error err = {0, ""};
    struct store *store = ledger_open();

    if (!store) {
        return;
    }
    books_compare(store);
    int64_t low = topic_low(partition);
    int64_t position = books_position(partition);
    if (position > low) {
        int64_t to = low + (int64_t)world_below((size_t)(position - low));
        if (store->ops->move(store, partition, to, world_unix_ms(), &err) != STORE_OK) {
            world_violated("partition %d: the position cannot be moved: %s", (int)partition,
                           err.text);
        }
        books_moved(partition, to);
        world_event(EVENT_POSITION_MOVED, partition, to);
    }
    ledger_close(store);
}

static void live_on(size_t number)
{
    bool crash = world_chance(700);
    size_t steps = 1 + world_below(world_chance(500) ? STEPS_MAX : STEPS_MAX / 10);

    retain();
    if (number > 0 && world_has(EVENT_POSITION_MOVED) && world_chance(150)) {
        move_position();
    }
    if (!world_violation()) {
        world_event(EVENT_LIFE, (int64_t)number, 0);
        (void)life_run(world_chance(300), crash ? steps : 0, crash ? 0 : steps);
    }
}

/* ---- the end ---- */

/* Nothing is injected any more: payd must come to the end of everything. */
static void drain(void)
{
    struct store *store;

    world_heal();
    producers_finish();
    world_event(EVENT_LIFE, -1, 0);
    if (life_run(true, 0, 0) != LIFE_RETURNED || world_violation()) {
        return;
    }
    store = ledger_open();
    if (store) {
        books_close(store);
        ledger_close(store);
    }
}

const char *history_play(uint64_t seed, FILE *trace)
{
    size_t lives;

    world_begin(seed, trace);
    topic_begin(world_chance(500) ? 1 : (int32_t)(2 + world_below(TOPIC_PARTITIONS_MAX - 1)));
    commands_begin();
    producers_begin();
    group_begin();
    outcomes_begin();
    books_begin();
    ledger_begin(world_below(SQLITE_EACH) == 0 ? LEDGER_SQLITE : LEDGER_MEMORY);
    lives = world_below(LIVES_MAX);
    for (size_t i = 0; i < lives && !world_violation(); i++) {
        live_on(i);
    }
    if (!world_violation()) {
        drain();
    }
    ledger_end();
    outcomes_end();
    return world_violation();
}
