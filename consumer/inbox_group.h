/*
 * A consumer group as somebody sees it who does not join it: what it has committed, and who is in
 * it.
 */
#ifndef CONSUMER_INBOX_GROUP_H
#define CONSUMER_INBOX_GROUP_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/kafka_conf.h"
#include "consumer/inbox.h"

#include <stddef.h>
#include <stdint.h>

struct inbox_group;

/* What stands in the group for a partition. */
struct inbox_group_entry {
    int64_t next; /* the committed offset, -1 = none */
    char text[INBOX_METADATA_SIZE];
};

/*
 * Make the client; args->topic is the topic that is asked for, and copied with the group's name.
 * Errors as kafka_conf_make(). On success the caller closes *ret.
 */
MUST_CHECK int inbox_group_open(struct inbox_group **ret, const struct kafka_args *args,
                                const char *group, struct error *err);

/* Fill the entries of the partitions 0 to count - 1. Fails with EX_UNAVAILABLE. */
MUST_CHECK int inbox_group_ask(struct inbox_group *group, struct inbox_group_entry *entries,
                               size_t count, struct error *err);

/* How many members it has now. Fails with EX_UNAVAILABLE. */
MUST_CHECK int inbox_group_members(struct inbox_group *group, int *ret, struct error *err);

/*
 * Commit offsets, from partition 0 on (-1 = none of this one), with a text beside each. A broker
 * takes it from a group without members only. Fails with EX_UNAVAILABLE.
 */
MUST_CHECK int inbox_group_sign(struct inbox_group *group, const int64_t *offsets, size_t count,
                                const char *text, struct error *err);

/* Close; NULL is accepted. Waits at most seconds, see bounded_call_runs(). */
void inbox_group_close(struct inbox_group *group);

#endif
