/*
 * Both programs killed again and again on a real Kafka, wherever they happen to be.
 */
#include "tests/lib/fault.h"

#include "common/clock.h"

#include <criterion/criterion.h>

#define ROWS       6000
#define PAYD_KILLS 6
#define PAY_KILLS  4
#define ASSIGN_MS  60000
#define LIMIT_MS   300000

static struct fault fault;
static struct fault_batch batch;

static void open_scene(void)
{
    fault_open_kafka(&fault, NULL, NULL);
    fault_make_batch(&fault, &batch, "again", ROWS);
}

static void close_scene(void)
{
    fault_close(&fault);
}

TestSuite(row_01, .init = open_scene, .fini = close_scene, .timeout = 1500);

struct tally {
    int pay_kills;
    int payd_kills;
    int payd_kills_while_paying; /* with some of the payments applied, and not yet all */
    bool all_sent;
};

/* A row a millisecond, so that a kill falls among them. */
static struct process start_pay(void)
{
    return fault_start_pay(&fault, &batch, "PAY_FAILPOINT=before-publish=slow", NULL);
}

/* Lets pay work, or kills it, or starts it again: it is killed PAY_KILLS times, then may finish. */
static void tend_pay(struct process *pay, struct tally *tally)
{
    int code;

    if (process_ended(pay, &code)) {
        cr_assert(code == 0 || code == 75, "pay: exit %d: %s", code, file_tail(pay->err));
        fault_note_pay(&fault, &batch, pay, code);
        tally->all_sent = tally->all_sent || code == 0;
        *pay = start_pay();
    } else if (tally->pay_kills < PAY_KILLS && fault_draw(&fault, 2) == 0) {
        process_kill(pay);
        fault_note_pay(&fault, &batch, pay, PROCESS_KILLED);
        tally->pay_kills++;
        *pay = start_pay();
    }
}

static void expect_assigned(const struct process *payd)
{
    cr_assert(file_comes_to_have(payd->err, "event=assigned", ASSIGN_MS), "%s",
              file_tail(payd->err));
}

/* Lets payd get its partitions and work for a moment, the first one until it pays, then kills it.
 */
static void kill_payd(struct process *payd, struct tally *tally)
{
    int code;

    expect_assigned(payd);
    if (tally->payd_kills == 0) {
        cr_assert(scene_comes_to(&fault.scene, "SELECT count(*) > 0 FROM payments", 1, ASSIGN_MS),
                  "%s", file_tail(payd->err));
    } else {
        pause_ms(fault_draw(&fault, 800));
    }
    cr_assert(!process_ended(payd, &code), "payd ended by itself with %d: %s", code,
              file_tail(payd->err));
    fault_snapshot(&fault);
    process_kill(payd);
    tally->payd_kills++;
    int64_t decided = scene_int(&fault.scene, "SELECT count(*) FROM payments");
    tally->payd_kills_while_paying += decided > 0 && decided < ROWS;
    scene_check_books(&fault.scene);
    *payd = scene_start_payd(&fault.scene, NULL, NULL);
}

Test(row_01, both_killed_again_and_again_apply_each_once)
{
    struct tally tally = {0};
    int64_t end_ms = clock_monotonic_ms() + LIMIT_MS;
    struct process payd = scene_start_payd(&fault.scene, NULL, NULL);
    expect_assigned(&payd); /* on a slow machine pay has sent all before */
    struct process pay = start_pay();

    while ((tally.payd_kills < PAYD_KILLS || tally.pay_kills < PAY_KILLS || !tally.all_sent) &&
           clock_monotonic_ms() < end_ms) {
        kill_payd(&payd, &tally);
        tend_pay(&pay, &tally);
    }
    process_kill(&pay);
    fault_note_pay(&fault, &batch, &pay, PROCESS_KILLED);
    process_kill(&payd);
    cr_expect_geq(tally.pay_kills, PAY_KILLS);
    cr_expect_geq(tally.payd_kills, PAYD_KILLS);
    cr_expect_gt(tally.payd_kills_while_paying, 0);
    cr_expect(tally.all_sent);
    fault_hit(&fault, tally.pay_kills + tally.payd_kills);

    fault_drain(&fault);
    cr_expect_eq(scene_int(&fault.scene, "SELECT count(*) FROM payments WHERE outcome = 'applied'"),
                 ROWS);
    cr_expect_eq(scene_int(&fault.scene, "SELECT count FROM counters WHERE outcome = 5"), 0,
                 "the stored positions leave nothing to redeliver");
    fault_judge(&fault);
}
