/*
 * Rows 28-31: what an administrator or retention does to the topic and to the group.
 */
#include "tests/lib/admin.h"
#include "tests/lib/fault.h"
#include "tests/lib/outcomes.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>

#define ROWS       600
#define WAIT_MS    60000
#define PARTITIONS 4

/* Longer than a broker keeps a fetch waiting for records. */
#define FETCH_IS_OVER_MS 1000

static struct fault fault;
static struct fault_batch batch;

static void open_scene(void)
{
    fault_open_kafka(&fault, NULL, NULL);
    fault_make_batch(&fault, &batch, "first", ROWS);
    cr_assert_eq(fault_pay(&fault, &batch, NULL, NULL), 0);
}

static void close_scene(void)
{
    fault_close(&fault);
}

TestSuite(row_28, .init = open_scene, .fini = close_scene);
TestSuite(row_29, .init = open_scene, .fini = close_scene);
TestSuite(row_30, .init = open_scene, .fini = close_scene);
TestSuite(row_31, .init = open_scene, .fini = close_scene);

static int64_t decided(void)
{
    return scene_int(&fault.scene, "SELECT count(*) FROM payments");
}

static int64_t repeated(void)
{
    return scene_int(&fault.scene, "SELECT ifnull(sum(count), 0) FROM repeat_counts");
}

static int64_t redelivered(void)
{
    return scene_int(&fault.scene, "SELECT ifnull(sum(count), 0) FROM counters WHERE outcome = 5");
}

/* All that was sent so far is decided, and the checker agrees while the log is still all there. */
static void settle(void)
{
    fault_drain(&fault);
    cr_assert_eq(decided(), ROWS);
    fault_check(&fault);
    fault_snapshot(&fault);
}

static void send_new_batch(const char *id, int rows)
{
    struct fault_batch more;

    fault_make_batch(&fault, &more, id, rows);
    cr_assert_eq(fault_pay(&fault, &more, NULL, NULL), 0);
}

static void change_position(const char *const *args)
{
    const char *all[PROCESS_ARGS_MAX] = {PAY_BIN_DIR "/payd", "position", "--db", fault.scene.db};
    struct process payd;
    int count = 4;

    while (*args) {
        all[count++] = *args++;
    }
    cr_assert_eq(process_run(fault.scene.dir, NULL, &payd, all), 0, "%s", file_tail(payd.err));
}

static void expect_refusal(const struct process *payd, int code, const char *says)
{
    cr_assert_eq(code, 78, "exit %d: %s", code, file_tail(payd->err));
    cr_assert(file_has(payd->err, says), "it does not say \"%s\": %s", says, file_tail(payd->err));
}

/* ---- row 28: the topic made anew ---- */

static void make_anew(const char *id, int rows)
{
    scene_delete_topic(&fault.scene, fault.scene.topic);
    scene_make_topic(&fault.scene, fault.scene.topic, "4");
    if (rows > 0) {
        send_new_batch(id, rows);
    }
    fault_hit(&fault, 1);
}

/* The new log is read on purpose: of what was sent into both, the keys decide. */
static void go_on_with_new_log(int rows)
{
    change_position((const char *const[]){"--new-log", NULL});
    cr_assert_eq(fault_pay(&fault, &batch, NULL, NULL), 0);
    fault_drain(&fault);
    cr_assert_eq(decided(), ROWS + rows);
    cr_assert_geq(repeated(), ROWS);
    outcomes_check(&fault.scene);
    fault_report(&fault);
}

Test(row_28, a_topic_made_anew_while_payd_is_stopped_stops_it)
{
    const int sizes[] = {0, 1 + fault_draw(&fault, ROWS / 2), ROWS, 2 * ROWS};
    struct process payd;
    char id[32];

    settle();
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        snprintf(id, sizeof(id), "anew-%zu", i);
        make_anew(id, sizes[i]);
        int code = scene_drain(&fault.scene, NULL, &payd);
        expect_refusal(&payd, code, "made anew");
        expect_refusal(&payd, code, "--new-log");
        cr_assert_eq(decided(), ROWS, "something of a log of %d was paid", sizes[i]);
    }
    go_on_with_new_log(2 * ROWS);
}

