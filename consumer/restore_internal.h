/*
 * What the files of restore share. Nobody else includes this header.
 *
 *   restore.c         the files: the copy, and its way to its name
 *   restore_group.c   how far the group has read, and what is told to it
 *   restore_rewind.c  reading the difference again
 */
#ifndef CONSUMER_RESTORE_INTERNAL_H
#define CONSUMER_RESTORE_INTERNAL_H

#include "common/progress.h"
#include "consumer/inbox_group.h"
#include "consumer/rebuild.h"
#include "consumer/replay.h"
#include "consumer/reread.h"
#include "consumer/restore.h"
#include "consumer/store.h"
#include "consumer/told.h"

#include <limits.h>
#include <stdio.h>

/* A partition of the topic. */
struct restore_part {
    bool is_read;       /* the backup has a position: */
    int64_t next;       /* this one; else where the log begins */
    int64_t group_next; /* the group's, -1 = none */
    int64_t low;        /* the log holds low <= offset < high */
    int64_t high;
    int64_t to; /* a rewind reads up to here */
};

struct restoring {
    const struct options *options;
    char path[PATH_MAX]; /* of the copy, while it is not finished */
    bool is_made;
    struct reread *reread;
    struct inbox_group *group;
    struct store_identity self; /* as the backup has it */
    struct store_identity seen; /* the latest of it in the group; uuid "" = it is not there */
    struct restore_part *parts;
    int partitions;
    struct store *store; /* the copy, to write */
    struct told *told;   /* NULL = old decisions do not hold */
    struct rebuild *rebuild;
    struct replay_report report;
    int64_t bound; /* of what was decided: as the outcomes topic tells */
    struct progress progress;
    struct log_marks marks[CHUNK_PARTITIONS_MAX];
};

/*
 * Compare the backup, a snapshot, with the group. Fails with EX_CONFIG when the group is another
 * ledger's or has members, or has read further and no rewind is asked for: then prints by how much.
 */
MUST_CHECK int restore_compare(struct restoring *restoring, struct store *backup,
                               struct error *err);

/* Make the group refuse the lost ledger, should it come back: in the copy itself. */
MUST_CHECK int restore_outrun(struct restoring *restoring, struct error *err);

/* Tell the group who owns it now; self is the finished copy. A failure is only printed. */
void restore_sign(struct restoring *restoring, const struct store_identity *self);

/* Read what the group had read, and the backup has not, into the copy. */
MUST_CHECK int restore_rewind(struct restoring *restoring, struct error *err);

/*
 * With --json, a line each: {"partition":0,"backup":257,"group":477,"again":220}, group null when
 * it has none; what was read again as replay_print_json(), then {"told":220,"gone":0}. -1 when
 * memory ran out.
 */
MUST_CHECK int restore_print_further_json(FILE *out, const struct restoring *restoring);
MUST_CHECK int restore_print_rewound_json(FILE *out, const struct restoring *restoring,
                                          int64_t gone);

#endif
