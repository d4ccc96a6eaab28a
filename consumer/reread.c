#include "consumer/reread.h"

#include "common/clock.h"
#include "common/stop.h"
#include "common/topic_reader.h"
#include "consumer/decode.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define ASK_MS      10000 /* how long a question about the topic may take */
#define POLL_MS     100   /* then a chunk that has something is given */
#define PATIENCE_MS 30000
#define FETCH_BYTES ((size_t)4 << 20)

struct part {
    int64_t from;
    int64_t next; /* everything before it was read */
    int64_t to;
    bool open;
};

struct reread {
    const struct kafka_args *args;
    struct topic_reader *reader;
    struct digest *digest;
    struct chunk *chunk;
    char *cluster;
    int partitions;
    reread_wanted *wanted; /* NULL = all */
    void *wanted_user;
    struct part parts[CHUNK_PARTITIONS_MAX];
    size_t open;               /* parts that are not read to their end */
    struct topic_record extra; /* one that had no room in the last chunk */
    bool has_extra;
    int64_t read;   /* records, unwanted ones too */
    size_t skipped; /* records that were not wanted, of the next chunk */
    size_t copied;  /* bytes of copies */
    char copies[REREAD_COPY_BYTES];
};

/* ---- open, ask, close ---- */

static int ask(struct reread *reread, struct error *err)
{
    if (topic_reader_partitions(reread->reader, ASK_MS, &reread->partitions, err) != 0) {
        return -1;
    }
    if (reread->partitions > CHUNK_PARTITIONS_MAX) {
        return error_set(err, EX_CONFIG, "topic \"%s\" has %d partitions, more than %d",
                         reread->args->topic, reread->partitions, CHUNK_PARTITIONS_MAX);
    }
    reread->cluster = topic_reader_cluster(reread->reader, ASK_MS, err);
    return reread->cluster ? 0 : -1;
}

int reread_open(struct reread **ret, const struct kafka_args *args, size_t chunk_max,
                struct error *err)
{
    struct reread *reread = calloc(1, sizeof(*reread));

    if (reread) {
        reread->args = args;
        reread->chunk = chunk_new(chunk_max);
    }
    if (!reread || !reread->chunk) {
        reread_close(reread);
        return error_set(err, EX_OSERR, "out of memory");
    }
    if (digest_open(&reread->digest, err) != 0 ||
        topic_reader_open(&reread->reader, args, args->topic, FETCH_BYTES, err) != 0 ||
        ask(reread, err) != 0) {
        reread_close(reread);
        return -1;
    }
    *ret = reread;
    return 0;
}

void reread_close(struct reread *reread)
{
    if (reread) {
        topic_reader_close(reread->reader);
        digest_close(reread->digest);
        chunk_free(reread->chunk);
        free(reread->cluster);
        free(reread);
    }
}

const char *reread_cluster(const struct reread *reread)
{
    return reread->cluster;
}

int reread_partitions(const struct reread *reread)
{
    return reread->partitions;
}

int reread_ends(struct reread *reread, int32_t partition, int64_t *ret_low, int64_t *ret_high,
                struct error *err)
{
    return topic_reader_ends(reread->reader, partition, ASK_MS, ret_low, ret_high, err);
}

int reread_offset_at(struct reread *reread, int32_t partition, int64_t unix_ms, int64_t *ret,
                     struct error *err)
{
    return topic_reader_offset_at(reread->reader, partition, unix_ms, ASK_MS, ret, err);
}

int64_t reread_total(const struct reread *reread)
{
    int64_t total = 0;

    for (int i = 0; i < reread->partitions; i++) {
        total += reread->parts[i].to - reread->parts[i].from;
    }
    return total;
}

int64_t reread_done(const struct reread *reread)
{
    int64_t done = 0;

    for (int i = 0; i < reread->partitions; i++) {
        done += reread->parts[i].next - reread->parts[i].from;
    }
    return done;
}

int64_t reread_records(const struct reread *reread)
{
    return reread->read;
}

void reread_filter(struct reread *reread, reread_wanted *wanted, void *user)
{
    reread->wanted = wanted;
    reread->wanted_user = user;
}

/* ---- reading ---- */

int reread_start(struct reread *reread, const struct reread_range *ranges, size_t count,
                 struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct reread_range *range = &ranges[i];
        struct part *part = &reread->parts[range->partition];
        if (range->from >= range->to) {
            continue;
        }
        *part = (struct part){range->from, range->from, range->to, true};
        reread->open++;
        if (topic_reader_start(reread->reader, range->partition, range->from, err) != 0) {
            return -1;
        }
    }
    return 0;
}

static void end_part(struct reread *reread, int32_t partition)
{
    struct part *part = &reread->parts[partition];

    part->next = part->to;
    part->open = false;
    reread->open--;
    topic_reader_stop(reread->reader, partition);
}

/* The copy of some bytes; NULL stays NULL. There is room. */
static const char *copy(struct reread *reread, const char *bytes, size_t len)
{
    char *to = reread->copies + reread->copied;

    if (!bytes) {
        return NULL;
    }
    memcpy(to, bytes, len);
    reread->copied += len;
    return to;
}

