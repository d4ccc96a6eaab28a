/*
 * Rows 25-27: members that come and go, a payd that stands still too long, and two payd on one
 * ledger.
 */
#include "tests/lib/fault.h"
#include "tests/lib/member.h"

#include "common/clock.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#define WAIT_MS 60000

static struct fault fault;
static struct fault_batch batch;

static void open_scene(void)
{
    fault_open_kafka(&fault, NULL, NULL);
}

static void close_scene(void)
{
    fault_close(&fault);
}

TestSuite(row_25, .init = open_scene, .fini = close_scene, .timeout = 1500);
TestSuite(row_26, .init = open_scene, .fini = close_scene, .timeout = 1500);
TestSuite(row_27, .init = open_scene, .fini = close_scene, .timeout = 1500);

static int64_t decided(void)
{
    return scene_int(&fault.scene, "SELECT count(*) FROM payments");
}

static void expect_decided(const struct process *payd, int64_t wanted)
{
    cr_assert(scene_comes_to(&fault.scene, "SELECT count(*) FROM payments", wanted, WAIT_MS),
              "%lld of %lld: %s", (long long)decided(), (long long)wanted, file_tail(payd->err));
}

/* max.poll.interval.ms may not be below the session's 6 s. */
static struct process start_payd(void)
{
    struct process payd = scene_start_payd(
        &fault.scene, NULL, (const char *const[]){"-X", "max.poll.interval.ms=6000", NULL});

    cr_assert(file_comes_to_have(payd.err, "event=assigned", WAIT_MS), "%s", file_tail(payd.err));
    return payd;
}

static void pay_batch(const char *id, int rows)
{
    fault_make_batch(&fault, &batch, id, rows);
    cr_assert_eq(fault_pay(&fault, &batch, NULL, NULL), 0);
}

/* ---- row 25: a storm of rebalances ---- */

#define MEMBERS      2
#define STORM_MS     15000  /* at the least, */
#define STORM_MAX_MS 180000 /* and until there were enough of: */
#define REBALANCES   6      /* that gave another member partitions */
#define SIGNALS      4      /* to payd */
#define STORM_ROWS   6000
#define STILL_MS     3000

struct storm {
    struct process payd;
    struct process members[MEMBERS];
    int rebalances; /* of members that have left */
    int signals;
};

static int rebalances(const struct storm *storm)
{
    int count = storm->rebalances;

    for (int i = 0; i < MEMBERS; i++) {
        count += storm->members[i].pid > 0 ? member_assignments(&storm->members[i]) : 0;
    }
    return count;
}

static void end_member(struct storm *storm, struct process *member, int signo)
{
    process_signal(member, signo);
    process_wait(member, WAIT_MS);
    storm->rebalances += member_assignments(member);
}

/* A member that is not there joins; one that is there leaves, or dies. */
static void change_member(struct storm *storm)
{
    struct process *member = &storm->members[fault_draw(&fault, MEMBERS)];

    if (member->pid == 0) {
        *member = member_start(&fault.scene);
    } else {
        end_member(storm, member, fault_draw(&fault, 6) == 0 ? SIGKILL : SIGTERM);
    }
}

/* It listens to signals once it says so. */
static void start_storm_payd(struct storm *storm)
{
    storm->payd = scene_start_payd(&fault.scene, NULL, NULL);
    cr_assert(file_comes_to_have(storm->payd.err, "event=start", WAIT_MS), "%s",
              file_tail(storm->payd.err));
}

static void disturb_payd(struct storm *storm)
{
    int code;

    cr_assert(!process_ended(&storm->payd, &code), "payd ended by itself with %d: %s", code,
              file_tail(storm->payd.err));
    fault_snapshot(&fault);
    storm->signals++;
    switch (fault_draw(&fault, 4)) {
    case 0:
        process_kill(&storm->payd);
        break;
    case 1:
        fault_stop_payd(&storm->payd);
        break;
    default:
        process_signal(&storm->payd, SIGSTOP);
        pause_ms(fault_draw(&fault, STILL_MS));
        process_signal(&storm->payd, SIGCONT);
        return;
    }
    start_storm_payd(storm);
}

