/* A batch: the same input gives the same keys and digest, another input another digest, and a bad
 * row is never silent. */
#include "producer/batch.h"

#include "common/stop.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define TEXT_SIZE 4096

#define HEAD "src,dest,amount\n"

/* What a check gave: the rows of the spool as text, or the error. */
struct result {
    int code; /* 0, or the error's */
    char error[ERROR_TEXT_SIZE];
    char told[TEXT_SIZE]; /* the messages */
    char rows[TEXT_SIZE]; /* a line each: "KEY src>dest amount" */
    struct payment_batch tag;
    int64_t skipped;
};

static char folder[64];
static char bad_path[96];

static void make_folder(void)
{
    strcpy(folder, "/tmp/test_batch.XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(bad_path, sizeof(bad_path), "%s/in.bad", folder);
}

static void remove_folder(void)
{
    unlink(bad_path);
    cr_expect_eq(rmdir(folder), 0, "something was left behind in %s", folder);
}

TestSuite(batch, .init = make_folder, .fini = remove_folder);

static void list_rows(struct batch *batch, char text[TEXT_SIZE])
{
    FILE *out = fmemopen(text, TEXT_SIZE, "w");
    struct payment payment;
    struct error err;
    int got;

    cr_assert_eq(spool_rewind(batch->spool, &err), 0);
    while ((got = spool_next(batch->spool, &payment, &err)) > 0) {
        fprintf(out, "%s %s>%s %lld\n", payment.key, payment.src, payment.dest,
                (long long)payment.amount_minor);
    }
    cr_assert_eq(got, 0);
    fclose(out);
}

static struct result check(const char *text, const char *id, bool skip_bad)
{
    struct result result = {0};
    struct progress progress;
    struct batch batch = {.spool = NULL};
    struct error err;
    struct batch_input input = {
        .in = fmemopen((void *)text, strlen(text), "r"),
        .name = "in",
        .id = id,
        .bad_path = skip_bad ? bad_path : NULL,
        .spool_dir = "/tmp",
        .messages = fmemopen(result.told, sizeof(result.told), "w"),
        .progress = &progress,
    };

    progress_init(&progress, NULL);
    if (batch_check(&input, &batch, &err) == 0) {
        list_rows(&batch, result.rows);
        result.tag = batch.tag;
        result.skipped = batch.skipped;
    } else {
        result.code = err.code;
        strcpy(result.error, err.text);
    }
    batch_release(&batch);
    fclose(input.messages);
    fclose(input.in);
    return result;
}

static char *bad_file_text(char text[TEXT_SIZE])
{
    FILE *file = fopen(bad_path, "r");

    cr_assert_not_null(file);
    text[fread(text, 1, TEXT_SIZE - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void write_bad_file(const char *text)
{
    FILE *file = fopen(bad_path, "w");

    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

#define ORIGINAL HEAD "ann,bob,1.00\nann,cyd,2.00\nann,dan,3.00\n"

Test(batch, the_same_input_gives_the_same_keys_and_digest)
{
    struct result first = check(ORIGINAL, "b", false);
    struct result again = check(ORIGINAL, "b", false);

    cr_assert_eq(first.code, 0, "%s", first.error);
    cr_expect_str_eq(first.rows, "b:0000000001 ann>bob 100\n"
                                 "b:0000000002 ann>cyd 200\n"
                                 "b:0000000003 ann>dan 300\n");
    cr_expect_str_eq(again.rows, first.rows);
    cr_expect_str_eq(first.tag.id, "b");
    cr_expect_eq(first.tag.rows, 3);
    cr_expect(payment_batch_equal(&first.tag, &again.tag));
    cr_expect_eq(first.skipped, 0);
    cr_expect_str_empty(first.told);
}

/* Digests stand in stores: this one was computed by hand, with another program. */
Test(batch, the_digest_never_changes_its_encoding)
{
    struct result result = check("src,dest,amount,key\nann,bob,12.34,k-1\n", NULL, false);

    cr_assert_eq(result.code, 0, "%s", result.error);
    cr_expect_str_eq(result.tag.digest,
                     "8768cbb4037768a214dd33598912716e0dc19b68fc396753d22a5c400b2c566e");
}

Test(batch, the_spelling_of_a_file_does_not_matter)
{
    static const char *const spellings[] = {
        "src,dest,amount\r\nann,bob,1.00\r\nann,cyd,2.00\r\nann,dan,3.00",
        "\xEF\xBB\xBF\"src\",dest,amount\nann,bob,1\nann,\"cyd\",2.0\nann,dan,3.00\n\n\n",
        "amount,currency,src,dest,key\n1,EUR,ann,bob,\n2,EUR,ann,cyd,\n3,EUR,ann,dan,\n",
        "{\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"1.00\"}\n"
        "{\"src\":\"ann\",\"dest\":\"cyd\",\"amount\":\"2.00\"}\n"
        "{\"src\":\"ann\",\"dest\":\"dan\",\"amount\":\"3.00\"}\n",
    };
    struct result original = check(ORIGINAL, "b", false);

    for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
        struct result result = check(spellings[i], "b", false);
        cr_expect_eq(result.code, 0, "row %zu: %s", i, result.error);
        cr_expect(payment_batch_equal(&result.tag, &original.tag), "row %zu", i);
    }
}

Test(batch, any_other_content_gives_another_digest)
{
    static const struct {
        const char *what;
        const char *text;
    } rows[] = {
        {"amount edited", HEAD "ann,bob,1.00\nann,cyd,2.01\nann,dan,3.00\n"},
        {"account edited", HEAD "ann,bob,1.00\nann,cyd,2.00\nann,dax,3.00\n"},
        {"currency edited", "src,dest,amount,currency\nann,bob,1.00,EUR\nann,cyd,2.00,EUR\n"
                            "ann,dan,3.00,USD\n"},
        {"key edited", "src,dest,amount,key\nann,bob,1.00,\nann,cyd,2.00,k\nann,dan,3.00,\n"},
        {"inserted", HEAD "ann,bob,1.00\nann,eve,9.00\nann,cyd,2.00\nann,dan,3.00\n"},
        {"put before", HEAD "ann,eve,9.00\nann,bob,1.00\nann,cyd,2.00\nann,dan,3.00\n"},
        {"grown", HEAD "ann,bob,1.00\nann,cyd,2.00\nann,dan,3.00\nann,eve,9.00\n"},
        {"reordered", HEAD "ann,cyd,2.00\nann,bob,1.00\nann,dan,3.00\n"},
        {"cut short", HEAD "ann,bob,1.00\nann,cyd,2.00\n"},
        {"cut in a row", HEAD "ann,bob,1.00\nann,cyd,2.00\nann,dan,3"},
        {"bytes moved", HEAD "ann,bob,1.00\nannc,yd,2.00\nann,dan,3.00\n"},
    };
    struct result original = check(ORIGINAL, "b", false);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct result result = check(rows[i].text, "b", false);
        bool same = strcmp(result.tag.digest, original.tag.digest) == 0;
        cr_expect_eq(result.code, 0, "%s: %s", rows[i].what, result.error);
        /* 3 and 3.00 are one amount: a cut that changes nothing is no change. */
        cr_expect_eq(same, strcmp(rows[i].what, "cut in a row") == 0, "%s", rows[i].what);
    }
}

Test(batch, a_row_without_a_key_needs_a_name)
{
    struct result result = check("src,dest,amount,key\na,b,1,k\na,b,2,\n", NULL, false);

    cr_expect_eq(result.code, EX_USAGE);
    cr_expect_not_null(strstr(result.error, "in:2:"), "%s", result.error);
    cr_expect_not_null(strstr(result.error, "--batch-id"), "%s", result.error);

    result = check("src,dest,amount,key\na,b,1,k\na,b,2,l\n", NULL, false);
    cr_assert_eq(result.code, 0, "%s", result.error);
    cr_expect_str_eq(result.rows, "k a>b 100\nl a>b 200\n");
    cr_expect_str_empty(result.tag.id);
    cr_expect_eq(result.tag.rows, 2);
}

Test(batch, own_keys_stay_and_do_not_shift_the_others)
{
    struct result result = check("src,dest,amount,key\na,b,1,\na,b,2,own\na,b,3,\n", "b", false);

    cr_assert_eq(result.code, 0, "%s", result.error);
    cr_expect_str_eq(result.rows, "b:0000000001 a>b 100\nown a>b 200\nb:0000000003 a>b 300\n");
}

Test(batch, an_own_key_must_not_look_like_a_given_one)
{
    static const struct {
        const char *key;
        int code;
    } rows[] = {
        {"b:0000000001", EX_DATAERR}, {"b:9999999999", EX_DATAERR}, {"b:000000001", 0},
        {"b:00000000001", 0},         {"b:000000000x", 0},          {"c:0000000001", 0},
        {"bb:0000000001", 0},         {"b0000000001", 0},
    };
    char text[128];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(text, sizeof(text), "src,dest,amount,key\na,b,1,%s\n", rows[i].key);
        cr_expect_eq(check(text, "b", false).code, rows[i].code, "%s", rows[i].key);
    }
}

Test(batch, a_bad_row_is_told_and_refuses_the_batch)
{
    struct result result = check(HEAD "a,b,1\na,a,1\na,b,x\na,b,2\n", "b", false);

    cr_expect_eq(result.code, EX_DATAERR);
    cr_expect_str_eq(result.told,
                     "in:2: src and dest are the same account (line 3)\n"
                     "in:3: amount \"x\": an amount is digits with an optional decimal point, such "
                     "as 12.34 (line 4)\n");
    cr_expect_not_null(strstr(result.error, "2 of 4 rows are bad: nothing was published"), "%s",
                       result.error);
    cr_expect_neq(access(bad_path, F_OK), 0);
}

Test(batch, bad_rows_are_counted_when_they_are_too_many_to_show)
{
    char text[1024] = HEAD;

    for (int i = 0; i < BATCH_BAD_ROWS_SHOWN + 5; i++) {
        strcat(text, "a,a,1\n");
    }
    struct result result = check(text, "b", false);
    cr_expect_not_null(strstr(result.told, "in:20: "));
    cr_expect_null(strstr(result.told, "in:21: "));
    cr_expect_not_null(strstr(result.told, "in: and 5 more\n"), "%s", result.told);
}

Test(batch, skip_bad_keeps_the_numbers_and_writes_the_bad_rows_as_they_stood)
{
    struct stat status;
    char text[TEXT_SIZE];
    struct result result =
        check("src,dest,amount\r\na,b,1\r\n\"x\"\"\",b,\r\n\r\na,b\r\na,b,3\r\n", "b", true);

    cr_assert_eq(result.code, 0, "%s", result.error);
    cr_expect_str_eq(result.rows, "b:0000000001 a>b 100\nb:0000000005 a>b 300\n");
    cr_expect_eq(result.tag.rows, 2);
    cr_expect_eq(result.skipped, 3);
    cr_expect_str_eq(bad_file_text(text), "src,dest,amount\n\"x\"\"\",b,\n\na,b\n");
    cr_assert_eq(stat(bad_path, &status), 0);
    cr_expect_eq(status.st_mode & 0777, 0600);
}

Test(batch, skip_bad_of_json_lines_has_no_header)
{
    char text[TEXT_SIZE];
    struct result result =
        check("{\"src\":1}\n{\"src\":\"a\",\"dest\":\"b\",\"amount\":\"1\"}\nx\n", "b", true);

    cr_assert_eq(result.code, 0, "%s", result.error);
    cr_expect_str_eq(result.rows, "b:0000000002 a>b 100\n");
    cr_expect_str_eq(bad_file_text(text), "{\"src\":1}\nx\n");
}

Test(batch, what_was_skipped_and_mended_is_paid_once)
{
    char mended[TEXT_SIZE];
    struct result first = check(HEAD "a,b,1\na,b,\na,b,3\n", "b", true);

    /* The same command after a crash: the same bad file is no obstacle, the digest is the same. */
    struct result again = check(HEAD "a,b,1\na,b,\na,b,3\n", "b", true);
    cr_assert_eq(again.code, 0, "%s", again.error);
    cr_expect(payment_batch_equal(&first.tag, &again.tag));

    bad_file_text(mended);
    char *row = strstr(mended, "a,b,\n");
    cr_assert_not_null(row);
    strcpy(row, "a,b,2\n");
    struct result second = check(mended, "b-mended", false);
    cr_assert_eq(second.code, 0, "%s", second.error);
    cr_expect_str_eq(second.rows, "b-mended:0000000001 a>b 200\n");

    /* Mended in the file itself, under the old name: payd sees another batch and moves nothing. */
    struct result wrong = check(HEAD "a,b,1\na,b,2\na,b,3\n", "b", false);
    cr_assert_eq(wrong.code, 0, "%s", wrong.error);
    cr_expect_not(payment_batch_equal(&wrong.tag, &first.tag));
}

Test(batch, a_bad_file_with_other_rows_is_not_replaced)
{
    static const char *const olds[] = {HEAD "a,b,2\n", HEAD, "", HEAD "a,b,\na,c,\n"};
    char text[TEXT_SIZE];

    for (size_t i = 0; i < sizeof(olds) / sizeof(olds[0]); i++) {
        write_bad_file(olds[i]);
        struct result result = check(HEAD "a,b,1\na,b,\n", "b", true);
        cr_expect_eq(result.code, EX_DATAERR, "row %zu", i);
        cr_expect_not_null(strstr(result.error, "move it away"), "%s", result.error);
        cr_expect_str_eq(bad_file_text(text), olds[i], "row %zu", i);
    }
}

Test(batch, a_bad_file_that_cannot_be_written_is_an_error)
{
    snprintf(bad_path, sizeof(bad_path), "%s/nonexistent/in.bad", folder);
    struct result result = check(HEAD "a,b,1\na,b,\n", "b", true);

    cr_expect_eq(result.code, EX_IOERR);
    cr_expect_not_null(strstr(result.error, "in.bad"), "%s", result.error);
}

Test(batch, without_a_good_row_there_is_no_batch)
{
    static const struct {
        const char *text;
        const char *says;
    } rows[] = {
        {"\n", "in: there are no rows"},        {HEAD, "in: there are no rows"},
        {HEAD "\n\n", "in: there are no rows"}, {HEAD "a,b,\n", "in: there are no good rows"},
        {"{\n", "in: there are no good rows"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct result result = check(rows[i].text, "b", true);
        cr_expect_eq(result.code, EX_DATAERR, "row %zu", i);
        cr_expect_not_null(strstr(result.error, rows[i].says), "row %zu: %s", i, result.error);
        cr_expect_neq(access(bad_path, F_OK), 0, "row %zu", i);
    }
}

Test(batch, broken_quotes_refuse_the_batch_with_skip_bad_too)
{
    struct result result = check(HEAD "a,b,1\n\"a,b,2\na,b,3\n", "b", true);

    cr_expect_eq(result.code, EX_DATAERR);
    cr_expect_not_null(strstr(result.error, "in: record 2 (line 3): a quoted field has no end"),
                       "%s", result.error);
    cr_expect_neq(access(bad_path, F_OK), 0);
}

Test(batch, a_stop_while_checking_ends_it)
{
    stop_install();
    raise(SIGTERM);
    struct result result = check(ORIGINAL, "b", false);

    cr_expect_eq(result.code, EX_TEMPFAIL);
    cr_expect_not_null(strstr(result.error, "nothing was published"), "%s", result.error);
}
