#include "producer/source.h"

#include "common/stop.h"
#include "common/text.h"
#include "producer/source_formats.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* Of a field's content, in a message. */
#define SHOWN_SIZE 100

static const char *const column_names[SOURCE_COLUMNS] = {
    [SOURCE_SRC] = "src",       [SOURCE_DEST] = "dest", [SOURCE_CURRENCY] = "currency",
    [SOURCE_AMOUNT] = "amount", [SOURCE_KEY] = "key",
};

const char *source_column_name(enum source_column column)
{
    return column_names[column];
}

int source_column_of(const char *name, size_t len)
{
    for (int i = 0; i < SOURCE_COLUMNS; i++) {
        if (strlen(column_names[i]) == len && memcmp(column_names[i], name, len) == 0) {
            return i;
        }
    }
    return -1;
}

bool source_refuse(char problem[SOURCE_PROBLEM_SIZE], const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(problem, SOURCE_PROBLEM_SIZE, fmt, args);
    va_end(args);
    return false;
}

/* ---- the rules of a payment ---- */

static const char *currency_problem(const char *data, size_t len)
{
    char code[MONEY_CURRENCY_SIZE];

    if (len == 0) {
        /* Where other rows name a currency, a hole is a mistake and not a wish for EUR. */
        return "a currency must not be empty: write EUR, or leave the column out";
    }
    if (!money_is_currency_form(data, len)) {
        return "a currency is three upper-case letters such as EUR";
    }
    payment_copy(code, data, len);
    return money_exponent(code) < 0 ? "unknown currency: use an ISO 4217 code such as EUR" : NULL;
}

static const char *form_problem(enum source_column column, const struct source_text *field)
{
    if (!field->data) {
        return column == SOURCE_CURRENCY || column == SOURCE_KEY ? NULL : "it is missing";
    }
    if (field->len > SOURCE_FIELD_MAX) {
        return "it is longer than 1024 bytes";
    }
    switch (column) {
    case SOURCE_SRC:
    case SOURCE_DEST:
        return payment_account_problem(field->data, field->len);
    case SOURCE_CURRENCY:
        return currency_problem(field->data, field->len);
    case SOURCE_KEY:
        return payment_key_problem(field->data, field->len);
    case SOURCE_AMOUNT: /* needs its currency: see source_payment() */
    default:
        return NULL;
    }
}

static bool refuse_field(char *problem, enum source_column column, const struct source_text *field,
                         const char *why)
{
    char shown[SHOWN_SIZE];

    if (!field->data || field->len == 0) {
        return source_refuse(problem, "%s: %s", column_names[column], why);
    }
    return source_refuse(problem, "%s \"%s\": %s", column_names[column],
                         text_escape(shown, sizeof(shown), field->data, field->len), why);
}

bool source_payment(const struct source_text fields[SOURCE_COLUMNS], struct payment *ret,
                    char problem[SOURCE_PROBLEM_SIZE])
{
    const struct source_text *amount = &fields[SOURCE_AMOUNT];
    const struct source_text *key = &fields[SOURCE_KEY];

    for (int i = 0; i < SOURCE_COLUMNS; i++) {
        const char *why = form_problem((enum source_column)i, &fields[i]);
        if (why) {
            return refuse_field(problem, (enum source_column)i, &fields[i], why);
        }
    }
    ret->key[0] = '\0';
    ret->batch.id[0] = '\0';
    ret->batch.digest[0] = '\0';
    ret->batch.rows = 0;
    payment_copy(ret->src, fields[SOURCE_SRC].data, fields[SOURCE_SRC].len);
    payment_copy(ret->dest, fields[SOURCE_DEST].data, fields[SOURCE_DEST].len);
    payment_copy(ret->currency, MONEY_DEFAULT_CURRENCY, strlen(MONEY_DEFAULT_CURRENCY));
    if (fields[SOURCE_CURRENCY].data) {
        payment_copy(ret->currency, fields[SOURCE_CURRENCY].data, fields[SOURCE_CURRENCY].len);
    }
    if (key->data) {
        payment_copy(ret->key, key->data, key->len);
    }
    const char *why = money_parse(amount->data, amount->len, ret->currency, &ret->amount_minor);
    if (why) {
        return refuse_field(problem, SOURCE_AMOUNT, amount, why);
    }
    if (strcmp(ret->src, ret->dest) == 0) {
        return source_refuse(problem, "src and dest are the same account");
    }
    return true;
}

/* ---- lines ---- */

static int read_failed(const struct source *source, struct error *err)
{
    return error_set(err, EX_IOERR, "line %lld: cannot be read: %s",
                     (long long)source->line_number + 1, strerror(errno));
}

/*
 * Reads what is there, and waits only when there is nothing. A stream in memory has no file. False
 * at the end, and after a failure, as which a stop counts: then there is nothing more.
 */
static bool read_block(struct source *source)
{
    int fd = fileno(source->in);
    ssize_t got = fd < 0 ? (ssize_t)fread(source->block, 1, sizeof(source->block), source->in)
                         : read(fd, source->block, sizeof(source->block));

    if (stop_requested()) {
        errno = EINTR;
        got = -1;
    }
    source->read_failed = got < 0;
    source->read_ended = got <= 0;
    source->block_at = 0;
    source->block_len = got > 0 ? (size_t)got : 0;
    return !source->read_ended;
}