/* At its end only payd is left. */
static void rage(struct storm *storm)
{
    int64_t begin_ms = clock_monotonic_ms();
    int64_t for_ms = 0;

    while (for_ms < STORM_MAX_MS &&
           (for_ms < STORM_MS || rebalances(storm) < REBALANCES || storm->signals < SIGNALS)) {
        pause_ms(200 + fault_draw(&fault, 800));
        if (fault_draw(&fault, 4) > 0) {
            change_member(storm);
        } else {
            disturb_payd(storm);
        }
        for_ms = clock_monotonic_ms() - begin_ms;
    }
    for (int i = 0; i < MEMBERS; i++) {
        if (storm->members[i].pid > 0) {
            end_member(storm, &storm->members[i], SIGTERM);
        }
    }
}

/* Whatever it regains it resumes, without being started again. */
Test(row_25, members_that_come_and_go_let_each_be_applied_once)
{
    struct storm storm = {.signals = 0};

    fault_make_batch(&fault, &batch, "storm", STORM_ROWS);
    start_storm_payd(&storm);
    struct process pay = fault_start_pay(&fault, &batch, "PAY_FAILPOINT=before-publish=slow", NULL);
    rage(&storm);
    int code = process_wait(&pay, WAIT_MS);
    fault_note_pay(&fault, &batch, &pay, code);
    cr_assert_eq(code, 0, "%s", file_tail(pay.err));
    expect_decided(&storm.payd, STORM_ROWS);
    cr_expect_geq(rebalances(&storm), REBALANCES);
    cr_expect_geq(storm.signals, SIGNALS);
    fault_hit(&fault, rebalances(&storm) + storm.signals);
    fault_stop_payd(&storm.payd);
    fault_judge(&fault);
}

/* ---- row 26: frozen past the poll interval ---- */

#define ROWS 1000

/* The other member has all partitions of the topic. */
static void expect_taken_over(const struct process *member)
{
    cr_assert(file_comes_to_have(member->out, "assigned 4\n", WAIT_MS), "%s",
              file_tail(member->err));
    fault_hit(&fault, 1);
}

static void leave(struct process *member)
{
    process_signal(member, SIGTERM);
    cr_assert_eq(process_wait(member, WAIT_MS), 0);
}

Test(row_26, a_payd_that_stands_still_and_wakes_applies_each_once)
{
    struct process payd = start_payd();
    struct process member = member_start(&fault.scene);

    pay_batch("before", ROWS);
    cr_assert(file_comes_to_have(member.out, "assigned", WAIT_MS));
    fault_snapshot(&fault);
    process_signal(&payd, SIGSTOP);
    pay_batch("meanwhile", ROWS);
    expect_taken_over(&member);
    process_continue(&payd);
    pay_batch("after", ROWS);
    leave(&member);
    expect_decided(&payd, 3 * ROWS);
    fault_stop_payd(&payd);
    fault_judge(&fault);
}

/* payd is stopped at the place, another member takes over, payd wakes. */
static void freeze_at(const char *place, int64_t wanted)
{
    char env[96];

    snprintf(env, sizeof(env), "PAY_FAILPOINT=%s=stop", place);
    struct process payd = scene_start_payd(&fault.scene, env, NULL);
    pay_batch(place, ROWS);
    cr_assert(file_comes_to_have(payd.err, "failpoint ", WAIT_MS), "%s", file_tail(payd.err));
    fault_snapshot(&fault);
    struct process member = member_start(&fault.scene);
    expect_taken_over(&member);
    process_continue(&payd);
    pause_ms(fault_draw(&fault, 2000));
    leave(&member);
    expect_decided(&payd, wanted);
    fault_stop_payd(&payd);
}

Test(row_26, a_payd_that_stands_still_in_its_transaction_applies_each_once)
{
    freeze_at("before-store-commit", ROWS);
    freeze_at("after-store-commit", 2 * ROWS);
    fault_judge(&fault);
}

