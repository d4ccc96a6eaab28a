/*
 * The topic reader: it reads what it is told to, from where it is told to, and is never held up by
 * a broker that is gone.
 */
#include "common/topic_reader.h"
#include "tests/lib/scene.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define WAIT_MS     20000
#define FETCH_BYTES 65536
#define PARTITIONS  4
#define PROMPT_S    10 /* a busy machine may be late, but nothing waits for the broker, a minute */

static struct scene scene;
static struct kafka_args args;
static struct topic_reader *reader;
static struct topic_record record;
static struct error err;

static void open_scene(void)
{
    scene_open_embedded(&scene);
    args = (struct kafka_args){.brokers = scene.brokers, .topic = "not looked at"};
    cr_assert_eq(topic_reader_open(&reader, &args, "payments", FETCH_BYTES, &err), 0, "%s",
                 err.text);
}

static void close_scene(void)
{
    topic_reader_close(reader);
    scene_close(&scene);
}

TestSuite(topic_reader, .init = open_scene, .fini = close_scene);

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int32_t partition_of(const char *key)
{
    return topic_reader_partition_of(reader, key, strlen(key), PARTITIONS);
}

/* Sends count messages with one key, whose values are v0, v1, ... */
static void produce(const char *key, int count)
{
    for (int i = 0; i < count; i++) {
        char value[16];
        snprintf(value, sizeof(value), "v%d", i);
        scene_produce(&scene, key, value);
    }
}

static void start(int32_t partition, int64_t offset)
{
    cr_assert_eq(topic_reader_start(reader, partition, offset, &err), 0, "%s", err.text);
}

static void expect_record(int32_t partition, int64_t offset, const char *key)
{
    char value[16];

    cr_assert_eq(topic_reader_poll(reader, WAIT_MS, &record, &err), TOPIC_READER_RECORD, "%s",
                 topic_reader_trouble(reader));
    cr_assert_not(record.is_end, "at %d", (int)record.offset);
    cr_expect_eq(record.partition, partition);
    cr_expect_eq(record.offset, offset);
    cr_expect_eq(record.key_len, strlen(key));
    cr_expect_eq(memcmp(record.key, key, record.key_len), 0);
    snprintf(value, sizeof(value), "v%d", (int)offset);
    cr_expect_eq(record.value_len, strlen(value));
    cr_expect_eq(memcmp(record.value, value, record.value_len), 0);
    cr_expect_gt(record.timestamp_ms, 0);
}

static void expect_end(int32_t partition, int64_t offset)
{
    cr_assert_eq(topic_reader_poll(reader, WAIT_MS, &record, &err), TOPIC_READER_RECORD, "%s",
                 topic_reader_trouble(reader));
    cr_expect(record.is_end);
    cr_expect_eq(record.partition, partition);
    cr_expect_eq(record.offset, offset);
    cr_expect_null(record.value);
}

Test(topic_reader, reads_from_an_offset_to_the_end_and_on)
{
    int32_t partition = partition_of("ann");

    produce("ann", 3);
    start(partition, 1);
    expect_record(partition, 1, "ann");
    expect_record(partition, 2, "ann");
    expect_end(partition, 3);
    cr_expect_eq(topic_reader_poll(reader, 200, &record, &err), TOPIC_READER_NOTHING);
    cr_expect_str_eq(topic_reader_trouble(reader), "");
    scene_produce(&scene, "ann", "v3");
    expect_record(partition, 3, "ann");
    expect_end(partition, 4);
}

Test(topic_reader, an_empty_partition_is_an_end)
{
    start(2, 0);
    expect_end(2, 0);
}

Test(topic_reader, keys_and_values_that_are_not_there_are_null)
{
    const char *key = "gone";

    scene_produce(&scene, key, NULL);
    start(partition_of(key), 0);
    cr_assert_eq(topic_reader_poll(reader, WAIT_MS, &record, &err), TOPIC_READER_RECORD);
    cr_expect_null(record.value);
    cr_expect_eq(record.value_len, 0);
    topic_reader_stop(reader, partition_of(key));

    snprintf(scene.topic, sizeof(scene.topic), "others");
    topic_reader_close(reader);
    cr_assert_eq(topic_reader_open(&reader, &args, "others", FETCH_BYTES, &err), 0);
    scene_produce(&scene, NULL, "v0");
    start(0, 0);
    cr_assert_eq(topic_reader_poll(reader, WAIT_MS, &record, &err), TOPIC_READER_RECORD);
    cr_expect_null(record.key);
    cr_expect_eq(record.value_len, 2);
}

Test(topic_reader, says_that_the_log_does_not_hold_the_offset)
{
    int32_t partition = partition_of("ann");

    produce("ann", 2);
    start(partition, 1000);
    cr_expect_eq(topic_reader_poll(reader, WAIT_MS, &record, &err), TOPIC_READER_GONE);
    cr_expect_eq(record.partition, partition);
    cr_expect_eq(record.offset, 1000);
    topic_reader_stop(reader, partition);
    start(partition, 0);
    expect_record(partition, 0, "ann");
}

/* The answer about the first offset may come after the second start, and is not about it. */
Test(topic_reader, an_old_answer_is_not_taken_for_a_new_one)
{
    int32_t partition = partition_of("ann");

    produce("ann", 1);
    start(partition, 0);
    expect_record(partition, 0, "ann");
    for (int i = 0; i < 20; i++) {
        topic_reader_stop(reader, partition);
        start(partition, 1000 + i);
        nanosleep(&(struct timespec){.tv_nsec = 1000000L * (i % 10) * 5}, NULL);
    }
    topic_reader_stop(reader, partition);
    start(partition, 0);
    expect_record(partition, 0, "ann");
    expect_end(partition, 1);
}

