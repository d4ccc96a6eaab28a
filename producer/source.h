/*
 * A source: reads payments from a file, record by record, and says of each whether it is good.
 *
 *   CSV         RFC 4180, with a header that names the columns; see source_csv.c
 *   JSON Lines  an object a line; see source_json.c
 *
 * Which of the two it is, the first byte tells: '{' begins JSON Lines. A UTF-8 byte order mark and
 * CRLF are accepted, blank lines before the first record and after the last do not count. Memory
 * does not grow with the input.
 */
#ifndef PRODUCER_SOURCE_H
#define PRODUCER_SOURCE_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/payment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SOURCE_RECORD_MAX   65536 /* bytes of a record with its line end; more ends the reading */
#define SOURCE_FIELD_MAX    1024  /* bytes of a field; more makes a bad record */
#define SOURCE_PROBLEM_SIZE 320

/* The columns of CSV and the fields of JSON Lines. currency and key may be left out. */
enum source_column {
    SOURCE_SRC,
    SOURCE_DEST,
    SOURCE_CURRENCY,
    SOURCE_AMOUNT,
    SOURCE_KEY,
};

#define SOURCE_COLUMNS 5

/* "src", "dest", ...; a static string. */
const char *source_column_name(enum source_column column);

/* Bytes from outside, borrowed. data is NULL when the field was not given. */
struct source_text {
    const char *data;
    size_t len;
};

/*
 * Make a payment from the text of its fields, indexed by column, with every rule that a payment
 * must pass to be paid: form, ISO 4217 currency, exact amount, two different accounts. Returns true
 * and fills *ret (key "" when none is given; no batch), or false and says in problem what is wrong.
 * *ret is then undefined.
 */
bool source_payment(const struct source_text fields[SOURCE_COLUMNS], struct payment *ret,
                    char problem[SOURCE_PROBLEM_SIZE]);

struct row {
    int64_t number; /* of the record, from 1; header not counted, bad records counted */
    int64_t line;   /* on which it begins, from 1 */
    char problem[SOURCE_PROBLEM_SIZE]; /* why it is bad, printable; "" = it is good */
    struct payment payment;            /* only of a good record */
    const char *raw; /* the record as it stands in the file, without its line end */
    size_t raw_len;
};

struct source;

/*
 * Read the beginning of in (borrowed, not closed). Fails with EX_DATAERR when it is empty, in
 * UTF-16 or the header is not right, EX_IOERR when it cannot be read. On success the caller closes
 * *ret.
 */
MUST_CHECK int source_open(struct source **ret, FILE *in, struct error *err);

/*
 * Read the next record. Returns 1 with *ret filled (raw is borrowed until the next call), 0 at the
 * end, or -1: EX_IOERR when the input cannot be read, EX_DATAERR when nobody can say where the next
 * record begins (broken quotes, a record longer than SOURCE_RECORD_MAX). After 0 or -1 it must not
 * be called again.
 */
MUST_CHECK int source_next(struct source *source, struct row *ret, struct error *err);

/*
 * Ask after source_next() returned 0: a CSV input whose last line has no line end may have been cut
 * inside its last amount. (A cut line of JSON Lines is a bad row.)
 */
bool source_may_be_cut(const struct source *source);

/* The line that names the columns, without its line end; NULL for JSON Lines. Borrowed. */
const char *source_header(const struct source *source, size_t *ret_len);

/* NULL is accepted. */
void source_close(struct source *source);

/* The version of the CSV parser, a static string. */
const char *source_csv_library_version(void);

#endif
