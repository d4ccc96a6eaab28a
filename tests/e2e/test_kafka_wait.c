/*
 * pay --wait while its connections are reset 30 % of the time, in both directions: the same command
 * again, until it knows. What it says is what the ledger did, once.
 */
#include "tests/lib/outcomes.h"
#include "tests/lib/proxy.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define JOIN_MS     90000
#define LIMIT_S     240
#define SINGLES     25
#define ARMED_MS    30 /* of each round */
#define ROUND_MS    100
#define RESETS_WANT 10

/* Small steps and quick reconnects: resets fall into requests, not after them. */
#define QUICK                                                                                      \
    "-X", "reconnect.backoff.ms=10", "-X", "reconnect.backoff.max.ms=100", "-X", "debug=broker"

static struct scene scene;
static struct scene producing; /* the same, through the proxy */
static struct proxy_server server;
static struct process payd;
static int resets;

static void open_all(void)
{
    char side[64];
    int port = free_port();
    int upstream;

    snprintf(side, sizeof(side), "127.0.0.1:%d", port);
    scene_open_kafka(&scene, (const char *const[]){side, NULL}, &upstream);
    proxy_server_open(&server, &scene);
    proxy_add(&server, "producer", port, upstream);
    proxy_delay(&server, "producer", 5);
    producing = scene;
    snprintf(producing.brokers, sizeof(producing.brokers), "%s", side);
    payd = scene_start_payd(&scene, NULL, NULL);
    cr_assert(file_comes_to_have(payd.err, "event=assigned", JOIN_MS), "%s", file_tail(payd.err));
}

static void close_all(void)
{
    process_kill(&payd);
    proxy_server_close(&server);
    scene_close(&scene);
}

TestSuite(kafka_wait, .init = open_all, .fini = close_all, .timeout = 600);

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
}

/* Resets connections 30 % of the time until the process ends; returns its exit code. */
static int run_under_resets(struct process *pay)
{
    static const char *const directions[] = {"upstream", "downstream"};
    int code = -1;

    for (int round = 0; !process_ended(pay, &code); round++) {
        proxy_arm_reset(&server, "producer", directions[round % 2]);
        pause_ms(ARMED_MS);
        proxy_disarm_reset(&server, "producer");
        pause_ms(ROUND_MS - ARMED_MS);
    }
    resets += file_count(pay->err, "(_TRANSPORT)");
    return code;
}

/* The same command again until it knows, as a careful script would. */
static void until_known(const char *const *args, int wanted)
{
    time_t limit = time(NULL) + LIMIT_S;
    int code;

    do {
        struct process pay = scene_start_pay(&producing, NULL, args);
        code = run_under_resets(&pay);
        cr_assert(code == wanted || code == 75 || code == 69, "exit %d: %s", code,
                  file_tail(pay.err));
    } while (code != wanted && time(NULL) < limit);
    cr_assert_eq(code, wanted);
}

Test(kafka_wait, of_single_payments_ends_with_what_the_ledger_did)
{
    char key[32];

    for (int i = 0; i < SINGLES; i++) {
        snprintf(key, sizeof(key), "single-%d", i);
        /* Every fifth is in another currency than its accounts. */
        until_known((const char *const[]){"send", "ann", "bob", "1", i % 5 == 4 ? "JPY" : "EUR",
                                          "--key", key, "--wait=20", QUICK, NULL},
                    i % 5 == 4 ? 1 : 0);
    }
    fprintf(stderr, "resets: %d\n", resets);
    cr_expect_geq(resets, RESETS_WANT);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE outcome = 'applied'"),
                 SINGLES - SINGLES / 5);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE outcome = 'rejected'"),
                 SINGLES / 5);
    scene_check_books(&scene);
}

Test(kafka_wait, of_a_batch_ends_with_what_the_ledger_did)
{
    until_known((const char *const[]){"batch", "--batch-id", "sample", scene.sample, "--wait=30",
                                      QUICK, "-X", "batch.num.messages=20", NULL},
                0);
    fprintf(stderr, "resets: %d\n", resets);
    cr_expect_geq(resets, RESETS_WANT);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE outcome = 'applied'"),
                 1000);
    cr_expect_str_eq(scene_text(&scene, "SELECT high || ' ' || low FROM totals"), "0 100000");
    scene_check_books(&scene);
}
