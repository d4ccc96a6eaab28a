/* The source: which bytes are payments, which are bad records, and which end the reading. */
#include "common/stop.h"
#include "producer/source.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define BYTES(text) text, sizeof(text) - 1
#define SHOWN_SIZE  4096

/*
 * Read everything and write a line a record: "1 ann>bob 1234 EUR key" or "2 bad", and "error CODE"
 * where the reading ended. The last problem or error is copied to last.
 */
static void show(const char *data, size_t len, char shown[SHOWN_SIZE], char last[ERROR_TEXT_SIZE])
{
    FILE *in = fmemopen((void *)(len ? data : "x"), len ? len : 1, "r");
    FILE *out = fmemopen(shown, SHOWN_SIZE, "w");
    struct source *source = NULL;
    struct error err = {0};
    struct row row;

    cr_assert(in && out);
    if (len == 0) {
        getc(in); /* fmemopen() has no empty file */
    }
    shown[0] = '\0';
    last[0] = '\0';
    int got = source_open(&source, in, &err);
    while (got == 0 && (got = source_next(source, &row, &err)) > 0) {
        got = 0;
        fprintf(out, "%lld ", (long long)row.number);
        if (row.problem[0]) {
            fprintf(out, "bad\n");
            strcpy(last, row.problem);
        } else {
            fprintf(out, "%s>%s %lld %s %s\n", row.payment.src, row.payment.dest,
                    (long long)row.payment.amount_minor, row.payment.currency, row.payment.key);
        }
    }
    if (got < 0) {
        fprintf(out, "error %d\n", err.code);
        strcpy(last, err.text);
    }
    source_close(source);
    fclose(out);
    fclose(in);
}

#define HEAD "src,dest,amount\n"
#define ONE  "1 a>b 100 EUR \n"

Test(source, csv_is_read_by_rfc_4180)
{
    static const struct {
        const char *data;
        size_t len;
        const char *shows;
    } rows[] = {
        {BYTES(HEAD "a,b,1"), ONE},
        {BYTES(HEAD "a,b,1\n"), ONE},
        {BYTES("src,dest,amount\r\na,b,1\r\n"), ONE},
        {BYTES("\xEF\xBB\xBFsrc,dest,amount\r\na,b,1\r\n"), ONE},
        {BYTES("\n\r\n" HEAD "a,b,1\n"), ONE},
        {BYTES(HEAD "a,b,1\n\n\r\n \t\n"), ONE},
        {BYTES("\"src\",\"dest\",\"amount\"\n\"a\",b,\"1\"\n"), ONE},
        {BYTES("amount,dest,src\n1,b,a\n"), ONE},
        {BYTES("src,dest,amount,currency,key\na,b,1,USD,k\n"), "1 a>b 100 USD k\n"},
        {BYTES("src,dest,amount,currency\na,b,1,JPY\n"), "1 a>b 1 JPY \n"},
        {BYTES("key,src,dest,amount\n,a,b,1\nk,a,b,2\n"), ONE "2 a>b 200 EUR k\n"},
        {BYTES(HEAD "\"a,\"\"x\"\"\",b c,1\n"), "1 a,\"x\">b c 100 EUR \n"},
        {BYTES(HEAD "\xC3\xA4,b,1\n"), "1 \xC3\xA4>b 100 EUR \n"},
        {BYTES(HEAD "a,b,1\n\n\na,b,1\n"), ONE "2 bad\n3 bad\n4 a>b 100 EUR \n"},
        {BYTES(HEAD), ""},
    };
    char shown[SHOWN_SIZE];
    char last[ERROR_TEXT_SIZE];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        show(rows[i].data, rows[i].len, shown, last);
        cr_expect_str_eq(shown, rows[i].shows, "row %zu: %s", i, last);
    }
}