/* Its heartbeats go on, only its work does not: the poll interval alone ends its membership. */
Test(row_26, a_payd_that_waits_for_its_ledger_past_the_poll_interval_applies_each_once)
{
    struct process payd = start_payd();
    struct process member = member_start(&fault.scene);

    cr_assert(file_comes_to_have(member.out, "assigned", WAIT_MS));
    fault_snapshot(&fault);
    sqlite3 *lock = fault_lock_ledger(&fault);
    pay_batch("meanwhile", ROWS);
    cr_assert(file_comes_to_have(payd.err, "store_busy", WAIT_MS), "%s", file_tail(payd.err));
    pay_batch("more", ROWS); /* another chunk: with two under way it does not poll any more */
    expect_taken_over(&member);
    fault_unlock_ledger(lock);
    pay_batch("after", ROWS);
    leave(&member);
    expect_decided(&payd, 3 * ROWS);
    fault_stop_payd(&payd);
    fault_judge(&fault);
}

/* ---- row 27: two payd on one ledger ---- */

static void expect_refused(struct process *second, const struct process *first)
{
    char holder[96];
    int code = process_wait(second, WAIT_MS);

    cr_assert_eq(code, 74, "exit %d: %s", code, file_tail(second->err));
    snprintf(holder, sizeof(holder), "process %d (payd_", (int)first->pid);
    cr_assert(file_has(second->err, holder), "it does not name %s: %s", holder,
              file_tail(second->err));
    fault_hit(&fault, 1);
}

static struct process start_second(const char *db)
{
    struct scene other = fault.scene;

    snprintf(other.db, sizeof(other.db), "%s", db);
    return scene_start_payd(&other, NULL, NULL);
}

/* By whatever name the second calls the file. */
Test(row_27, a_second_payd_on_the_ledger_is_refused_and_the_first_goes_on)
{
    char alias[PROCESS_PATH_MAX];
    const char *const names[] = {fault.scene.db, "ledger.db", alias}; /* it runs in the folder */

    snprintf(alias, sizeof(alias), "%.480s/link.db", fault.scene.dir);
    /* No pause of the machine takes its partitions from it. */
    struct process payd = scene_start_payd(
        &fault.scene, NULL, (const char *const[]){"-X", "session.timeout.ms=60000", NULL});
    cr_assert(file_comes_to_have(payd.err, "event=assigned", WAIT_MS), "%s", file_tail(payd.err));
    cr_assert_eq(symlink(fault.scene.db, alias), 0);
    fault_make_batch(&fault, &batch, "first", 3 * ROWS);
    struct process pay = fault_start_pay(&fault, &batch, "PAY_FAILPOINT=before-publish=slow", NULL);
    for (int i = 0; i < 9; i++) {
        fault_snapshot(&fault);
        struct process second = start_second(names[i % 3]);
        expect_refused(&second, &payd);
    }
    int code = process_wait(&pay, WAIT_MS);
    fault_note_pay(&fault, &batch, &pay, code);
    cr_assert_eq(code, 0, "%s", file_tail(pay.err));
    expect_decided(&payd, 3 * ROWS);
    cr_assert_eq(file_count(payd.err, "event=unassigned"), 0, "the first lost its partitions");
    fault_stop_payd(&payd);
    fault_judge(&fault);
}

/* Which of the two is alive: 0 or 1. The other was refused. */
static int await_refusal(struct process *both)
{
    for (int waited = 0; waited < WAIT_MS; waited += 10) {
        for (int i = 0; i < 2; i++) {
            if (file_has(both[i].err, "event=stop")) {
                expect_refused(&both[i], &both[1 - i]);
                return 1 - i;
            }
        }
        pause_ms(10);
    }
    cr_assert(false, "two payd run on one ledger");
    return 0;
}

Test(row_27, of_two_payd_that_start_at_once_one_works)
{
    char id[32];

    for (int i = 0; i < 5; i++) {
        struct process both[2] = {scene_start_payd(&fault.scene, NULL, NULL),
                                  scene_start_payd(&fault.scene, NULL, NULL)};
        struct process *first = &both[await_refusal(both)];
        snprintf(id, sizeof(id), "race-%d", i);
        pay_batch(id, ROWS);
        if (i == 0) {
            expect_decided(first, ROWS);
        }
        fault_snapshot(&fault);
        process_kill(first);
    }
    fault_judge(&fault);
}