Test(topic_reader, reads_two_partitions_at_once)
{
    static const char *const keys[] = {"ann", "bob", "eve", "joe", "kim", "lea", "max"};
    const char *both[2] = {keys[0], NULL};
    int64_t next[PARTITIONS] = {0};

    for (size_t i = 1; !both[1] && i < sizeof(keys) / sizeof(keys[0]); i++) {
        both[1] = partition_of(keys[i]) != partition_of(both[0]) ? keys[i] : NULL;
    }
    cr_assert(both[1]);
    produce(both[0], 3);
    produce(both[1], 5);
    start(partition_of(both[0]), 0);
    start(partition_of(both[1]), 0);
    for (int ends = 0; ends < 2;) {
        cr_assert_eq(topic_reader_poll(reader, WAIT_MS, &record, &err), TOPIC_READER_RECORD);
        cr_expect_eq(record.offset, next[record.partition], "in the order of the offsets");
        next[record.partition] += !record.is_end;
        ends += record.is_end;
    }
    cr_expect_eq(next[partition_of(both[0])], 3);
    cr_expect_eq(next[partition_of(both[1])], 5);
}

Test(topic_reader, nothing_comes_of_a_partition_that_was_stopped)
{
    int32_t partition = partition_of("ann");

    produce("ann", 4);
    topic_reader_stop(reader, partition);
    start(partition, 0);
    expect_record(partition, 0, "ann");
    topic_reader_stop(reader, partition);
    topic_reader_stop(reader, partition);
    cr_expect_eq(topic_reader_poll(reader, 300, &record, &err), TOPIC_READER_NOTHING);
    for (int i = 0; i < 10; i++) {
        start(partition, 2);
        expect_record(partition, 2, "ann");
        topic_reader_stop(reader, partition);
    }
    start(partition, 0);
    expect_record(partition, 0, "ann");
    expect_record(partition, 1, "ann");
}

Test(topic_reader, knows_where_a_key_lands)
{
    static const char *const keys[] = {"a", "k1", "0190b7e2-6d2a-7c3e-9f10-0123456789ab",
                                       "J\xC3\xB6rg", "payroll:0000000001"};
    int64_t expected[PARTITIONS] = {0};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        int64_t low;
        int64_t high;
        int32_t partition = partition_of(keys[i]);
        cr_assert(partition >= 0 && partition < PARTITIONS);
        scene_produce(&scene, keys[i], "v");
        expected[partition]++;
        cr_assert_eq(topic_reader_ends(reader, partition, WAIT_MS, &low, &high, &err), 0, "%s",
                     err.text);
        cr_expect_eq(low, 0);
        cr_expect_eq(high, expected[partition], "%s", keys[i]);
    }
}

Test(topic_reader, tells_how_many_partitions_there_are)
{
    struct topic_reader *other;
    int partitions = 0;

    cr_assert_eq(topic_reader_partitions(reader, WAIT_MS, &partitions, &err), 0, "%s", err.text);
    cr_expect_eq(partitions, PARTITIONS);
    cr_assert_eq(topic_reader_open(&other, &args, "paymnets", FETCH_BYTES, &err), 0);
    cr_expect_eq(topic_reader_partitions(other, WAIT_MS, &partitions, &err), -1);
    cr_expect(strstr(err.text, "there is no topic \"paymnets\""), "%s", err.text);
    topic_reader_close(other);
}

/* A reader whose broker ends is in trouble, waits no longer than it was told, and closes. */
static void expect_trouble(int signo)
{
    int32_t partition = partition_of("ann");

    produce("ann", 1);
    start(partition, 0);
    expect_record(partition, 0, "ann");
    expect_end(partition, 1);
    process_signal(&scene.broker, signo);
    double begin = seconds_now();
    do {
        cr_expect_eq(topic_reader_poll(reader, 1000, &record, &err), TOPIC_READER_NOTHING);
    } while (signo == SIGKILL && !topic_reader_trouble(reader)[0] &&
             seconds_now() - begin < PROMPT_S);
    cr_expect_lt(seconds_now() - begin, PROMPT_S);
    int64_t low;
    int64_t high;
    begin = seconds_now();
    cr_expect_eq(topic_reader_ends(reader, partition, 500, &low, &high, &err), -1);
    cr_expect_lt(seconds_now() - begin, PROMPT_S);
    cr_expect(strstr(err.text, "does not tell what it holds"), "%s", err.text);
    begin = seconds_now();
    topic_reader_close(reader);
    reader = NULL;
    cr_expect_lt(seconds_now() - begin, PROMPT_S, "it closes without the broker");
    process_signal(&scene.broker, SIGCONT);
}

Test(topic_reader, is_in_trouble_without_its_broker)
{
    expect_trouble(SIGKILL);
}

Test(topic_reader, is_not_held_up_by_a_broker_that_hangs)
{
    expect_trouble(SIGSTOP);
}

Test(topic_reader, closes_unused_and_half_used)
{
    struct topic_reader *other;

    topic_reader_close(NULL);
    cr_assert_eq(topic_reader_open(&other, &args, "payments", FETCH_BYTES, &err), 0);
    topic_reader_close(other);
    cr_assert_eq(topic_reader_open(&other, &args, "payments", FETCH_BYTES, &err), 0);
    cr_assert_eq(topic_reader_start(other, 3, 0, &err), 0);
    topic_reader_close(other);

    args.properties[0] = "no.such.property=1";
    args.property_count = 1;
    cr_expect_eq(topic_reader_open(&other, &args, "payments", FETCH_BYTES, &err), -1);
    args.properties[0] = "isolation.level=read_uncommitted";
    cr_expect_eq(topic_reader_open(&other, &args, "payments", FETCH_BYTES, &err), -1);
    cr_expect(strstr(err.text, "isolation.level"), "%s", err.text);
}
