#include "producer/answered.h"

#include "common/command_json.h"
#include "common/stop.h"
#include "common/text.h"
#include "producer/outcomes.h"
#include "producer/scan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Bits of the sieve for a row, at the least: of the keys of others, one in 16 passes. */
#define SIEVE_BITS 16

struct answered {
    unsigned char *rows; /* a bit each */
    struct verdict_counts counts;
};

/* The rows that are looked for at once. */
struct window {
    struct waitlist *list;

    /* A bit for the hash of each key: most records are of other keys and need not be decoded. */
    unsigned char *sieve;
    uint64_t sieve_mask; /* its bits - 1, a power of two less one */
};

static void set_bit(unsigned char *bits, uint64_t at)
{
    bits[at / 8] |= (unsigned char)(1U << at % 8);
}

static bool has_bit(const unsigned char *bits, uint64_t at)
{
    return (bits[at / 8] & 1U << at % 8) != 0;
}

static size_t bytes_of(uint64_t bits)
{
    return (size_t)(bits / 8 + 1);
}

/* FNV-1a. */
static uint64_t hash_of(const char *key, size_t len)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)key[i]) * UINT64_C(1099511628211);
    }
    return hash;
}

/* ---- a window ---- */

static int window_open(struct window *window, int64_t rows, struct error *err)
{
    uint64_t bits = 8;

    while (bits < SIEVE_BITS * (uint64_t)rows) {
        bits *= 2;
    }
    *window = (struct window){.sieve_mask = bits - 1};
    window->sieve = calloc(1, bytes_of(bits));
    if (!window->sieve) {
        return error_set(err, EX_OSERR, "out of memory for the keys");
    }
    return waitlist_open(&window->list, rows, err);
}

static void window_close(struct window *window)
{
    waitlist_close(window->list);
    free(window->sieve);
}

static int window_add(struct window *window, const struct command *row,
                      const struct command_json_batch *same, struct error *err)
{
    const char *key = row->payment.key;
    char value[COMMAND_JSON_SIZE];
    size_t len = command_json_encode_row(&row->payment, same, value);

    if (len == 0) {
        return error_set(err, EX_SOFTWARE, "a row is longer than %d bytes", COMMAND_JSON_SIZE);
    }
    set_bit(window->sieve, hash_of(key, strlen(key)) & window->sieve_mask);
    return waitlist_add(window->list, row, value, len, err);
}

/* A scan_take; user is a struct window. */
static int take_record(void *user, const struct topic_record *record, struct error *err)
{
    struct window *window = user;
    struct outcome_record outcome;
    int64_t rows;

    if (!record->key ||
        !has_bit(window->sieve, hash_of(record->key, record->key_len) & window->sieve_mask) ||
        !outcomes_read(record, &outcome)) {
        return 0;
    }
    return waitlist_answer(window->list, &outcome, &rows, err);
}

/* ---- all rows, window after window ---- */

struct search {
    const struct answered_args *args;
    struct scan *scan;
    struct answered *answered;
};

static int next_row(const struct search *search, struct command *row, struct error *err)
{
    if (stop_requested()) {
        return error_set(err, EX_TEMPFAIL, "stopped");
    }
    int got = spool_next(search->args->spool, &row->payment, err);
    return got == 0 ? error_set(err, EX_SOFTWARE, "the spool has too few rows") : got;
}

static int fill_window(const struct search *search, struct window *window, int64_t rows,
                       struct error *err)
{
    struct command row = *search->args->same;
    struct command_json_batch same;

    command_json_batch(&same, &row.payment.batch);
    for (int64_t i = 0; i < rows; i++) {
        if (next_row(search, &row, err) < 0 || window_add(window, &row, &same, err) != 0) {
            return -1;
        }
        scan_want(search->scan, row.payment.key);
    }
    return 0;
}

static void tell(const struct search *search, const char *key, enum outcome answer)
{
    const struct verdict_counts *counts = &search->answered->counts;
    char shown[TEXT_ESCAPED_SIZE];

    if (answer == OUTCOME_APPLIED || verdict_decided(counts) - counts->applied > ANSWERED_SHOWN) {
        return;
    }
    progress_clear(search->args->progress);
    fprintf(search->args->messages, "%s %s: answered before, not sent again\n",
            outcome_name(answer), text_escape(shown, sizeof(shown), key, strlen(key)));
}

/* Keep what the scan has found of the rows from first on. */
static int keep_answers(const struct search *search, const struct window *window, int64_t first,
                        int64_t rows, struct error *err)
{
    struct answered *answered = search->answered;
    struct command row = *search->args->same;
    enum outcome answer;

    for (int64_t i = first; i < first + rows; i++) {
        if (next_row(search, &row, err) < 0 ||
            waitlist_look(window->list, &row, &answer, err) != 0) {
            return -1;
        }
        if (answer != OUTCOME_NONE) {
            set_bit(answered->rows, (uint64_t)i);
            verdict_count(&answered->counts, answer);
            tell(search, row.payment.key, answer);
        }
    }
    return 0;
}

static int search_window(const struct search *search, int64_t first, int64_t rows,
                         struct error *err)
{
    const struct answered_args *args = search->args;
    struct spool_mark mark = spool_here(args->spool);
    struct window window;
    int result = -1;

    if (window_open(&window, rows, err) == 0 && fill_window(search, &window, rows, err) == 0 &&
        scan_read(search->scan, args->progress, take_record, &window, err) == 0 &&
        spool_return(args->spool, mark, err) == 0) {
        result = keep_answers(search, &window, first, rows, err);
    }
    window_close(&window);
    return result;
}

static int search_all(const struct search *search, struct error *err)
{
    const struct answered_args *args = search->args;
    int64_t rows;

    if (spool_rewind(args->spool, err) != 0) {
        return -1;
    }
    for (int64_t first = 0; first < args->rows; first += rows) {
        rows = args->rows - first < args->window_rows ? args->rows - first : args->window_rows;
        if (search_window(search, first, rows, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static void tell_rest(const struct search *search)
{
    const struct verdict_counts *counts = &search->answered->counts;
    int64_t refused = verdict_decided(counts) - counts->applied;

    if (refused > ANSWERED_SHOWN) {
        fprintf(search->args->messages,
                "and %" PRId64 " more rows that were answered before and not applied\n",
                refused - ANSWERED_SHOWN);
    }
}

int answered_find(struct answered **ret, const struct answered_args *args, struct error *err)
{
    struct search search = {.args = args, .answered = calloc(1, sizeof(*search.answered))};
    int result = -1;

    if (!search.answered || !(search.answered->rows = calloc(1, bytes_of((uint64_t)args->rows)))) {
        error_set(err, EX_OSERR, "out of memory for %" PRId64 " rows", args->rows);
    } else if (scan_open(&search.scan, args->kafka, args->topic, err) == 0) {
        result = search_all(&search, err);
    }
    scan_close(search.scan);
    progress_clear(args->progress);
    if (result == 0) {
        tell_rest(&search);
        *ret = search.answered;
        return 0;
    }
    answered_close(search.answered);
    if (err->code == EX_TEMPFAIL && !stop_requested()) {
        err->code = EX_UNAVAILABLE; /* a broker that gives no records is as good as away */
    }
    return -1;
}

bool answered_has(const struct answered *answered, int64_t row)
{
    return has_bit(answered->rows, (uint64_t)row);
}

const struct verdict_counts *answered_counts(const struct answered *answered)
{
    return &answered->counts;
}

void answered_close(struct answered *answered)
{
    if (answered) {
        free(answered->rows);
        free(answered);
    }
}