/* A line without quotes is not taken apart by libcsv: it is read as the same line with them. */
Test(source, csv_fields_are_the_same_with_and_without_quotes)
{
    static const char *const lines[][4] = {
        {"ann", "bob", "1.00", "k"}, {" ann", "b", "2.00", "\r"}, {"", "b", "3.00", ""},
        {"a", "b", "4.00", "a\tb"},  {"a", "b\xFF", "5.00", "k"}, {"a", "b", "", ""},
        {"a", "b", " 6.00", "k "},   {"'a'", "b;c", "7.00", "x"}, {"a\x01", "b", "8.00", "k"},
    };
    char last[ERROR_TEXT_SIZE];

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char plain[256] = "src,dest,amount,key\n";
        char quoted[256] = "src,dest,amount,key\n";
        char shown[2][SHOWN_SIZE];
        for (int field = 0; field < 4; field++) {
            const char *comma = field ? "," : "";
            sprintf(plain + strlen(plain), "%s%s", comma, lines[i][field]);
            sprintf(quoted + strlen(quoted), "%s\"%s\"", comma, lines[i][field]);
        }
        strcat(plain, "\r\nx,y,9.00\nx,y,9.00,z,\nx,y,9.00,z\n");
        strcat(quoted, "\r\n\"x\",y,9.00\n\"x\",y,9.00,z,\n\"x\",y,9.00,z\n");
        show(plain, strlen(plain), shown[0], last);
        show(quoted, strlen(quoted), shown[1], last);
        cr_expect_str_eq(shown[0], shown[1], "line %zu", i);
        cr_expect_not_null(strstr(shown[0], "4 x>y 900 EUR z\n"), "%s", shown[0]);
    }
}

Test(source, a_bad_csv_record_is_told_and_the_next_is_read)
{
    static const struct {
        const char *data;
        size_t len;
        const char *says;
    } rows[] = {
        {BYTES("a,b"), "2 fields, the header has 3"},
        {BYTES("a"), "1 field, the header has 3"},
        {BYTES("a,b,1,"), "4 fields, the header has 3"},
        {BYTES("a,b,1,2,3,4,5,6,7,8"), "10 fields, the header has 3"},
        {BYTES(",b,1"), "src: the account is empty"},
        {BYTES("a,,1"), "dest: the account is empty"},
        {BYTES("a,b,"), "amount: an amount is digits"},
        {BYTES("a,a,1"), "same account"},
        {BYTES(" a,b,1"), "space at its beginning or end"},
        {BYTES("a,b, 1"), "amount \" 1\""},
        {BYTES("a,b,1.234"), "more decimals"},
        {BYTES("a,b,\"1,00\""), "amount \"1,00\""},
        {BYTES("a,b,-1"), "amount \"-1\""},
        {BYTES("a,b,0"), "zero"},
        {BYTES("a,b,1e3"), "amount \"1e3\""},
        {BYTES("a,b,99999999999999999999"), "larger than"},
        {BYTES("a\0b,b,1"), "src \"a\\x00b\": the account is not printable"},
        {BYTES("a,b,1\0"), "amount \"1\\x00\""},
        {BYTES("a,\xFF,1"), "dest \"\\xFF\": the account is not printable"},
        {BYTES("a,\xED\xA0\x80,1"), "not printable"},
        {BYTES("a\rc,b,1"), "src \"a\\x0Dc\""},
        {BYTES("\"a\nx,y,1\n\",b,1"), "src \"a\\x0Ax,y,1\\x0A\""},
    };
    char shown[SHOWN_SIZE];
    char last[ERROR_TEXT_SIZE];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char data[256] = HEAD "a,b,1\n";
        size_t len = strlen(data);
        memcpy(data + len, rows[i].data, rows[i].len);
        len += rows[i].len;
        memcpy(data + len, "\na,b,1\n", 7);
        show(data, len + 7, shown, last);
        cr_expect_str_eq(shown, ONE "2 bad\n3 a>b 100 EUR \n", "row %zu: %s", i, shown);
        cr_expect_not_null(strstr(last, rows[i].says), "row %zu: %s", i, last);
    }
}

