/*
 * Rows 4, 34 and 35 by strace: the process that writes the store is killed at its n-th write, sync,
 * truncation or removal, or the n-th such call fails.
 *
 * Each call of a small program is taken in turn; payd itself is struck at calls that are drawn.
 */
#include "tests/lib/fault.h"
#include "tests/lib/fault_vfs.h"
#include "tests/lib/store_recover.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct fault fault;
static struct store_recover recover;

static void open_folder(void)
{
    fault_open_bare(&fault);
    store_recover_begin(&recover, fault.scene.dir, fault.scene.db);
    fault_vfs_install(); /* what is made good in this process needs no real syncs */
}

static void open_scene(void)
{
    fault_open_embedded(&fault);
}

static void close_scene(void)
{
    fault_close(&fault);
}

TestSuite(row_04, .fini = close_scene);
TestSuite(row_34, .fini = close_scene);
TestSuite(row_35, .fini = close_scene);

#define WAIT_MS  60000
#define KILLS    "signal=KILL"
#define EIO_HITS "error=EIO"

/* ---- every call of a small program ---- */

/* A command of strace that strikes calls on the store's files, and writes a trace. */
struct tracer {
    char trace[PROCESS_PATH_MAX + 16];
    char only[64];
    char inject[96];
    char wal[PROCESS_PATH_MAX + 16];
    char journal[PROCESS_PATH_MAX + 16];
    const char *args[24]; /* ended by NULL */
};

static void aim(struct tracer *tracer, const char *call, const char *what, int n)
{
    snprintf(tracer->trace, sizeof(tracer->trace), "%s/trace", fault.scene.dir);
    snprintf(tracer->only, sizeof(tracer->only), "trace=%s", call);
    snprintf(tracer->inject, sizeof(tracer->inject), "inject=%s:%s:when=%d", call, what, n);
    snprintf(tracer->wal, sizeof(tracer->wal), "%s-wal", fault.scene.db);
    snprintf(tracer->journal, sizeof(tracer->journal), "%s-journal", fault.scene.db);
    const char *const args[] = {"strace",     "-f", "-qqq",          "-o", tracer->trace,   "-e",
                                tracer->only, "-e", tracer->inject,  "-P", fault.scene.db,  "-P",
                                tracer->wal,  "-P", tracer->journal, "-P", fault.scene.dir, NULL};
    memcpy(tracer->args, args, sizeof(args));
}

static bool has_struck(const struct tracer *tracer, const char *what)
{
    return file_has(tracer->trace,
                    strcmp(what, KILLS) == 0 ? "+++ killed by SIGKILL +++" : "(INJECTED)");
}

/* Takes the load with the n-th call of one name struck. False when there are no more calls. */
static bool strike(const char *call, const char *what, int n)
{
    struct tracer tracer;
    struct process process;

    aim(&tracer, call, what, n);
    size_t count = 0;
    while (tracer.args[count]) {
        count++;
    }
    tracer.args[count++] = PAY_BIN_DIR "/sweep_subject";
    tracer.args[count++] = fault.scene.db;
    tracer.args[count] = NULL;
    int code = process_run(fault.scene.dir, NULL, &process, tracer.args);
    bool struck = has_struck(&tracer, what);
    cr_assert(struck || code == 0, "%s: exit code %d without a fault: %s", tracer.inject, code,
              file_tail(process.err));
    cr_assert(code == 0 || code == (strcmp(what, KILLS) == 0 ? PROCESS_KILLED : 74),
              "%s: exit code %d: %s", tracer.inject, code, file_tail(process.err));
    cr_assert(code != 74 || strstr(file_tail(process.err), fault.scene.db), "%s: says not where",
              tracer.inject);
    store_recover_finish(&recover, file_count(process.out, "done\n"), tracer.inject);
    unlink(process.out);
    unlink(process.err);
    return struck;
}

static void sweep(const char *call, const char *what, int at_least)
{
    int n = 1;

    while (strike(call, what, n)) {
        n++;
    }
    fprintf(stderr, "%s: %d calls\n", call, n - 1);
    cr_assert_geq(n - 1, at_least, "%s was struck %d times only", call, n - 1);
    fault_hit(&fault, n - 1);
}

Test(row_04, killed_at_any_system_call_of_the_store_a_step_is_whole_or_absent, .init = open_folder)
{
    sweep("pwrite64", KILLS, 100);
    sweep("fdatasync", KILLS, 10);
    sweep("fsync", KILLS, 1);
    sweep("ftruncate", KILLS, 1);
    sweep("unlink", KILLS, 1);
    fault_report_only(&fault, STORE_LOAD_MESSAGES);
}

