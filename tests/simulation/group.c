#include "tests/simulation/group.h"

#include "tests/simulation/topic.h"
#include "tests/simulation/world.h"

#include <stdio.h>
#include <string.h>

static struct {
    char texts[TOPIC_PARTITIONS_MAX][INBOX_METADATA_SIZE];
} group;

void group_begin(void)
{
    memset(&group, 0, sizeof(group));
}

void group_commit(int32_t partition, int64_t offset, const char *text)
{
    snprintf(group.texts[partition], INBOX_METADATA_SIZE, "%s", text);
    world_event(EVENT_OFFSET, partition, offset);
}

const char *group_text(int32_t partition)
{
    return group.texts[partition];
}

void group_forget(void)
{
    memset(&group, 0, sizeof(group));
    world_event(EVENT_GROUP_FORGOTTEN, 0, 0);
}
