/*
 * A history is its seed's and nothing else's: only so can a violation be looked at.
 */
#include "tests/simulation/history.h"
#include "tests/simulation/world.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define SEEDS 200 /* some of them with SQLite */

struct played {
    char *trace;
    size_t len;
    uint64_t hash;
};

static struct played play(uint64_t seed)
{
    struct played played = {.trace = NULL};
    FILE *trace = open_memstream(&played.trace, &played.len);

    cr_assert_not_null(trace);
    const char *violated = history_play(seed, trace);
    cr_assert_null(violated, "seed %llu: %s", (unsigned long long)seed, violated);
    fclose(trace);
    played.hash = world_hash();
    return played;
}

Test(simulation, the_same_seed_plays_the_same_history)
{
    static struct played first[SEEDS];
    size_t different = 0;

    cr_assert(history_prepare());
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        first[seed] = play(seed);
        cr_assert_gt(first[seed].len, 100);
        different += seed > 0 && first[seed].hash != first[seed - 1].hash;
    }
    cr_expect_eq(different, SEEDS - 1);
    /* In another order: nothing of one history may reach into the next. */
    for (uint64_t seed = SEEDS; seed-- > 0;) {
        struct played again = play(seed);
        cr_expect_eq(again.hash, first[seed].hash, "seed %llu", (unsigned long long)seed);
        cr_expect_eq(again.len, first[seed].len, "seed %llu", (unsigned long long)seed);
        cr_expect(again.len == first[seed].len &&
                      memcmp(again.trace, first[seed].trace, again.len) == 0,
                  "seed %llu", (unsigned long long)seed);
        free(again.trace);
        free(first[seed].trace);
    }
    history_clean_up();
}
