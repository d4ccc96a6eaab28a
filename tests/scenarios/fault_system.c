/*
 * Rows 44 and 45: the clock jumps, there are no file descriptors left, and nobody reads the log.
 */
#include "tests/lib/fault.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROWS    300
#define WAIT_MS 60000

static struct fault fault;
static struct fault_batch batch;

static void open_scene(void)
{
    fault_open_embedded(&fault);
    fault_make_batch(&fault, &batch, "system", ROWS);
}

static void close_scene(void)
{
    fault_close(&fault);
}

TestSuite(row_44, .init = open_scene, .fini = close_scene);
TestSuite(row_45, .init = open_scene, .fini = close_scene);

/* ---- the clock ---- */

/* payd with a wall clock that is so many seconds off: years back, years ahead. */
static void drain_at(const char *offset_s)
{
    static char env[PROCESS_PATH_MAX];
    char from[64];
    struct process payd;

    snprintf(from, sizeof(from), "PAY_CLOCK_OFFSET_S=%s", offset_s);
    cr_assert_eq(putenv(from), 0);
    snprintf(env, sizeof(env), "LD_PRELOAD=%s/libclock_shim.so", PAY_BIN_DIR);
    fault_snapshot(&fault);
    cr_assert_eq(scene_drain(&fault.scene, env, &payd), 0, "%s", file_tail(payd.err));
    cr_assert(file_has(payd.err, "clock_shim: "), "the clock was not moved");
    fault_hit(&fault, 1);
    cr_assert_eq(unsetenv("PAY_CLOCK_OFFSET_S"), 0);
}

Test(row_44, a_clock_that_jumps_forgets_no_key)
{
    static const char *const offsets[] = {"-1500000000", "0", "2000000000", "-86400"};

    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        cr_assert_eq(fault_pay(&fault, &batch, NULL, NULL), 0);
        drain_at(offsets[i]);
        cr_assert_eq(scene_int(&fault.scene, "SELECT count(*) FROM payments"), ROWS);
    }
    cr_expect_eq(scene_int(&fault.scene, "SELECT sum(count) FROM repeat_counts"), 3 * ROWS);
    fault_judge(&fault);
}

/* ---- file descriptors ---- */

/* payd with so few that it cannot do its work. Returns its exit code. */
static int drain_with_descriptors(int descriptors, struct process *payd)
{
    char limit[32];

    snprintf(limit, sizeof(limit), "--nofile=%d:", descriptors);
    *payd = scene_start_payd_under(&fault.scene, (const char *const[]){"prlimit", limit, NULL},
                                   NULL, (const char *const[]){"--until-end", NULL});
    return process_wait(payd, WAIT_MS);
}

/* So few that no connection can be made: more let it wait for a minute before it says so. */
#define FEWEST 4
#define FEW    5

#define NOT_STARTED 127 /* its libraries cannot be opened */

Test(row_45, without_descriptors_it_ends_clearly)
{
    struct process payd;

    cr_assert_eq(fault_pay(&fault, &batch, NULL, NULL), 0);
    int descriptors = FEWEST + fault_draw(&fault, FEW);
    int code = drain_with_descriptors(descriptors, &payd);
    cr_assert(code == NOT_STARTED || code == 69 || code == 71 || code == 74,
              "%d descriptors: %d: %s", descriptors, code, file_tail(payd.err));
    cr_assert(code == NOT_STARTED || file_has(payd.err, "event=stop"),
              "%d descriptors: it says nothing: %s", descriptors, file_tail(payd.err));
    fault_hit(&fault, 1);
    fault_judge(&fault);
}

/* ---- the log ---- */

Test(row_45, with_its_log_pipe_closed_it_goes_on)
{
    char command[2048];
    struct process shell;
    const struct scene *scene = &fault.scene;

    cr_assert_eq(fault_pay(&fault, &batch, NULL, NULL), 0);
    snprintf(command, sizeof(command),
             "'%s/payd_failpoints' run --db '%s' -b %s -g test --skip-topic-check --until-end"
             " -X session.timeout.ms=6000 2>&1 | true",
             PAY_BIN_DIR, scene->db, scene->brokers);
    cr_assert_eq(
        process_run(scene->dir, NULL, &shell, (const char *const[]){"sh", "-c", command, NULL}), 0);
    cr_assert(scene_comes_to(scene, "SELECT count(*) FROM payments", ROWS, WAIT_MS));
    fault_hit(&fault, 1);
    fault_judge(&fault);
}
