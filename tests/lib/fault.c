#include "tests/lib/fault.h"

#include "common/clock.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STOP_MS 60000

/* ---- life ---- */

void fault_begin(struct fault *fault)
{
    const char *seed = getenv("PAY_SEED");
    char path[PROCESS_PATH_MAX + 32];

    fault->started_ms = clock_monotonic_ms();
    fault->seed = seed ? (unsigned)strtoul(seed, NULL, 10) : (unsigned)time(NULL);
    fault->drawing = fault->seed;
    fprintf(stderr, "PAY_SEED=%u folder=%s\n", fault->seed, fault->scene.dir);
    snprintf(path, sizeof(path), "%s/history.jsonl", fault->scene.dir);
    fault->history = fopen(path, "we");
    cr_assert(fault->history, "%s cannot be written", path);
    snprintf(path, sizeof(path), "%s/snapshots", fault->scene.dir);
    cr_assert_eq(mkdir(path, 0700), 0);
}

void fault_open_embedded(struct fault *fault)
{
    *fault = (struct fault){.hits = 0};
    scene_open_embedded(&fault->scene);
    fault_begin(fault);
}

void fault_open_bare(struct fault *fault)
{
    *fault = (struct fault){.hits = 0};
    scene_open_bare(&fault->scene);
    fault_begin(fault);
}

void fault_open_kafka(struct fault *fault, const char *const *advertised, int *proxied)
{
    *fault = (struct fault){.hits = 0};
    scene_open_kafka(&fault->scene, advertised, proxied);
    fault_begin(fault);
}

int fault_draw(struct fault *fault, int below)
{
    return rand_r(&fault->drawing) % below;
}

void fault_hit(struct fault *fault, int64_t times)
{
    fault->hits += times;
}

/* ---- payd ---- */

