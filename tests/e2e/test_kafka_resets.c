/*
 * Connections reset under both programs, in both directions, again and again while they work: every
 * payment is applied once.
 */
#include "tests/lib/outcomes.h"
#include "tests/lib/proxy.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RESETS_WANTED 20
#define LIMIT_S       240
#define DELAY_MS      10 /* each way, so that requests are under way most of the time */

static struct scene scene;
static struct proxy_server server;

/* Small steps and quick reconnects: resets fall into requests, not after them. */
#define QUICK_RECONNECT "-X", "reconnect.backoff.ms=10", "-X", "reconnect.backoff.max.ms=100"

/* Connections that a program lost: pay tells of each in its debug lines, payd in its log. */
static int resets_under_pay(const struct process *process)
{
    return file_count(process->err, "(_TRANSPORT)");
}

static int resets_under_payd(const struct process *process)
{
    return file_count(process->err, "error=_TRANSPORT");
}

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
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

static void open_proxies(char sides[2][64])
{
    int ports[2] = {free_port(), free_port()};
    int upstream[2];

    snprintf(sides[0], 64, "127.0.0.1:%d", ports[0]);
    snprintf(sides[1], 64, "127.0.0.1:%d", ports[1]);
    scene_open_kafka(&scene, (const char *const[]){sides[0], sides[1], NULL}, upstream);
    proxy_server_open(&server, &scene);
    proxy_add(&server, "producer", ports[0], upstream[0]);
    proxy_add(&server, "consumer", ports[1], upstream[1]);
    proxy_delay(&server, "producer", DELAY_MS);
    proxy_delay(&server, "consumer", DELAY_MS);
}

static struct process start_pay(const struct scene *producing)
{
    /* The debug lines are where pay's resets can be counted. */
    return scene_start_pay(producing, NULL,
                           (const char *const[]){"batch", "--batch-id", "sample", scene.sample,
                                                 QUICK_RECONNECT, "-X", "batch.num.messages=5",
                                                 "-X", "linger.ms=0", "-X", "debug=broker", NULL});
}

Test(kafka_resets, every_payment_is_applied_once, .timeout = 600)
{
    static const char *const directions[] = {"upstream", "downstream"};
    char sides[2][64];
    unsigned seed = getenv("PAY_SEED") ? (unsigned)atoi(getenv("PAY_SEED")) : (unsigned)time(NULL);

    fprintf(stderr, "PAY_SEED=%u\n", seed);
    open_proxies(sides);
    struct scene producing = scene;
    struct scene consuming = scene;
    snprintf(producing.brokers, sizeof(producing.brokers), "%s", sides[0]);
    snprintf(consuming.brokers, sizeof(consuming.brokers), "%s", sides[1]);
    struct process payd = scene_start_payd(
        &consuming, NULL,
        (const char *const[]){QUICK_RECONNECT, "-X", "max.partition.fetch.bytes=1000", NULL});
    cr_assert(file_comes_to_have(payd.err, "event=assigned", 60000), "%s", file_tail(payd.err));

    int produce_resets = 0;
    bool all_sent = false;
    time_t limit = time(NULL) + LIMIT_S;
    struct process pay = start_pay(&producing);
    for (int round = 0; time(NULL) < limit; round++) {
        int code;
        pause_ms(50 + rand_r(&seed) % 150);
        reset_live(directions[round % 2]);
        if (process_ended(&pay, &code)) {
            produce_resets += resets_under_pay(&pay);
            cr_assert(code == 0 || code == 75 || code == 69, "exit %d", code);
            all_sent = all_sent || code == 0;
            if (all_sent && produce_resets >= RESETS_WANTED &&
                resets_under_payd(&payd) >= RESETS_WANTED) {
                break;
            }
            pay = start_pay(&producing); /* the same keys again */
        }
    }
    process_kill(&pay);
    fprintf(stderr, "resets: %d under pay, %d under payd\n", produce_resets,
            resets_under_payd(&payd));
    cr_expect(all_sent, "the batch was never acknowledged whole");
    cr_expect_geq(produce_resets, RESETS_WANTED);
    cr_expect_geq(resets_under_payd(&payd), RESETS_WANTED);

    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, 5000), 0);
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE outcome = 'applied'"),
                 1000);
    cr_expect_str_eq(scene_text(&scene, "SELECT high || ' ' || low FROM totals"), "0 100000",
                     "exactly 1000.00 EUR");
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM conflicts"), 0);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM quarantined"), 0);
    scene_check_books(&scene);
    outcomes_check(&scene);
    proxy_server_close(&server);
    scene_close(&scene);
}
