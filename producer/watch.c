#include "producer/watch.h"

#include "common/clock.h"
#include "common/progress.h"
#include "common/stop.h"
#include "common/topic_reader.h"
#include "producer/outcomes.h"
#include "producer/waitlist.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define POLL_MS     100
#define RECORDS_MAX 4096 /* of one poll: others may send without end */

struct watch {
    struct topic_reader *reader;
    struct waitlist *list;
    watch_answer *answer;
    void *user;
    bool is_over;
    struct error error; /* why it is over */
};

/*
 * Begin at the ends of count partitions from first on, which is where the answers to come will be.
 * All are asked before one is read: behind a fetch that waits for records a question waits too.
 */
static int start_at_ends(struct watch *watch, int32_t first, int count, struct error *err)
{
    int64_t *highs = calloc((size_t)count, sizeof(*highs));
    int64_t low;
    int result = 0;

    if (!highs) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    for (int i = 0; result == 0 && i < count; i++) {
        result =
            topic_reader_ends(watch->reader, first + i, OUTCOMES_BROKER_MS, &low, &highs[i], err);
    }
    for (int i = 0; result == 0 && i < count; i++) {
        result = topic_reader_start(watch->reader, first + i, highs[i], err);
    }
    free(highs);
    return result;
}

static int start(struct watch *watch, const char *key, struct error *err)
{
    int partitions;

    if (outcomes_partitions(watch->reader, &partitions, err) != 0) {
        return -1;
    }
    if (!key) {
        return start_at_ends(watch, 0, partitions, err);
    }
    return start_at_ends(
        watch, topic_reader_partition_of(watch->reader, key, strlen(key), partitions), 1, err);
}

int watch_open(struct watch **ret, const struct watch_args *args, struct error *err)
{
    struct watch *watch = calloc(1, sizeof(*watch));

    if (!watch) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    watch->answer = args->answer;
    watch->user = args->user;
    if (waitlist_open(&watch->list, args->rows, err) != 0 ||
        topic_reader_open(&watch->reader, args->kafka, args->topic, OUTCOMES_FETCH_BYTES, err) !=
            0 ||
        start(watch, args->key, err) != 0) {
        watch_close(watch);
        return -1;
    }
    *ret = watch;
    return 0;
}

int watch_add(struct watch *watch, const struct command *command, const char *value,
              size_t value_len, struct error *err)
{
    return waitlist_add(watch->list, command, value, value_len, err);
}

static int take_record(struct watch *watch, const struct topic_record *record, struct error *err)
{
    struct outcome_record outcome;
    int64_t rows;

    if (record->is_end || !outcomes_read(record, &outcome)) {
        return 0;
    }
    if (waitlist_answer(watch->list, &outcome, &rows, err) != 0) {
        return -1;
    }
    if (rows > 0) {
        watch->answer(watch->user, &outcome, rows);
    }
    return 0;
}

void watch_poll(struct watch *watch, int timeout_ms)
{
    struct topic_record record;
    int result = 0;

    for (int i = 0; watch && !watch->is_over && i < RECORDS_MAX; i++) {
        switch (topic_reader_poll(watch->reader, timeout_ms, &record, &watch->error)) {
        case TOPIC_READER_RECORD:
            result = take_record(watch, &record, &watch->error);
            break;
        case TOPIC_READER_GONE:
            /* Some records were deleted unread: what they answered stays unknown. */
            result = outcomes_restart(watch->reader, record.partition, &watch->error);
            break;
        case TOPIC_READER_FAILED:
            result = -1;
            break;
        case TOPIC_READER_NOTHING:
        default:
            return;
        }
        watch->is_over = result != 0;
        timeout_ms = 0; /* only what is there already */
    }
}

void watch_wait(struct watch *watch, int64_t timeout_ms, void (*step)(void *user))
{
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;

    while (waitlist_counts(watch->list)->unknown > 0 && !watch->is_over && !stop_requested()) {
        int64_t left_ms = until_ms - clock_monotonic_ms();
        if (left_ms <= 0) {
            return;
        }
        watch_poll(watch, left_ms < POLL_MS ? (int)left_ms : POLL_MS);
        if (step) {
            step(watch->user);
        }
    }
}

const struct verdict_counts *watch_counts(const struct watch *watch)
{
    return waitlist_counts(watch->list);
}

int watch_look(struct watch *watch, const struct command *command, enum outcome *ret_answer,
               struct error *err)
{
    return waitlist_look(watch->list, command, ret_answer, err);
}

const char *watch_trouble(const struct watch *watch)
{
    return watch->is_over ? watch->error.text : topic_reader_trouble(watch->reader);
}

void watch_close(struct watch *watch)
{
    if (!watch) {
        return;
    }
    topic_reader_close(watch->reader);
    waitlist_close(watch->list);
    free(watch);
}
