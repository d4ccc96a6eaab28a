/*
 * Rows 7-15: the network between the programs and Kafka. Each program has a proxy of its own.
 */
#include "tests/lib/fault.h"
#include "tests/lib/proxy.h"

#include "common/clock.h"

#include <criterion/criterion.h>
#include <signal.h>

#define ROWS      600
#define WAIT_MS   90000
#define LONG_ROWS 4000

static struct fault fault;
static struct fault_batch batch;
static struct proxy_server server;
static struct scene consuming; /* the scene as payd sees it: through its proxy */

/* Small steps and quick reconnects: a fault falls into requests, not after them. */
#define QUICK "-X", "reconnect.backoff.ms=10", "-X", "reconnect.backoff.max.ms=100"

static void open_scene(void)
{
    char sides[2][64];
    int ports[2] = {free_port(), free_port()};
    int upstream[2];

    for (int i = 0; i < 2; i++) {
        snprintf(sides[i], sizeof(sides[i]), "127.0.0.1:%d", ports[i]);
    }
    fault_open_kafka(&fault, (const char *const[]){sides[0], sides[1], NULL}, upstream);
    proxy_server_open(&server, &fault.scene);
    proxy_add(&server, "producer", ports[0], upstream[0]);
    proxy_add(&server, "consumer", ports[1], upstream[1]);
    fault_make_batch(&fault, &batch, "network", ROWS);
    consuming = fault.scene;
    snprintf(consuming.brokers, sizeof(consuming.brokers), "%s", sides[1]);
    snprintf(fault.pay_brokers, sizeof(fault.pay_brokers), "%s", sides[0]);
}

static void close_scene(void)
{
    proxy_server_close(&server);
    fault_close(&fault);
}

/* The verdict needs no proxy, and takes the folder away in which this one is known. */
static void judge(void)
{
    proxy_server_close(&server);
    fault_judge(&fault);
}

TestSuite(row_07, .init = open_scene, .fini = close_scene);
TestSuite(row_08, .init = open_scene, .fini = close_scene);
TestSuite(row_09, .init = open_scene, .fini = close_scene);
TestSuite(row_10, .init = open_scene, .fini = close_scene);
TestSuite(row_11, .init = open_scene, .fini = close_scene);
TestSuite(row_12, .init = open_scene, .fini = close_scene);
TestSuite(row_13, .init = open_scene, .fini = close_scene);
TestSuite(row_14, .init = open_scene, .fini = close_scene);
TestSuite(row_15, .init = open_scene, .fini = close_scene);

static struct process start_payd(void)
{
    struct process payd = scene_start_payd(
        &consuming, NULL,
        (const char *const[]){QUICK, "-X", "max.partition.fetch.bytes=2000", NULL});

    cr_assert(file_comes_to_have(payd.err, "event=assigned", WAIT_MS), "%s", file_tail(payd.err));
    return payd;
}

/* ---- the broker out of reach ---- */

Test(row_07, sigterm_with_the_broker_out_of_reach_ends_payd_in_time)
{
    fault_pay_until_done(&fault, &batch, NULL);
    struct process payd = start_payd();
    proxy_set_enabled(&server, "consumer", false);
    fault_hit(&fault, file_comes_to_have(payd.err, "error=_TRANSPORT", WAIT_MS));
    fault_snapshot(&fault);
    fault_stop_payd(&payd);
    proxy_set_enabled(&server, "consumer", true);
    judge();
}

Test(row_15, a_partition_and_a_full_queue_make_pay_wait)
{
    struct process pay = fault_start_pay(
        &fault, &batch, "PAY_FAILPOINT=before-publish=stop@100",
        (const char *const[]){QUICK, "-X", "queue.buffering.max.messages=10", NULL});
    struct process payd = start_payd();
    cr_assert(file_comes_to_have(pay.err, "failpoint ", WAIT_MS), "%s", file_tail(pay.err));
    proxy_set_enabled(&server, "producer", false);
    process_continue(&pay);
    pause_ms(1000 + fault_draw(&fault, 1000));
    int code;
    cr_assert(!process_ended(&pay, &code), "pay did not wait: %d %s", code, file_tail(pay.err));
    fault_hit(&fault, 1);
    proxy_set_enabled(&server, "producer", true);
    code = process_wait(&pay, WAIT_MS);
    cr_assert_eq(code, 0, "%s", file_tail(pay.err));
    fault_note_pay(&fault, &batch, &pay, code);
    fault_stop_payd(&payd);
    judge();
}

