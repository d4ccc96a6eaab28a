/*
 * payd quarantine redrive on the embedded broker: what is published again, that it is paid once,
 * and what is refused before anything is published.
 */
#include "common/topic_reader.h"
#include "tests/lib/scene.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAYMENT "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"100\"}"
#define TRACE   "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define SEEN_MS 60000
#define END_MS  30000
#define READ_MS 30000
#define LARGE   70000 /* bytes: more than the quarantine keeps of a message */

static struct scene scene;
static struct process process;
static struct process payd;

/*
 * At 0: key k1, not JSON. At 1: no key, a payment. At 2: an unusable key, a payment with headers.
 * At 3: key k4, a value that is too large to be kept.
 */
static void open_scene(void)
{
    static const char *const headers[] = {"traceparent", TRACE, "shop", "7", NULL};
    char *large = malloc(LARGE);

    cr_assert_not_null(large);
    memset(large, 'x', LARGE);
    scene_open_embedded(&scene);
    snprintf(scene.topic, sizeof(scene.topic), "others"); /* of one partition */
    scene_produce(&scene, "k1", "garbage");
    scene_produce(&scene, NULL, PAYMENT);
    scene_produce_with_headers(&scene, "bad\x01key", PAYMENT, headers);
    scene_produce_bytes(&scene, "k4", large, LARGE);
    free(large);
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(redrive, .init = open_scene, .fini = close_scene, .timeout = 280);

static void drain(void)
{
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
}

/* payd quarantine redrive on a topic with up to 8 more arguments, ended by NULL. */
static int run_on(const char *topic, const char *const *more)
{
    const char *args[24] = {PAY_BIN_DIR "/payd",
                            "quarantine",
                            "redrive",
                            "--db",
                            scene.db,
                            "-b",
                            scene.brokers,
                            "-t",
                            topic,
                            "--skip-topic-check"};

    for (int i = 10; *more; i++) {
        args[i] = *more++;
    }
    return process_run(scene.dir, NULL, &process, args);
}

#define REDRIVE(...) run_on(scene.topic, (const char *const[]){__VA_ARGS__, NULL})

/* A file in the scene's folder, its name valid until the next call. */
static const char *file_of(const char *text)
{
    static char path[PROCESS_PATH_MAX + 16];

    snprintf(path, sizeof(path), "%s/mended.json", scene.dir);
    file_write(path, text);
    return path;
}

static struct topic_reader *open_reader(struct error *err)
{
    const struct kafka_args args = {.brokers = scene.brokers};
    struct topic_reader *reader = NULL;

    cr_assert_eq(topic_reader_open(&reader, &args, scene.topic, (size_t)1 << 20, err), 0, "%s",
                 err->text);
    return reader;
}

/* Assert how many records the topic has. */
static void expect_end(int64_t end)
{
    struct error err;
    struct topic_reader *reader = open_reader(&err);
    int64_t low;
    int64_t high = -1;

    cr_expect_eq(topic_reader_ends(reader, 0, READ_MS, &low, &high, &err), 0, "%s", err.text);
    cr_expect_eq(high, end, "%lld records", (long long)high);
    topic_reader_close(reader);
}

static void expect_paid(int64_t payments, int64_t duplicates)
{
    drain();
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE outcome = 'applied'"),
                 payments);
    cr_expect_eq(scene_int(&scene, "SELECT count FROM counters WHERE outcome = 3"), duplicates);
    scene_check_books(&scene);
}

/* Assert that the record at an offset has a header, as often as it is named. */
static void expect_header(int64_t offset, const char *name, const char *wanted)
{
    struct error err;
    struct topic_reader *reader = open_reader(&err);
    struct topic_record record;
    const char *found;
    const void *value;
    size_t len;
    int count = 0;

    cr_assert_eq(topic_reader_start(reader, 0, offset, &err), 0, "%s", err.text);
    cr_assert_eq(topic_reader_poll(reader, READ_MS, &record, &err), TOPIC_READER_RECORD);
    cr_assert_eq(record.offset, offset);
    for (size_t i = 0;
         record.headers && topic_reader_header(record.headers, i, &found, &value, &len); i++) {
        if (strcmp(found, name) == 0) {
            cr_expect(len == strlen(wanted) && memcmp(value, wanted, len) == 0, "%s=%.*s", name,
                      (int)len, (const char *)value);
            count++;
        }
    }
    cr_expect_eq(count, 1, "%s stands %d times", name, count);
    topic_reader_close(reader);
}

