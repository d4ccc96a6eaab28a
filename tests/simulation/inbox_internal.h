/*
 * What the files of the simulated inbox share, and what is left of one after a crash.
 *
 *   inbox.c             messages, offsets
 *   inbox_rebalance.c   partitions come and go
 */
#ifndef TESTS_SIMULATION_INBOX_INTERNAL_H
#define TESTS_SIMULATION_INBOX_INTERNAL_H

#include "consumer/inbox.h"
#include "tests/simulation/topic.h"

#define INBOX_MESSAGES 64

enum pending { PENDING_NONE, PENDING_ASSIGN, PENDING_REVOKE, PENDING_LOST };

struct inbox_partition {
    bool assigned;
    bool at_end;
    int64_t fetch;     /* what comes next */
    int64_t noted;     /* next offset that is durable */
    int64_t committed; /* that stands in the group, -1 = not known */
};

struct inbox {
    struct inbox_callbacks callbacks;
    struct inbox_partition partitions[TOPIC_PARTITIONS_MAX];
    enum pending pending;
    bool claimed;
    int polls;
    int64_t commit_due_ms; /* 0 = nothing is due */
};

/* Commit what is noted, if something is. */
void inbox_commit_noted(struct inbox *inbox);

/* Perhaps the group begins to move. */
void inbox_draw_rebalance(struct inbox *inbox);

/* Follow it. Returns 0 or -1. */
int inbox_follow_rebalance(struct inbox *inbox, struct error *err);

/* Free what a payd has left that is gone. */
void inbox_bury(void);

#endif