/* The same records at the same offsets: only their times are others. */
Test(row_28, a_topic_made_anew_with_the_same_payments_stops_it)
{
    struct process payd;

    settle();
    make_anew(NULL, 0);
    cr_assert_eq(fault_pay(&fault, &batch, NULL, NULL), 0);
    int code = scene_drain(&fault.scene, NULL, &payd);
    expect_refusal(&payd, code, "the topic was deleted and made anew");
    go_on_with_new_log(0);
}

/* asleep: payd stands still meanwhile, and so sees no error of the topic that is not there. */
static void make_anew_while_it_runs(int rows, bool asleep)
{
    settle();
    struct process payd = scene_start_payd(&fault.scene, NULL, NULL);
    cr_assert(file_comes_to_have(payd.err, "event=assigned", WAIT_MS), "%s", file_tail(payd.err));
    if (asleep) {
        process_signal(&payd, SIGSTOP);
    }
    make_anew("anew", rows);
    process_signal(&payd, SIGCONT);
    int code = process_wait(&payd, WAIT_MS);
    cr_assert_eq(code, 78, "exit %d: %s", code, file_tail(payd.err));
    cr_assert(file_has(payd.err, "made anew") || file_has(payd.err, "does not hold"), "%s",
              file_tail(payd.err));
    go_on_with_new_log(rows);
}

Test(row_28, a_topic_made_anew_shorter_while_payd_runs_stops_it)
{
    make_anew_while_it_runs(1 + fault_draw(&fault, ROWS / 2), false);
}

Test(row_28, a_topic_made_anew_longer_while_payd_runs_stops_it)
{
    make_anew_while_it_runs(2 * ROWS, false);
}

Test(row_28, a_topic_made_anew_longer_behind_its_back_stops_it)
{
    make_anew_while_it_runs(2 * ROWS, true);
}

/* ---- row 29: retention ---- */

struct gap {
    char partition[16];
    char low[24]; /* where the log begins now */
    int64_t lost; /* records that nobody read */
};

/* More is sent, and a part of it is removed from one partition before payd has read it. */
static struct gap lose_some(void)
{
    struct gap gap;
    int partition = fault_draw(&fault, PARTITIONS);

    int64_t from = admin_high(&fault.scene, partition);
    send_new_batch("second", ROWS);
    int64_t to = admin_high(&fault.scene, partition);
    cr_assert_gt(to, from + 1);
    gap.lost = 1 + fault_draw(&fault, (int)(to - from - 1));
    admin_delete_records(&fault.scene, partition, from + gap.lost);
    fault_hit(&fault, 1);
    snprintf(gap.partition, sizeof(gap.partition), "%d", partition);
    snprintf(gap.low, sizeof(gap.low), "%lld", (long long)(from + gap.lost));
    return gap;
}

static void expect_gap_is_told(const struct gap *gap)
{
    struct process payd;
    char wanted[96];

    int code = scene_drain(&fault.scene, NULL, &payd);
    expect_refusal(&payd, code, "Nothing was skipped");
    snprintf(wanted, sizeof(wanted), ": %lld records are gone unread", (long long)gap->lost);
    expect_refusal(&payd, code, wanted);
    snprintf(wanted, sizeof(wanted), "--partition %s --to %s", gap->partition, gap->low);
    expect_refusal(&payd, code, wanted);
}

static void go_on_behind(const struct gap *gap)
{
    change_position((const char *const[]){"--partition", gap->partition, "--to", gap->low, NULL});
    fault_drain(&fault);
    cr_assert_eq(decided(), 2 * ROWS - gap->lost);
    fault_report(&fault);
}

Test(row_29, retention_that_passed_a_stopped_payd_is_told_and_accepted_on_purpose)
{
    settle();
    struct gap gap = lose_some();
    expect_gap_is_told(&gap);
    cr_assert_eq(decided(), ROWS, "something was read all the same");
    go_on_behind(&gap);
}

Test(row_29, retention_that_passes_a_running_payd_stops_it)
{
    settle();
    /* It is still a member when it wakes. */
    struct process payd = scene_start_payd(
        &fault.scene, NULL, (const char *const[]){"-X", "session.timeout.ms=60000", NULL});
    cr_assert(file_comes_to_have(payd.err, "event=assigned", WAIT_MS), "%s", file_tail(payd.err));
    process_signal(&payd, SIGSTOP);
    pause_ms(FETCH_IS_OVER_MS);
    struct gap gap = lose_some();
    process_continue(&payd);
    int code = process_wait(&payd, WAIT_MS);
    expect_refusal(&payd, code, "does not hold the store's position any more");
    expect_gap_is_told(&gap);
    go_on_behind(&gap);
}

