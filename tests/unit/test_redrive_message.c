/*
 * What a quarantined message is published as, and what is refused with which words.
 */
#include "consumer/redrive_message.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define PAYMENT "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"100\"}"

static struct redrive_message making;
static struct redrive_message *const redrive = &making;
static struct store_quarantined message;
static struct error err;
static char why[REDRIVE_WHY_SIZE];
static bool is_refused;

static struct store_bytes bytes(const char *text)
{
    size_t len = text ? strlen(text) : 0;

    return (struct store_bytes){text, len, text ? (int64_t)len : -1};
}

/* A message that is only in quarantine because it could not be read once. */
static void open_message(void)
{
    message = (struct store_quarantined){
        .topic = "payments", .partition = 3, .offset = 17, .reason = "bad_json", .detail = ""};
    message.key = bytes("k1");
    message.value = bytes(PAYMENT);
}

TestSuite(redrive_message, .init = open_message);

static struct store_quarantined_header header(const char *name, const char *value)
{
    return (struct store_quarantined_header){name, strlen(name), value, value ? strlen(value) : 0};
}

/* headers: names and values in turn, ended by NULL. */
static void make_with(const char *mended, const char *const *headers)
{
    struct store_bytes value = bytes(mended);

    redrive_message_begin(redrive, &message, mended ? &value : NULL);
    for (; headers && *headers; headers += 2) {
        const struct store_quarantined_header one = header(headers[0], headers[1]);
        redrive_message_header(redrive, &one);
    }
    cr_assert_eq(
        redrive_message_end(redrive, &message, mended ? &value : NULL, &is_refused, why, &err), 0,
        "%s", err.text);
}

static void make(const char *mended)
{
    make_with(mended, NULL);
}

#define MAKE_WITH(...) make_with(NULL, (const char *const[]){__VA_ARGS__, NULL})

static void expect_header(size_t at, const char *name, const char *value)
{
    const struct publisher_header *found = &redrive->headers.list[at];

    cr_assert_lt(at, redrive->headers.count);
    cr_expect_str_eq(found->name, name);
    cr_expect_eq(found->value_len, strlen(value));
    cr_expect_eq(memcmp(found->value, value, found->value_len), 0, "%s", name);
}

static void expect_refused(const char *words)
{
    cr_expect(is_refused, "%s", words);
    cr_expect(strstr(why, words), "no \"%s\" in \"%s\"", words, why);
}

Test(redrive_message, a_usable_key_and_a_readable_value_stay)
{
    make(NULL);
    cr_assert_not(is_refused, "%s", why);
    cr_expect_str_eq(redrive->key, "k1");
    cr_expect_eq(redrive->value, message.value.bytes);
    cr_expect_eq(redrive->value_len, strlen(PAYMENT));
    cr_expect_eq(redrive->headers.count, 2);
    expect_header(0, "redrive", "1");
    expect_header(1, "redrive-origin", "payments:3:17");
}

Test(redrive_message, an_unusable_key_becomes_that_of_its_origin)
{
    static char long_key[PAYMENT_KEY_MAX + 2];
    const struct store_bytes keys[] = {
        bytes(NULL),   bytes(""),       bytes("a\x01"),
        bytes("\xFF"), bytes(long_key), {"cut", 3, 300}, /* as much as was kept of it */
        {NULL, 0, 40},                                   /* nothing was */
    };

    memset(long_key, 'k', sizeof(long_key) - 1);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        message.key = i == 4 ? bytes(long_key) : keys[i];
        make(NULL);
        cr_expect_not(is_refused, "key %zu: %s", i, why);
        cr_expect_str_eq(redrive->key, "redrive:payments:3:17", "key %zu: %s", i, redrive->key);
    }
}

Test(redrive_message, a_topic_too_long_for_such_a_key_is_refused)
{
    char topic[250];

    memset(topic, 't', sizeof(topic) - 1);
    topic[sizeof(topic) - 1] = '\0';
    message.topic = topic;
    make(NULL);
    cr_expect_not(is_refused, "its own key is usable: %s", why);
    expect_header(1, "redrive-origin", redrive->origin);
    message.key = bytes(NULL);
    make(NULL);
    expect_refused("it has no usable key");
}

