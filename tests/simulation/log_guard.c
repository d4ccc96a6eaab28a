/*
 * The simulated log guard: consumer/log_guard.h without a client. It compares the marks with the
 * simulated topic, whose log is never replaced: a mark that does not fit is a mistake of payd's.
 */
#include "consumer/log_guard.h"

#include "consumer/fingerprint.h"
#include "tests/simulation/topic.h"
#include "tests/simulation/world.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct log_guard {
    struct digest *digest;
    struct {
        int32_t partition;
        struct log_marks marks;
    } entries[TOPIC_PARTITIONS_MAX];
    size_t open; /* entries without an answer */
    int64_t due_ms;
};

int log_guard_open(struct log_guard **ret, const struct kafka_args *args, struct error *err)
{
    struct log_guard *guard = calloc(1, sizeof(*guard));

    (void)args;
    if (!guard) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    if (digest_open(&guard->digest, err) != 0) {
        free(guard);
        return -1;
    }
    guard->due_ms = world_now_ms() + LOG_GUARD_EVERY_MS;
    *ret = guard;
    return 0;
}

bool log_guard_is_due(const struct log_guard *guard)
{
    return guard->open == 0 && world_now_ms() >= guard->due_ms;
}

bool log_guard_is_running(const struct log_guard *guard)
{
    return guard->open > 0;
}

void log_guard_hurry(struct log_guard *guard)
{
    guard->due_ms = world_now_ms();
}

int log_guard_begin(struct log_guard *guard, const int32_t *partitions, size_t count,
                    const struct log_marks *marks, struct error *err)
{
    (void)err;
    log_guard_end(guard);
    for (size_t i = 0; i < count; i++) {
        if (marks[partitions[i]].last.known) {
            guard->entries[guard->open].partition = partitions[i];
            guard->entries[guard->open++].marks = marks[partitions[i]];
        }
    }
    return 0;
}

void log_guard_end(struct log_guard *guard)
{
    guard->open = 0;
    guard->due_ms = world_now_ms() + LOG_GUARD_EVERY_MS;
}

static enum log_guard_verdict judge(struct log_guard *guard, int32_t partition,
                                    const struct fingerprint *mark)
{
    const struct record *record = topic_find(partition, mark->offset);
    struct fingerprint found;
    struct error err;

    if (!mark->known) {
        return LOG_GUARD_SAME;
    }
    if (mark->offset < topic_low(partition)) {
        return LOG_GUARD_GONE;
    }
    if (record) {
        const struct message *message = record->message;
        const struct raw_message raw = {message->key, message->key_len, message->value,
                                        message->value_len, NULL};
        if (fingerprint_make(guard->digest, &raw, record->offset, record->timestamp_ms, &found,
                             &err) == 0 &&
            memcmp(found.print, mark->print, sizeof(found.print)) == 0) {
            return LOG_GUARD_SAME;
        }
    }
    world_violated("partition %d, offset %lld: the mark of this record is not its own",
                   (int)partition, (long long)mark->offset);
    return LOG_GUARD_OTHER;
}

bool log_guard_step(struct log_guard *guard, int timeout_ms, struct log_guard_answer *ret)
{
    if (guard->open == 0) {
        return false;
    }
    world_step("log_guard");
    world_pass((int64_t)world_below((size_t)timeout_ms + 1));
    if (world_chance(200)) {
        return false;
    }
    int32_t partition = guard->entries[--guard->open].partition;
    const struct log_marks *marks = &guard->entries[guard->open].marks;
    *ret = (struct log_guard_answer){.partition = partition, .last = marks->last};
    if (world_strikes(EVENT_LOG_LATER, 60)) {
        world_event(EVENT_LOG_LATER, partition, 0);
        ret->verdict = LOG_GUARD_LATER;
        return true;
    }
    if (world_strikes(EVENT_LOG_OTHER, 10)) {
        world_event(EVENT_LOG_OTHER, partition, 0);
        world_must_end("log_other");
        ret->verdict = LOG_GUARD_OTHER;
        return true;
    }
    ret->verdict = judge(guard, partition, &marks->anchor);
    if (ret->verdict == LOG_GUARD_SAME) {
        ret->verdict = judge(guard, partition, &marks->last);
    }
    return true;
}

void log_guard_close(struct log_guard *guard)
{
    if (guard) {
        digest_close(guard->digest);
        free(guard);
    }
}
