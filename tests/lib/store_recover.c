#include "tests/lib/store_recover.h"

#include "tests/lib/process.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

void store_recover_begin(struct store_recover *recover, const char *folder, const char *path)
{
    recover->load = (struct store_load){path, NULL};
    cr_assert(store_load_states(folder, recover->states), "the load fails without a fault");
}

static uint64_t state_after(const struct store_recover *recover, int step)
{
    return step < 0 ? STORE_LOAD_NOTHING : recover->states[step];
}

int store_recover_steps(const struct store_recover *recover, int reported, const char *when)
{
    uint64_t state = store_load_state(recover->load.path);

    if (state == state_after(recover, reported - 1)) {
        return reported;
    }
    cr_assert(reported < LOAD_STEPS && state == state_after(recover, reported),
              "%s: the file is neither before nor after step %d (%s)%s", when, reported,
              reported < LOAD_STEPS ? store_load_name(reported) : "end",
              state == STORE_LOAD_DAMAGED ? ": it is damaged" : "");
    return reported + 1;
}

static void forget_files(const char *path)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        char file[PROCESS_PATH_MAX + 16];
        snprintf(file, sizeof(file), "%s%s", path, endings[i]);
        unlink(file);
    }
}

void store_recover_finish(struct store_recover *recover, int reported, const char *when)
{
    struct store_load *load = &recover->load;
    struct error err;

    store_load_close(load);
    int found = store_recover_steps(recover, reported, when);
    if (found > 0) {
        cr_assert_eq(store_load_open(load, &err), STORE_OK, "%s: %s", when, err.text);
        cr_assert_eq(store_recover_steps(recover, found, when), found, "%s: opening changed it",
                     when);
    }
    if (found > reported && store_load_is_chunk(reported)) {
        cr_assert_eq(store_load_step(load, reported, &err), STORE_STALE, "%s: paid twice", when);
    }
    for (int step = found; step < LOAD_STEPS; step++) {
        cr_assert_eq(store_load_step(load, step, &err), STORE_OK, "%s: then %s: %s", when,
                     store_load_name(step), err.text);
    }
    store_load_close(load);
    cr_assert_eq(store_load_state(load->path), recover->states[LOAD_STEPS - 1], "%s: another end",
                 when);
    forget_files(load->path);
}
