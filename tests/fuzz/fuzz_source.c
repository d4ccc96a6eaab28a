/*
 * The reader of CSV and JSON Lines. Input: a file.
 */
#include "common/text.h"
#include "producer/source.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static FILE *open_bytes(const char *data, size_t len)
{
    FILE *in = fmemopen((void *)data, len ? len : 1, "r");

    FUZZ_CHECK(in != NULL);
    if (len == 0) {
        getc(in); /* fmemopen() has no empty file */
    }
    return in;
}

/* A good row keeps every rule, and its amount is written and read as the same amount. */
static void check_payment(const struct payment *payment)
{
    char text[MONEY_TEXT_SIZE];
    int64_t again = 0;

    FUZZ_CHECK(payment_account_problem(payment->src, strlen(payment->src)) == NULL);
    FUZZ_CHECK(payment_account_problem(payment->dest, strlen(payment->dest)) == NULL);
    FUZZ_CHECK(strcmp(payment->src, payment->dest) != 0);
    FUZZ_CHECK(payment->key[0] == '\0' ||
               payment_key_problem(payment->key, strlen(payment->key)) == NULL);
    FUZZ_CHECK(payment->batch.id[0] == '\0');
    FUZZ_CHECK(money_exponent(payment->currency) >= 0);
    FUZZ_CHECK(payment->amount_minor >= 1 && payment->amount_minor <= MONEY_MAX_MINOR);
    money_format(text, payment->amount_minor, payment->currency);
    FUZZ_CHECK(money_parse(text, strlen(text), payment->currency, &again) == NULL);
    FUZZ_CHECK(again == payment->amount_minor);
}

static bool rows_equal(const struct row *a, const struct row *b)
{
    return strcmp(a->problem, b->problem) == 0 &&
           (a->problem[0] != '\0' || (payment_differs(&a->payment, &b->payment) == 0 &&
                                      strcmp(a->payment.key, b->payment.key) == 0)) &&
           a->raw_len == b->raw_len && memcmp(a->raw, b->raw, a->raw_len) == 0;
}

/*
 * A record that is written behind the header into a file of its own is read there as it was read
 * here: what --skip-bad keeps is the row that was refused.
 */
static void check_alone(const struct source *whole, const struct row *row)
{
    struct source *source = NULL;
    struct error err = {0};
    struct row again;
    char *text = NULL;
    size_t len = 0;
    size_t header_len = 0;
    const char *header = source_header(whole, &header_len);
    FILE *out = open_memstream(&text, &len);

    FUZZ_CHECK(out != NULL);
    /* JSON Lines have no header, but their first byte tells what they are. */
    fwrite(header ? header : "{}", 1, header ? header_len : 2, out);
    fputs("\r\n",
          out); /* a record may end in a CR of its own, which must not go with the line end */
    fwrite(row->raw, 1, row->raw_len, out);
    fputs("\r\n", out);
    fclose(out);
    FILE *in = open_bytes(text, len);
    FUZZ_CHECK(source_open(&source, in, &err) == 0);
    if (!header) {
        FUZZ_CHECK(source_next(source, &again, &err) == 1);
    }
    FUZZ_CHECK(source_next(source, &again, &err) == 1);
    FUZZ_CHECK(rows_equal(row, &again));
    FUZZ_CHECK(source_next(source, &again, &err) == 0);
    FUZZ_CHECK(!source_may_be_cut(source));
    source_close(source);
    fclose(in);
    free(text);
}

/* The records stand in the file one behind the other. Returns where this one ends. */
static size_t check_place(const struct fuzz_part *file, size_t from, const struct row *row)
{
    const char *at = memmem(file->data + from, file->len - from, row->raw, row->raw_len);

    FUZZ_CHECK(at != NULL);
    FUZZ_CHECK(row->raw_len == 0 || row->raw[row->raw_len - 1] != '\n');
    return (size_t)(at - file->data) + row->raw_len;
}

static int read_all(struct source *source, const struct fuzz_part *file, struct error *err)
{
    struct row row;
    int64_t number = 0;
    int64_t line = 0;
    size_t from = 0;
    int got;

    while ((got = source_next(source, &row, err)) == 1) {
        FUZZ_CHECK(row.number == ++number);
        FUZZ_CHECK(row.line > line);
        line = row.line;
        from = check_place(file, from, &row);
        FUZZ_CHECK(text_is_printable(row.problem, strlen(row.problem)));
        if (row.problem[0] == '\0') {
            check_payment(&row.payment);
        }
        if (row.raw_len > 0) { /* not a blank line */
            check_alone(source, &row);
        }
    }
    return got;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct source *source = NULL;
    struct error err = {0};
    struct fuzz_part file = fuzz_rest(&data, &size);
    FILE *in = open_bytes(file.data, file.len);
    int got = source_open(&source, in, &err);

    if (got == 0) {
        got = read_all(source, &file, &err);
    }
    if (got < 0) {
        FUZZ_CHECK(err.code == EX_DATAERR && err.text[0] != '\0');
        FUZZ_CHECK(text_is_printable(err.text, strlen(err.text)));
    }
    source_close(source);
    fclose(in);
    fuzz_release(&file);
    return 0;
}
