#include "producer/batch.h"

#include "common/command_json.h"
#include "common/failpoint.h"
#include "common/stop.h"
#include "producer/bad_file.h"
#include "producer/deliver.h"
#include "producer/source.h"
#include "producer/summary_json.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

#define KEY_DIGITS         10  /* of a row number in a key: holds PAYMENT_BATCH_ROWS_MAX */
#define ROWS_BETWEEN_LOOKS 64  /* that are sent between two looks at the outcomes */
#define POLL_MS            100 /* how soon a wait notices a stop */

/*
 * Rows on their way at the most. More would not be faster: one request is under way at a time, and
 * fewer rows are still in the processor's cache when the client comes to each.
 */
#define ROWS_UNDER_WAY 10000

/* ---- pass 1: check ---- */

struct check {
    const struct batch_input *input;
    struct source *source;
    struct spool *spool;
    struct bad_file *bad_file; /* NULL until the first bad row that is kept */
    int64_t good;
    int64_t bad;
};

/* True for a key of the form that rows of this batch get. */
static bool is_given_key(const char *key, const char *id)
{
    size_t len = strlen(id);

    return strncmp(key, id, len) == 0 && key[len] == ':' && strlen(key + len + 1) == KEY_DIGITS &&
           strspn(key + len + 1, "0123456789") == KEY_DIGITS;
}

