#include "producer/scan.h"

#include "common/clock.h"
#include "common/stop.h"
#include "producer/outcomes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define POLL_MS 100

struct part {
    bool is_wanted;
    bool is_open; /* it is read and its end did not come yet */
    int64_t low;
    int64_t high;
};

struct scan {
    struct topic_reader *reader;
    struct part *parts; /* each partition of the topic, by its number */
    int part_count;
    int open; /* parts that are open */
    int64_t read;
};

int scan_open(struct scan **ret, const struct kafka_args *args, const char *topic,
              struct error *err)
{
    struct scan *scan = calloc(1, sizeof(*scan));

    if (!scan) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    if (topic_reader_open(&scan->reader, args, topic, OUTCOMES_FETCH_BYTES, err) != 0 ||
        outcomes_partitions(scan->reader, &scan->part_count, err) != 0) {
        goto fail;
    }
    scan->parts = calloc((size_t)scan->part_count, sizeof(*scan->parts));
    if (!scan->parts) {
        error_set(err, EX_OSERR, "out of memory");
        goto fail;
    }
    *ret = scan;
    return 0;

fail:
    scan_close(scan);
    return -1;
}

void scan_close(struct scan *scan)
{
    if (!scan) {
        return;
    }
    topic_reader_close(scan->reader);
    free(scan->parts);
    free(scan);
}

void scan_want(struct scan *scan, const char *key)
{
    int32_t partition = topic_reader_partition_of(scan->reader, key, strlen(key), scan->part_count);

    scan->parts[partition].is_wanted = true;
}

/* All are asked before one is read: behind a fetch that waits for records a question waits too. */
static int ask_ends(struct scan *scan, int64_t *ret_records, struct error *err)
{
    *ret_records = 0;
    for (int i = 0; i < scan->part_count; i++) {
        struct part *part = &scan->parts[i];
        if (!part->is_wanted) {
            continue;
        }
        if (topic_reader_ends(scan->reader, i, OUTCOMES_BROKER_MS, &part->low, &part->high, err) !=
            0) {
            return -1;
        }
        part->is_wanted = false;
        part->is_open = part->low < part->high;
        *ret_records += part->high - part->low;
    }
    return 0;
}

static int start(struct scan *scan, struct error *err)
{
    for (int i = 0; i < scan->part_count; i++) {
        const struct part *part = &scan->parts[i];
        if (part->is_open) {
            scan->open++;
            if (topic_reader_start(scan->reader, i, part->low, err) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

static int take_record(struct scan *scan, const struct topic_record *record, scan_take *take,
                       void *user, struct error *err)
{
    struct part *part = &scan->parts[record->partition];
    int64_t next = record->is_end ? record->offset : record->offset + 1;

    if (!part->is_open) {
        return 0;
    }
    if (!record->is_end) {
        scan->read++;
        if (record->offset < part->high && take(user, record, err) != 0) {
            return -1;
        }
    }
    if (next >= part->high) {
        part->is_open = false;
        scan->open--;
        topic_reader_stop(scan->reader, record->partition);
    }
    return 0;
}

static int give_up(const struct scan *scan, const char *why, struct error *err)
{
    const char *trouble = topic_reader_trouble(scan->reader);

    return error_set(err, EX_TEMPFAIL, "%s: the outcomes topic was not read to its end%s%s", why,
                     trouble[0] ? ": " : "", trouble);
}

static int read_parts(struct scan *scan, struct progress *progress, scan_take *take, void *user,
                      struct error *err)
{
    int64_t heard_ms = clock_monotonic_ms();
    struct topic_record record;

    while (scan->open > 0) {
        enum topic_reader_result result = topic_reader_poll(scan->reader, POLL_MS, &record, err);
        if (stop_requested()) {
            return give_up(scan, "stopped", err);
        }
        if (result == TOPIC_READER_FAILED) {
            return -1;
        }
        if (result == TOPIC_READER_NOTHING) {
            if (clock_monotonic_ms() - heard_ms > SCAN_STALL_MS) {
                return give_up(scan, "no record came for 30 s", err);
            }
            continue;
        }
        heard_ms = clock_monotonic_ms();
        if ((result == TOPIC_READER_RECORD
                 ? take_record(scan, &record, take, user, err)
                 : outcomes_restart(scan->reader, record.partition, err)) != 0) {
            return -1;
        }
        progress_update(progress, scan->read);
    }
    return 0;
}

int scan_read(struct scan *scan, struct progress *progress, scan_take *take, void *user,
              struct error *err)
{
    int64_t records;

    if (ask_ends(scan, &records, err) != 0 || start(scan, err) != 0) {
        return -1;
    }
    scan->read = 0;
    progress_begin(progress, "scanning", records);
    return read_parts(scan, progress, take, user, err);
}
