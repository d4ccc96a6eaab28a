/*
 * CSV by RFC 4180: commas, double quotes, a header. libcsv takes the fields apart where there are
 * quotes, strictly; lines are fed to it one by one, so that each record's own bytes are known.
 *
 * Spaces belong to a field. After a quote in the wrong place nobody can say where the next record
 * begins, and text inside a quoted field could turn into a payment: that ends the reading.
 */
#include "common/text.h"
#include "producer/source_formats.h"

#include <assert.h>
#include <csv.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define TEXT_OF(number)       #number
#define NUMBER_TEXT(constant) TEXT_OF(constant)

/* One more than there are columns: the one too many can be named. */
#define FIELDS_KEPT (SOURCE_COLUMNS + 1)

struct csv_state {
    struct csv_parser parser;
    int columns[SOURCE_COLUMNS]; /* which column the nth field of a record is */
    size_t column_count;

    /* The record that is being taken apart. */
    bool complete;
    size_t field_count; /* also of those that are not kept */
    struct source_text fields[FIELDS_KEPT];
    size_t used;
    char text[SOURCE_RECORD_MAX]; /* holds all quoted fields: they are not longer than their record
                                   */
};

const char *source_csv_library_version(void)
{
    return NUMBER_TEXT(CSV_MAJOR) "." NUMBER_TEXT(CSV_MINOR) "." NUMBER_TEXT(CSV_RELEASE);
}

static int is_never(unsigned char c)
{
    (void)c;
    return 0;
}

static int is_newline(unsigned char c)
{
    return c == '\n';
}

static void on_field(void *data, size_t len, void *user)
{
    struct csv_state *state = user;

    if (state->field_count < FIELDS_KEPT) {
        char *copy = state->text + state->used;
        assert(len <= sizeof(state->text) - state->used);
        memcpy(copy, data, len);
        state->fields[state->field_count] = (struct source_text){copy, len};
        state->used += len;
    }
    state->field_count++;
}

static void on_record(int c, void *user)
{
    struct csv_state *state = user;

    (void)c;
    state->complete = true;
}

static int parse(struct csv_state *state, const char *data, size_t len, struct error *err)
{
    if (csv_parse(&state->parser, data, len, on_field, on_record, state) == len) {
        return 0;
    }
    if (csv_error(&state->parser) != CSV_EPARSE) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    return error_set(err, EX_DATAERR,
                     "a quote in the wrong place: a field with quotes is quoted as a whole, and "
                     "each quote inside is doubled; the records behind it cannot be told apart");
}

/* A line without a quote is a record, and its commas part the fields: they stay where they are. */
static void split_plain(struct csv_state *state, const char *line, size_t len)
{
    const char *end = line + len;

    for (const char *at = line; at; state->field_count++) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        if (state->field_count < FIELDS_KEPT) {
            state->fields[state->field_count] =
                (struct source_text){at, (size_t)((comma ? comma : end) - at)};
        }
        at = comma ? comma + 1 : NULL;
    }
}

/* Take apart the record whose first line has been read. */
static int parse_record(struct source *source, struct error *err)
{
    struct csv_state *state = source->state;
    const char *line = source->raw + source->line_start;

    state->complete = false;
    state->field_count = 0;
    state->used = 0;
    if (!memchr(line, '"', source->line_len)) {
        split_plain(state, line, source->line_len);
        return 0;
    }
    for (;;) {
        if (parse(state, source->raw + source->line_start, source->line_len, err) != 0 ||
            parse(state, "\n", 1, err) != 0) {
            return -1;
        }
        if (state->complete) {
            return 0;
        }
        int got = source_read_line(source, err);
        if (got == 0) {
            return error_set(err, EX_DATAERR, "a quoted field has no end");
        }
        if (got < 0) {
            return -1;
        }
    }
}

static int take_column(struct csv_state *state, const struct source_text *name, struct error *err)
{
    char shown[64];
    int column = source_column_of(name->data, name->len);

    if (column < 0) {
        return error_set(err, EX_DATAERR,
                         "the header's column \"%s\" is not known: the first line names the "
                         "columns src, dest, amount and if wanted currency and key, with commas",
                         text_escape(shown, sizeof(shown), name->data, name->len));
    }
    for (size_t i = 0; i < state->column_count; i++) {
        if (state->columns[i] == column) {
            return error_set(err, EX_DATAERR, "the header has the column \"%s\" twice",
                             source_column_name((enum source_column)column));
        }
    }
    state->columns[state->column_count++] = column;
    return 0;
}

static int check_columns(const struct csv_state *state, struct error *err)
{
    static const enum source_column needed[] = {SOURCE_SRC, SOURCE_DEST, SOURCE_AMOUNT};

    for (size_t n = 0; n < sizeof(needed) / sizeof(needed[0]); n++) {
        bool found = false;
        for (size_t i = 0; i < state->column_count; i++) {
            found |= state->columns[i] == (int)needed[n];
        }
        if (!found) {
            return error_set(err, EX_DATAERR, "the header has no column \"%s\"",
                             source_column_name(needed[n]));
        }
    }
    return 0;
}

static int keep_header(struct source *source, struct error *err)
{
    source->header_len = source->line_start + source->line_len;
    source->header = malloc(source->header_len + 1);
    if (!source->header) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    payment_copy(source->header, source->raw, source->header_len);
    return 0;
}

static int csv_open(struct source *source, struct error *err)
{
    struct csv_state *state = calloc(1, sizeof(*state));

    if (!state) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    source->state = state;
    csv_init(&state->parser, CSV_STRICT);
    csv_set_space_func(&state->parser, is_never);
    csv_set_term_func(&state->parser, is_newline);
    if (parse_record(source, err) != 0) {
        return error_wrap(err, "the header");
    }
    /* A field behind the last that is kept stands behind a column too many: it was refused. */
    for (size_t i = 0; i < state->field_count && i < FIELDS_KEPT; i++) {
        if (take_column(state, &state->fields[i], err) != 0) {
            return -1;
        }
    }
    return check_columns(state, err) != 0 ? -1 : keep_header(source, err);
}

static int csv_read(struct source *source, struct row *ret, struct error *err)
{
    struct csv_state *state = source->state;
    struct source_text fields[SOURCE_COLUMNS] = {{NULL, 0}};

    if (parse_record(source, err) != 0) {
        return -1;
    }
    if (state->field_count != state->column_count) {
        source_refuse(ret->problem, "%zu field%s, the header has %zu columns", state->field_count,
                      state->field_count == 1 ? "" : "s", state->column_count);
        return 0;
    }
    for (size_t i = 0; i < state->column_count; i++) {
        bool absent = state->columns[i] == SOURCE_KEY && state->fields[i].len == 0;
        if (!absent) {
            fields[state->columns[i]] = state->fields[i];
        }
    }
    source_payment(fields, &ret->payment, ret->problem);
    return 0;
}

static void csv_close(struct source *source)
{
    struct csv_state *state = source->state;

    if (state) {
        csv_free(&state->parser);
        free(state);
    }
}

const struct source_format source_csv = {csv_open, csv_read, csv_close};