/* ---- connections reset ---- */

#define RESETS_WANTED 20

/* Connections that a program lost: pay tells of each in its debug lines, payd in its log. */
static int resets_under_pay(const struct process *pay)
{
    return file_count(pay->err, "(_TRANSPORT)");
}

static int resets_under_payd(const struct process *payd)
{
    return file_count(payd->err, "error=_TRANSPORT");
}

/* Resets what lives on both proxies, in one direction. */
static void reset_live(const char *direction)
{
    proxy_arm_reset(&server, "producer", direction);
    proxy_arm_reset(&server, "consumer", direction);
    pause_ms(20);
    proxy_disarm_reset(&server, "producer");
    proxy_disarm_reset(&server, "consumer");
}

static struct process start_slow_pay(void)
{
    return fault_start_pay(&fault, &batch, NULL,
                           (const char *const[]){QUICK, "-X", "batch.num.messages=5", "-X",
                                                 "linger.ms=0", "-X", "debug=broker", NULL});
}

Test(row_08, resets_again_and_again_apply_each_once, .timeout = 1500)
{
    static const char *const directions[] = {"upstream", "downstream"};
    int64_t end_ms = clock_monotonic_ms() + 240000;
    int under_pay = 0;
    bool all_sent = false;
    int code;

    proxy_delay(&server, "producer", 10); /* so that requests are under way most of the time */
    proxy_delay(&server, "consumer", 10);
    struct process payd = start_payd();
    struct process pay = start_slow_pay();
    for (int round = 0; clock_monotonic_ms() < end_ms; round++) {
        pause_ms(50 + fault_draw(&fault, 150));
        reset_live(directions[round % 2]);
        if (process_ended(&pay, &code)) {
            fault_note_pay(&fault, &batch, &pay, code);
            under_pay += resets_under_pay(&pay);
            cr_assert(code == 0 || code == 75 || code == 69, "exit %d", code);
            all_sent = all_sent || code == 0;
            if (all_sent && under_pay >= RESETS_WANTED &&
                resets_under_payd(&payd) >= RESETS_WANTED) {
                break;
            }
            pay = start_slow_pay();
        }
    }
    process_kill(&pay);
    cr_expect(all_sent, "the batch was never acknowledged whole");
    cr_expect_geq(under_pay, RESETS_WANTED);
    cr_expect_geq(resets_under_payd(&payd), RESETS_WANTED);
    fault_hit(&fault, under_pay + resets_under_payd(&payd));
    fault_stop_payd(&payd);
    judge();
}

/* ---- answers that never come ---- */

/* The requests arrive, their answers are lost, until the client gives up. */
Test(row_09, a_lost_acknowledgement_is_unknown_and_sent_again_applies_once)
{
    fault_make_batch(&fault, &batch, "lost", LONG_ROWS);
    struct process payd = start_payd();
    struct process pay = fault_start_pay(
        &fault, &batch, "PAY_FAILPOINT=before-publish=stop@2000",
        (const char *const[]){QUICK, "-X", "message.timeout.ms=3000", "-X", "linger.ms=0", NULL});

    cr_assert(file_comes_to_have(pay.err, "failpoint ", WAIT_MS), "%s", file_tail(pay.err));
    proxy_add_toxic(&server, "producer", "lost", "timeout", "downstream", "{\"timeout\":0}");
    process_continue(&pay);
    int code = process_wait(&pay, WAIT_MS);
    cr_assert_eq(code, 75, "%s", file_tail(pay.err));
    fault_note_pay(&fault, &batch, &pay, code);
    cr_expect_gt(fault_fates(&fault, "unknown"), 0, "nothing was unknown: %s", file_tail(pay.err));
    fault_hit(&fault, fault_fates(&fault, "unknown"));
    proxy_remove_toxic(&server, "producer", "lost");
    fault_stop_payd(&payd);
    cr_assert_eq(scene_drain(&consuming, NULL, &payd), 0, "%s", file_tail(payd.err));
    fault_check(&fault); /* what was said to have failed must not be there */
    fault_pay_until_done(&fault, &batch, (const char *const[]){QUICK, NULL});
    judge();
}