/* Moves what the block has of a line to raw. False when there is no room for it. */
static bool take_from_block(struct source *source, bool *ret_is_end)
{
    size_t room = SOURCE_RECORD_MAX - source->raw_len;
    size_t len = source->block_len - source->block_at;
    const char *from = source->block + source->block_at;
    const char *end = memchr(from, '\n', len);

    *ret_is_end = end != NULL;
    len = end ? (size_t)(end + 1 - from) : len;
    if (len > room) {
        return false;
    }
    memcpy(source->raw + source->raw_len, from, len);
    source->raw_len += len;
    source->block_at += len;
    return true;
}

static bool has_more(struct source *source)
{
    return source->block_at < source->block_len || (!source->read_ended && read_block(source));
}

int source_read_line(struct source *source, struct error *err)
{
    bool is_end = false;

    source->line_start = source->raw_len;
    while (!is_end && has_more(source)) {
        if (!take_from_block(source, &is_end)) {
            return error_set(err, EX_DATAERR, "line %lld: a record is longer than %d bytes",
                             (long long)source->line_number + 1, SOURCE_RECORD_MAX);
        }
    }
    if (source->read_failed) {
        return read_failed(source, err);
    }
    if (source->raw_len == source->line_start) {
        return 0;
    }
    source->line_is_open = !is_end;
    size_t end = source->raw_len;
    end -= source->raw[end - 1] == '\n';
    end -= end > source->line_start && source->raw[end - 1] == '\r';
    source->line_len = end - source->line_start;
    source->line_number++;
    return 1;
}

static bool is_blank(const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] != ' ' && data[i] != '\t') {
            return false;
        }
    }
    return true;
}

/* Read up to the first line of a record. Counts the blank lines before it, 0 at the end. */
static int read_record_line(struct source *source, struct error *err)
{
    int got;

    source->blank_lines = 0;
    for (;;) {
        source->raw_len = 0;
        got = source_read_line(source, err);
        if (got <= 0 || !is_blank(source->raw, source->line_len)) {
            return got;
        }
        source->blank_lines++;
    }
}

/* ---- the source ---- */

static void drop_bytes(struct source *source, size_t count)
{
    memmove(source->raw, source->raw + count, source->raw_len - count);
    source->raw_len -= count;
    source->line_len -= count;
}

/* Read the first line that is not blank. A byte order mark stands before everything. */
static int read_first_line(struct source *source, struct error *err)
{
    int got = source_read_line(source, err);

    if (got > 0 && source->raw_len >= 2 &&
        (memcmp(source->raw, "\xFF\xFE", 2) == 0 || memcmp(source->raw, "\xFE\xFF", 2) == 0)) {
        return error_set(err, EX_DATAERR, "this is UTF-16: save it as UTF-8");
    }
    if (got > 0 && source->line_len >= 3 && memcmp(source->raw, "\xEF\xBB\xBF", 3) == 0) {
        drop_bytes(source, 3);
    }
    if (got > 0 && is_blank(source->raw, source->line_len)) {
        got = read_record_line(source, err);
    }
    source->blank_lines = 0;
    if (got == 0) {
        return error_set(err, EX_DATAERR, "there are no rows: the input is empty");
    }
    return got < 0 ? -1 : 0;
}

static char first_byte(const struct source *source)
{
    const char *data = source->raw;

    return data[strspn(data, " \t")]; /* not blank: there is one */
}

int source_open(struct source **ret, FILE *in, struct error *err)
{
    struct source *source = calloc(1, sizeof(*source));

    if (!source) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    source->in = in;
    if (read_first_line(source, err) != 0) {
        goto fail;
    }
    if (first_byte(source) == '[') {
        error_set(err, EX_DATAERR, "a JSON array: write one object a line instead (JSON Lines)");
        goto fail;
    }
    source->format = first_byte(source) == '{' ? &source_json : &source_csv;
    if (source->format->open(source, err) != 0) {
        goto fail;
    }
    *ret = source;
    return 0;

fail:
    source_close(source);
    return -1;
}

static int next_blank(struct source *source, struct row *ret)
{
    ret->line = source->line_number - source->blank_lines;
    ret->raw = "";
    ret->raw_len = 0;
    source->blank_lines--;
    source_refuse(ret->problem, "a blank line between records");
    return 1;
}

int source_next(struct source *source, struct row *ret, struct error *err)
{
    if (!source->line_waits) {
        int got = read_record_line(source, err);
        if (got <= 0) {
            return got;
        }
        source->line_waits = true;
    }
    if (source->number == PAYMENT_BATCH_ROWS_MAX) {
        return error_set(err, EX_DATAERR, "there are more than %lld records",
                         (long long)PAYMENT_BATCH_ROWS_MAX);
    }
    ret->number = ++source->number;
    ret->problem[0] = '\0';
    if (source->blank_lines > 0) {
        return next_blank(source, ret);
    }
    ret->line = source->line_number;
    source->line_waits = false;
    if (source->format->read(source, ret, err) != 0) {
        return error_wrap(err, "record %lld (line %lld)", (long long)ret->number,
                          (long long)ret->line);
    }
    ret->raw = source->raw;
    ret->raw_len = source->line_start + source->line_len;
    return 1;
}

const char *source_header(const struct source *source, size_t *ret_len)
{
    *ret_len = source->header_len;
    return source->header;
}

void source_close(struct source *source)
{
    if (!source) {
        return;
    }
    if (source->format) {
        source->format->close(source);
    }
    free(source->header);
    free(source);
}

bool source_may_be_cut(const struct source *source)
{
    return source->line_is_open && source->header;
}
