#include "consumer/told.h"

#include "common/clock.h"
#include "common/outcome_json.h"
#include "common/stop.h"
#include "common/topic_reader.h"
#include "consumer/told_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define ASK_MS      10000 /* how long a question about the topic may take */
#define POLL_MS     100
#define PATIENCE_MS 30000
#define FETCH_BYTES ((size_t)4 << 20)

/* A partition of the outcomes topic, from its beginning to where it ended when it was asked. */
struct part {
    int64_t next;
    int64_t high;
    bool is_open;
};

struct reading {
    struct told *told;
    struct topic_reader *reader;
    struct part *parts;
    int partitions;
    int open;
    int64_t read;
    struct progress *progress;
};

/* ---- whose outcomes ---- */

static bool is_chosen(const struct told *told, const char *store)
{
    const char *next = told->source.stores;
    size_t len = strlen(store);

    while (next && (strncmp(next, store, len) != 0 || (next[len] != '\0' && next[len] != ','))) {
        next = strchr(next, ',');
        next = next ? next + 1 : NULL;
    }
    return !told->source.stores || next != NULL;
}

/* Notes who answers; of more than can be told apart the first ones. */
static void note_store(struct told *told, const char *store)
{
    size_t at = 0;

    while (at < told->store_count && strcmp(told->stores[at], store) != 0) {
        at++;
    }
    if (at == told->store_count && at < TOLD_STORES_MAX) {
        payment_copy(told->stores[told->store_count++], store, strlen(store));
    }
}

/* When none is chosen, only one may answer. */
static int check_stores(const struct told *told, struct error *err)
{
    char names[TOLD_STORES_MAX * (OUTCOME_STORE_SIZE + 1) + 1] = "";
    size_t len = 0;

    if (told->source.stores || told->store_count <= 1) {
        return 0;
    }
    for (size_t i = 0; i < told->store_count; i++) {
        len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i > 0 ? " " : "",
                                told->stores[i]);
    }
    return error_set(err, EX_DATAERR,
                     "topic \"%s\" has outcomes of several ledgers: choose with --store UUID: %s",
                     told->source.outcomes, names);
}

/* ---- the topic ---- */

/* Only the key says where a record lands, so it must be the one that the record speaks of. */
static bool decode(const struct topic_record *record, struct outcome_record *ret)
{
    char problem[OUTCOME_PROBLEM_SIZE];

    return record->key && record->value &&
           outcome_json_decode(record->value, record->value_len, ret, problem) == 0 &&
           strlen(ret->key) == record->key_len &&
           memcmp(ret->key, record->key, record->key_len) == 0;
}

static int take_record(struct reading *reading, const struct topic_record *record,
                       struct error *err)
{
    struct told *told = reading->told;
    struct outcome_record outcome;

    progress_update(reading->progress, ++reading->read);
    if (!decode(record, &outcome)) {
        told->ignored++;
        return 0;
    }
    if (!is_chosen(told, outcome.store)) {
        return 0;
    }
    note_store(told, outcome.store);
    /* Of the others only the names are wanted, for the sentence. */
    return told->source.stores || told->store_count == 1
               ? told_keep(told, &outcome, (struct told_place){record->partition, record->offset},
                           err)
               : 0;
}

static int take(struct reading *reading, const struct topic_record *record, struct error *err)
{
    struct part *part = &reading->parts[record->partition];

    if (!part->is_open) {
        return 0;
    }
    if (!record->is_end && record->offset < part->high && take_record(reading, record, err) != 0) {
        return -1;
    }
    part->next = record->is_end ? record->offset : record->offset + 1;
    if (part->next >= part->high) {
        part->is_open = false;
        reading->open--;
        topic_reader_stop(reading->reader, record->partition);
    }
    return 0;
}

/* Retention was faster: goes on at the first record that is there. */
static int restart(struct reading *reading, int32_t partition, struct error *err)
{
    int64_t low = 0;
    int64_t high = 0;

    topic_reader_stop(reading->reader, partition);
    return topic_reader_ends(reading->reader, partition, ASK_MS, &low, &high, err) == 0
               ? topic_reader_start(reading->reader, partition, low, err)
               : -1;
}

