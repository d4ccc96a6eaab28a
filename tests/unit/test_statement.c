/*
 * payd statement and payd export: what a ledger holds, as a bank shows it and for other programs.
 */
#include "consumer/export.h"
#include "consumer/statement.h"
#include "tests/lib/segments_kit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static char *text;
static FILE *out;

static void open_text(void)
{
    static const struct payment_batch batch = {
        .id = "payroll",
        .rows = 1,
        .digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"};
    static const struct kit_row rows[] = {
        {"k1", "ann", "bob", 1234, "EUR", NULL, "applied"},
        {"k2", "carl", "ann", 500, "EUR", NULL, "applied"},
        {"k3", "bob", "carl", 99, "EUR", NULL, "applied"},
        {"k4", "ann", "ann", 7, "EUR", NULL, "rejected same_account"},
        {"k1", "ann", "bob", 1234, "EUR", NULL, "duplicate"},
        {"b1", "ann", "bob", 1, "EUR", &batch, "applied"},
    };
    static size_t size;

    segments_make();
    kit_run(segments_store, 0, rows, sizeof(rows) / sizeof(rows[0]));
    out = open_memstream(&text, &size);
    cr_assert_not_null(out);
}

static void close_text(void)
{
    fclose(out);
    free(text);
    segments_remove();
}

TestSuite(statement, .init = open_text, .fini = close_text);

static struct store_statement found;

static void on_posting(void *user, const struct store_posting *posting)
{
    (void)user;
    fprintf(out, "%s %s %s %lld %lld\n", posting->key, posting->other, posting->batch,
            (long long)posting->amount_minor, (long long)posting->balance_minor);
}

static enum store_status tell(const char *account, int64_t since_ms)
{
    struct store *moment;

    segments_err = (struct error){EX_OK, ""};
    cr_assert_eq(store_sqlite_open_moment(&moment, segments_path, &segments_err), 0, "%s",
                 segments_err.text);
    enum store_status status =
        store_sqlite_statement(moment, account, since_ms, on_posting, NULL, &found, &segments_err);
    store_close(moment);
    fflush(out);
    return status;
}

Test(statement, has_each_posting_with_the_balance_after_it)
{
    cr_assert_eq(tell("ann", 0), STORE_OK, "%s", segments_err.text);
    cr_expect_str_eq(text, "k1 bob  -1234 -1234\n"
                           "k2 carl  500 -734\n"
                           "b1 bob payroll -1 -735\n");
    cr_expect_str_eq(found.currency, "EUR");
    cr_expect_eq(found.opening_minor, 0);
    cr_expect_eq(found.closing_minor, -735);
    cr_expect_eq(found.postings, 3);
}

Test(statement, begins_with_the_balance_of_that_time)
{
    /* The kit's clock stands still; the first decisions are made older. */
    segments_change("UPDATE decisions SET decided_ms = 1000 WHERE seq <= 2");
    cr_assert_eq(tell("ann", 2000), STORE_OK, "%s", segments_err.text);
    cr_expect_str_eq(text, "b1 bob payroll -1 -735\n");
    cr_expect_eq(found.opening_minor, -734);
    cr_expect_eq(found.closing_minor, -735);
    cr_assert_eq(tell("ann", INT64_MAX), STORE_OK);
    cr_expect_eq(found.postings, 0);
    cr_expect_eq(found.opening_minor, -735);
}

Test(statement, an_account_that_is_not_there_or_does_not_add_up_is_refused)
{
    cr_expect_eq(tell("nobody", 0), STORE_FAILED);
    cr_expect_eq(segments_err.code, EX_NOINPUT);
    cr_expect(strstr(segments_err.text, "there is no account nobody"), "%s", segments_err.text);
    segments_change("UPDATE accounts SET balance_minor = 1 WHERE name = 'ann'");
    cr_expect_eq(tell("ann", 0), STORE_FAILED);
    cr_expect_eq(segments_err.code, EX_IOERR);
}

Test(statement, the_lines_fit_80_columns_and_align)
{
    static const struct store_posting postings[] = {
        {7, INT64_C(1700000000123), "k", "bob", "", -1234, -1234},
        {8, INT64_C(1700000000123), "k", "an account with a long name", "", MONEY_MAX_MINOR,
         INT64_MIN + 1},
    };

    statement_print_head(out, "ann");
    statement_print_posting(out, &postings[0], "EUR");
    statement_print_posting(out, &postings[1], "JPY");
    statement_print_foot(out, &(struct store_statement){"EUR", 100, -1234, 2});
    fflush(out);
    cr_expect_str_eq(
        text, "account ann\n"
              "\n"
              "time (UTC)           other account                  amount              balance\n"
              "2023-11-14 22:13:20  bob                            -12.34               -12.34\n"
              "2023-11-14 22:13:20  an account with..    9999999999999999 -9223372036854775807\n"
              "\n"
              "2 postings, from 1.00 to -12.34 EUR\n");
}

Test(statement, a_line_of_json_has_all_of_a_posting)
{
    const struct store_posting posting = {7, INT64_C(1700000000123), "k\"1", "bob", "", -1234, 5};

    cr_assert_eq(statement_print_json(out, "ann", &posting, "EUR"), 0);
    fflush(out);
    cr_expect_str_eq(text, "{\"seq\":7,\"decided_at\":\"2023-11-14T22:13:20.123Z\","
                           "\"key\":\"k\\\"1\",\"account\":\"ann\",\"other\":\"bob\","
                           "\"batch\":null,\"amount\":\"-12.34\",\"balance\":\"0.05\","
                           "\"currency\":\"EUR\"}\n");
}

Test(statement, an_export_is_csv_that_other_programs_read)
{
    static const struct kit_row row = {"k,\"1\"", "ann", "bob", 1234, "EUR", NULL, NULL};
    struct outcome_record record = {
        .key = "k,\"1\"",
        .verdict = OUTCOME_REJECTED,
        .reason = "insufficient_funds",
        .seq = 7,
        .origin = {.topic = "payments", .partition = 3, .offset = INT64_C(9007199254740993)},
        .decided_ms = INT64_C(1700000000123),
        .has_first = true,
    };

    record.first.command = (struct command){.type = COMMAND_PAYMENT, .payment = kit_payment(&row)};
    export_print_csv_head(out);
    export_print_csv(out, &record);
    command_init(&record.first.command, COMMAND_ACCOUNT_CLOSE);
    payment_copy(record.first.command.payment.src, "ann", 3);
    export_print_csv(out, &record);
    fflush(out);
    cr_expect_str_eq(
        text, "seq,key,type,src,dest,amount,currency,batch,outcome,reason,topic,partition,offset,"
              "decided_at\n"
              "7,\"k,\"\"1\"\"\",payment,ann,bob,12.34,EUR,,rejected,insufficient_funds,payments,3,"
              "9007199254740993,2023-11-14T22:13:20.123Z\n"
              "7,\"k,\"\"1\"\"\",account_close,ann,,,,,rejected,insufficient_funds,payments,3,"
              "9007199254740993,2023-11-14T22:13:20.123Z\n");
}
