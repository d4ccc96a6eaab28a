/*
 * What is refused as an outcome, and what a newer writer may add.
 */
#include "common/outcome_json.h"
#include "common/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STORE "0190b7e2-6d2a-7c3e-9f10-0123456789ab"
#define HEX   "000102030405060708090a0b0c0d0e0f"

/* The example of the header: a repeat of a payment that was applied. */
#define REPEAT_HEAD                                                                                \
    "{\"v\":1,\"type\":\"outcome\",\"key\":\"k1\",\"outcome\":\"applied\",\"reason\":null,"        \
    "\"verdict\":\"duplicate\",\"duplicate\":true,\"digest\":\"" HEX "\",\"seq\":17,"              \
    "\"origin\":{\"topic\":\"payments\",\"partition\":0,\"offset\":12},"                           \
    "\"decided_at\":\"2026-11-25T12:00:00.000Z\","
#define REPEAT_FIRST                                                                               \
    "{\"outcome\":\"applied\",\"reason\":null,\"seq\":3,\"digest\":\"" HEX "\","                   \
    "\"command\":{\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"1234\","      \
    "\"currency\":\"EUR\"},"                                                                       \
    "\"origin\":{\"topic\":\"payments\",\"partition\":0,\"offset\":2},"                            \
    "\"decided_at\":\"2026-11-25T11:59:59.999Z\"}"
#define REPEAT REPEAT_HEAD "\"first\":" REPEAT_FIRST ",\"store\":\"" STORE "\",\"rules\":1}"

static char problem[OUTCOME_PROBLEM_SIZE];

static int decode(const char *json, struct outcome_record *ret)
{
    return outcome_json_decode(json, strlen(json), ret, problem);
}

/* The record is what the text says: it is written as that text. */
static void expect_written(const struct outcome_record *record, const char *json)
{
    char written[OUTCOME_JSON_SIZE];

    cr_assert_gt(outcome_json_encode(record, written), 0);
    cr_expect_str_eq(written, json);
}

/* json with the first place of `from` replaced; from must be there. */
static const char *changed(const char *json, const char *from, const char *to)
{
    static char buf[4096];
    const char *at = strstr(json, from);

    cr_assert(at, "no %s", from);
    snprintf(buf, sizeof(buf), "%.*s%s%s", (int)(at - json), json, to, at + strlen(from));
    return buf;
}

