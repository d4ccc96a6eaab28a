/*
 * pay batch --wait: what becomes of the rows.
 */
#include "common/text.h"
#include "producer/answer.h"
#include "producer/batch.h"

#include <inttypes.h>
#include <string.h>

static int64_t decided(const struct batch_tally *tally)
{
    return verdict_decided(watch_counts(tally->watch));
}

void batch_answer(void *user, const struct outcome_record *record, int64_t rows)
{
    struct batch_tally *tally = user;

    progress_decided(tally->progress, decided(tally));
    if (outcome_answer(record) != OUTCOME_APPLIED && tally->told < BATCH_ANSWERS_SHOWN) {
        progress_clear(tally->progress);
        answer_print(record, tally->messages);
        tally->told += rows;
    }
}

static void draw(void *user)
{
    const struct batch_tally *tally = user;

    progress_update(tally->progress, decided(tally));
}

/* Has a row that was sent no answer? Returns 1 or 0, or -1. */
static int is_open(const struct batch_tally *tally, const struct command *row, struct error *err)
{
    enum outcome answer;

    if (watch_look(tally->watch, row, &answer, err) != 0) {
        return -1;
    }
    return answer == OUTCOME_NONE;
}

static int list_open(struct batch *batch, const struct batch_tally *tally, int64_t *ret_shown,
                     struct error *err)
{
    char key[TEXT_ESCAPED_SIZE];
    struct command row = batch_command(batch);

    if (batch_rewind(batch, err) != 0) {
        return -1;
    }
    for (int64_t i = 0; i < tally->sent && *ret_shown < BATCH_ANSWERS_SHOWN; i++) {
        if (batch_next(batch, &row.payment, err) <= 0) {
            return -1;
        }
        int open = is_open(tally, &row, err);
        if (open > 0) {
            text_escape(key, sizeof(key), row.payment.key, strlen(row.payment.key));
            fprintf(tally->messages, "unknown %s: no outcome\n", key);
            ++*ret_shown;
        } else if (open < 0) {
            return -1;
        }
    }
    return 0;
}

/* What was counted and not told above. */
static void tell_rest(const struct batch_tally *tally, int64_t count, int64_t shown,
                      const char *what)
{
    if (count > shown) {
        fprintf(tally->messages, "and %" PRId64 " more rows that %s\n", count - shown, what);
    }
}

void batch_wait(struct batch *batch, struct batch_tally *tally, int64_t timeout_ms)
{
    const struct verdict_counts *counts = watch_counts(tally->watch);
    struct error err;
    int64_t shown = 0;

    if (tally->failed == 0) {
        progress_begin(tally->progress, "waiting", batch_to_send(batch));
        watch_wait(tally->watch, timeout_ms, draw);
        progress_clear(tally->progress);
    }
    tell_rest(tally, decided(tally) - counts->applied, tally->told, "were not applied");
    int64_t open = tally->sent - decided(tally);
    if (open > 0 && list_open(batch, tally, &shown, &err) != 0) {
        fprintf(tally->messages, "the rows without an outcome cannot be listed: %s\n", err.text);
    }
    tell_rest(tally, open, shown, "have no outcome");
    if (open > 0 && watch_trouble(tally->watch)[0]) {
        fprintf(tally->messages, "the outcomes topic: %s\n", watch_trouble(tally->watch));
    }
}
