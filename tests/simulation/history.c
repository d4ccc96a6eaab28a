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
#define SOON        30
#define SQLITE_EACH 32 /* one history of so many has its ledger in SQLite, which takes longer */

/* In memory where there is such a folder: the lock's file is synced each time. */
static char folders[][32] = {"/dev/shm/pay-simulate-XXXXXX", "/tmp/pay-simulate-XXXXXX"};
static const char *folder;

bool history_prepare(void)
{
    disk_install();
    folder = mkdtemp(folders[0]);
    folder = folder ? folder : mkdtemp(folders[1]);
    return folder && chdir(folder) == 0;
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
    struct error err = {0, ""};
    struct store *store = ledger_open();

    if (store) {
        books_compare(store);
        if (ledger_set_back(EVENT_POSITION_MOVED, &err) != STORE_OK) {
            world_violated("the position cannot be moved: %s", err.text);
        }
        ledger_close(store);
    }
}

static struct life_plan draw_plan(void)
{
    struct life_plan plan = {.stop_in = 1 + world_below(STEPS_MAX)};

    if (world_chance(700)) {
        bool chooses = world_chance(300);
        plan.places = chooses ? 1 + world_below(UINT32_MAX) : 0;
        plan.crash_in = 1 + world_below(chooses ? 3 : world_chance(500) ? STEPS_MAX : SOON);
        plan.stop_in = chooses ? STEPS_MAX : 0;
    }
    return plan;
}

static void live_on(size_t number)
{
    const struct life_plan plan = draw_plan();

    retain();
    if (number > 0 && world_has(EVENT_POSITION_MOVED) && world_chance(150)) {
        move_position();
    }
    if (!world_violation()) {
        world_event(EVENT_LIFE, (int64_t)number, 0);
        (void)life_run(world_chance(300), &plan);
    }
}

/* ---- the end ---- */

/* Nothing is injected any more: payd must come to the end of everything. */
static void drain(void)
{
    const struct life_plan plan = {.crash_in = 0};
    struct store *store;

    world_heal();
    producers_finish();
    world_event(EVENT_LIFE, -1, 0);
    if (life_run(true, &plan) != LIFE_RETURNED || world_violation()) {
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