Test(outcome_json_bad, refuses_row_by_row)
{
    static const struct {
        const char *from;
        const char *to;
        const char *detail; /* a part of the sentence */
    } rows[] = {
        {"\"v\":1", "\"v\":2", "\"v\""},
        {"\"v\":1", "\"v\":\"1\"", "\"v\""},
        {"\"v\":1,", "", "\"v\""},
        {"\"outcome\",", "\"payment\",", "\"type\""},
        {"\"type\":\"outcome\",", "", "\"type\""},
        {"\"key\":\"k1\",", "", "\"key\""},
        {"\"k1\"", "\"\"", "\"key\""},
        {"\"k1\"", "7", "\"key\""},
        {"\"k1\"", "\"a\\nb\"", "\"key\""},
        {"\"outcome\":\"applied\"", "\"outcome\":\"Applied\"", "\"outcome\" is not an outcome"},
        {"\"outcome\":\"applied\"", "\"outcome\":\"none\"", "\"outcome\" is not an outcome"},
        {"\"outcome\":\"applied\"", "\"outcome\":\"duplicate\"", "\"outcome\" is not an outcome"},
        {"\"outcome\":\"applied\"", "\"outcome\":\"redelivered\"", "\"outcome\" is not an outcome"},
        {"\"outcome\":\"applied\"", "\"outcome\":1", "\"outcome\" is not an outcome"},
        {"\"outcome\":\"applied\",\"reason\":null,\"verdict\"", "\"reason\":null,\"verdict\"",
         "\"outcome\" is not an outcome"},
        {"\"outcome\":\"applied\"", "\"outcome\":\"rejected\"", "does not follow"},
        {"\"outcome\":\"applied\"", "\"outcome\":\"quarantined\"", "does not follow"},
        {"\"duplicate\",", "\"applied!\",", "\"verdict\" is not an outcome"},
        {"\"duplicate\",", "\"redelivered\",", "\"verdict\" is not an outcome"},
        {"\"duplicate\",", "\"conflict\",", "does not follow"},
        {"\"verdict\":\"duplicate\",", "", "\"verdict\" is not an outcome"},
        {"\"reason\":null,\"verdict\"", "\"verdict\"", "\"reason\""},
        {"\"reason\":null", "\"reason\":\"\"", "\"reason\""},
        {"\"reason\":null", "\"reason\":\"12345678901234567890123456789012\"", "\"reason\""},
        {"\"reason\":null", "\"reason\":false", "\"reason\""},
        {"\"" HEX "\"", "\"000102030405060708090A0B0C0D0E0F\"", "\"digest\""},
        {"\"" HEX "\"", "\"000102030405060708090a0b0c0d0e0\"", "\"digest\""},
        {"\"" HEX "\"", "\"000102030405060708090a0b0c0d0e0f0\"", "\"digest\""},
        {"\"" HEX "\"", "\"000102030405060708090a0b0c0d0e0g\"", "\"digest\""},
        {"\"" HEX "\"", "null", "\"digest\""},
        {"\"digest\":\"" HEX "\",\"seq\":17", "\"seq\":17", "\"digest\""},
        {"\"seq\":17", "\"seq\":-1", "\"seq\""},
        {"\"seq\":17", "\"seq\":1.5", "\"seq\""},
        {"\"seq\":17", "\"seq\":\"17\"", "\"seq\""},
        {"\"seq\":17", "\"seq\":9007199254740992", "\"seq\""},
        {"\"seq\":17", "\"seq\":9007199254740993", "\"seq\""},
        {"\"seq\":17", "\"seq\":1e400", "\"seq\""},
        {"\"seq\":17,", "", "\"seq\""},
        {"\"origin\":{\"topic\"", "\"other\":{\"topic\"", "\"origin\""},
        {"\"topic\":\"payments\",", "", "\"topic\""},
        {"\"payments\"", "\"\"", "\"topic\""},
        {"\"partition\":0", "\"partition\":-1", "\"partition\""},
        {"\"partition\":0", "\"partition\":2147483648", "\"partition\""},
        {"\"offset\":12", "\"offset\":9007199254740992", "\"offset\""},
        {",\"offset\":12", "", "\"offset\""},
        {"2026-11-25T12", "2026-11-25 12", "\"decided_at\""},
        {"12:00:00.000Z", "12:00:00Z", "\"decided_at\""},
        {"12:00:00.000Z", "12:00:00.000", "\"decided_at\""},
        {"12:00:00.000Z", "12:00:00.000+00:00", "\"decided_at\""},
        {"12:00:00.000Z", "12:00:60.000Z", "\"decided_at\""},
        {"12:00:00.000Z", "24:00:00.000Z", "\"decided_at\""},
        {"12:00:00.000Z", "12:00:00.0 0Z", "\"decided_at\""},
        {"12:00:00.000Z", "12:00:00.-10Z", "\"decided_at\""},
        {"2026-11-25T12", "2026-02-29T12", "\"decided_at\""},
        {"2026-11-25T12", "2026-13-25T12", "\"decided_at\""},
        {"2026-11-25T12", "1969-11-25T12", "\"decided_at\""},
        {"\"2026-11-25T12:00:00.000Z\"", "1795608000000", "\"decided_at\""},
        {"\"first\":", "\"frist\":", "\"first\""},
        {"\"first\":" REPEAT_FIRST, "\"first\":null", "does not follow"},
        {"\"first\":" REPEAT_FIRST, "\"first\":[]", "\"first\""},
        {"{\"outcome\":\"applied\"", "{\"outcome\":\"conflict\"", "\"outcome\" is not"},
        {"{\"outcome\":\"applied\"", "{\"outcome\":\"quarantined\"", "\"outcome\" is not"},
        {"{\"outcome\":\"applied\"", "{\"outcome\":\"rejected\"", "does not follow"},
        {"{\"outcome\":\"applied\",", "{", "\"outcome\" is not"},
        {"\"seq\":3", "\"seq\":null", "\"seq\""},
        {"\"seq\":3,\"digest\":\"0", "\"seq\":3,\"digest\":\"X", "\"digest\""},
        {"\"command\":", "\"comand\":", "\"command\""},
        {"\"type\":\"payment\"", "\"type\":\"refund\"", "\"type\""},
        {"\"amount\":\"1234\"", "\"amount\":1234", "\"amount\""},
        {"\"src\":\"ann\",", "", "\"src\""},
        {"\"offset\":2}", "\"offset\":2.5}", "\"offset\""},
        {"11:59:59.999Z", "11:59:61.999Z", "\"decided_at\""},
        {"\"" STORE "\"", "\"\"", "\"store\""},
        {"\"" STORE "\"", "\"" STORE "0\"", "\"store\""},
        {"\"store\":\"" STORE "\",", "", "\"store\""},
        {"\"rules\":1", "\"rules\":0", "\"rules\""},
        {",\"rules\":1", "", "\"rules\""},
        {"\"v\":1", "\"v\":1,\"v\":1", "twice"},
        {"\"rules\":1}", "\"rules\":1} x", "behind"},
    };
    struct outcome_record record;

    cr_assert_eq(decode(REPEAT, &record), 0, "%s", problem);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *json = changed(REPEAT, rows[i].from, rows[i].to);
        cr_expect_eq(decode(json, &record), -1, "row %zu: %s", i, json);
        cr_expect(strstr(problem, rows[i].detail), "row %zu: %s", i, problem);
    }
    cr_expect_eq(outcome_json_decode(NULL, 0, &record, problem), -1);
    cr_expect_eq(decode("", &record), -1);
    cr_expect_eq(decode("[]", &record), -1);
}