void fault_snapshot(struct fault *fault)
{
    char path[PROCESS_PATH_MAX + 64];
    sqlite3 *from = NULL;
    sqlite3 *to = NULL;

    if (access(fault->scene.db, R_OK) != 0) {
        return;
    }
    snprintf(path, sizeof(path), "%s/snapshots/%03d.db", fault->scene.dir, fault->snapshots++);
    cr_assert_eq(sqlite3_open_v2(fault->scene.db, &from, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_open(path, &to), SQLITE_OK);
    sqlite3_busy_timeout(from, 5000);
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    cr_assert(backup, "%s", sqlite3_errmsg(to));
    int code = sqlite3_backup_step(backup, -1);
    cr_assert_eq(code, SQLITE_DONE, "the ledger cannot be copied: %s", sqlite3_errstr(code));
    sqlite3_backup_finish(backup);
    /* A copy of a file that payd has not made whole yet says nothing. */
    sqlite3_stmt *row = NULL;
    bool is_empty =
        sqlite3_prepare_v2(to, "SELECT 1 FROM positions LIMIT 1", -1, &row, NULL) != SQLITE_OK;
    sqlite3_finalize(row);
    sqlite3_close(to);
    sqlite3_close(from);
    if (is_empty) {
        unlink(path);
    }
}

void fault_expect_failpoint(struct fault *fault, const struct process *process)
{
    cr_assert(file_has(process->err, "failpoint "), "the failpoint was not reached: %s",
              file_tail(process->err));
    fault_hit(fault, 1);
}

void fault_drain(struct fault *fault)
{
    struct process payd;

    cr_assert_eq(scene_drain(&fault->scene, NULL, &payd), 0, "%s", file_tail(payd.err));
}

void fault_expect_stop(struct fault *fault, struct process *payd, int code, const char *why)
{
    int ended = process_wait(payd, STOP_MS);

    cr_assert_eq(ended, code, "exit code %d, not %d: %s", ended, code, file_tail(payd->err));
    cr_assert(file_has(payd->err, fault->scene.db) && file_has(payd->err, why),
              "it does not say \"%s\": %s", why, file_tail(payd->err));
    fault_hit(fault, 1);
}

void fault_expect_refusal(struct fault *fault, int code, const char *why)
{
    struct process payd =
        scene_start_payd(&fault->scene, NULL, (const char *const[]){"--until-end", NULL});

    fault_expect_stop(fault, &payd, code, why);
}

/* ---- the verdict ---- */

static int checker(const struct fault *fault, struct process *process, const char *const *args)
{
    return process_run(fault->scene.dir, NULL, process, args);
}

/* The last line of the checker: "checked: messages=N keys=N ...". */
static int64_t messages_of(const struct process *process)
{
    char *text = file_text(process->out);
    const char *at = strstr(text, "checked: messages=");
    int64_t messages = at ? strtoll(strchr(at, '=') + 1, NULL, 10) : 0;

    free(text);
    return messages;
}

static void report(const struct fault *fault, int64_t messages)
{
    const char *path = getenv("PAY_FAULTS_REPORT");
    FILE *out = path ? fopen(path, "ae") : NULL;

    if (out) {
        fprintf(out, "%s\t%s\t%u\t%lld\t%lld\t%lld\n", criterion_current_test->category,
                criterion_current_test->name, fault->seed, (long long)fault->hits,
                (long long)messages, (long long)(clock_monotonic_ms() - fault->started_ms));
        fclose(out);
    }
}

/* Returns how many messages the topic has. */
static int64_t check(struct fault *fault, bool is_settled)
{
    struct scene *scene = &fault->scene;
    struct process process;

    cr_assert_eq(checker(fault, &process,
                         (const char *const[]){PAY_BIN_DIR "/pay-checker", "collect", "-b",
                                               scene->brokers, "-t", scene->topic, "-g", "test",
                                               "--into", scene->dir, NULL}),
                 0, "%s", file_tail(process.err));
    int code =
        checker(fault, &process,
                (const char *const[]){PAY_BIN_DIR "/pay-checker", "check", scene->dir, "--db",
                                      scene->db, is_settled ? "--settled" : NULL, NULL});
    char *said = file_text(process.out);
    cr_assert_eq(code, 0, "the checker: %s%s", said, file_tail(process.err));
    free(said);
    return messages_of(&process);
}

void fault_check(struct fault *fault)
{
    check(fault, false);
}

void fault_report_only(struct fault *fault, int64_t messages)
{
    cr_assert_gt(fault->hits, 0, "the fault never struck: nothing is proved");
    report(fault, messages);
    fclose(fault->history);
    scene_close(&fault->scene);
    fault->is_judged = true;
}

static void expect_good(const struct fault *fault, const char *const *args)
{
    struct process process;
    int code = process_run(fault->scene.dir, NULL, &process, args);
    char *said = file_text(process.out);

    cr_assert_eq(code, 0, "payd %s: %s%s", args[1], said, file_tail(process.err));
    free(said);
}

/*
 * payd's own proofs must come to the checker's verdict: the audit, and a ledger that is rebuilt
 * from the topic, where what was decided holds.
 */
static void audit(const struct fault *fault)
{
    const struct scene *scene = &fault->scene;
    char rebuilt[PROCESS_PATH_MAX + 16];

    snprintf(rebuilt, sizeof(rebuilt), "%s/rebuilt.db", scene->dir);
    expect_good(fault, (const char *const[]){PAY_BIN_DIR "/payd", "audit", "--db", scene->db, "-b",
                                             scene->brokers, "-t", scene->topic, NULL});
    expect_good(fault, (const char *const[]){PAY_BIN_DIR "/payd", "replay", "--into", rebuilt,
                                             "--decisions", scene->db, "-b", scene->brokers, "-t",
                                             scene->topic, NULL});
    expect_good(fault,
                (const char *const[]){PAY_BIN_DIR "/payd", "diff", scene->db, rebuilt, NULL});
}

void fault_judge_as_it_is(struct fault *fault)
{
    int64_t messages = check(fault, true);

    audit(fault);
    fault_report_only(fault, messages);
}

void fault_report(struct fault *fault)
{
    scene_check_books(&fault->scene);
    fault_report_only(fault, scene_int(&fault->scene, "SELECT sum(count) FROM counters"));
}

void fault_judge(struct fault *fault)
{
    fault_drain(fault);
    fault_judge_as_it_is(fault);
}

void fault_close(struct fault *fault)
{
    if (!fault->is_judged && fault->scene.dir[0]) {
        fprintf(stderr, "what it leaves is in %s\n", fault->scene.dir);
        scene_stop(&fault->scene);
    }
}