Test(redrive_message, what_still_cannot_be_read_is_refused_with_the_decoders_reason)
{
    message.value = bytes("garbage");
    make(NULL);
    expect_refused("it still cannot be read: bad_json: ");
    make("{\"v\":2}");
    expect_refused("the mended bytes cannot be read: unknown_version: field \"v\" is not 1");
    make("");
    expect_refused("the mended bytes cannot be read: empty: the message has no value");
    make(PAYMENT);
    cr_expect_not(is_refused, "%s", why);
    cr_expect_eq(redrive->value_len, strlen(PAYMENT));
    message.value = bytes(NULL);
    make(NULL);
    expect_refused("it still cannot be read: empty");
}

Test(redrive_message, a_value_that_is_not_whole_needs_mended_bytes)
{
    message.value.whole_len = 70000;
    make(NULL);
    expect_refused("of 70000 bytes of its value are kept");
    message.value.bytes = NULL;
    message.value.len = 0;
    make(NULL);
    expect_refused("its value is not kept");
    make(PAYMENT);
    cr_expect_not(is_refused, "%s", why);
}

Test(redrive_message, a_stale_one_is_refused_even_when_it_is_mended)
{
    message.reason = "stale";
    make(PAYMENT);
    expect_refused("pay it under a new key only when it was never paid");
}

Test(redrive_message, counts_how_often_it_was_redriven_and_keeps_its_first_origin)
{
    MAKE_WITH("redrive", "1", "redrive-origin", "payments:0:5", "shop", "7");
    cr_expect_not(is_refused, "%s", why);
    cr_expect_eq(redrive->headers.count, 3);
    expect_header(0, "redrive", "2");
    expect_header(1, "redrive-origin", "payments:0:5");
    expect_header(2, "shop", "7");
    MAKE_WITH("redrive", "2", "redrive-origin", "payments:0:5");
    cr_expect_not(is_refused, "%s", why);
    expect_header(0, "redrive", "3");
    static const char *const over[] = {"3", "4", "33333333333333333333333333"};
    for (size_t i = 0; i < sizeof(over) / sizeof(over[0]); i++) {
        MAKE_WITH("redrive", over[i]);
        expect_refused(i == 0 ? "it was redriven 3 times" : "it was redriven ");
    }
    MAKE_WITH("redrive", "3", "redrive", "1");
    expect_refused("it was redriven 3 times");
}

Test(redrive_message, another_clients_headers_of_these_names_are_no_count)
{
    MAKE_WITH("redrive", "often", "redrive-origin", "elsewhere");
    cr_expect_not(is_refused, "%s", why);
    cr_expect_eq(redrive->headers.count, 2);
    expect_header(0, "redrive", "1");
    expect_header(1, "redrive-origin", "payments:3:17");
}

Test(redrive_message, all_that_the_quarantine_keeps_of_headers_goes_along)
{
    static char value[STORE_QUARANTINE_MESSAGE_BYTES / CHUNK_HEADERS_MAX];
    const struct store_quarantined_header large = {"h", 1, value, sizeof(value) - 1};
    const struct store_quarantined_header none = header("none", NULL);

    redrive_message_begin(redrive, &message, NULL);
    for (int i = 0; i < CHUNK_HEADERS_MAX; i++) {
        redrive_message_header(redrive, &large);
    }
    cr_assert_eq(redrive_message_end(redrive, &message, NULL, &is_refused, why, &err), 0, "%s",
                 err.text);
    cr_expect_eq(redrive->headers.count, CHUNK_HEADERS_MAX + 2);
    redrive_message_header(redrive, &large);
    cr_expect_eq(redrive_message_end(redrive, &message, NULL, &is_refused, why, &err), -1);
    cr_expect_eq(err.code, EX_IOERR);

    redrive_message_begin(redrive, &message, NULL);
    redrive_message_header(redrive, &none);
    cr_assert_eq(redrive_message_end(redrive, &message, NULL, &is_refused, why, &err), 0);
    cr_expect_null(redrive->headers.list[2].value);
    cr_expect_eq(redrive->headers.list[2].value_len, 0);
}
