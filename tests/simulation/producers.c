#include "tests/simulation/producers.h"

#include "tests/simulation/commands.h"
#include "tests/simulation/world.h"

#include <string.h>

#define AHEAD    4 /* submissions that are on their way together */
#define HOLE_MAX 5

/* A message may stand in the topic so often: see USES_MAX in commands.c. */
#define COPIES_MAX 2

static struct {
    bool acknowledged[COMMANDS_MAX];
    size_t copies[COMMANDS_MAX];
    size_t first; /* all before it are acknowledged */
} producers;

void producers_begin(void)
{
    memset(&producers, 0, sizeof(producers));
}

bool producers_acknowledged(size_t number)
{
    return producers.acknowledged[number];
}

/* A key's place is a hash of it, unless the number of partitions changed between two sends. */
static int32_t choose_partition(const struct message *message)
{
    int32_t partition = (int32_t)(message->key_id % (size_t)topic_partitions());

    if (topic_partitions() > 1 && world_strikes(EVENT_OTHER_PARTITION, 250)) {
        partition = (int32_t)world_below((size_t)topic_partitions());
        world_event(EVENT_OTHER_PARTITION, (int64_t)message->number, partition);
    }
    return partition;
}

/* Offsets that nobody sees: an aborted transaction, or the end of one. */
static void leave_hole(int32_t partition)
{
    if (world_strikes(EVENT_HOLE, 100)) {
        int64_t hole = 1 + (int64_t)world_below(HOLE_MAX);
        topic_skip(partition, hole);
        world_event(EVENT_HOLE, partition, hole);
    }
}

static void append(const struct message *message)
{
    int32_t partition = choose_partition(message);

    leave_hole(partition);
    topic_append(partition, message);
    producers.copies[message->number]++;
    leave_hole(partition);
}

static void send(size_t number)
{
    const struct message *message = commands_get(number);
    bool again = !topic_is_crowded() && producers.copies[number] < COPIES_MAX - 1;

    if (world_strikes(EVENT_SEND_LOST, 80)) {
        world_event(EVENT_SEND_LOST, (int64_t)number, 0);
        return;
    }
    append(message);
    if (again && world_strikes(EVENT_ACK_LOST, 120)) {
        world_event(EVENT_ACK_LOST, (int64_t)number, 0);
        return;
    }
    producers.acknowledged[number] = true;
    if (again && world_strikes(EVENT_TWICE, 80)) {
        world_event(EVENT_TWICE, (int64_t)number, 0);
        append(message);
    }
}

/* Sends one of the next ones. False when there is none. */
static bool send_next(void)
{
    size_t count = commands_count();

    while (producers.first < count && producers.acknowledged[producers.first]) {
        producers.first++;
    }
    if (producers.first == count) {
        return false;
    }
    size_t number = producers.first + world_below(AHEAD);
    if (number >= count || producers.acknowledged[number]) {
        number = producers.first;
    }
    send(number);
    return true;
}

void producers_step(void)
{
    size_t sends = world_chance(600) ? world_below(6) : 0;

    while (sends-- > 0 && send_next()) {
    }
}

void producers_finish(void)
{
    while (send_next()) {
    }
}