Test(source, a_hole_in_the_currency_column_is_no_wish_for_euros)
{
    static const struct {
        const char *cell;
        const char *says;
    } rows[] = {
        {"", "must not be empty"},   {"eur", "three upper-case"}, {"EURO", "three upper-case"},
        {"XXX", "unknown currency"}, {"ZZZ", "unknown currency"}, {"\" EUR\"", "three upper-case"},
    };
    char data[128];
    char shown[SHOWN_SIZE];
    char last[ERROR_TEXT_SIZE];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int len =
            snprintf(data, sizeof(data), "src,dest,amount,currency\na,b,1,%s\n", rows[i].cell);
        show(data, (size_t)len, shown, last);
        cr_expect_str_eq(shown, "1 bad\n", "row %zu", i);
        cr_expect_not_null(strstr(last, rows[i].says), "row %zu: %s", i, last);
    }
}

Test(source, an_input_that_cannot_be_trusted_ends_the_reading)
{
    static const struct {
        const char *data;
        size_t len;
        const char *shows;
        const char *says;
    } rows[] = {
        {BYTES(""), "error 65\n", "empty"},
        {BYTES("\n\r\n  \n"), "error 65\n", "empty"},
        {BYTES("\xEF\xBB\xBF"), "error 65\n", "empty"},
        {BYTES("\xFF\xFEs\0r\0"), "error 65\n", "UTF-16"},
        {BYTES("\xFE\xFF\0s\0r"), "error 65\n", "UTF-16"},
        {BYTES("[{\"src\":\"a\"}]"), "error 65\n", "JSON array"},
        {BYTES("src,dest\na,b\n"), "error 65\n", "no column \"amount\""},
        {BYTES("src,dest,amount,ammount\n"), "error 65\n", "\"ammount\" is not known"},
        {BYTES("src,dest,amount,src\n"), "error 65\n", "\"src\" twice"},
        {BYTES("src,dest,amount,key,currency,key,x\n"), "error 65\n", "\"key\" twice"},
        {BYTES("src,dest,amount,\n"), "error 65\n", "\"\" is not known"},
        {BYTES("Src,dest,amount\n"), "error 65\n", "\"Src\" is not known"},
        {BYTES("src;dest;amount\n"), "error 65\n", "with commas"},
        {BYTES("src,dest,amount\ra,b,1\r"), "error 65\n", "amount\\x0Da"},
        {BYTES("a,b,1\n"), "error 65\n", "\"a\" is not known"},
        {BYTES("\"src,dest,amount\n"), "error 65\n", "no end"},
        {BYTES(HEAD "a,b,1\n\"a,b,1\n"), ONE "error 65\n", "no end"},
        {BYTES(HEAD "a,b,1\n\"a\"x,b,1\n"), ONE "error 65\n", "wrong place"},
        {BYTES(HEAD "a,b,1\na\"x\",b,1\n"), ONE "error 65\n", "wrong place"},
        {BYTES(HEAD "a,b,1\na, \"b\",1\n"), ONE "error 65\n", "record 2 (line 3)"},
    };
    char shown[SHOWN_SIZE];
    char last[ERROR_TEXT_SIZE];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        show(rows[i].data, rows[i].len, shown, last);
        cr_expect_str_eq(shown, rows[i].shows, "row %zu: %s", i, shown);
        cr_expect_not_null(strstr(last, rows[i].says), "row %zu: %s", i, last);
    }
}

#define PAIR "\"src\":\"a\",\"dest\":\"b\""

Test(source, json_lines_are_read)
{
    static const struct {
        const char *data;
        size_t len;
        const char *shows;
    } rows[] = {
        {BYTES("{" PAIR ",\"amount\":\"1\"}"), ONE},
        {BYTES("\xEF\xBB\xBF{" PAIR ",\"amount\":\"1\"}\r\n\r\n"), ONE},
        {BYTES("\n \t{ " PAIR " , \"amount\" : \"1\" } \t\n"), ONE},
        {BYTES("{\"amount\":\"1.5\"," PAIR ",\"currency\":\"BHD\",\"key\":\"k\"}"),
         "1 a>b 1500 BHD k\n"},
        {BYTES("{\"src\":\"\\u00e4 \\\\u0000\",\"dest\":\"b\",\"amount\":\"1\"}"),
         "1 \xC3\xA4 \\u0000>b 100 EUR \n"},
        {BYTES("{" PAIR ",\"amount\":\"1\"}\n\n{" PAIR ",\"amount\":\"1\"}\n"),
         ONE "2 bad\n3 a>b 100 EUR \n"},
    };
    char shown[SHOWN_SIZE];
    char last[ERROR_TEXT_SIZE];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        show(rows[i].data, rows[i].len, shown, last);
        cr_expect_str_eq(shown, rows[i].shows, "row %zu: %s %s", i, shown, last);
    }
}

