/*
 * payd run --dead-letters: each message that cannot be read is published to a topic of its own, as
 * it was kept, at least once, whenever payd is killed.
 */
#include "common/topic_reader.h"
#include "tests/lib/scene.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAYMENT "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"100\"}"
#define LETTERS "others" /* the topic of dead letters: of one partition */
#define END_MS  120000
#define READ_MS 30000
#define KEPT    65536 /* bytes of a message */
#define LARGE   70000
#define MAX     64 /* letters of a test */

/* A dead letter; each text ends in NUL. */
struct letter {
    char key[64];
    bool has_key;
    size_t value_len;
    char value[96];    /* its beginning */
    char headers[512]; /* name=value; ... */
};

static struct scene scene;
static struct process payd;
static struct letter letters[MAX];
static int count;

static void open_scene(void)
{
    scene_open_embedded(&scene);
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(dead_letters, .init = open_scene, .fini = close_scene, .timeout = 280);

static int run_with(const char *env, const char *const *more)
{
    const char *args[12] = {"--until-end", "--dead-letters", LETTERS};

    for (int i = 3; more && *more; i++) {
        args[i] = *more++;
    }
    payd = scene_start_payd(&scene, env, args);
    return process_wait(&payd, END_MS);
}

static void take(const struct topic_record *record)
{
    struct letter *letter = &letters[count++];
    const char *name;
    const void *value;
    size_t len;
    size_t at = 0;

    *letter = (struct letter){.has_key = record->key != NULL, .value_len = record->value_len};
    snprintf(letter->key, sizeof(letter->key), "%.*s", (int)record->key_len,
             record->key ? record->key : "");
    snprintf(letter->value, sizeof(letter->value), "%.*s", (int)record->value_len,
             record->value ? record->value : "");
    for (size_t i = 0; topic_reader_header(record->headers, i, &name, &value, &len); i++) {
        at += (size_t)snprintf(letter->headers + at, sizeof(letter->headers) - at, "%s=%.*s; ",
                               name, (int)len, value ? (const char *)value : "");
    }
}

/* Reads all letters. */
static void read_letters(void)
{
    const struct kafka_args args = {.brokers = scene.brokers};
    struct topic_reader *reader = NULL;
    struct topic_record record;
    struct error err;

    count = 0;
    cr_assert_eq(topic_reader_open(&reader, &args, LETTERS, (size_t)1 << 20, &err), 0, "%s",
                 err.text);
    cr_assert_eq(topic_reader_start(reader, 0, 0, &err), 0, "%s", err.text);
    for (bool at_end = false; !at_end;) {
        cr_assert_eq(topic_reader_poll(reader, READ_MS, &record, &err), TOPIC_READER_RECORD, "%s",
                     topic_reader_trouble(reader));
        at_end = record.is_end;
        if (!at_end) {
            cr_assert_lt(count, MAX);
            take(&record);
        }
    }
    topic_reader_close(reader);
}

static struct letter letter_of(const char *key)
{
    const struct letter *found = letters;

    while (found < letters + count && strcmp(found->key, key) != 0) {
        found++;
    }
    cr_assert_lt(found, letters + count, "no letter of %s", key);
    return *found;
}

static void expect_header(const struct letter *letter, const char *header)
{
    cr_expect(strstr(letter->headers, header), "no %s in %s", header, letter->headers);
}

Test(dead_letters, are_what_cannot_be_read_with_all_that_was_kept)
{
    static const char *const headers[] = {"shop", "7", "traceparent", "t", NULL};
    char *large = malloc(LARGE);

    cr_assert_not_null(large);
    memset(large, 'x', LARGE);
    scene_produce(&scene, "paid", PAYMENT);
    scene_produce_with_headers(&scene, "k1", "garbage", headers);
    scene_produce(&scene, NULL, NULL);
    scene_produce_bytes(&scene, "k2", large, LARGE);
    scene_produce(&scene, "bad\x01key", PAYMENT);
    free(large);
    cr_assert_eq(run_with(NULL, NULL), 0, "%s", file_tail(payd.err));
    read_letters();
    cr_assert_eq(count, 4);

    struct letter letter = letter_of("k1");
    char origin[96];
    snprintf(origin, sizeof(origin), "shop=7; traceparent=t; origin=payments:%s; reason=bad_json;",
             scene_text(&scene, "SELECT partition || ':' || offset FROM quarantined"
                                " WHERE reason = 'bad_json'"));
    cr_expect_str_eq(letter.value, "garbage");
    expect_header(&letter, origin);
    expect_header(&letter, "; detail=");
    expect_header(&letter, "; value-length=7; ");
    letter = letter_of("k2");
    cr_expect_eq(letter.value_len, KEPT - 2, "the key is kept before the value");
    expect_header(&letter, "reason=too_large; ");
    expect_header(&letter, "value-length=70000; ");
    letter = letter_of("bad\x01key");
    cr_expect_str_eq(letter.value, PAYMENT);
    expect_header(&letter, "reason=bad_key; ");
    letter = letter_of("");
    cr_expect_not(letter.has_key);
    cr_expect_eq(letter.value_len, 0);
    cr_expect_not(strstr(letter.headers, "value-length"), "%s", letter.headers);

    /* Once is enough. */
    cr_assert_eq(run_with(NULL, NULL), 0, "%s", file_tail(payd.err));
    read_letters();
    cr_expect_eq(count, 4);
}

Test(dead_letters, none_is_lost_by_a_kill_at_any_step)
{
    static const char *const places[] = {"outbox-read=kill",           "outbox-sent=kill",
                                         "outbox-sent=kill@2",         "outbox-acknowledged=kill",
                                         "outbox-acknowledged=kill@2", "outbox-saved=kill",
                                         "after-store-commit=kill"};
    const int lives = sizeof(places) / sizeof(places[0]);
    char env[96];
    char key[16];

    for (int i = 0; i < lives; i++) {
        snprintf(key, sizeof(key), "bad-%d", i);
        scene_produce(&scene, key, "garbage");
        snprintf(env, sizeof(env), "PAY_FAILPOINT=%s", places[i]);
        cr_expect_eq(run_with(env, NULL), PROCESS_KILLED, "%s: %s", places[i], file_tail(payd.err));
    }
    cr_assert_eq(run_with(NULL, NULL), 0, "%s", file_tail(payd.err));
    read_letters();
    for (int i = 0; i < lives; i++) {
        snprintf(key, sizeof(key), "bad-%d", i);
        (void)letter_of(key);
    }
    cr_expect_eq(scene_int(&scene, "SELECT published_seq FROM store"), lives);
}

Test(dead_letters, that_are_too_large_are_skipped_loudly_and_the_others_are_published)
{
    char value[2000];

    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    scene_produce(&scene, "small", "garbage");
    scene_produce(&scene, "large", value);
    scene_produce(&scene, "small too", "garbage");
    cr_assert_eq(run_with(NULL, (const char *const[]){"-X", "message.max.bytes=1000", NULL}), 0,
                 "%s", file_tail(payd.err));
    cr_expect_eq(file_count(payd.err, "event=dead_letter_skipped"), 1, "%s", file_tail(payd.err));
    cr_expect_eq(file_count(payd.err, "event=outcome_skipped"), 0, "%s", file_tail(payd.err));
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM outcomes_skipped"), 1);
    cr_expect_eq(scene_int(&scene, "SELECT published_seq FROM store"), 3);
    read_letters();
    cr_expect_eq(count, 2);
}

Test(dead_letters, need_a_topic_of_their_own_that_is_there)
{
    scene_produce(&scene, "k1", "garbage");
    payd = scene_start_payd(
        &scene, NULL, (const char *const[]){"--dead-letters", "misspelt", "--until-end", NULL});
    cr_expect_eq(process_wait(&payd, END_MS), 69);
    cr_expect(file_has(payd.err, "dead letters (--dead-letters): there is no topic"), "%s",
              file_tail(payd.err));
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM quarantine"), 0, "nothing was read");
    payd = scene_start_payd(&scene, NULL,
                            (const char *const[]){"--dead-letters", "payments.outcomes", NULL});
    cr_expect_eq(process_wait(&payd, END_MS), 64, "%s", file_tail(payd.err));
}

Test(dead_letters, without_the_option_none_is_published_and_none_is_made_up_for)
{
    scene_produce(&scene, "before", "garbage");
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
    read_letters();
    cr_expect_eq(count, 0);
    scene_produce(&scene, "behind", "garbage");
    cr_assert_eq(run_with(NULL, NULL), 0, "%s", file_tail(payd.err));
    read_letters();
    cr_expect_eq(count, 1);
    (void)letter_of("behind");
}
