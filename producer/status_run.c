/*
 * pay status as a command: scans the partitions where the keys land, each once.
 */
#include "common/clock.h"
#include "common/progress.h"
#include "common/stop.h"
#include "producer/outcomes.h"
#include "producer/status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define POLL_MS 100

/* A partition to read, from its beginning to where it ended when the scan began. */
struct part {
    int32_t partition;
    int64_t low;
    int64_t high;
    bool is_done;
};

struct scan {
    struct topic_reader *reader;
    struct status_key *keys;
    int key_count;
    struct part parts[SUBCOMMAND_KEYS_MAX];
    int part_count;
    int open; /* parts that are not done */
    int64_t read;
    struct progress progress;
};

static struct part *find_part(struct scan *scan, int32_t partition)
{
    for (int i = 0; i < scan->part_count; i++) {
        if (scan->parts[i].partition == partition) {
            return &scan->parts[i];
        }
    }
    return NULL;
}

/* Note a partition to read, if it holds anything. */
static int add_part(struct scan *scan, int32_t partition, struct error *err)
{
    struct part *part = &scan->parts[scan->part_count];

    if (topic_reader_ends(scan->reader, partition, OUTCOMES_BROKER_MS, &part->low, &part->high,
                          err) != 0) {
        return -1;
    }
    part->partition = partition;
    part->is_done = part->low >= part->high;
    scan->part_count++;
    return 0;
}

/* All are asked before one is read: behind a fetch that waits for records a question waits too. */
static int start(struct scan *scan, struct error *err)
{
    int64_t total = 0;
    int partitions;

    if (outcomes_partitions(scan->reader, &partitions, err) != 0) {
        return -1;
    }
    for (int i = 0; i < scan->key_count; i++) {
        const char *key = scan->keys[i].key;
        int32_t partition = topic_reader_partition_of(scan->reader, key, strlen(key), partitions);
        if (!find_part(scan, partition) && add_part(scan, partition, err) != 0) {
            return -1;
        }
    }
    for (int i = 0; i < scan->part_count; i++) {
        const struct part *part = &scan->parts[i];
        if (!part->is_done) {
            scan->open++;
            total += part->high - part->low;
            if (topic_reader_start(scan->reader, part->partition, part->low, err) != 0) {
                return -1;
            }
        }
    }
    progress_begin(&scan->progress, "scanning", total);
    return 0;
}

/* Most records are of other keys: they need not be read. */
static bool is_asked_for(const struct scan *scan, const struct topic_record *record)
{
    for (int i = 0; i < scan->key_count; i++) {
        if (record->key && strlen(scan->keys[i].key) == record->key_len &&
            memcmp(scan->keys[i].key, record->key, record->key_len) == 0) {
            return true;
        }
    }
    return false;
}

static void take(struct scan *scan, const struct topic_record *record)
{
    struct part *part = find_part(scan, record->partition);
    int64_t next = record->is_end ? record->offset : record->offset + 1;
    struct outcome_record outcome;

    if (!part || part->is_done) {
        return;
    }
    if (!record->is_end) {
        if (record->offset < part->high && is_asked_for(scan, record) &&
            outcomes_read(record, &outcome)) {
            for (int i = 0; i < scan->key_count; i++) {
                status_take(&scan->keys[i], &outcome);
            }
        }
        progress_update(&scan->progress, ++scan->read);
    }
    if (next >= part->high) {
        part->is_done = true;
        scan->open--;
        topic_reader_stop(scan->reader, part->partition);
    }
}

static int give_up(struct scan *scan, const char *why, struct error *err)
{
    const char *trouble = topic_reader_trouble(scan->reader);

    return error_set(err, EX_TEMPFAIL, "%s: the outcomes topic was not read to its end%s%s", why,
                     trouble[0] ? ": " : "", trouble);
}

static int scan_parts(struct scan *scan, struct error *err)
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
            if (clock_monotonic_ms() - heard_ms > STATUS_STALL_MS) {
                return give_up(scan, "no record came for 30 s", err);
            }
            continue;
        }
        heard_ms = clock_monotonic_ms();
        if (result == TOPIC_READER_RECORD) {
            take(scan, &record);
        } else if (outcomes_restart(scan->reader, record.partition, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- the command ---- */

static int take_digest(const char *hex, unsigned char ret[DIGEST_SHORT_SIZE], struct error *err)
{
    return digest_from_hex(ret, DIGEST_SHORT_SIZE, hex)
               ? 0
               : error_set(err, EX_USAGE, "--digest takes %d lower-case hex digits",
                           2 * DIGEST_SHORT_SIZE);
}

static int take_keys(const struct options *options, const unsigned char *digest, struct scan *scan,
                     struct error *err)
{
    scan->keys = calloc((size_t)options->key_count, sizeof(*scan->keys));
    if (!scan->keys) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    scan->key_count = options->key_count;
    for (int i = 0; i < options->key_count; i++) {
        const char *problem = payment_key_problem(options->keys[i], strlen(options->keys[i]));
        if (problem) {
            return error_set(err, EX_USAGE, "key: %s", problem);
        }
        scan->keys[i].key = options->keys[i];
        scan->keys[i].digest = digest;
    }
    return 0;
}

static int print(const struct options *options, const struct scan *scan)
{
    if (options->json && status_json(scan->keys, scan->key_count, stdout) != 0) {
        fprintf(stderr, "pay: out of memory\n");
        return EX_OSERR;
    }
    for (int i = 0; !options->json && i < scan->key_count; i++) {
        status_print(&scan->keys[i], stdout);
    }
    return status_exit(scan->keys, scan->key_count);
}

int status_run(const struct options *options)
{
    unsigned char digest[DIGEST_SHORT_SIZE];
    struct scan scan = {.reader = NULL};
    struct error err;
    int code;

    progress_init(&scan.progress, isatty(STDERR_FILENO) && !options->json ? stderr : NULL);
    if ((!options->digest || take_digest(options->digest, digest, &err) == 0) &&
        take_keys(options, options->digest ? digest : NULL, &scan, &err) == 0 &&
        topic_reader_open(&scan.reader, &options->kafka, options->outcomes_topic,
                          OUTCOMES_FETCH_BYTES, &err) == 0 &&
        start(&scan, &err) == 0 && scan_parts(&scan, &err) == 0) {
        progress_clear(&scan.progress);
        code = print(options, &scan);
    } else {
        progress_clear(&scan.progress);
        fprintf(stderr, "pay: %s\n", err.text);
        code = err.code;
    }
    topic_reader_close(scan.reader);
    free(scan.keys);
    return code;
}
