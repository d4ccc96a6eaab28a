/*
 * The words and figures of payd stats: a table for people, exact text for programs.
 */
#include "consumer/stats.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char topic[] = "payments";
static struct store_currency currencies[] = {
    {"EUR", 1000, {0, 100000}, 40, {0, 0}},
    {"JPY", 3, {0, 7}, 2, {0, 0}},
    {"KWD", 1000000, {999999, MONEY_SUM_BASE - 1000000}, 123456789, {0, 0}},
};
static struct store_position positions[] = {{0, 250}, {1, 0}, {4095, INT64_C(9007199254740991)}};

static const struct store_stats full = {
    .counts = {[OUTCOME_NONE] = 99,
               [OUTCOME_APPLIED] = 1001003,
               [OUTCOME_REJECTED] = 2,
               [OUTCOME_DUPLICATE] = 3,
               [OUTCOME_CONFLICT] = 4,
               [OUTCOME_REDELIVERED] = 5,
               [OUTCOME_QUARANTINED] = 6},
    .topic = topic,
    .currencies = currencies,
    .currency_count = 3,
    .positions = positions,
    .position_count = 3,
    .strict = true,
    .last_seq = 1001015,
    .published_seq = 1001000,
    .skipped = 2,
    .quarantine_bytes = 4096,
    .size = {1001000, 125829120, 45000, 5662310, INT64_C(1787486400000)},
    .digest = {0xab},
};
static const struct store_stats empty = {.topic = NULL};

static char *text;

static void print_table(const struct store_stats *stats)
{
    size_t size;
    FILE *out = open_memstream(&text, &size);

    cr_assert_not_null(out);
    stats_print(out, stats);
    fclose(out);
}

static void print_json(const struct store_stats *stats)
{
    size_t size;
    FILE *out = open_memstream(&text, &size);

    cr_assert_not_null(out);
    cr_assert_eq(stats_print_json(out, stats), 0);
    fclose(out);
}

static void free_text(void)
{
    free(text);
}

TestSuite(stats, .fini = free_text);

Test(stats, json_of_a_full_store)
{
    print_json(&full);
    cr_expect_str_eq(text,
                     "{\"applied\":1001003,\"duplicate\":3,\"redelivered\":5,\"conflict\":4,"
                     "\"rejected\":2,\"quarantined\":6,\"mode\":\"strict\",\"unpublished\":15,"
                     "\"skipped\":2,\"quarantine_bytes\":4096,"
                     "\"digest\":\"ab000000000000000000000000000000\","
                     "\"floor\":\"2026-08-23T12:00:00.000Z\",\"keys\":1001000,"
                     "\"bytes\":125829120,\"day_rows\":45000,\"day_bytes\":5662310,"
                     "\"total\":{\"EUR\":\"1000.00\",\"JPY\":\"7\","
                     "\"KWD\":\"9999999999999999000.000\"},"
                     "\"balances\":{\"EUR\":\"0.00\",\"JPY\":\"0\",\"KWD\":\"0.000\"},"
                     "\"accounts\":{\"EUR\":40,\"JPY\":2,\"KWD\":123456789},"
                     "\"topic\":\"payments\","
                     "\"positions\":{\"0\":250,\"1\":0,\"4095\":9007199254740991}}\n");
}

Test(stats, json_of_a_new_store)
{
    print_json(&empty);
    cr_expect_str_eq(
        text, "{\"applied\":0,\"duplicate\":0,\"redelivered\":0,\"conflict\":0,"
              "\"rejected\":0,\"quarantined\":0,\"mode\":\"open\",\"unpublished\":0,"
              "\"skipped\":0,\"quarantine_bytes\":0,"
              "\"digest\":\"00000000000000000000000000000000\","
              "\"floor\":null,\"keys\":0,\"bytes\":0,\"day_rows\":0,\"day_bytes\":0,"
              "\"total\":{},\"balances\":{},\"accounts\":{},\"topic\":null,\"positions\":{}}\n");
}

Test(stats, the_table_of_a_full_store)
{
    print_table(&full);
    cr_expect_str_eq(
        text, "applied              1001003\n"
              "duplicate                  3\n"
              "redelivered                5\n"
              "conflict                   4\n"
              "rejected                   2\n"
              "quarantined                6\n"
              "\n"
              "accounts              strict\n"
              "unpublished               15\n"
              "skipped                    2\n"
              "keys                 1001000       120.0 MiB\n"
              "a day                  45000         5.4 MiB\n"
              "floor         2026-08-23T12:00:00.000Z\n"
              "digest        ab000000000000000000000000000000\n"
              "\n"
              "currency         payments                 total   accounts  sum of balances\n"
              "EUR                  1000               1000.00         40             0.00\n"
              "JPY                     3                     7          2                0\n"
              "KWD               1000000  9999999999999999000.000  123456789            0.000\n"
              "\n"
              "partition     next offset   of topic payments\n"
              "        0             250\n"
              "        1               0\n"
              "     4095 9007199254740991\n");
}

Test(stats, the_table_of_a_new_store_has_no_money)
{
    print_table(&empty);
    cr_expect_str_eq(text, "applied                    0\n"
                           "duplicate                  0\n"
                           "redelivered                0\n"
                           "conflict                   0\n"
                           "rejected                   0\n"
                           "quarantined                0\n"
                           "\n"
                           "accounts                open\n"
                           "unpublished                0\n"
                           "skipped                    0\n"
                           "keys                       0         0.0 MiB\n"
                           "a day                      0         0.0 MiB\n"
                           "floor         -\n"
                           "digest        00000000000000000000000000000000\n");
}

static void expect_80_columns(void)
{
    for (const char *line = text; *line;) {
        size_t columns = strcspn(line, "\n");
        cr_expect_leq(columns, 80, "%zu columns: %.*s", columns, (int)columns, line);
        line += columns + (line[columns] == '\n');
    }
}

Test(stats, the_table_has_at_most_80_columns)
{
    struct store_stats stats = full;
    char longest[250]; /* Kafka allows 249 */

    print_table(&full);
    expect_80_columns();
    free(text);
    memset(longest, 't', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    stats.topic = longest;
    for (int i = 1; i < OUTCOME_COUNT; i++) {
        stats.counts[i] = INT64_MAX;
    }
    print_table(&stats);
    expect_80_columns();
}

Test(stats, names_that_are_not_printable_are_escaped)
{
    struct store_stats stats = full;
    char hostile[] = "a\x1B[2J\"b";

    stats.topic = hostile;
    print_table(&stats);
    cr_expect(strstr(text, "of topic a\\x1B[2J\\\"b\n") != NULL, "%s", text);
    free(text);
    print_json(&stats);
    cr_expect(strstr(text, "\"topic\":\"a\\u001b[2J\\\"b\"") != NULL, "%s", text);
}
