#include "tests/simulation/world.h"

#include "tests/simulation/dice.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FAULT_SALT  UINT64_C(0xA5A5F00DCAFE1234)
#define BEGIN_MS    INT64_C(1000000)
#define BEGIN_UNIX  INT64_C(1764072000000)
#define PLACES_MAX  64
#define PLACES_EACH 16

struct place {
    const char *name;
    uint64_t hash;
    uint64_t steps;
    uint64_t crashes;
};

static struct {
    struct dice dice;
    uint64_t faults; /* a bit for each that this history has */
    FILE *trace;
    uint64_t hash;
    int64_t now_ms;
    int64_t unix_ms; /* minus now_ms */
    bool healed;
    char violation[512];
    /* the life */
    bool alive;
    bool dead;
    bool stop;
    size_t steps;
    size_t planned_steps;
    struct life_plan plan;
    bool held;
    bool must_end;
    const char *excuse;
    jmp_buf end;
} world;

/* Over all histories. */
static uint64_t counts[EVENT_COUNT];
static struct place places[PLACES_MAX];
static size_t place_count;

const char *event_name(enum event event)
{
    static const char *const names[EVENT_COUNT] = {
        [EVENT_LIFE] = "life",
        [EVENT_END] = "end",
        [EVENT_APPENDED] = "appended",
        [EVENT_POLLED] = "polled",
        [EVENT_ASSIGNED] = "assigned",
        [EVENT_SAVED] = "saved",
        [EVENT_OFFSET] = "offset",
        [EVENT_PUBLISHED] = "published",
        [EVENT_CHECKED] = "checked",
        [EVENT_CRASH] = "crash",
        [EVENT_POWER_LOST] = "power_lost",
        [EVENT_STOP] = "stop",
        [EVENT_HOLE] = "hole",
        [EVENT_ACK_LOST] = "ack_lost",
        [EVENT_SEND_LOST] = "send_lost",
        [EVENT_TWICE] = "twice",
        [EVENT_OTHER_PARTITION] = "other_partition",
        [EVENT_REDELIVERED] = "redelivered",
        [EVENT_REVOKED] = "revoked",
        [EVENT_OTHER_MEMBER] = "other_member",
        [EVENT_GROUP_FORGOTTEN] = "group_forgotten",
        [EVENT_POLL_ERROR] = "poll_error",
        [EVENT_POLL_FATAL] = "poll_fatal",
        [EVENT_COMMIT_FAILED] = "commit_failed",
        [EVENT_COMMIT_LOST] = "commit_lost",
        [EVENT_TOPIC_AWAY] = "topic_away",
        [EVENT_FOREIGN_OWNER] = "foreign_owner",
        [EVENT_LOG_BEHIND] = "log_behind",
        [EVENT_LOG_SHORT] = "log_short",
        [EVENT_LOG_OTHER] = "log_other",
        [EVENT_LOG_LATER] = "log_later",
        [EVENT_RETENTION] = "retention",
        [EVENT_POSITION_MOVED] = "position_moved",
        [EVENT_OTHER_HAND] = "other_hand",
        [EVENT_CLOCK_JUMPED] = "clock_jumped",
        [EVENT_STORE_BUSY] = "store_busy",
        [EVENT_STORE_FULL] = "store_full",
        [EVENT_STORE_FAILED] = "store_failed",
        [EVENT_COMMIT_UNKNOWN] = "commit_unknown",
        [EVENT_DISK_FULL] = "disk_full",
        [EVENT_DISK_FAILED] = "disk_failed",
        [EVENT_DISK_CRASH] = "disk_crash",
        [EVENT_OUTCOMES_AWAY] = "outcomes_away",
        [EVENT_NO_ROOM] = "no_room",
        [EVENT_PUBLISHER_GAVE_UP] = "publisher_gave_up",
        [EVENT_TOO_LARGE] = "too_large",
        [EVENT_REFUSED] = "refused",
        [EVENT_DELIVERY_FAILED] = "delivery_failed",
        [EVENT_DELIVERY_UNKNOWN] = "delivery_unknown",
    };
    return names[event];
}

/* ---- the history ---- */

void world_begin(uint64_t seed, FILE *trace)
{
    struct dice salted = {seed ^ FAULT_SALT};

    memset(&world, 0, sizeof(world));
    world.dice.state = dice_next(&salted);
    world.faults = dice_next(&salted);
    world.trace = trace;
    world.now_ms = BEGIN_MS;
    world.unix_ms = BEGIN_UNIX;
}

uint64_t world_hash(void)
{
    return world.hash;
}

uint64_t world_count(enum event event)
{
    return counts[event];
}

void world_heal(void)
{
    world.healed = true;
}

bool world_is_healed(void)
{
    return world.healed;
}

/* ---- dice and clock ---- */

size_t world_below(size_t limit)
{
    return dice_below(&world.dice, limit);
}

bool world_chance(unsigned per_mille)
{
    return world_below(1000) < per_mille;
}

int64_t world_now_ms(void)
{
    return world.now_ms;
}

int64_t world_unix_ms(void)
{
    return world.unix_ms + world.now_ms;
}

