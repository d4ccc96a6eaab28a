/*
 * The simulated committer: consumer/committer.h without a thread. A chunk's transaction happens
 * when it is given, or at any later call.
 */
#include "consumer/committer.h"

#include "tests/simulation/world.h"

#include <stdlib.h>
#include <sysexits.h>

#define DONE_AT_ONCE 300 /* of 1000 */
#define NOT_OVER_YET 300

struct committer {
    committer_work *work;
    void *user;
    struct chunk *queue[COMMITTER_CHUNKS];
    size_t count;
    size_t done;
    enum store_status failed;
    struct error err;
};

int committer_open(struct committer **ret, committer_work *work, void *user, struct error *err)
{
    struct committer *committer = calloc(1, sizeof(*committer));

    if (!committer) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    committer->work = work;
    committer->user = user;
    *ret = committer;
    return 0;
}

static void commit_next(struct committer *committer)
{
    if (committer->failed == STORE_OK) {
        committer->failed =
            committer->work(committer->user, committer->queue[committer->done], &committer->err);
    }
    committer->done++;
}

void committer_give(struct committer *committer, struct chunk *chunk)
{
    world_step("committer_give");
    if (committer->count == COMMITTER_CHUNKS) {
        world_violated("a chunk too many is given to the committer");
    }
    committer->queue[committer->count++] = chunk;
    while (committer->done < committer->count && world_chance(DONE_AT_ONCE)) {
        commit_next(committer);
    }
}

struct chunk *committer_take(struct committer *committer, int timeout_ms,
                             enum store_status *ret_status, struct error *err)
{
    world_step("committer_take");
    world_pass((int64_t)world_below((size_t)timeout_ms + 1));
    if (committer->count == 0 || (committer->done == 0 && world_chance(NOT_OVER_YET))) {
        return NULL;
    }
    if (committer->done == 0) {
        commit_next(committer);
    }
    struct chunk *chunk = committer->queue[0];
    *ret_status = committer->failed;
    if (*ret_status != STORE_OK) {
        *err = committer->err;
    }
    committer->queue[0] = committer->queue[1];
    committer->count--;
    committer->done--;
    return chunk;
}

size_t committer_given(const struct committer *committer)
{
    return committer->count;
}

enum store_status committer_abandon(struct committer *committer, struct error *err)
{
    if (committer->done < committer->count && world_chance(DONE_AT_ONCE)) {
        commit_next(committer); /* it was in work */
    }
    committer->count = committer->done = 0;
    if (committer->failed != STORE_OK) {
        *err = committer->err;
    }
    return committer->failed;
}

void committer_close(struct committer *committer)
{
    free(committer);
}
