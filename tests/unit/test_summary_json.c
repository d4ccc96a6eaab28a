/* What scripts read: one object a line, with fields that stay. */
#include "producer/summary_json.h"

#include <criterion/criterion.h>
#include <string.h>

#define TEXT_SIZE 4096

static struct command payment(void)
{
    return (struct command){
        .type = COMMAND_PAYMENT,
        .payment = {
            .key = "k", .src = "ann", .dest = "bob", .amount_minor = 1234, .currency = "EUR"}};
}

static const char *text_of(const struct summary_command *summary)
{
    static char text[TEXT_SIZE];
    FILE *out = fmemopen(text, sizeof(text), "w");

    cr_assert_eq(summary_json_command(summary, out), 0);
    fclose(out);
    return text;
}

#define PAYMENT                                                                                    \
    "{\"key\":\"k\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"12.34\",\"currency\":\"EUR\","

Test(summary_json, without_waiting_there_is_only_the_delivery)
{
    struct command command = payment();
    struct summary_command summary = {.command = &command, .delivery = DELIVERY_ACKNOWLEDGED};

    cr_expect_str_eq(text_of(&summary), PAYMENT "\"delivery\":\"acknowledged\",\"reason\":null}\n");
    summary.delivery = DELIVERY_UNKNOWN;
    summary.reason = "timed out";
    cr_expect_str_eq(text_of(&summary),
                     PAYMENT "\"delivery\":\"unknown\",\"reason\":\"timed out\"}\n");
}

Test(summary_json, an_outcome_that_did_not_come_is_unknown)
{
    struct command command = payment();
    struct summary_command summary = {
        .command = &command, .delivery = DELIVERY_ACKNOWLEDGED, .waited = true};

    cr_expect_str_eq(text_of(&summary), PAYMENT
                     "\"delivery\":\"acknowledged\",\"reason\":null,\"outcome\":\"unknown\"}\n");
}

Test(summary_json, an_outcome_comes_with_verdict_and_first_decision)
{
    struct command command = payment();
    struct outcome_record answer = {
        .key = "k",
        .verdict = OUTCOME_DUPLICATE,
        .seq = 7,
        .origin = {.topic = "payments", .partition = 2, .offset = 18},
        .has_first = true,
        .first = {.outcome = OUTCOME_REJECTED,
                  .reason = REASON_INSUFFICIENT_FUNDS,
                  .seq = 3,
                  .command = command,
                  .origin = {.topic = "payments", .partition = 2, .offset = 17}},
        .store = "0193a1b2-0000-7000-8000-000000000001",
        .rules = OUTCOME_RULES,
    };
    struct summary_command summary = {
        .command = &command, .delivery = DELIVERY_ACKNOWLEDGED, .waited = true, .answer = &answer};
    static const char head[] = PAYMENT
        "\"delivery\":\"acknowledged\",\"reason\":\"insufficient_funds\",\"outcome\":\"rejected\","
        "\"verdict\":\"duplicate\",\"duplicate\":true,"
        "\"digest\":\"00000000000000000000000000000000\","
        "\"origin\":{\"topic\":\"payments\",\"partition\":2,\"offset\":18},";
    const char *text = text_of(&summary);

    cr_expect_eq(strncmp(text, head, strlen(head)), 0, "%s", text);
    cr_expect_not_null(strstr(text, "\"first\":{\"outcome\":\"rejected\""), "%s", text);
}

Test(summary_json, account_commands_have_the_fields_of_their_type)
{
    static const struct {
        struct command command;
        const char *fields;
    } rows[] = {
        {{.type = COMMAND_ACCOUNT_OPEN,
          .payment = {.key = "k", .src = "ann", .currency = "EUR"},
          .has_min = true,
          .min_minor = -5000},
         "\"type\":\"account_open\",\"account\":\"ann\",\"currency\":\"EUR\","
         "\"min_balance\":\"-50.00\","},
        {{.type = COMMAND_ACCOUNT_LIMIT, .payment = {.key = "k", .src = "ann", .currency = "JPY"}},
         "\"type\":\"account_limit\",\"account\":\"ann\",\"currency\":\"JPY\","
         "\"min_balance\":null,"},
        {{.type = COMMAND_ACCOUNT_CLOSE, .payment = {.key = "k", .src = "ann"}},
         "\"type\":\"account_close\",\"account\":\"ann\","},
        {{.type = COMMAND_ACCOUNTS, .payment = {.key = "k"}, .strict = true},
         "\"type\":\"accounts\",\"mode\":\"strict\","},
        {{.type = COMMAND_CANCEL, .payment = {.key = "k"}}, "\"type\":\"cancel\","},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct summary_command summary = {.command = &rows[i].command,
                                          .delivery = DELIVERY_ACKNOWLEDGED};
        char wanted[TEXT_SIZE];
        snprintf(wanted, sizeof(wanted),
                 "{\"key\":\"k\",%s\"delivery\":\"acknowledged\",\"reason\":null}\n",
                 rows[i].fields);
        cr_expect_str_eq(text_of(&summary), wanted, "row %zu", i);
    }
}

Test(summary_json, a_batch_tells_what_was_found_before_it_sent)
{
    static const struct verdict_counts found = {4, 3, 2, 1, 0};
    static const struct verdict_counts decided = {5, 3, 2, 1, 1};
    struct summary summary = {
        .digest = "d", .rows = 12, .acknowledged = 2, .found = &found, .decided = &decided};
    char text[TEXT_SIZE];
    FILE *out = fmemopen(text, sizeof(text), "w");

    cr_assert_eq(summary_json_batch(&summary, out), 0);
    fclose(out);
    cr_expect_str_eq(text,
                     "{\"batch_id\":null,\"rows\":12,\"answered\":10,\"acknowledged\":2,"
                     "\"unknown\":0,\"failed\":0,\"skipped\":0,\"digest\":\"d\",\"seconds\":0,"
                     "\"found\":{\"applied\":4,\"rejected\":3,\"conflict\":2,\"quarantined\":1},"
                     "\"decided\":{\"applied\":5,\"rejected\":3,\"conflict\":2,"
                     "\"quarantined\":1,\"unknown\":1}}\n");
}

Test(summary_json, a_batch_tells_what_was_decided_when_it_waited)
{
    static const struct verdict_counts counts = {5, 4, 3, 2, 1};
    struct summary summary = {.digest = "d", .rows = 15, .acknowledged = 15};
    char text[TEXT_SIZE];

    for (int waited = 0; waited <= 1; waited++) {
        FILE *out = fmemopen(text, sizeof(text), "w");
        summary.decided = waited ? &counts : NULL;
        cr_assert_eq(summary_json_batch(&summary, out), 0);
        fclose(out);
        cr_expect_str_eq(text, waited ? "{\"batch_id\":null,\"rows\":15,\"acknowledged\":15,"
                                        "\"unknown\":0,\"failed\":0,\"skipped\":0,\"digest\":\"d\","
                                        "\"seconds\":0,\"decided\":{\"applied\":5,\"rejected\":4,"
                                        "\"conflict\":3,\"quarantined\":2,\"unknown\":1}}\n"
                                      : "{\"batch_id\":null,\"rows\":15,\"acknowledged\":15,"
                                        "\"unknown\":0,\"failed\":0,\"skipped\":0,\"digest\":\"d\","
                                        "\"seconds\":0}\n");
    }
}
