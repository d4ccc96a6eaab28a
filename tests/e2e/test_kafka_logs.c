/*
 * A log and a group on Apache Kafka that others use too: two ledgers in one group, a transaction
 * that somebody does not end.
 */
#include "tests/lib/scene.h"
#include "tests/lib/transactions.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define JOIN_MS 90000
#define PAYMENT "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"1\"}"

static struct scene scene;

static void open_scene(void)
{
    scene_open_kafka(&scene, NULL, NULL);
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(kafka_logs, .init = open_scene, .fini = close_scene);

static void send_batch(const char *id)
{
    struct process pay;

    cr_assert_eq(scene_pay(&scene, NULL, &pay,
                           (const char *const[]){"batch", "--batch-id", id, scene.sample, NULL}),
                 0, "%s", file_tail(pay.err));
}

static int64_t payments(void)
{
    return scene_int(&scene, "SELECT count(*) FROM payments");
}

Test(kafka_logs, two_ledgers_in_one_group_pay_once)
{
    struct scene other = scene;
    struct process both[2];
    int codes[2] = {-1, -1};
    int ended = 0;

    send_batch("first");
    snprintf(other.db, sizeof(other.db), "%.480s/other.db", scene.dir);
    both[0] = scene_start_payd(&scene, NULL, NULL);
    both[1] = scene_start_payd(&other, NULL, NULL);
    for (int waited = 0; waited < JOIN_MS && ended == 0; waited += 50) {
        for (int i = 0; i < 2; i++) {
            ended += both[i].pid > 0 && process_ended(&both[i], &codes[i]);
        }
        file_comes_to_have(both[0].err, "event=stop", 50);
    }
    cr_expect(codes[0] == 78 || codes[1] == 78, "%d and %d", codes[0], codes[1]);
    /* Whoever is left pays all; when both gave way, the first that comes again does. */
    for (int i = 0; i < 2; i++) {
        process_signal(&both[i], SIGTERM);
        if (both[i].pid > 0) {
            process_wait(&both[i], JOIN_MS);
        }
    }
    int64_t first = payments();
    int64_t second = scene_int(&other, "SELECT count(*) FROM payments");
    cr_expect(first == 0 || second == 0, "%lld and %lld", (long long)first, (long long)second);
}

/* ---- somebody's transaction ---- */

Test(kafka_logs, an_open_transaction_that_holds_payments_back_is_reported)
{
    struct process payd = scene_start_payd(&scene, NULL, NULL);

    cr_assert(file_comes_to_have(payd.err, "event=assigned", JOIN_MS), "%s", file_tail(payd.err));
    rd_kafka_t *rk = transactions_open(&scene, "somebody");
    transactions_begin(rk);
    transactions_produce(rk, &scene, "k1", PAYMENT);
    transactions_flush(rk);
    scene_produce(&scene, "k1", PAYMENT); /* behind it, in the same partition */
    cr_expect(file_comes_to_have(payd.err, "open_transaction", JOIN_MS), "%s", file_tail(payd.err));
    cr_expect_eq(payments(), 0, "it waits");
    transactions_end(rk, true);
    cr_expect(scene_comes_to(&scene, "SELECT count(*) FROM payments", 1, JOIN_MS));
    rd_kafka_destroy(rk);
    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, JOIN_MS), 0);
}