/* ---- bad lines ---- */

/* A toxic on both programs' ways, in one direction. */
static void put_on_both(const char *type, const char *direction, const char *attributes)
{
    char toxic[64];

    snprintf(toxic, sizeof(toxic), "%s-%s", type, direction);
    proxy_add_toxic(&server, "producer", toxic, type, direction, attributes);
    proxy_add_toxic(&server, "consumer", toxic, type, direction, attributes);
}

/* The whole job over the bad line. Returns how long it took. */
static int64_t work_through(void)
{
    int64_t began_ms = clock_monotonic_ms();
    struct process payd = start_payd();

    /* No request larger than what a connection lives to carry. */
    fault_pay_until_done(&fault, &batch,
                         (const char *const[]){QUICK, "-X", "batch.num.messages=100", NULL});
    cr_assert(scene_comes_to(&fault.scene, "SELECT count(*) FROM payments", batch.rows, WAIT_MS),
              "%s", file_tail(payd.err));
    int64_t took_ms = clock_monotonic_ms() - began_ms;
    fault_hit(&fault, resets_under_payd(&payd));
    fault_stop_payd(&payd);
    return took_ms;
}

/* The broker hears of a dead payd late: its connections stay half open. */
Test(row_10, half_open_connections_of_a_killed_payd_apply_each_once)
{
    put_on_both("slow_close", "upstream", "{\"delay\":8000}");
    put_on_both("slow_close", "downstream", "{\"delay\":8000}");
    fault_pay_until_done(&fault, &batch, NULL);
    for (int i = 0; i < 2; i++) {
        struct process payd = start_payd();
        pause_ms(fault_draw(&fault, 300));
        fault_snapshot(&fault);
        process_kill(&payd);
        fault_hit(&fault, 1);
    }
    work_through();
    judge();
}

Test(row_11, connections_cut_in_the_middle_of_a_frame_apply_each_once)
{
    char attributes[64];

    fault_make_batch(&fault, &batch, "cut", LONG_ROWS);
    snprintf(attributes, sizeof(attributes), "{\"bytes\":%d}", 15000 + fault_draw(&fault, 10000));
    proxy_add_toxic(&server, "consumer", "cut", "limit_data", "downstream", attributes);
    snprintf(attributes, sizeof(attributes), "{\"bytes\":%d}", 20000 + fault_draw(&fault, 10000));
    proxy_add_toxic(&server, "producer", "cut", "limit_data", "upstream", attributes);
    work_through();
    judge();
}

Test(row_12, frames_in_fragments_apply_each_once)
{
    put_on_both("slicer", "upstream",
                "{\"average_size\":100,\"size_variation\":90,\"delay\":1000}");
    put_on_both("slicer", "downstream",
                "{\"average_size\":100,\"size_variation\":90,\"delay\":1000}");
    int64_t took_ms = work_through();
    /* A payment has some 150 bytes, and each fragment of 100 waits for 1 ms, on each way. */
    cr_expect_gt(took_ms, ROWS, "the line was not slow: %lld ms", (long long)took_ms);
    fault_hit(&fault, took_ms);
    judge();
}

#define LATENCY_MS 200

Test(row_13, a_slow_line_applies_each_once)
{
    put_on_both("latency", "upstream", "{\"latency\":200,\"jitter\":100}");
    put_on_both("latency", "downstream", "{\"latency\":200,\"jitter\":100}");
    int64_t took_ms = work_through();
    cr_expect_gt(took_ms, 5 * LATENCY_MS);
    fault_hit(&fault, took_ms / LATENCY_MS);
    judge();
}

Test(row_14, a_thin_pipe_applies_each_once)
{
    put_on_both("bandwidth", "upstream", "{\"rate\":20}");
    put_on_both("bandwidth", "downstream", "{\"rate\":20}");
    int64_t took_ms = work_through();
    /* Some 90 KB of payments at 20 KB/s. */
    cr_expect_gt(took_ms, 2000, "the pipe was not thin: %lld ms", (long long)took_ms);
    fault_hit(&fault, took_ms / 1000);
    judge();
}
