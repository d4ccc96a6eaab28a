#include "tests/checker/topic.h"

#include "tests/checker/lines.h"
#include "tests/checker/memory.h"

#include <stdlib.h>
#include <string.h>

static struct partition *partition_at(struct topic *topic, int64_t number)
{
    topic->partitions = memory_grow(topic->partitions, &topic->partition_room, (size_t)number + 1,
                                    sizeof(*topic->partitions));
    if (topic->partition_count <= (size_t)number) {
        topic->partition_count = (size_t)number + 1;
    }
    return &topic->partitions[number];
}

static int read_ends(struct topic *topic, const struct lines *lines, const cJSON *line,
                     int64_t number, struct fault *fault)
{
    struct partition *partition = partition_at(topic, number);
    int64_t records;

    if (partition->is_known || !line_get_int(line, "low", 0, &partition->low) ||
        !line_get_int(line, "high", partition->low, &partition->high) ||
        !line_get_int(line, "records", 0, &records)) {
        return lines_refuse(lines, "is not the ends of a partition", fault);
    }
    partition->is_known = true;
    partition->end = (size_t)records; /* compared with what is there, then set */
    return 0;
}

static int read_record(struct topic *topic, const struct lines *lines, const cJSON *line,
                       int64_t number, struct words *words, struct fault *fault)
{
    struct record record = {.partition = (int32_t)number, .key = NAMES_NONE};
    struct line_bytes key;
    struct line_bytes value;

    if (!line_get_int(line, "offset", 0, &record.offset) ||
        !line_get_int(line, "timestamp_ms", -1, &record.timestamp_ms) ||
        !line_get_bytes(line, "key", &key) || !key.is_there ||
        !line_get_bytes(line, "value", &value) || !value.is_there) {
        return lines_refuse(lines, "is not a message", fault);
    }
    if (key.data) {
        record.key = names_add(words->keys, key.data, key.len);
    }
    record.is_keyed = order_key_is_usable(key.data, key.len);
    record.key_len = key.data ? (int64_t)key.len : TOPIC_NO_BYTES;
    record.value_len = value.data ? (int64_t)value.len : TOPIC_NO_BYTES;
    sha_short(record.value_digest, value.data, value.len);
    order_read(words, key.data, key.len, value.data, value.len, &record.order);
    topic->records =
        memory_grow(topic->records, &topic->room, topic->count + 1, sizeof(*topic->records));
    topic->records[topic->count++] = record;
    return 0;
}

static int read_line(struct topic *topic, const struct lines *lines, const cJSON *line,
                     struct words *words, struct fault *fault)
{
    int64_t number;

    if (!line_get_int(line, "partition", 0, &number) || number >= TOPIC_PARTITIONS_MAX) {
        return lines_refuse(lines, "names no partition", fault);
    }
    return cJSON_GetObjectItemCaseSensitive(line, "low")
               ? read_ends(topic, lines, line, number, fault)
               : read_record(topic, lines, line, number, words, fault);
}

static int compare_origins(const void *a, const void *b)
{
    const struct record *left = a;
    const struct record *right = b;

    if (left->partition != right->partition) {
        return left->partition < right->partition ? -1 : 1;
    }
    return (left->offset > right->offset) - (left->offset < right->offset);
}

static void sort(struct topic *topic)
{
    for (size_t i = 1; i < topic->count; i++) {
        if (compare_origins(&topic->records[i - 1], &topic->records[i]) > 0) {
            qsort(topic->records, topic->count, sizeof(*topic->records), compare_origins);
            return;
        }
    }
}

/* Gives each partition its records, and refuses a file that does not hold together. */
static int divide(struct topic *topic, const struct lines *lines, struct fault *fault)
{
    size_t at = 0;

    for (size_t i = 0; i < topic->partition_count; i++) {
        struct partition *partition = &topic->partitions[i];
        size_t wanted = partition->end;
        partition->begin = at;
        for (; at < topic->count && (size_t)topic->records[at].partition == i; at++) {
            const struct record *record = &topic->records[at];
            if (record->offset < partition->low || record->offset >= partition->high ||
                (at > partition->begin && record->offset == record[-1].offset)) {
                return lines_refuse(
                    lines, "has a message outside of its partition's ends, or twice", fault);
            }
        }
        partition->end = at;
        if (!partition->is_known || partition->end - partition->begin != wanted) {
            return lines_refuse(lines, "does not hold all messages of a partition", fault);
        }
    }
    return at == topic->count && topic->partition_count > 0
               ? 0
               : lines_refuse(lines, "lacks the ends of its partitions", fault);
}

int topic_read(struct topic *topic, const char *path, struct words *words, struct fault *fault)
{
    struct lines lines;
    cJSON *line = NULL;
    int result = lines_open(&lines, path, false, fault);

    *topic = (struct topic){.count = 0};
    if (result != 0) {
        return -1;
    }
    while ((result = lines_next(&lines, &line, fault)) == 1 &&
           (result = read_line(topic, &lines, line, words, fault)) == 0) {
    }
    if (result == 0) {
        sort(topic);
        result = divide(topic, &lines, fault);
    }
    lines_close(&lines);
    return result;
}

void topic_release(struct topic *topic)
{
    free(topic->records);
    free(topic->partitions);
    *topic = (struct topic){.count = 0};
}

const struct partition *topic_partition(const struct topic *topic, int64_t number)
{
    return number >= 0 && (uint64_t)number < topic->partition_count ? &topic->partitions[number]
                                                                    : NULL;
}

size_t topic_from(const struct topic *topic, const struct partition *partition, int64_t offset)
{
    size_t low = partition->begin;
    size_t high = partition->end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (topic->records[middle].offset < offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct record *topic_find(const struct topic *topic, int64_t partition, int64_t offset)
{
    const struct partition *its = topic_partition(topic, partition);

    if (!its) {
        return NULL;
    }
    size_t at = topic_from(topic, its, offset);
    return at < its->end && topic->records[at].offset == offset ? &topic->records[at] : NULL;
}
