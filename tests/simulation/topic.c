#include "tests/simulation/topic.h"

#include "tests/simulation/world.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_OFFSET_MAX 50
#define CROWDED          150

static struct {
    int32_t partitions;
    int64_t low[TOPIC_PARTITIONS_MAX];
    int64_t high[TOPIC_PARTITIONS_MAX];
    struct record records[TOPIC_PARTITIONS_MAX][TOPIC_RECORDS_MAX];
    size_t counts[TOPIC_PARTITIONS_MAX];
    size_t count;
} topic;

void topic_begin(int32_t partitions)
{
    topic.partitions = partitions;
    topic.count = 0;
    for (int32_t i = 0; i < partitions; i++) {
        topic.counts[i] = 0;
        topic.low[i] = world_chance(500) ? (int64_t)world_below(FIRST_OFFSET_MAX) : 0;
        topic.high[i] = topic.low[i];
    }
}

int32_t topic_partitions(void)
{
    return topic.partitions;
}

int64_t topic_low(int32_t partition)
{
    return topic.low[partition];
}

int64_t topic_high(int32_t partition)
{
    return topic.high[partition];
}

int64_t topic_append(int32_t partition, const struct message *message)
{
    if (topic.count == TOPIC_RECORDS_MAX) {
        abort(); /* the producers append more than topic_is_crowded() lets them */
    }
    struct record *record = &topic.records[partition][topic.counts[partition]++];
    *record = (struct record){partition, topic.high[partition]++, world_unix_ms() + 1, message};
    topic.count++;
    world_event(EVENT_APPENDED, partition, record->offset);
    return record->offset;
}

void topic_skip(int32_t partition, int64_t count)
{
    topic.high[partition] += count;
}

void topic_raise_low(int32_t partition, int64_t low)
{
    topic.low[partition] = low;
}

const struct record *topic_next(int32_t partition, int64_t offset)
{
    size_t low = 0;
    size_t high = topic.counts[partition];

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (topic.records[partition][middle].offset < offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < topic.counts[partition] ? &topic.records[partition][low] : NULL;
}

const struct record *topic_find(int32_t partition, int64_t offset)
{
    const struct record *record = topic_next(partition, offset);

    return record && record->offset == offset ? record : NULL;
}

size_t topic_record_count(void)
{
    return topic.count;
}

bool topic_is_crowded(void)
{
    return topic.count >= CROWDED;
}
