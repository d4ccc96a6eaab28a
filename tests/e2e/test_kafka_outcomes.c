/*
 * Outcomes on Apache Kafka: all of them, never a wrong one, while payd is killed at each step of
 * its outbox; and for a thousand clients at once, key by key.
 */
#include "tests/lib/outcomes.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define JOIN_MS 90000

static struct scene scene;

static void open_scene(void)
{
    scene_open_kafka(&scene, NULL, NULL);
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(kafka_outcomes, .init = open_scene, .fini = close_scene);

static void send_batch(const char *id)
{
    struct process pay;

    cr_assert_eq(scene_pay(&scene, NULL, &pay,
                           (const char *const[]){"batch", "--batch-id", id, scene.sample, NULL}),
                 0, "%s", file_tail(pay.err));
}

/* A payd that dies at a place, and how often a place must be visited before. */
static void die_at(const char *place)
{
    char env[96];
    struct process payd;

    snprintf(env, sizeof(env), "PAY_FAILPOINT=%s", place);
    payd = scene_start_payd(&scene, env, (const char *const[]){"--until-end", NULL});
    cr_expect_eq(process_wait(&payd, JOIN_MS), PROCESS_KILLED, "%s: %s", place,
                 file_tail(payd.err));
    cr_expect(file_has(payd.err, "failpoint "), "%s was not hit", place);
}

Test(kafka_outcomes, survive_a_kill_at_each_step)
{
    static const char *const places[] = {
        "outbox-read=kill",      "outbox-read=kill@4",          "outbox-sent=kill",
        "outbox-sent=kill@777",  "outbox-acknowledged=kill",    "outbox-acknowledged=kill@500",
        "outbox-saved=kill",     "after-store-commit=kill",     "before-store-commit=kill",
        "outbox-sent=kill@1500", "outbox-acknowledged=kill@900"};
    struct process payd;
    char id[32];
    const int count = (int)(sizeof(places) / sizeof(places[0]));

    for (int i = 0; i < count; i++) {
        snprintf(id, sizeof(id), "b%d", i);
        send_batch(id);
        send_batch(id);
        die_at(places[i]);
    }
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
    outcomes_check(&scene);
    scene_check_books(&scene);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE outcome = 'applied'"),
                 1000 * count);
    cr_expect_eq(scene_int(&scene, "SELECT published_seq - (SELECT max(seq) FROM decisions)"
                                   " >= 0 FROM store"),
                 1, "all of it is noted as published");
}

/* ---- outcomes that find no topic ---- */

static void send_batches(int from, int to)
{
    char id[32];

    for (int i = from; i < to; i++) {
        snprintf(id, sizeof(id), "b%d", i);
        send_batch(id);
    }
}

static void wait_for_summary(const struct process *payd)
{
    int before = file_count(payd->err, "event=summary");

    for (int waited = 0; waited < JOIN_MS && file_count(payd->err, "event=summary") == before;
         waited += 100) {
        file_comes_to_have(payd->err, "event=stop", 100);
    }
}

Test(kafka_outcomes, that_cannot_be_published_stop_the_consuming_at_their_limit)
{
    struct process payd;

    payd = scene_start_payd(&scene, NULL, NULL);
    cr_assert(file_comes_to_have(payd.err, "event=assigned", JOIN_MS), "%s", file_tail(payd.err));
    scene_delete_topic(&scene, "payments.outcomes");
    send_batches(0, 6);
    cr_assert(file_comes_to_have(payd.err, "event=outbox_full", JOIN_MS), "%s",
              file_tail(payd.err));
    /* What was given to the store before is there by then. */
    wait_for_summary(&payd);
    wait_for_summary(&payd);
    int64_t taken = scene_int(&scene, "SELECT count(*) FROM payments");
    send_batches(6, 12);
    wait_for_summary(&payd);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments"), taken, "the rest waits");
    cr_expect_lt(taken, 12000);

    scene_make_topic(&scene, "payments.outcomes", "4");
    cr_expect(file_comes_to_have(payd.err, "event=outbox_has_room", JOIN_MS), "%s",
              file_tail(payd.err));
    cr_expect(scene_comes_to(&scene, "SELECT count(*) FROM payments", 12000, JOIN_MS));
    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, JOIN_MS), 0);
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
    outcomes_check(&scene);
    scene_check_books(&scene);
}

