/*
 * pay --wait while 30 % of its connections are reset with their first bytes, and the others while
 * they live: an outcome may come late, or not in time, but never a wrong one.
 */
#include "tests/lib/outcomes.h"
#include "tests/lib/proxy.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define KEYS          10
#define RESETS_WANTED 30
#define RESET_PERCENT 30
#define LIMIT_S       500
#define ARGS_MAX      28

static struct scene scene;
static struct proxy_server server;
static struct scene behind_proxy;
static struct process payd;
static unsigned seed;
static int resets;
static time_t limit;

static void open_all(void)
{
    int port = free_port();
    char side[64];
    int upstream;

    seed = getenv("PAY_SEED") ? (unsigned)atoi(getenv("PAY_SEED")) : (unsigned)time(NULL);
    fprintf(stderr, "PAY_SEED=%u\n", seed);
    snprintf(side, sizeof(side), "127.0.0.1:%d", port);
    scene_open_kafka(&scene, (const char *const[]){side, NULL}, &upstream);
    proxy_server_open(&server, &scene);
    proxy_add(&server, "pay", port, upstream);
    proxy_delay(&server, "pay", 5);
    proxy_reset_some(&server, "pay", RESET_PERCENT);
    behind_proxy = scene;
    snprintf(behind_proxy.brokers, sizeof(behind_proxy.brokers), "%s", side);
    payd = scene_start_payd(&scene, NULL, NULL);
    cr_assert(file_comes_to_have(payd.err, "event=assigned", 60000), "%s", file_tail(payd.err));
    limit = time(NULL) + LIMIT_S;
}

static void close_all(void)
{
    process_kill(&payd);
    proxy_server_close(&server);
    scene_close(&scene);
}

/* Run pay under resets until it ends. Returns its exit code. */
static int run_under_resets(const char *const *args, struct process *pay)
{
    static const char *const directions[] = {"upstream", "downstream"};
    const char *all[ARGS_MAX];
    int count = 0;
    int code = 0;

    while (*args) {
        all[count++] = *args++;
    }
    /* The debug lines are where resets can be counted. */
    static const char *const more[] = {"-X", "reconnect.backoff.ms=10",
                                       "-X", "reconnect.backoff.max.ms=100",
                                       "-X", "debug=broker"};
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
        all[count++] = more[i];
    }
    all[count] = NULL;
    *pay = scene_start_pay(&behind_proxy, NULL, all);
    for (int round = 0; !process_ended(pay, &code); round++) {
        cr_assert_lt(time(NULL), limit, "not done in %d s", LIMIT_S);
        nanosleep(&(struct timespec){.tv_nsec = (50 + rand_r(&seed) % 200) * 1000000L}, NULL);
        proxy_arm_reset(&server, "pay", directions[round % 2]);
        proxy_disarm_reset(&server, "pay");
    }
    resets += file_count(pay->err, "(_TRANSPORT)");
    return code;
}

/* The same command again until its answer is there. Returns the exit code. */
static int run_until_answered(const char *const *args, struct process *pay)
{
    int code;

    do {
        code = run_under_resets(args, pay);
        cr_assert(code != PROCESS_KILLED, "%s", file_tail(pay->err));
    } while (code == 75 || code == 69);
    return code;
}

TestSuite(kafka_wait, .init = open_all, .fini = close_all, .timeout = 600);

Test(kafka_wait, under_resets_no_outcome_is_wrong)
{
    static const struct {
        const char *amount;
        int code;
    } steps[] = {{"1.00", 0}, {"1.00", 0}, {"2.00", 2}};
    struct process pay;
    char key[16];

    for (int i = 0; i < KEYS; i++) {
        snprintf(key, sizeof(key), "key-%d", i);
        for (size_t step = 0; step < sizeof(steps) / sizeof(steps[0]); step++) {
            const char *const args[] = {"send",  "ann", "bob",      steps[step].amount,
                                        "--key", key,   "--wait=5", NULL};
            cr_expect_eq(run_until_answered(args, &pay), steps[step].code, "%s, step %zu: %s", key,
                         step, file_tail(pay.out));
        }
    }
    const char *const batch[] = {"batch", "--batch-id", "b", scene.sample, "--wait=10", NULL};
    cr_expect_eq(run_until_answered(batch, &pay), 0);
    cr_expect(file_has(pay.out, "decided: 1000 applied, 0 rejected, 0 conflict"), "%s",
              file_tail(pay.out));
    fprintf(stderr, "resets: %d\n", resets);
    cr_expect_geq(resets, RESETS_WANTED);

    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, 10000), 0);
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE outcome = 'applied'"),
                 1000 + KEYS);
    scene_check_books(&scene);
    outcomes_check(&scene);
}