Test(source, a_bad_json_line_is_told_and_the_next_is_read)
{
    static const struct {
        const char *data;
        size_t len;
        const char *says;
    } rows[] = {
        {BYTES("{" PAIR "}"), "amount: it is missing"},
        {BYTES("{}"), "src: it is missing"},
        {BYTES("{" PAIR ",\"amount\":1}"), "write it as a string"},
        {BYTES("{" PAIR ",\"amount\":12.34}"), "write it as a string"},
        {BYTES("{" PAIR ",\"amount\":null}"), "not a string"},
        {BYTES("{" PAIR ",\"amount\":[\"1\"]}"), "not a string"},
        {BYTES("{" PAIR ",\"amount\":\"1\",\"amount\":\"2\"}"), "there twice"},
        {BYTES("{" PAIR ",\"amount\":\"1\",\"\\u0061mount\":\"2\"}"), "there twice"},
        {BYTES("{" PAIR ",\"amount\":\"1\",\"Amount\":\"2\"}"), "\"Amount\" is not known"},
        {BYTES("{" PAIR ",\"amount\":\"1\",\"curency\":\"USD\"}"), "\"curency\" is not known"},
        {BYTES("{" PAIR ",\"amount\":\"1\",\"currency\":\"\"}"), "must not be empty"},
        {BYTES("{" PAIR ",\"amount\":\"1\",\"key\":\"\"}"), "key: the key is empty"},
        {BYTES("{" PAIR ",\"amount\":\"1\"}x"), "behind the JSON object"},
        {BYTES("{" PAIR ",\"amount\":\"1\"}{}"), "behind the JSON object"},
        {BYTES("{" PAIR ",\"amount\":\"1\"}\0"), "control character"},
        {BYTES("{" PAIR ",\"amount\":\"1\""), "not a JSON object"},
        {BYTES("{" PAIR ",\"amount\":\"1\",}"), "not a JSON object"},
        {BYTES("{" PAIR ",\"amount\":\"1\\u0000\"}"), "NUL inside"},
        {BYTES("{\"src\":\"ann\\u00zz\",\"dest\":\"b\",\"amount\":\"1\"}"), "four hex digits"},
        {BYTES("{" PAIR ",\"amount\":\"1\\\\\\u0000\"}"), "NUL inside"},
        {BYTES("{" PAIR ",\"amount\":\"1\\n\"}"), "amount \"1\\x0A\""},
        {BYTES("{" PAIR ",\"amount\":\"1\",\"key\":\"\\ud800\"}"), "not a JSON object"},
        {BYTES("{\"src\":\"\xFF\",\"dest\":\"b\",\"amount\":\"1\"}"), "not UTF-8"},
        {BYTES("{\"src\":\"\x01\",\"dest\":\"b\",\"amount\":\"1\"}"), "control character"},
        {BYTES("\xEF\xBB\xBF{" PAIR ",\"amount\":\"1\"}"), "not a JSON object"},
        {BYTES("[]"), "not a JSON object"},
        {BYTES("a,b,1"), "not a JSON object"},
        {BYTES("null"), "not a JSON object"},
        {BYTES("{\"src\":{\"src\":{\"src\":\"a\"}}}"), "not a string"},
    };
    static const char good[] = "{" PAIR ",\"amount\":\"1\"}\n";
    char shown[SHOWN_SIZE];
    char last[ERROR_TEXT_SIZE];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char data[512];
        size_t len = sizeof(good) - 1;
        memcpy(data, good, len);
        memcpy(data + len, rows[i].data, rows[i].len);
        len += rows[i].len;
        data[len++] = '\n';
        memcpy(data + len, good, sizeof(good) - 1);
        show(data, len + sizeof(good) - 1, shown, last);
        cr_expect_str_eq(shown, ONE "2 bad\n3 a>b 100 EUR \n", "row %zu: %s", i, shown);
        cr_expect_not_null(strstr(last, rows[i].says), "row %zu: %s", i, last);
    }
}