/* All are asked before one is read: behind a fetch that waits for records a question waits too. */
static int start(struct reading *reading, struct error *err)
{
    int64_t total = 0;

    if (topic_reader_partitions(reading->reader, ASK_MS, &reading->partitions, err) != 0) {
        return error_wrap(err, "outcomes");
    }
    reading->parts = calloc((size_t)reading->partitions, sizeof(*reading->parts));
    if (!reading->parts) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    for (int i = 0; i < reading->partitions; i++) {
        struct part *part = &reading->parts[i];
        if (topic_reader_ends(reading->reader, i, ASK_MS, &part->next, &part->high, err) != 0) {
            return -1;
        }
        part->is_open = part->next < part->high;
        reading->open += part->is_open;
        total += part->high - part->next;
    }
    for (int i = 0; i < reading->partitions; i++) {
        const struct part *part = &reading->parts[i];
        if (part->is_open && topic_reader_start(reading->reader, i, part->next, err) != 0) {
            return -1;
        }
    }
    progress_begin(reading->progress, "reading outcomes", total);
    return 0;
}

static int stalled(const struct reading *reading, struct error *err)
{
    const char *trouble = topic_reader_trouble(reading->reader);

    return error_set(err, EX_UNAVAILABLE, "topic \"%s\": nothing came for %d s%s%s",
                     reading->told->source.outcomes, PATIENCE_MS / 1000, trouble[0] ? ": " : "",
                     trouble);
}

static int read_all(struct reading *reading, struct error *err)
{
    int64_t heard_ms = clock_monotonic_ms();
    struct topic_record record;
    int result = start(reading, err);

    while (result == 0 && reading->open > 0) {
        enum topic_reader_result found = topic_reader_poll(reading->reader, POLL_MS, &record, err);
        if (stop_requested()) {
            result = error_set(err, EX_TEMPFAIL, "stopped before the end");
        } else if (found == TOPIC_READER_FAILED) {
            result = -1;
        } else if (found == TOPIC_READER_NOTHING) {
            result = clock_monotonic_ms() - heard_ms > PATIENCE_MS ? stalled(reading, err) : 0;
        } else {
            heard_ms = clock_monotonic_ms();
            result = found == TOPIC_READER_RECORD ? take(reading, &record, err)
                                                  : restart(reading, record.partition, err);
        }
    }
    progress_clear(reading->progress);
    return result == 0 ? told_flush(reading->told, err) : result;
}

static int read_topic(struct told *told, struct progress *progress, struct error *err)
{
    const struct told_source *source = &told->source;
    struct reading reading = {.told = told, .progress = progress};
    int result =
        topic_reader_open(&reading.reader, source->kafka, source->outcomes, FETCH_BYTES, err);

    if (result == 0) {
        result = read_all(&reading, err);
    }
    topic_reader_close(reading.reader);
    free(reading.parts);
    return result == 0 ? check_stores(told, err) : result;
}

/* ---- life ---- */

/* What was kept is only read from now on. */
static int reopen(struct told *told, struct error *err)
{
    store_close(told->store);
    told->store = NULL;
    return store_sqlite_open_snapshot(&told->store, told->scratch.path, err);
}

static int fill(struct told *told, struct progress *progress, struct error *err)
{
    const struct told_source *source = &told->source;

    if (digest_open(&told->digest, err) != 0 || scratch_make(&told->scratch, err) != 0 ||
        store_sqlite_open(&told->store, told->scratch.path, NULL, err) != 0 ||
        told->store->ops->bind(told->store, source->cluster, source->kafka->topic, err) !=
            STORE_OK) {
        return -1;
    }
    return read_topic(told, progress, err) == 0 ? reopen(told, err) : -1;
}

int told_open(struct told **ret, const struct told_source *source, struct progress *progress,
              struct error *err)
{
    struct told *told = calloc(1, sizeof(*told));

    if (told) {
        told->source = *source;
        told->chunk = chunk_new(TOLD_CHUNK);
    }
    if (!told || !told->chunk) {
        told_close(told);
        return error_set(err, EX_OSERR, "out of memory");
    }
    if (fill(told, progress, err) != 0) {
        told_close(told);
        return -1;
    }
    chunk_free(told->chunk);
    told->chunk = NULL;
    *ret = told;
    return 0;
}

void told_close(struct told *told)
{
    if (told) {
        store_close(told->store);
        scratch_remove(&told->scratch);
        digest_close(told->digest);
        chunk_free(told->chunk);
        free(told);
    }
}

struct store *told_store(const struct told *told)
{
    return told->store;
}

int64_t told_decisions(const struct told *told)
{
    return told->decisions;
}

int64_t told_ignored(const struct told *told)
{
    return told->ignored;
}

int64_t told_end(const struct told *told, int32_t partition)
{
    return told->ends[partition];
}