Test(redrive, mended_bytes_are_paid_once_however_often_they_are_redriven)
{
    drain();
    const char *mended = file_of(PAYMENT);
    cr_expect_eq(REDRIVE("0@0", "--value", mended), 0, "%s", file_tail(process.err));
    expect_printed(&process,
                   "redriven 0@0 -> key=k1 0@4 acknowledged\n\n1 messages were redriven.");
    cr_expect_eq(REDRIVE("0@0", "--value", mended), 0, "%s", file_tail(process.err));
    expect_printed(&process, "-> key=k1 0@5 acknowledged\n");
    expect_paid(1, 1);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE key = 'k1'"), 1);
    /* History stays. */
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM quarantined WHERE offset = 0"), 1);
}

Test(redrive, an_unusable_key_is_that_of_its_origin_and_headers_go_along)
{
    drain();
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(REDRIVE("--reason", "bad_key"), 0, "%s", file_tail(process.err));
        expect_printed(&process, "redriven 0@1 -> key=redrive:others:0:1 0@");
        expect_printed(&process, "redriven 0@2 -> key=redrive:others:0:2 0@");
        expect_printed(&process, "\n2 messages were redriven.");
    }
    expect_paid(2, 2);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE key LIKE 'redrive:%'"), 2);
    expect_header(5, "traceparent", TRACE);
    expect_header(5, "shop", "7");
    expect_header(5, "redrive", "1");
    expect_header(5, "redrive-origin", "others:0:2");
}

Test(redrive, bytes_that_cannot_be_read_are_refused_and_then_nothing_is_published)
{
    drain();
    /* One of the selection is enough; each is named. */
    cr_expect_eq(REDRIVE("0@1", "0@0", "0@3"), 65);
    expect_said(&process, "0@0: it still cannot be read: bad_json: ");
    expect_said(&process, "0@3: only ");
    expect_said(&process,
                "of 70000 bytes of its value are kept: give mended bytes (--value FILE)\n");
    expect_said(&process, "payd: 2 of 3 messages cannot be redriven: nothing was published\n");
    cr_expect_eq(REDRIVE("--partition", "0"), 65);
    expect_said(&process, "payd: 2 of 4 messages cannot be redriven: nothing was published\n");
    cr_expect_eq(REDRIVE("0@0", "--value", file_of("{\"v\":1}")), 65);
    expect_said(&process, "0@0: the mended bytes cannot be read: unknown_type: ");
    cr_expect_eq(REDRIVE("0@0", "--value", file_of("")), 65);
    expect_said(&process, "0@0: the mended bytes cannot be read: empty: ");
    expect_end(4);
    /* A value that is kept in part can be mended, also from standard input. */
    char script[2 * PROCESS_PATH_MAX + 256];
    snprintf(script, sizeof(script),
             "printf '%%s' '%s' | " PAY_BIN_DIR "/payd quarantine redrive 0@3 --value - --db %s "
             "-b %s -t others --skip-topic-check",
             PAYMENT, scene.db, scene.brokers);
    cr_expect_eq(
        process_run(scene.dir, NULL, &process, (const char *const[]){"sh", "-c", script, NULL}), 0,
        "%s", file_tail(process.err));
    expect_printed(&process, "redriven 0@3 -> key=k4 0@4 acknowledged\n");
    expect_paid(1, 0);
}

Test(redrive, a_file_that_is_not_there_or_too_long_changes_nothing)
{
    char *large = calloc(1, LARGE + 1);

    drain();
    cr_expect_eq(REDRIVE("0@0", "--value", "nowhere.json"), 66);
    expect_said(&process, "nowhere.json");
    cr_assert_not_null(large);
    memset(large, ' ', LARGE);
    cr_expect_eq(REDRIVE("0@0", "--value", file_of(large)), 65);
    expect_said(&process, "longer than 16384 bytes");
    free(large);
    expect_end(4);
}

Test(redrive, what_came_back_three_times_is_refused_and_what_came_back_less_often_is_counted)
{
    static const char *const twice[] = {"redrive", "2", "redrive-origin", "others:0:0", NULL};
    static const char *const thrice[] = {"redrive", "3", "redrive-origin", "others:0:0", NULL};

    scene_produce_with_headers(&scene, "k2", "garbage", twice);
    scene_produce_with_headers(&scene, "k3", "garbage", thrice);
    drain();
    const char *mended = file_of(PAYMENT);
    cr_expect_eq(REDRIVE("0@5", "--value", mended), 65);
    expect_said(&process, "0@5: it was redriven 3 times and came back each time");
    expect_end(6);
    cr_expect_eq(REDRIVE("0@4", "--value", mended), 0, "%s", file_tail(process.err));
    expect_header(6, "redrive", "3");
    expect_header(6, "redrive-origin", "others:0:0");
    expect_paid(1, 0);
}