static int add_item(struct reread *reread, const struct topic_record *record, bool is_copied,
                    struct error *err)
{
    struct chunk_item *item = chunk_add(reread->chunk);

    item->origin = (struct origin){record->partition, record->offset, record->timestamp_ms};
    item->raw = (struct raw_message){record->key, record->key_len, record->value, record->value_len,
                                     record->headers};
    if (decode_item(item, reread->digest, err) != 0) {
        return -1;
    }
    if (is_copied && item->unreadable == READABLE) {
        item->raw.key = copy(reread, record->key, record->key_len);
        item->raw.value = copy(reread, record->value, record->value_len);
        item->raw.headers = NULL;
    }
    return 0;
}

/* Takes a record into the chunk. *ret_full: it is to be given now. */
static int take(struct reread *reread, const struct topic_record *record, bool *ret_full,
                struct error *err)
{
    struct chunk *chunk = reread->chunk;
    struct part *part = &reread->parts[record->partition];
    size_t len = record->key_len + record->value_len;
    bool fits = len <= REREAD_COPY_BYTES - reread->copied;

    if (!part->open) {
        return 0;
    }
    if (record->offset >= part->to) {
        end_part(reread, record->partition);
        return 0;
    }
    if (record->is_end) {
        return 0; /* of an earlier moment: the part ends later */
    }
    if (reread->wanted && !reread->wanted(reread->wanted_user, record->key, record->key_len)) {
        part->next = record->offset + 1;
        reread->read++;
        if (part->next == part->to) {
            end_part(reread, record->partition);
        }
        *ret_full = ++reread->skipped == chunk->capacity;
        return 0;
    }
    if (!fits && chunk->item_count > 0) {
        reread->extra = *record;
        reread->has_extra = true;
        *ret_full = true;
        return 0;
    }
    struct chunk_range *range = chunk_range(chunk, record->partition, part->next);
    if (add_item(reread, record, fits, err) != 0) {
        return -1;
    }
    bool is_borrowed = !fits || chunk->items[chunk->item_count - 1].unreadable != READABLE;
    part->next = record->offset + 1;
    reread->read++;
    range->to = part->next;
    *ret_full = is_borrowed || chunk->item_count == chunk->capacity;
    if (part->next == part->to && !is_borrowed) {
        end_part(reread, record->partition); /* would let go of what is borrowed */
    }
    return 0;
}

/* The last record of a part may have been borrowed, and the part left open for it. */
static void end_read_parts(struct reread *reread)
{
    for (int i = 0; i < reread->partitions; i++) {
        if (reread->parts[i].open && reread->parts[i].next == reread->parts[i].to) {
            end_part(reread, i);
        }
    }
}

/* The next record, or nothing within POLL_MS. *ret_patience_ms is what is left of it. */
static int poll_record(struct reread *reread, struct topic_record *ret, bool *ret_found,
                       int *patience_ms, struct error *err)
{
    *ret_found = true;
    if (reread->has_extra) {
        *ret = reread->extra;
        reread->has_extra = false;
        return 0;
    }
    switch (topic_reader_poll(reread->reader, POLL_MS, ret, err)) {
    case TOPIC_READER_RECORD:
        *patience_ms = PATIENCE_MS;
        return 0;
    case TOPIC_READER_NOTHING:
        *ret_found = false;
        *patience_ms -= POLL_MS;
        break;
    case TOPIC_READER_GONE:
        return error_set(err, EX_CONFIG, "%s[%" PRId32 "]@%" PRId64 " is not in the log any more",
                         reread->args->topic, ret->partition, ret->offset);
    case TOPIC_READER_FAILED:
    default:
        return -1;
    }
    if (*patience_ms > 0) {
        return 0;
    }
    const char *trouble = topic_reader_trouble(reread->reader);
    return error_set(err, EX_UNAVAILABLE, "topic \"%s\": nothing came for %d s%s%s",
                     reread->args->topic, PATIENCE_MS / 1000, trouble[0] ? ": " : "", trouble);
}

int reread_next(struct reread *reread, struct chunk **ret, struct error *err)
{
    struct chunk *chunk = reread->chunk;
    int patience_ms = PATIENCE_MS;
    bool full = false;

    *ret = NULL;
    if (!reread->has_extra) { /* which is borrowed too */
        end_read_parts(reread);
    }
    chunk_clear(chunk);
    reread->copied = 0;
    reread->skipped = 0;
    while (reread->open > 0 && !full) {
        struct topic_record record;
        bool found;
        if (stop_requested()) {
            return error_set(err, EX_TEMPFAIL, "stopped before the end");
        }
        if (poll_record(reread, &record, &found, &patience_ms, err) != 0 ||
            (found && take(reread, &record, &full, err) != 0)) {
            return -1;
        }
        full = full || (!found && chunk->item_count > 0);
    }
    if (chunk->item_count > 0 || full) {
        chunk_index(chunk);
        *ret = chunk;
    }
    return 0;
}