void world_pass(int64_t ms)
{
    world.now_ms += ms;
}

#define JUMP_MAX_MS 100000000 /* some 28 hours, in both directions */

void world_jump_clock(void)
{
    world.unix_ms += (int64_t)world_below((size_t)2 * JUMP_MAX_MS) - JUMP_MAX_MS;
    world_event(EVENT_CLOCK_JUMPED, world_unix_ms(), 0);
}

/* ---- what happens ---- */

static void mix(uint64_t number)
{
    struct dice mixer = {world.hash ^ number};

    world.hash = dice_next(&mixer);
}

void world_event(enum event event, int64_t a, int64_t b)
{
    counts[event]++;
    mix((uint64_t)event);
    mix((uint64_t)a);
    mix((uint64_t)b);
    mix((uint64_t)world.now_ms);
    if (world.trace) {
        fprintf(world.trace, "%9lld %s %lld %lld\n", (long long)(world.now_ms - BEGIN_MS),
                event_name(event), (long long)a, (long long)b);
    }
}

bool world_has(enum event fault)
{
    return world.faults >> (fault % 64) & 1;
}

bool world_strikes(enum event fault, unsigned per_mille)
{
    return world.alive && !world.dead && !world.healed && world_has(fault) &&
           world_chance(per_mille);
}

void world_note(const char *fmt, ...)
{
    va_list args;

    if (world.trace) {
        va_start(args, fmt);
        fprintf(world.trace, "%9lld   ", (long long)(world.now_ms - BEGIN_MS));
        vfprintf(world.trace, fmt, args);
        fputc('\n', world.trace);
        va_end(args);
    }
}

bool world_is_traced(void)
{
    return world.trace != NULL;
}

/* ---- life and death ---- */

jmp_buf *world_enter(const struct life_plan *plan)
{
    world.alive = true;
    world.dead = world.stop = world.held = world.must_end = false;
    world.steps = world.planned_steps = 0;
    world.plan = *plan;
    world.excuse = NULL;
    return &world.end;
}

void world_leave(void)
{
    world.alive = false;
}

bool world_is_dead(void)
{
    return world.dead;
}

bool world_stop_requested(void)
{
    return world.stop;
}

/* Of the name alone: what came in earlier histories must not count. */
static uint64_t hash_of(const char *name)
{
    uint64_t hash = 0;

    for (; *name != '\0'; name++) {
        hash = hash * 31 + (unsigned char)*name;
    }
    return hash;
}

/* Whether a crash at this place is planned: one in PLACES_EACH is in a plan that chooses. */
static bool is_planned(const struct place *place)
{
    struct dice dice = {world.plan.places ^ place->hash};

    return world.plan.places == 0 || dice_below(&dice, PLACES_EACH) == 0;
}

static struct place *find_place(const char *name)
{
    size_t i = 0;

    while (i < place_count && places[i].name != name && strcmp(places[i].name, name) != 0) {
        i++;
    }
    if (i == place_count) {
        if (place_count == PLACES_MAX) {
            abort(); /* a new place needs a larger table */
        }
        places[place_count++] = (struct place){.name = name, .hash = hash_of(name)};
    }
    return &places[i];
}

void world_crash(const char *place)
{
    if (world.alive && !world.dead) {
        find_place(place)->crashes++;
        world.dead = true;
        world_note("crash at %s", place);
        world_event(EVENT_CRASH, 0, (int64_t)world.steps);
        longjmp(world.end, LIFE_CRASHED);
    }
}

void world_step(const char *place)
{
    if (!world.alive || world.dead || world.held) {
        return;
    }
    struct place *here = find_place(place);
    here->steps++;
    world.steps++;
    world.planned_steps += is_planned(here);
    if (world.plan.crash_in > 0 && world.planned_steps >= world.plan.crash_in) {
        world_crash(place);
    }
    if (world.steps == world.plan.stop_in) {
        world.stop = true;
        world_event(EVENT_STOP, (int64_t)world.steps, 0);
    }
}

void world_each_place(void (*visit)(const char *place, uint64_t steps, uint64_t crashes))
{
    for (size_t i = 0; i < place_count; i++) {
        visit(places[i].name, places[i].steps, places[i].crashes);
    }
}

void world_excuse(const char *why)
{
    world.excuse = why;
}

const char *world_excused(void)
{
    return world.excuse;
}

void world_hold(bool held)
{
    world.held = held;
}

void world_must_end(const char *why)
{
    world.must_end = true;
    world.excuse = why;
}

bool world_has_to_end(void)
{
    return world.must_end;
}

/* ---- what must not happen ---- */

void world_violated(const char *fmt, ...)
{
    va_list args;

    if (world.violation[0] == '\0') {
        va_start(args, fmt);
        vsnprintf(world.violation, sizeof(world.violation), fmt, args);
        va_end(args);
    }
    if (world.alive && !world.dead) {
        world.dead = true;
        longjmp(world.end, LIFE_VIOLATED);
    }
}

const char *world_violation(void)
{
    return world.violation[0] == '\0' ? NULL : world.violation;
}