/* ---- a topic that takes only small batches ---- */

static void make_narrow(const char *name, const char *max_bytes)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set(conf, "bootstrap.servers", scene.brokers, why, sizeof(why));
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, 4, 1, why, sizeof(why));
    rd_kafka_NewTopic_set_config(topic, "max.message.bytes", max_bytes);
    rd_kafka_CreateTopics(rk, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, JOIN_MS);
    cr_assert(event && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(event);
    rd_kafka_NewTopic_destroy(topic);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

/* The broker refuses a batch as a whole: each that fits alone must come, and each other be told. */
Test(kafka_outcomes, of_a_topic_that_refuses_large_batches_come_one_by_one)
{
    static const int large[] = {0, 1, 7, 30, 31, 99};
    struct process payd;
    char long_name[129];
    char key[32];
    char value[1024];

    memset(long_name, 'n', 128);
    long_name[128] = '\0';
    scene_make_topic(&scene, "narrow", "4");
    snprintf(scene.topic, sizeof(scene.topic), "narrow");
    make_narrow("narrow.outcomes", "1100");
    for (int i = 0; i < 100; i++) {
        bool is_large = false;
        for (size_t j = 0; j < sizeof(large) / sizeof(large[0]); j++) {
            is_large = is_large || large[j] == i;
        }
        snprintf(key, sizeof(key), "key-%d", i);
        snprintf(value, sizeof(value),
                 "{\"v\":1,\"type\":\"payment\",\"src\":\"%s%d\",\"dest\":\"%s\",\"amount\":\"5\","
                 "\"batch\":{\"id\":\"%s\",\"rows\":100,\"digest\":\"%064d\"}}",
                 is_large ? long_name + 3 : "a", i, is_large ? long_name : "b",
                 is_large ? long_name : "b", 0);
        scene_produce(&scene, key, value);
    }
    payd = scene_start_payd(
        &scene, NULL, (const char *const[]){"--until-end", "-X", "compression.type=none", NULL});
    cr_expect_eq(process_wait(&payd, JOIN_MS), 0, "%s", file_tail(payd.err));
    cr_expect_eq(file_count(payd.err, "event=outcome_skipped"), 6, "%s", file_tail(payd.err));
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM outcomes_skipped"), 6);
    cr_expect_eq(scene_int(&scene, "SELECT published_seq FROM store"), 100);
    struct outcomes outcomes = outcomes_read(&scene);
    for (int i = 0; i < 100; i++) {
        bool is_large = false;
        for (size_t j = 0; j < sizeof(large) / sizeof(large[0]); j++) {
            is_large = is_large || large[j] == i;
        }
        snprintf(key, sizeof(key), "key-%d", i);
        cr_expect_eq(outcomes_last(&outcomes, key) == NULL, is_large, "%s", key);
    }
    outcomes_release(&outcomes);
}

/* ---- a thousand clients ---- */

#define CLIENTS  1000
#define MESSAGES 9000

/* What a client sends under its one key: amounts 1 to 3, or 0 for a cancel. */
struct sent {
    int client;
    int amount;
};

static struct sent sent[MESSAGES];
static unsigned seed;

static rd_kafka_t *new_producer(void)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];

    rd_kafka_conf_set(conf, "bootstrap.servers", scene.brokers, why, sizeof(why));
    rd_kafka_conf_set(conf, "enable.idempotence", "true", why, sizeof(why));
    rd_kafka_conf_set(conf, "partitioner", "murmur2_random", why, sizeof(why));
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    cr_assert(rk, "%s", why);
    return rk;
}

