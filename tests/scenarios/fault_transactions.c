/*
 * Row 32: transactions of other clients in the topic, many of them aborted.
 */
#include "tests/lib/admin.h"
#include "tests/lib/fault.h"
#include "tests/lib/transactions.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define ROWS       400
#define ROUNDS     30
#define KEYS       400 /* that transactions send, aborted ones before and after the true one */
#define LENGTH     20  /* of a transaction, at the most */
#define WAIT_MS    60000
#define PARTITIONS 4

static struct fault fault;
static struct fault_batch batch;

/* How many messages were sent, by how their transaction ended. Committed ones are keys too. */
static int committed;
static int aborted;

static void open_scene(void)
{
    fault_open_kafka(&fault, NULL, NULL);
    fault_make_batch(&fault, &batch, "beside", ROWS);
    cr_assert_eq(fault_pay(&fault, &batch, NULL, NULL), 0);
}

static void close_scene(void)
{
    fault_close(&fault);
}

TestSuite(row_32, .init = open_scene, .fini = close_scene, .timeout = 1500);

/* Sends a key in the transaction that is open. What is to be aborted has another amount. */
static void put(rd_kafka_t *rk, int number, bool is_true)
{
    char key[32];
    char value[160];

    snprintf(key, sizeof(key), "key-%d", number);
    snprintf(value, sizeof(value),
             "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"%d\","
             "\"currency\":\"EUR\"}",
             is_true ? 1 + number : 1000000);
    fault_note_invoked(&fault, key, value, strlen(value));
    transactions_produce(rk, &fault.scene, key, value);
}

static void note_ends(const int *numbers, int count, const char *event)
{
    char key[32];

    for (int i = 0; i < count; i++) {
        snprintf(key, sizeof(key), "key-%d", numbers[i]);
        fault_note_end(&fault, key, event);
    }
}

/* Each true key is committed once, in turn; what is aborted is any of them. */
static void send_transaction(rd_kafka_t *rk, bool commit)
{
    int numbers[LENGTH];
    int count = 1 + fault_draw(&fault, LENGTH);

    transactions_begin(rk);
    for (int i = 0; i < count; i++) {
        numbers[i] = commit ? committed + i : fault_draw(&fault, KEYS);
        put(rk, numbers[i], commit);
    }
    transactions_end(rk, commit);
    note_ends(numbers, count, commit ? "ok" : "fail");
    committed += commit ? count : 0;
    aborted += commit ? 0 : count;
}

/* Only what was committed, and the last hole is passed. */
static void expect_only_true_ones(void)
{
    char sql[160];
    int64_t records = 0;

    cr_assert_eq(scene_int(&fault.scene, "SELECT count(*) FROM payments"), ROWS + committed);
    cr_assert_eq(scene_int(&fault.scene, "SELECT count(*) FROM conflicts"), 0);
    cr_assert_eq(scene_int(&fault.scene, "SELECT count(*) FROM payments WHERE key LIKE 'key-%' AND"
                                         " amount_minor <> 1 + substr(key, 5)"),
                 0, "an aborted amount was taken");
    for (int i = 0; i < PARTITIONS; i++) {
        int64_t high = admin_high(&fault.scene, i);
        snprintf(sql, sizeof(sql), "SELECT next_offset FROM positions WHERE partition = %d", i);
        cr_assert_eq(scene_int(&fault.scene, sql), high, "partition %d", i);
        records += high;
    }
    cr_assert_gt(records, ROWS + committed + aborted, "the aborted ones never were in the log");
    fault_hit(&fault, aborted);
}

Test(row_32, aborted_transactions_stay_invisible_and_their_holes_end_nothing)
{
    rd_kafka_t *rk = transactions_open(&fault.scene, "somebody");
    struct process payd = scene_start_payd(&fault.scene, NULL, NULL);

    cr_assert(file_comes_to_have(payd.err, "event=assigned", WAIT_MS), "%s", file_tail(payd.err));
    for (int i = 0; i < ROUNDS; i++) {
        send_transaction(rk, committed + LENGTH <= KEYS && fault_draw(&fault, 2) == 0);
    }
    send_transaction(rk, false); /* holes at the end */
    rd_kafka_destroy(rk);
    fault_stop_payd(&payd);
    fault_snapshot(&fault);
    fault_drain(&fault);
    expect_only_true_ones();
    fault_drain(&fault); /* the end is found again */
    fault_judge(&fault);
}

/* Its successor shuts a producer out that hangs in a transaction. */
Test(row_32, what_a_producer_that_was_shut_out_left_open_stays_invisible)
{
    int numbers[LENGTH];

    rd_kafka_t *first = transactions_open(&fault.scene, "somebody");
    transactions_begin(first);
    for (int i = 0; i < LENGTH; i++) {
        numbers[i] = i;
        put(first, i, false);
    }
    transactions_flush(first);
    struct process payd = scene_start_payd(&fault.scene, NULL, NULL);
    cr_assert(file_comes_to_have(payd.err, "event=assigned", WAIT_MS), "%s", file_tail(payd.err));
    rd_kafka_t *second = transactions_open(&fault.scene, "somebody");
    note_ends(numbers, LENGTH, "fail");
    aborted = LENGTH;
    for (int i = 0; i < 5; i++) {
        send_transaction(second, true);
    }
    rd_kafka_destroy(second);
    rd_kafka_destroy(first);
    cr_assert(
        scene_comes_to(&fault.scene, "SELECT count(*) FROM payments", ROWS + committed, WAIT_MS),
        "%s", file_tail(payd.err));
    fault_stop_payd(&payd);
    fault_drain(&fault);
    expect_only_true_ones();
    fault_judge(&fault);
}