/* A line of len bytes with its line end: HEAD, then "aaa...,b,1\n". */
static char *long_record(size_t len, size_t *ret_len)
{
    char *data = malloc(sizeof(HEAD) + len);
    size_t head = sizeof(HEAD) - 1;

    cr_assert_not_null(data);
    memcpy(data, HEAD, head);
    memset(data + head, 'a', len);
    memcpy(data + head + len - 5, ",b,1\n", 5);
    *ret_len = head + len;
    return data;
}

Test(source, the_limits_are_exact)
{
    static const struct {
        size_t record; /* bytes */
        const char *shows;
        const char *says;
    } rows[] = {
        {PAYMENT_ACCOUNT_MAX + 5, NULL, ""},
        {PAYMENT_ACCOUNT_MAX + 6, "1 bad\n", "longer than 128 bytes"},
        {SOURCE_FIELD_MAX + 5, "1 bad\n", "longer than 128 bytes"},
        {SOURCE_FIELD_MAX + 6, "1 bad\n", "longer than 1024 bytes"},
        {SOURCE_RECORD_MAX, "1 bad\n", "longer than 1024 bytes"},
        {SOURCE_RECORD_MAX + 1, "error 65\n", "longer than 65536 bytes"},
    };
    char shown[SHOWN_SIZE];
    char last[ERROR_TEXT_SIZE];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len;
        char *data = long_record(rows[i].record, &len);
        show(data, len, shown, last);
        cr_expect(!rows[i].shows || strcmp(shown, rows[i].shows) == 0, "row %zu: %s", i, shown);
        cr_expect_not_null(strstr(last, rows[i].says), "row %zu: %s", i, last);
        free(data);
    }
}

Test(source, says_where_a_record_stands_and_keeps_its_bytes)
{
    static const struct {
        int64_t line;
        const char *raw;
    } rows[] = {
        {3, "a,b,1"},
        {4, ""},
        {5, "\"a\"\"\r\n x\",b,1"},
        {7, "\"a\",b,2"},
    };
    char data[] = "\nsrc,dest,amount\r\na,b,1\r\n\n\"a\"\"\r\n x\",b,1\n\"a\",b,2";
    FILE *in = fmemopen(data, strlen(data), "r");
    struct source *source;
    struct error err;
    struct row row;
    size_t len;

    cr_assert_eq(source_open(&source, in, &err), 0);
    const char *header = source_header(source, &len);
    cr_expect_eq(len, strlen("src,dest,amount"));
    cr_expect_eq(memcmp(header, "src,dest,amount", len), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(source_next(source, &row, &err), 1);
        cr_expect_eq(row.number, (int64_t)i + 1);
        cr_expect_eq(row.line, rows[i].line, "row %zu: line %lld", i, (long long)row.line);
        cr_assert_eq(row.raw_len, strlen(rows[i].raw), "row %zu", i);
        cr_expect_eq(memcmp(row.raw, rows[i].raw, row.raw_len), 0, "row %zu", i);
    }
    cr_expect_eq(source_next(source, &row, &err), 0);
    source_close(source);
    fclose(in);
}

Test(source, a_line_that_comes_in_pieces_is_one)
{
    static const char *const pieces[] = {"src,dest,am", "ount\n", "a,b", ",1.00\na,b,2.00\na",
                                         ",b,3.00"};
    struct source *source;
    struct error err;
    struct row row;
    int ends[2];

    /* Whoever reads gets a piece at a time. */
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        cr_assert_eq(write(ends[1], pieces[i], strlen(pieces[i])), (ssize_t)strlen(pieces[i]));
    }
    close(ends[1]);
    FILE *in = fdopen(ends[0], "r");
    cr_assert_eq(source_open(&source, in, &err), 0);
    for (int i = 1; i <= 3; i++) {
        cr_assert_eq(source_next(source, &row, &err), 1);
        cr_expect_str_empty(row.problem);
        cr_expect_eq(row.payment.amount_minor, 100 * i);
    }
    cr_expect(source_may_be_cut(source));
    cr_expect_eq(source_next(source, &row, &err), 0);
    source_close(source);
    fclose(in);
}