/* "ID:0000000017". A batch id is short enough for it. */
static void make_key(char *key, const char *id, int64_t number)
{
    size_t len = strlen(id);
    char *digits = key + len + 1;

    memcpy(key, id, len);
    key[len] = ':';
    for (int i = KEY_DIGITS; i > 0; i--) {
        digits[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
    digits[KEY_DIGITS] = '\0';
}

/* See to the key of a good row. May turn it into a bad row. */
static int give_key(const struct check *check, struct row *row, struct error *err)
{
    const char *id = check->input->id;
    char *key = row->payment.key;

    if (key[0] == '\0' && !id) {
        return error_set(err, EX_USAGE,
                         "%s:%" PRId64 ": the row has no key: give --batch-id NAME. The same NAME "
                         "gives the same keys again, so that the same command after a crash pays "
                         "nothing twice",
                         check->input->name, row->number);
    }
    if (key[0] == '\0') {
        make_key(key, id, row->number);
    } else if (id && is_given_key(key, id)) {
        snprintf(row->problem, sizeof(row->problem),
                 "key: this batch gives keys of the form NAME:number to its rows without a key");
    }
    return 0;
}

static int take_good(struct check *check, const struct row *row, struct error *err)
{
    check->good++;
    return spool_append(check->spool, &row->payment, err);
}

static int take_bad(struct check *check, const struct row *row, struct error *err)
{
    const struct batch_input *input = check->input;

    if (++check->bad <= BATCH_BAD_ROWS_SHOWN) {
        progress_clear(input->progress);
        fprintf(input->messages, "%s:%" PRId64 ": %s (line %" PRId64 ")\n", input->name,
                row->number, row->problem, row->line);
    }
    if (!input->bad_path) {
        return 0;
    }
    if (!check->bad_file) {
        size_t len;
        const char *header = source_header(check->source, &len);
        if (bad_file_open(&check->bad_file, input->bad_path, header, len, err) != 0) {
            return -1;
        }
    }
    return bad_file_add(check->bad_file, row->raw, row->raw_len, err);
}

/* The input cannot be read on: perhaps because a stop interrupted it. */
static int input_failed(const struct check *check, struct error *err)
{
    if (stop_requested()) {
        return error_set(err, EX_TEMPFAIL, "stopped; nothing was published");
    }
    return error_wrap(err, "%s", check->input->name);
}

static int read_rows(struct check *check, struct error *err)
{
    struct row row;
    int got;

    while ((got = source_next(check->source, &row, err)) > 0 && !stop_requested()) {
        if (row.problem[0] == '\0' && give_key(check, &row, err) != 0) {
            return -1;
        }
        if ((row.problem[0] ? take_bad : take_good)(check, &row, err) != 0) {
            return -1;
        }
        progress_update(check->input->progress, row.number);
    }
    if (got != 0 || stop_requested()) {
        return input_failed(check, err);
    }
    if (source_may_be_cut(check->source)) {
        progress_clear(check->input->progress);
        fprintf(check->input->messages,
                "%s: warning: the last row has no line end: make sure that the input was whole\n",
                check->input->name);
    }
    return 0;
}

/* Judge the input as a whole, when all rows were read. */
static int judge_rows(struct check *check, struct error *err)
{
    const struct batch_input *input = check->input;

    progress_clear(input->progress);
    if (check->bad > BATCH_BAD_ROWS_SHOWN) {
        fprintf(input->messages, "%s: and %" PRId64 " more\n", input->name,
                check->bad - BATCH_BAD_ROWS_SHOWN);
    }
    if (check->bad > 0 && !input->bad_path) {
        return error_set(err, EX_DATAERR,
                         "%s: %" PRId64 " of %" PRId64 " rows are bad: nothing was published",
                         input->name, check->bad, check->good + check->bad);
    }
    if (check->good == 0) {
        return error_set(err, EX_DATAERR, "%s: there are no %srows: nothing was published",
                         input->name, check->bad > 0 ? "good " : "");
    }
    return check->bad_file ? bad_file_finish(check->bad_file, err) : 0;
}

int batch_check(const struct batch_input *input, struct batch *ret, struct error *err)
{
    struct check check = {.input = input};
    struct payment_batch tag = {.id = ""};
    int result = -1;

    if (spool_open(&check.spool, input->spool_dir, err) != 0) {
        goto done;
    }
    if (source_open(&check.source, input->in, err) != 0) {
        input_failed(&check, err);
        goto done;
    }
    if (read_rows(&check, err) != 0 || judge_rows(&check, err) != 0 ||
        spool_finish(check.spool, tag.digest, err) != 0) {
        goto done;
    }
    if (input->id) {
        payment_copy(tag.id, input->id, strlen(input->id));
    }
    tag.rows = check.good;
    *ret = (struct batch){.spool = check.spool, .tag = tag, .skipped = check.bad};
    check.spool = NULL; /* now *ret owns it */
    result = 0;

done:
    bad_file_close(check.bad_file);
    source_close(check.source);
    spool_close(check.spool);
    return result;
}

void batch_release(struct batch *batch)
{
    answered_close(batch->answered);
    spool_close(batch->spool);
    *batch = (struct batch){.spool = NULL};
}

/* ---- pass 2: publish ---- */

int64_t batch_to_send(const struct batch *batch)
{
    return batch->tag.rows -
           (batch->answered ? verdict_decided(answered_counts(batch->answered)) : 0);
}

int batch_rewind(struct batch *batch, struct error *err)
{
    batch->next = 0;
    return spool_rewind(batch->spool, err);
}

int batch_next(struct batch *batch, struct payment *ret, struct error *err)
{
    int got;

    do {
        got = spool_next(batch->spool, ret, err);
        batch->next += got > 0;
    } while (got > 0 && batch->answered && answered_has(batch->answered, batch->next - 1));
    return got;
}

void batch_report(void *user, const struct publisher_receipt *receipt)
{
    struct batch_tally *tally = user;

    switch (receipt->delivery) {
    case DELIVERY_ACKNOWLEDGED:
        tally->acknowledged++;
        break;
    case DELIVERY_FAILED:
        tally->failed++;
        break;
    case DELIVERY_UNKNOWN:
    default:
        tally->unknown++;
        break;
    }
    if (receipt->delivery != DELIVERY_ACKNOWLEDGED) {
        progress_clear(tally->progress);
        fprintf(tally->messages, "%s %.*s: %s\n", summary_delivery_name(receipt->delivery),
                (int)receipt->key_len, receipt->key, receipt->reason);
    }
    progress_update(tally->progress, tally->acknowledged + tally->unknown + tally->failed);
}

struct command batch_command(const struct batch *batch)
{
    struct command command;

    command_init(&command, COMMAND_PAYMENT);
    if (batch->tag.id[0]) {
        command.payment.batch = batch->tag;
    }
    return command;
}

static int send_row(struct publisher *publisher, const struct batch_tally *tally,
                    const struct command *command, const struct command_json_batch *same,
                    struct error *err)
{
    const char *key = command->payment.key;
    struct publisher_message message = {.key = key, .key_len = strlen(key)};
    char value[COMMAND_JSON_SIZE];

    message.value = value;
    message.value_len = command_json_encode_row(&command->payment, same, value);
    if (message.value_len == 0) {
        return error_set(err, EX_SOFTWARE, "a row is longer than %d bytes", COMMAND_JSON_SIZE);
    }
    if (tally->watch && watch_add(tally->watch, command, value, message.value_len, err) != 0) {
        return -1;
    }
    if (publisher_send(publisher, &message, err) != 0) {
        return -1;
    }
    FAILPOINT("batch-row-sent");
    return 0;
}

static int64_t reported(const struct batch_tally *tally)
{
    return tally->acknowledged + tally->unknown + tally->failed;
}

static void wait_for_room(struct publisher *publisher, const struct batch_tally *tally)
{
    while (tally->sent - reported(tally) >= ROWS_UNDER_WAY && !stop_requested()) {
        publisher_poll(publisher, POLL_MS);
        watch_poll(tally->watch, 0);
    }
}

/*
 * Hand over rows, to the end or to the first trouble. Then *row, which carries the batch's tag, is
 * the first row that was not handed over; *ret_has_row is false when it could not be read.
 */
static int send_rows(struct batch *batch, struct publisher *publisher, struct batch_tally *tally,
                     struct command *row, bool *ret_has_row, struct error *err)
{
    struct command_json_batch same;
    int got;

    command_json_batch(&same, &row->payment.batch);
    FAILPOINT("batch-checked");
    *ret_has_row = true;
    while ((got = batch_next(batch, &row->payment, err)) > 0) {
        if (tally->unknown + tally->failed > 0) {
            /* The way is broken: each row behind would wait for its own time-out. */
            return error_set(err, EX_TEMPFAIL, "a row was not acknowledged");
        }
        if (send_row(publisher, tally, row, &same, err) != 0) {
            return -1;
        }
        if (++tally->sent % ROWS_BETWEEN_LOOKS == 0) {
            watch_poll(tally->watch, 0);
            wait_for_room(publisher, tally);
        }
    }
    *ret_has_row = false;
    return got;
}

/*
 * Name the rows that were not handed over by the first and the last of their keys. The first is
 * payment, NULL when it cannot be read.
 */
static void list_rest(struct batch *batch, struct payment *payment, int64_t rest, FILE *messages)
{
    struct error ignored;
    char first[PAYMENT_KEY_MAX + 1];
    char last[PAYMENT_KEY_MAX + 1];

    if (!payment) {
        fprintf(messages, "failed: %" PRId64 " rows were not sent, and cannot be named\n", rest);
        return;
    }
    memcpy(first, payment->key, sizeof(first));
    do {
        memcpy(last, payment->key, sizeof(last));
    } while (batch_next(batch, payment, &ignored) > 0);
    fprintf(messages, "failed %s to %s: %" PRId64 " rows %s were not sent\n", first, last, rest,
            batch->answered ? "without an outcome" : "in a row");
}

int batch_publish(struct batch *batch, struct publisher *publisher, struct batch_tally *tally,
                  struct error *err)
{
    struct command row = batch_command(batch);
    int64_t rows = batch_to_send(batch);
    bool has_row = false;
    int result = batch_rewind(batch, err);

    if (result == 0) {
        result = send_rows(batch, publisher, tally, &row, &has_row, err);
    }
    deliver_wait_reports(publisher, tally->watch);
    int64_t silent = tally->sent - reported(tally);
    if (silent > 0) {
        fprintf(tally->messages, "unknown: %" PRId64 " rows of which the client gave no report\n",
                silent);
        tally->unknown += silent;
    }
    if (result != 0) {
        int64_t rest = rows - tally->sent;
        tally->failed += rest;
        list_rest(batch, has_row ? &row.payment : NULL, rest, tally->messages);
        error_wrap(err, "%" PRId64 " of %" PRId64 " rows were not sent", rest, rows);
    }
    progress_clear(tally->progress);
    return result;
}
