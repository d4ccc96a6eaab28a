/*
 * What the files of replay share. Nobody else includes this header.
 *
 *   replay.c         into the ledger itself: its forecast, and its execution
 *   replay_into.c    into a new ledger
 *   replay_report.c  what became of the records
 */
#ifndef CONSUMER_REPLAY_INTERNAL_H
#define CONSUMER_REPLAY_INTERNAL_H

#include "common/progress.h"
#include "consumer/chunk.h"
#include "consumer/replay.h"
#include "consumer/reread.h"
#include "consumer/store.h"
#include "consumer/told.h"

struct replaying {
    const struct options *options;
    struct store *store; /* a snapshot, or to write */
    struct forecast *forecast;
    struct rebuild *rebuild;
    struct store *old; /* for a new ledger: a snapshot of the old one; NULL = none */
    struct told *told; /* for a new ledger: the old decisions, as told; NULL = not asked for */
    struct reread *reread;
    struct key_list *keys; /* NULL = all */
    struct replay_report report;
    struct progress progress;
};

/* Wait until no more than --rate records a second were read since started_ms. EX_TEMPFAIL. */
MUST_CHECK int replay_keep_rate(const struct replaying *replaying, int64_t started_ms,
                                struct error *err);

/* Messages of a chunk: so few that a rate is kept within a tenth of a second or so. */
size_t replay_chunk_size(const struct options *options);

/*
 * Strict accounts and limits need one order of all commands, which several partitions lack: fails
 * with EX_CONFIG.
 */
MUST_CHECK int replay_check_order(const struct replaying *replaying, struct store *store,
                                  struct error *err);

/* Replay into a new ledger, which is there under its name only when this returns 0. */
MUST_CHECK int replay_into(struct replaying *replaying, struct error *err);

#endif