Test(source, an_input_that_cannot_be_read_is_no_end)
{
    FILE *in = fopen("/tmp", "r"); /* reading a folder fails */
    struct source *source;
    struct error err;

    cr_assert_not_null(in);
    cr_expect_eq(source_open(&source, in, &err), -1);
    cr_expect_eq(err.code, EX_IOERR);
    fclose(in);
}

/* ---- hostile bytes ---- */

static void expect_payable(const struct payment *payment)
{
    cr_assert_null(payment_account_problem(payment->src, strlen(payment->src)));
    cr_assert_null(payment_account_problem(payment->dest, strlen(payment->dest)));
    cr_assert_str_neq(payment->src, payment->dest);
    cr_assert_geq(money_exponent(payment->currency), 0);
    cr_assert(payment->amount_minor >= 1 && payment->amount_minor <= MONEY_MAX_MINOR);
}

/* Whatever the bytes are: each record is good or says why not, and no byte of input is lost. */
static void expect_sound(const char *data, size_t len)
{
    FILE *in = fmemopen((void *)data, len, "r");
    struct source *source = NULL;
    struct error err = {0};
    struct row row;
    const char *at = data;
    int64_t number = 0;

    cr_assert_not_null(in);
    int got = source_open(&source, in, &err);
    cr_assert(got == 0 || (err.code == EX_DATAERR && err.text[0]));
    while (got == 0 && (got = source_next(source, &row, &err)) > 0) {
        got = 0;
        cr_assert_eq(row.number, ++number);
        at = memmem(at, (size_t)(data + len - at), row.raw, row.raw_len);
        cr_assert_not_null(at, "the bytes of a record are not those of the input");
        at += row.raw_len;
        if (row.problem[0] == '\0') {
            expect_payable(&row.payment);
        }
    }
    cr_assert(got == 0 || err.code == EX_DATAERR);
    source_close(source);
    fclose(in);
}

Test(source, hostile_bytes_make_no_false_payment, .timeout = 60)
{
    static const char *const seeds[] = {
        "src,dest,amount,currency,key\r\nann,bob,12.34,EUR,k\r\n\"a \"\"x\"\"\",b,1,JPY,\r\n\r\n",
        "{\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"12.34\",\"key\":\"\\u00e4\"}\n\n{\"src\":",
    };
    static const char spice[] = "\0\n\r\",{}[]\\:'\xFF\xEF\xBB\xBF 0.e-u\t";
    unsigned seed = (unsigned)time(NULL);

    cr_log_info("seed %u", seed);
    for (int round = 0; round < 30000; round++) {
        char data[256];
        const char *from = seeds[round % 2];
        size_t len = strlen(from);
        memcpy(data, from, len);
        for (int changes = 1 + rand_r(&seed) % 6; changes > 0; changes--) {
            size_t at = (size_t)rand_r(&seed) % len;
            char byte = spice[(size_t)rand_r(&seed) % (sizeof(spice) - 1)];
            data[at] = rand_r(&seed) % 4 ? byte : (char)rand_r(&seed);
        }
        len -= (size_t)rand_r(&seed) % 20;
        expect_sound(data, len);
    }
}

/* Input without an end need not wait for the next record to be stopped. */
Test(source, a_stop_ends_the_reading)
{
    static char blank[4 * 65536];
    char shown[SHOWN_SIZE];
    char last[ERROR_TEXT_SIZE];

    memset(blank, '\n', sizeof(blank));
    stop_install();
    raise(SIGTERM);
    show(blank, sizeof(blank), shown, last);
    cr_expect_str_eq(shown, "error 74\n");
    cr_expect(strstr(last, "cannot be read: Interrupted"), "%s", last);
}
