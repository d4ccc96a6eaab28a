#include "tests/simulation/inbox_internal.h"

#include "tests/simulation/books.h"
#include "tests/simulation/group.h"
#include "tests/simulation/world.h"

#include <sysexits.h>

#define FOREIGN "payd1 00000000-0000-7000-8000-000000000000 1 1 x"

/* ---- what must be refused ---- */

/*
 * payd is shown something that it must refuse. answer: what its callback said. Does not return when
 * it did not refuse.
 */
static int must_refuse(enum event event, int answer, int32_t partition)
{
    world_event(event, partition, answer);
    world_must_end(event_name(event));
    if (answer >= 0) {
        world_violated("partition %d: %s was not refused", (int)partition, event_name(event));
    }
    return answer;
}

static int find_start(struct inbox *inbox, int32_t partition, int64_t *ret, struct error *err)
{
    const struct inbox_callbacks *to = &inbox->callbacks;
    int64_t low = topic_low(partition);
    int64_t high = topic_high(partition);
    int64_t position = books_position(partition);

    world_step("position");
    if (position >= 0 && world_strikes(EVENT_LOG_BEHIND, 10)) {
        low = position + 1;
        high = high > low ? high : low;
        return must_refuse(EVENT_LOG_BEHIND, to->position(to->user, partition, low, high, ret, err),
                           partition);
    }
    if (position > low && world_strikes(EVENT_LOG_SHORT, 10)) {
        high = position - 1;
        return must_refuse(EVENT_LOG_SHORT, to->position(to->user, partition, low, high, ret, err),
                           partition);
    }
    return to->position(to->user, partition, low, high, ret, err);
}

static int check_owners(struct inbox *inbox, struct error *err)
{
    const struct inbox_callbacks *to = &inbox->callbacks;

    if (world_strikes(EVENT_FOREIGN_OWNER, 10)) {
        int32_t partition = (int32_t)world_below((size_t)topic_partitions());
        return must_refuse(EVENT_FOREIGN_OWNER,
                           to->owner(to->user, partition, FOREIGN, inbox->claimed, err), partition);
    }
    for (int32_t i = 0; i < topic_partitions(); i++) {
        if (to->owner(to->user, i, group_text(i), inbox->claimed, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- the group moves ---- */

void inbox_draw_rebalance(struct inbox *inbox)
{
    if (inbox->pending != PENDING_NONE) {
        return;
    }
    if (inbox_assigned(inbox) == 0 ||
        (world_is_healed() && inbox_assigned(inbox) < (size_t)topic_partitions())) {
        inbox->pending = inbox_assigned(inbox) == 0 ? PENDING_ASSIGN : PENDING_REVOKE;
    } else if (world_strikes(EVENT_REVOKED, 60)) {
        inbox->pending = world_chance(300) ? PENDING_LOST : PENDING_REVOKE;
        world_event(EVENT_REVOKED, (int64_t)inbox_assigned(inbox), inbox->pending == PENDING_LOST);
    }
    if (world_strikes(EVENT_GROUP_FORGOTTEN, 10)) {
        group_forget();
    }
}

static void revoke(struct inbox *inbox)
{
    if (inbox->pending == PENDING_REVOKE) {
        inbox_commit_noted(inbox);
    }
    for (int32_t i = 0; i < topic_partitions(); i++) {
        inbox->partitions[i] = (struct inbox_partition){.assigned = false};
    }
    inbox->commit_due_ms = 0;
    inbox->pending = PENDING_NONE;
    inbox->callbacks.assigned(inbox->callbacks.user, NULL, NULL, 0);
}

/* Which partitions payd gets; another member has the others, and commits what it read. */
static size_t draw_partitions(int32_t *partitions)
{
    size_t count = 0;

    for (int32_t i = 0; i < topic_partitions(); i++) {
        if (topic_partitions() > 1 && world_strikes(EVENT_OTHER_MEMBER, 200)) {
            int64_t low = topic_low(i);
            int64_t offset = low + (int64_t)world_below((size_t)(topic_high(i) - low + 1));
            world_event(EVENT_OTHER_MEMBER, i, offset);
            group_commit(i, offset, "");
        } else {
            partitions[count++] = i;
        }
    }
    return count;
}

/* Everything that must be known before the partitions are read. Returns 1 to ask again. */
static int prepare(struct inbox *inbox, const int32_t *partitions, int64_t *offsets, size_t count,
                   struct error *err)
{
    char text[INBOX_METADATA_SIZE];

    for (size_t i = 0; i < count; i++) {
        if (find_start(inbox, partitions[i], &offsets[i], err) != 0) {
            return -1;
        }
    }
    int result = inbox->callbacks.ready(inbox->callbacks.user, partitions, count, err);
    if (result != 0 || check_owners(inbox, err) != 0) {
        return result != 0 ? result : -1;
    }
    if (count == 0) {
        return 0;
    }
    inbox->callbacks.sign(inbox->callbacks.user, text);
    if (world_strikes(EVENT_COMMIT_FAILED, 60)) {
        world_event(EVENT_COMMIT_FAILED, 1, 0);
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        group_commit(partitions[i], offsets[i], text);
    }
    inbox->claimed = true;
    world_step("claimed");
    return check_owners(inbox, err);
}

static int assign(struct inbox *inbox, struct error *err)
{
    int32_t partitions[TOPIC_PARTITIONS_MAX];
    int64_t offsets[TOPIC_PARTITIONS_MAX];
    size_t count = draw_partitions(partitions);
    int result = prepare(inbox, partitions, offsets, count, err);

    if (result != 0) {
        return result < 0 ? -1 : 0; /* still pending: the next poll asks again */
    }
    for (size_t i = 0; i < count; i++) {
        inbox->partitions[partitions[i]] = (struct inbox_partition){
            .assigned = true, .fetch = offsets[i], .noted = offsets[i], .committed = -1};
        world_event(EVENT_ASSIGNED, partitions[i], offsets[i]);
        books_starting(partitions[i], offsets[i]);
    }
    inbox->pending = PENDING_NONE;
    inbox->callbacks.assigned(inbox->callbacks.user, partitions, offsets, count);
    return 0;
}

int inbox_follow_rebalance(struct inbox *inbox, struct error *err)
{
    world_step("rebalance");
    if (inbox->callbacks.drain(inbox->callbacks.user, err) != 0) {
        return -1;
    }
    if (inbox->pending == PENDING_ASSIGN) {
        return assign(inbox, err);
    }
    revoke(inbox);
    return 0;
}