Test(redrive, a_stale_message_is_refused)
{
    drain();
    scene_change(&scene, "UPDATE quarantine SET reason = 'stale' WHERE offset = 1");
    cr_expect_eq(REDRIVE("--reason", "stale"), 65);
    expect_said(&process,
                "0@1: its key is too old for the ledger, and it would come back: pay it under a "
                "new key only when it was never paid\n");
    expect_end(4);
}

Test(redrive, a_place_that_is_not_in_quarantine_stops_the_whole)
{
    drain();
    cr_expect_eq(REDRIVE("0@1", "0@17"), 4);
    expect_said(&process, "0@17: is not in quarantine\n");
    expect_said(&process, "payd: nothing was published\n");
    cr_expect_eq(REDRIVE("0@1", "here"), 64);
    cr_expect_eq(REDRIVE("--since", "2100-01-01"), 0);
    expect_printed(&process, "No message in quarantine is like that.\n");
    expect_end(4);
}

Test(redrive, only_the_ledgers_own_topic_is_published_to)
{
    drain();
    cr_expect_eq(run_on("payments", (const char *const[]){"0@1", NULL}), 78);
    expect_said(&process, "belongs to topic \"others\"");
    cr_expect_eq(run_on("paymets", (const char *const[]){"0@1", NULL}), 69);
    expect_said(&process, "there is no topic \"paymets\"");
    /* The embedded broker does not report its topics' settings. */
    cr_expect_eq(process_run(scene.dir, NULL, &process,
                             (const char *const[]){PAY_BIN_DIR "/payd", "quarantine", "redrive",
                                                   "0@1", "--db", scene.db, "-b", scene.brokers,
                                                   "-t", scene.topic, NULL}),
                 69);
    expect_said(&process, "--skip-topic-check");
    expect_end(4);
}

Test(redrive, json_is_a_line_a_message)
{
    drain();
    cr_expect_eq(REDRIVE("0@2", "0@1", "--json"), 0, "%s", file_tail(process.err));
    expect_printed(&process, "{\"partition\":0,\"offset\":2,\"key\":\"redrive:others:0:2\","
                             "\"delivery\":\"acknowledged\",\"to_partition\":0,\"to_offset\":4,"
                             "\"why\":null}\n");
    expect_printed(&process, "\"offset\":1,");
    cr_expect_eq(file_count(process.out, "\n"), 2);
    cr_expect_eq(file_count(process.err, "\n"), 0);
}

Test(redrive, what_the_broker_does_not_take_is_75_and_the_same_key_again_pays_once)
{
    drain();
    const char *const args[] = {PAY_BIN_DIR "/payd_failpoints",
                                "quarantine",
                                "redrive",
                                "0@1",
                                "0@2",
                                "--db",
                                scene.db,
                                "-b",
                                scene.brokers,
                                "-t",
                                scene.topic,
                                "--skip-topic-check",
                                NULL};
    cr_expect_eq(process_run(scene.dir, "PAY_FAILPOINT=before-publish=error@2", &process, args),
                 75);
    expect_printed(&process, "redriven 0@1 -> key=redrive:others:0:1 0@4 acknowledged\n");
    expect_said(&process,
                "payd: 0@2: a failpoint failed: 1 of 2 messages were acknowledged; run it again: "
                "the keys are the same, and pay once\n");
    cr_expect_eq(REDRIVE("0@1", "0@2"), 0, "%s", file_tail(process.err));
    expect_paid(2, 1);
}

Test(redrive, works_while_payd_runs)
{
    payd = scene_start_payd(&scene, NULL, NULL);
    cr_assert(scene_comes_to(&scene, "SELECT count(*) FROM quarantine", 4, SEEN_MS), "%s",
              file_tail(payd.err));
    const char *mended = file_of(PAYMENT);
    for (int i = 0; i < 2; i++) {
        cr_expect_eq(REDRIVE("0@0", "--value", mended), 0, "%s", file_tail(process.err));
    }
    cr_expect(scene_comes_to(&scene, "SELECT next_offset FROM positions", 6, SEEN_MS), "%s",
              file_tail(payd.err));
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments WHERE key = 'k1'"), 1);
    cr_expect(!process_ended(&payd, &(int){0}), "%s", file_tail(payd.err));
    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, END_MS), 0);
    expect_paid(1, 1);
}

Test(redrive, more_than_a_window_is_redriven_in_order)
{
    char key[16];

    for (int i = 0; i < 300; i++) {
        snprintf(key, sizeof(key), "\x01%d", i);
        scene_produce(&scene, key, PAYMENT);
    }
    drain();
    cr_expect_eq(REDRIVE("--reason", "bad_key"), 0, "%s", file_tail(process.err));
    expect_printed(&process, "\n302 messages were redriven.");
    expect_printed(&process, "redriven 0@303 -> key=redrive:others:0:303 0@605 acknowledged\n");
    expect_paid(302, 0);
}