Test(row_29, retention_up_to_the_position_loses_nothing)
{
    settle();
    for (int i = 0; i < PARTITIONS; i++) {
        admin_delete_records(&fault.scene, i, admin_high(&fault.scene, i));
        fault_hit(&fault, 1);
    }
    send_new_batch("second", ROWS);
    fault_drain(&fault);
    cr_assert_eq(decided(), 2 * ROWS);
    fault_report(&fault);
}

Test(row_29, what_is_gone_before_a_new_ledger_began_is_told_and_accepted_on_purpose)
{
    int partition = fault_draw(&fault, PARTITIONS);
    int gone = 1 + fault_draw(&fault, (int)admin_high(&fault.scene, partition) - 1);
    struct process payd;
    char wanted[64];

    admin_delete_records(&fault.scene, partition, gone);
    fault_hit(&fault, 1);
    int code = scene_drain(&fault.scene, NULL, &payd);
    snprintf(wanted, sizeof(wanted), "payments[%d]: the log begins at offset %d", partition, gone);
    expect_refusal(&payd, code, wanted);
    cr_assert_eq(decided(), 0, "something was read all the same");
    payd = scene_start_payd(&fault.scene, NULL,
                            (const char *const[]){"--until-end", "--from-log-start", NULL});
    cr_assert_eq(process_wait(&payd, WAIT_MS), 0, "%s", file_tail(payd.err));
    cr_assert_eq(decided(), ROWS - gone);
    fault_report(&fault);
}

/* ---- row 30: the group's offsets ---- */

static void set_offsets(bool to_end)
{
    for (int i = 0; i < PARTITIONS; i++) {
        admin_set_offset(&fault.scene, "test", i, to_end ? admin_high(&fault.scene, i) : 0);
    }
}

static void set_to_beginning(void)
{
    set_offsets(false);
}

static void set_to_end(void)
{
    set_offsets(true);
}

static void delete_offsets(void)
{
    admin_delete_offsets(&fault.scene, "test", PARTITIONS);
}

static void delete_group(void)
{
    admin_delete_group(&fault.scene, "test");
}

Test(row_30, offsets_that_are_reset_or_deleted_change_nothing)
{
    static void (*const resets[])(void) = {set_to_beginning, set_to_end, delete_offsets,
                                           delete_group};
    char id[32];

    fault_drain(&fault);
    for (int i = 0; i < 4; i++) {
        snprintf(id, sizeof(id), "reset-%d", i);
        send_new_batch(id, ROWS); /* unread: at the end it would be skipped */
        fault_snapshot(&fault);
        resets[i]();
        fault_hit(&fault, 1);
        fault_drain(&fault);
        cr_assert_eq(decided(), (i + 2) * ROWS, "after reset %d", i);
        cr_assert_eq(redelivered(), 0, "after reset %d it read again", i);
    }
    fault_judge(&fault);
}

/* ---- row 31: partitions added ---- */

/* What was sent before has its key in another partition when it is sent again. */
Test(row_31, a_key_in_two_partitions_of_a_grown_topic_applies_once)
{
    static const char *const moved = "SELECT count(*) FROM repeats r JOIN decisions d"
                                     " ON d.seq = r.first_seq WHERE d.partition <> r.partition";
    struct process payd = scene_start_payd(
        &fault.scene, NULL,
        (const char *const[]){"-X", "topic.metadata.refresh.interval.ms=1000", NULL});

    cr_assert(scene_comes_to(&fault.scene, "SELECT count(*) FROM payments", ROWS, WAIT_MS), "%s",
              file_tail(payd.err));
    fault_snapshot(&fault);
    admin_grow_topic(&fault.scene, fault.scene.topic, 2 * PARTITIONS + 1);
    cr_assert_eq(fault_pay(&fault, &batch, NULL, NULL), 0);
    cr_assert(scene_comes_to(&fault.scene, "SELECT sum(count) FROM repeat_counts", ROWS, WAIT_MS),
              "%s", file_tail(payd.err));
    fault_hit(&fault, scene_int(&fault.scene, moved));
    send_new_batch("second", ROWS);
    cr_assert(scene_comes_to(&fault.scene, "SELECT count(*) FROM payments", 2 * ROWS, WAIT_MS),
              "%s", file_tail(payd.err));
    fault_stop_payd(&payd);
    fault_judge(&fault);
}