static void send_all(void)
{
    rd_kafka_t *rk = new_producer();

    for (int i = 0; i < MESSAGES; i++) {
        char key[32];
        char value[160];
        sent[i] = (struct sent){(int)(rand_r(&seed) % CLIENTS), (int)(rand_r(&seed) % 4)};
        snprintf(key, sizeof(key), "client-%d", sent[i].client);
        if (sent[i].amount == 0) {
            snprintf(value, sizeof(value), "{\"v\":1,\"type\":\"cancel\"}");
        } else {
            snprintf(value, sizeof(value),
                     "{\"v\":1,\"type\":\"payment\",\"src\":\"c%d\",\"dest\":\"shop\","
                     "\"amount\":\"%d\"}",
                     sent[i].client, sent[i].amount);
        }
        cr_assert_eq(rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(scene.topic),
                                       RD_KAFKA_V_KEY(key, strlen(key)),
                                       RD_KAFKA_V_VALUE(value, strlen(value)),
                                       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    cr_assert_eq(rd_kafka_flush(rk, JOIN_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_destroy(rk);
}

/* The answer that a message must get, after what the same client sent before it. */
static const char *wanted_answer(int index, int first)
{
    if (first < 0) {
        return sent[index].amount == 0 ? "rejected cancelled" : "applied ";
    }
    if (sent[first].amount == 0) {
        return "duplicate cancelled";
    }
    return sent[index].amount == 0 || sent[index].amount == sent[first].amount
               ? "duplicate "
               : "conflict payload_differs";
}

static int compare_place(const void *a, const void *b)
{
    const struct outcome_record *left = &((const struct outcome_message *)a)->record;
    const struct outcome_record *right = &((const struct outcome_message *)b)->record;
    int by_key = strcmp(left->key, right->key);

    if (by_key != 0) {
        return by_key;
    }
    return (left->origin.offset > right->origin.offset) -
           (left->origin.offset < right->origin.offset);
}

/* The client's outcomes in the order of arrival, each once, against what it sent. */
static void check_client(const struct outcomes *outcomes, int client)
{
    char key[32];
    size_t at = 0;
    int first = -1;

    snprintf(key, sizeof(key), "client-%d", client);
    while (at < outcomes->count && strcmp(outcomes->messages[at].record.key, key) != 0) {
        at++;
    }
    for (int i = 0; i < MESSAGES; i++) {
        char answer[96];
        if (sent[i].client != client) {
            continue;
        }
        cr_assert_lt(at, outcomes->count, "%s has too few outcomes", key);
        const struct outcome_record *record = &outcomes->messages[at].record;
        cr_assert_str_eq(record->key, key, "%s has too few outcomes", key);
        snprintf(answer, sizeof(answer), "%s %s", outcome_name(record->verdict),
                 outcome_answer_reason(record));
        cr_assert_str_eq(answer, wanted_answer(i, first), "%s, message %d", key, i);
        first = first < 0 ? i : first;
        cr_assert(record->has_first);
        cr_assert_eq(record->first.command.payment.amount_minor, sent[first].amount, "%s", key);
        int64_t offset = record->origin.offset;
        while (at < outcomes->count && outcomes->messages[at].record.origin.offset == offset &&
               strcmp(outcomes->messages[at].record.key, key) == 0) {
            at++; /* published again after a kill */
        }
    }
    cr_assert(at == outcomes->count || strcmp(outcomes->messages[at].record.key, key) != 0,
              "%s has an outcome too many", key);
}

Test(kafka_outcomes, of_a_thousand_clients_are_right_key_by_key)
{
    struct process payd;

    seed = getenv("PAY_SEED") ? (unsigned)atoi(getenv("PAY_SEED")) : (unsigned)time(NULL);
    fprintf(stderr, "PAY_SEED=%u\n", seed);
    send_all();
    die_at("outbox-sent=kill@1000");
    die_at("outbox-acknowledged=kill@2500");
    die_at("outbox-saved=kill");
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
    scene_check_books(&scene);
    struct outcomes outcomes = outcomes_read(&scene);
    qsort(outcomes.messages, outcomes.count, sizeof(*outcomes.messages), compare_place);
    for (int client = 0; client < CLIENTS; client++) {
        check_client(&outcomes, client);
    }
    outcomes_release(&outcomes);
}