Test(outcome_json_bad, fields_of_a_conflict_are_a_list_of_names)
{
    static const struct {
        const char *list;
        int result;
        unsigned fields;
    } rows[] = {
        {"[]", 0, 0},
        {"[\"amount\"]", 0, PAYMENT_AMOUNT},
        {"[\"mode\",\"colour\",\"src\"]", 0, COMMAND_FIELD_MODE | PAYMENT_SRC},
        {"[1]", -1, 0},
        {"\"amount\"", -1, 0},
        {"null", -1, 0},
    };
    const char *conflict = strdup(changed(
        REPEAT, "\"outcome\":\"applied\",\"reason\":null,\"verdict\":\"duplicate\"",
        "\"outcome\":\"conflict\",\"reason\":\"payload_differs\",\"verdict\":\"conflict\""));
    struct outcome_record record;

    cr_expect_eq(decode(conflict, &record), -1, "no list");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char field[64];
        snprintf(field, sizeof(field), "\"fields\":%s,\"seq\":17", rows[i].list);
        cr_expect_eq(decode(changed(conflict, "\"seq\":17", field), &record), rows[i].result);
        if (rows[i].result == 0) {
            cr_expect_eq(record.fields, rows[i].fields, "%s", rows[i].list);
        }
    }
    free((char *)conflict);
}

Test(outcome_json_bad, what_a_newer_writer_may_add_is_accepted)
{
    static const struct {
        const char *from;
        const char *to;
    } rows[] = {
        {"\"v\":1", "\"v\":1,\"note\":[1,{\"v\":2}]"},
        {"\"partition\":0", "\"partition\":0,\"leader\":7"},
        {"\"currency\":\"EUR\"", "\"currency\":\"EUR\",\"memo\":\"x\""},
        {"\"reason\":null", "\"reason\":\"too_late_today\""},
        {"\"duplicate\":true,", ""},
    };
    struct outcome_record record;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *json = changed(REPEAT, rows[i].from, rows[i].to);
        cr_assert_eq(decode(json, &record), 0, "row %zu: %s", i, problem);
        expect_written(&record, REPEAT);
    }
    cr_assert_eq(decode(changed(REPEAT_HEAD "\"first\":null,\"store\":\"s\",\"rules\":1}",
                                "\"outcome\":\"applied\",\"reason\":null,\"verdict\":\"duplicate\"",
                                "\"outcome\":\"rejected\",\"reason\":\"too_late_today\","
                                "\"verdict\":\"rejected\""),
                        &record),
                 0, "%s", problem);
    cr_expect_str_eq(record.reason, "too_late_today");
    cr_expect_str_eq(outcome_answer_reason(&record), "too_late_today");
    cr_assert_eq(decode(changed(REPEAT, "{\"outcome\":\"applied\",\"reason\":null,\"seq\":3",
                                "{\"outcome\":\"applied\",\"reason\":\"too_late_today\",\"seq\":3"),
                        &record),
                 0);
    cr_expect_eq(record.first.reason, REASON_NONE);
}

/* ---- damage ---- */

Test(outcome_json_bad, no_shortened_outcome_is_read)
{
    struct outcome_record record;

    for (size_t cut = 0; cut < strlen(REPEAT); cut++) {
        /* On the heap and exact, so that a byte read too far is found. */
        char *prefix = malloc(cut + 1);
        cr_assert_not_null(prefix);
        memcpy(prefix, REPEAT, cut);
        char *exact = realloc(prefix, cut + (cut == 0));
        cr_expect_eq(outcome_json_decode(exact, cut, &record, problem), -1, "%zu bytes", cut);
        free(exact);
    }
}

/* Each byte of the text becomes each of these. */
Test(outcome_json_bad, damaged_bytes_are_refused_or_another_whole_outcome)
{
    static const char bytes[] = "\"\\{}[],:0917-eE.uXz \n\x01\x7F\xC3\xFF";
    struct outcome_record record;
    char json[sizeof(REPEAT)];
    char again[OUTCOME_JSON_SIZE];
    unsigned long readable = 0;

    for (size_t at = 0; at < strlen(REPEAT); at++) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            memcpy(json, REPEAT, sizeof(json));
            json[at] = bytes[i];
            int result = outcome_json_decode(json, strlen(REPEAT), &record, problem);
            cr_assert(text_is_printable(problem, strlen(problem)), "%zu", at);
            cr_assert_eq(result == 0, problem[0] == '\0', "%zu", at);
            if (result == 0) {
                readable++;
                cr_assert_gt(outcome_json_encode(&record, again), 0);
                struct outcome_record same;
                cr_expect_eq(decode(again, &same), 0, "%s", again);
                expect_written(&same, again);
            }
        }
    }
    /* Both ways were walked. */
    cr_expect_gt(readable, 100);
    cr_expect_lt(readable, strlen(REPEAT) * sizeof(bytes) / 2);
}
