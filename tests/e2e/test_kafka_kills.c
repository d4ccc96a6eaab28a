/*
 * 20,000 payments while both programs are killed again and again: each is applied once.
 */
#include "tests/lib/outcomes.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PAYMENTS   20000
#define PAYD_KILLS 10
#define PAY_KILLS  5
#define LIMIT_S    600

static struct scene scene;
static char file[PROCESS_PATH_MAX];
static unsigned seed;

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

static void write_batch(void)
{
    snprintf(file, sizeof(file), "%.480s/batch.csv", scene.dir);
    FILE *out = fopen(file, "we");
    cr_assert(out);
    fprintf(out, "src,dest,amount\n");
    for (int i = 0; i < PAYMENTS; i++) {
        fprintf(out, "a%d,b%d,%d.%02d\n", i % 97, i % 89, 1 + i % 50, i % 100);
    }
    fclose(out);
}

/* A row a millisecond, so that a kill falls among them. */
static struct process start_pay(void)
{
    return scene_start_pay(&scene, "PAY_FAILPOINT=before-publish=slow",
                           (const char *const[]){"batch", "--batch-id", "kills", file, NULL});
}

struct tally {
    int pay_kills;
    int payd_kills;
    int payd_kills_while_paying; /* with some of the payments applied, and not yet all */
    bool all_sent;
};

/* Lets pay work, or kills it, or starts it again: it is killed PAY_KILLS times, then may finish. */
static void tend_pay(struct process *pay, struct tally *tally)
{
    int code;

    if (process_ended(pay, &code)) {
        cr_assert(code == 0 || code == 75, "pay: exit %d: %s", code, file_tail(pay->err));
        tally->all_sent = tally->all_sent || code == 0;
        *pay = start_pay();
    } else if (tally->pay_kills < PAY_KILLS && rand_r(&seed) % 2 == 0) {
        process_kill(pay);
        tally->pay_kills++;
        *pay = start_pay();
    }
}

/* Lets payd get its partitions and work for a moment, then kills it. */
static void kill_payd(struct process *payd, struct tally *tally)
{
    cr_assert(file_comes_to_have(payd->err, "event=assigned", 60000), "%s", file_tail(payd->err));
    pause_ms(rand_r(&seed) % 800);
    int code;
    cr_assert(!process_ended(payd, &code), "payd ended by itself with %d: %s", code,
              file_tail(payd->err));
    process_kill(payd);
    tally->payd_kills++;
    int64_t applied = scene_int(&scene, "SELECT count(*) FROM payments");
    tally->payd_kills_while_paying += applied > 0 && applied < PAYMENTS;
    scene_check_books(&scene);
    *payd = scene_start_payd(&scene, NULL, NULL);
}

Test(kafka_kills, every_payment_is_applied_once, .timeout = 900)
{
    struct tally tally = {0};

    seed = getenv("PAY_SEED") ? (unsigned)atoi(getenv("PAY_SEED")) : (unsigned)time(NULL);
    fprintf(stderr, "PAY_SEED=%u\n", seed);
    scene_open_kafka(&scene, NULL, NULL);
    write_batch();
    time_t limit = time(NULL) + LIMIT_S;
    struct process pay = start_pay();
    struct process payd = scene_start_payd(&scene, NULL, NULL);
    while ((tally.payd_kills < PAYD_KILLS || tally.pay_kills < PAY_KILLS || !tally.all_sent) &&
           time(NULL) < limit) {
        kill_payd(&payd, &tally);
        tend_pay(&pay, &tally);
    }
    process_kill(&pay);
    process_kill(&payd);
    fprintf(stderr, "kills: %d of pay, %d of payd, %d of them while payments were being applied\n",
            tally.pay_kills, tally.payd_kills, tally.payd_kills_while_paying);
    cr_expect_geq(tally.pay_kills, PAY_KILLS);
    cr_expect_geq(tally.payd_kills, PAYD_KILLS);
    cr_expect_gt(tally.payd_kills_while_paying, 0);
    cr_expect(tally.all_sent);

    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE outcome = 'applied'"),
                 PAYMENTS);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments"), PAYMENTS, "none extra");
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM conflicts"), 0);
    cr_expect_eq(scene_int(&scene, "SELECT count FROM counters WHERE outcome = 5"), 0,
                 "the stored positions leave nothing to redeliver");
    scene_check_books(&scene);
    outcomes_check(&scene);
    scene_close(&scene);
}