Test(row_34, whatever_pread_fails_a_step_is_whole_or_absent, .init = open_folder)
{
    sweep("pread64", EIO_HITS, 50);
    fault_report_only(&fault, STORE_LOAD_MESSAGES);
}

Test(row_34, whatever_pwrite_ftruncate_or_unlink_fails_a_step_is_whole_or_absent,
     .init = open_folder)
{
    sweep("pwrite64", EIO_HITS, 100);
    sweep("ftruncate", EIO_HITS, 1);
    sweep("unlink", EIO_HITS, 1);
    fault_report_only(&fault, STORE_LOAD_MESSAGES);
}

Test(row_35, whatever_fdatasync_or_fsync_fails_a_step_is_whole_or_absent, .init = open_folder)
{
    sweep("fdatasync", EIO_HITS, 10);
    sweep("fsync", EIO_HITS, 1);
    fault_report_only(&fault, STORE_LOAD_MESSAGES);
}

/* ---- payd ---- */

#define STRUCK_LIVES 2
#define BATCH_ROWS   50

static int lives;

/* A kill while the file is made may leave a journal, which whoever only reads cannot roll back. */
static bool has_journal(void)
{
    char path[PROCESS_PATH_MAX + 16];

    snprintf(path, sizeof(path), "%s-journal", fault.scene.db);
    return access(path, F_OK) == 0;
}

/*
 * A life of payd, with new payments to apply, that ends at a call that is drawn among the first
 * below ones. False when it made fewer.
 */
static bool strike_payd(const char *call, const char *what, int below)
{
    struct fault_batch batch;
    struct tracer tracer;
    char id[32];

    snprintf(id, sizeof(id), "lives-%d", lives++);
    fault_make_batch(&fault, &batch, id, BATCH_ROWS);
    cr_assert_eq(fault_pay(&fault, &batch, NULL, NULL), 0);
    aim(&tracer, call, what, 1 + fault_draw(&fault, below));
    if (!has_journal()) {
        fault_snapshot(&fault);
    }
    struct process payd = scene_start_payd_under(&fault.scene, tracer.args, NULL,
                                                 (const char *const[]){"--until-end", NULL});
    int code = process_wait(&payd, WAIT_MS);
    bool struck = has_struck(&tracer, what);
    cr_assert(struck || code == 0, "%s: exit code %d without a fault: %s", tracer.inject, code,
              file_tail(payd.err));
    cr_assert(code == 0 || code == (strcmp(what, KILLS) == 0 ? PROCESS_KILLED : 74),
              "%s: exit code %d: %s", tracer.inject, code, file_tail(payd.err));
    fprintf(stderr, "%s: %s\n", tracer.inject, struck ? "struck" : "not reached");
    fault_hit(&fault, struck);
    /* Struck before the store's first commit, it leaves a file that is no ledger yet. */
    if (!has_journal() &&
        strcmp(scene_text(&fault.scene, "SELECT count(*) FROM sqlite_master"), "0") != 0) {
        fault_check(&fault);
    }
    return struck;
}

/* How many calls a life makes is not known: a draw beyond them is made again, among half. */
static void strike_until_struck(const char *call, const char *what, int below)
{
    while (!strike_payd(call, what, below)) {
        cr_assert_gt(below, 1, "payd makes no %s", call);
        below /= 2;
    }
}

static void strike_lives(const char *const *calls, const char *what, const int *below)
{
    for (int i = 0; i < STRUCK_LIVES; i++) {
        strike_until_struck(calls[i], what, below[i]);
    }
    fault_judge(&fault);
}

Test(row_04, payd_killed_at_a_system_call_of_its_store_pays_once, .init = open_scene)
{
    strike_lives((const char *const[]){"pwrite64", "fdatasync"}, KILLS, (const int[]){160, 10});
}

Test(row_34, payd_whose_write_fails_stops_and_the_next_start_goes_on, .init = open_scene)
{
    strike_lives((const char *const[]){"pwrite64", "pread64"}, EIO_HITS, (const int[]){160, 10});
}

Test(row_35, payd_whose_sync_fails_stops_and_the_next_start_goes_on, .init = open_scene)
{
    strike_lives((const char *const[]){"fdatasync", "fdatasync"}, EIO_HITS, (const int[]){12, 6});
}
