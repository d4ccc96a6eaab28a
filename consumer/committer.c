#include "consumer/committer.h"

#include "common/clock.h"
#include "common/thread.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

struct committer {
    committer_work *work;
    void *user;
    pthread_t thread;
    size_t given; /* the giver's own count */
    bool ended;   /* the thread is gone */

    pthread_mutex_t lock; /* over all below */
    pthread_cond_t changed;
    struct chunk *queue[COMMITTER_CHUNKS]; /* the oldest first */
    size_t count;
    size_t done; /* of them, the first ones */
    bool ending;
    enum store_status failed; /* STORE_OK, or what became of the first that was not committed, */
    struct error err;         /* and why */
};

static void *commit_all(void *user)
{
    struct committer *committer = user;

    pthread_mutex_lock(&committer->lock);
    while (!committer->ending) {
        if (committer->done == committer->count) {
            pthread_cond_wait(&committer->changed, &committer->lock);
            continue;
        }
        if (committer->failed == STORE_OK) {
            struct chunk *chunk = committer->queue[committer->done];
            struct error err;
            pthread_mutex_unlock(&committer->lock);
            enum store_status status = committer->work(committer->user, chunk, &err);
            pthread_mutex_lock(&committer->lock);
            if (status != STORE_OK) {
                committer->failed = status;
                committer->err = err;
            }
        }
        committer->done++; /* if one before it was taken meanwhile, it had moved with it */
        pthread_cond_broadcast(&committer->changed);
    }
    pthread_mutex_unlock(&committer->lock);
    return NULL;
}

int committer_open(struct committer **ret, committer_work *work, void *user, struct error *err)
{
    struct committer *committer = calloc(1, sizeof(*committer));

    if (!committer) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    committer->work = work;
    committer->user = user;
    pthread_mutex_init(&committer->lock, NULL);
    thread_condition_init(&committer->changed);
    int code = thread_start(&committer->thread, commit_all, committer);
    if (code != 0) {
        free(committer);
        return error_set(err, EX_OSERR, "no thread can be started: %s", strerror(code));
    }
    *ret = committer;
    return 0;
}

void committer_give(struct committer *committer, struct chunk *chunk)
{
    assert(committer->given < COMMITTER_CHUNKS);
    committer->given++;
    pthread_mutex_lock(&committer->lock);
    committer->queue[committer->count++] = chunk;
    pthread_cond_broadcast(&committer->changed);
    pthread_mutex_unlock(&committer->lock);
}

struct chunk *committer_take(struct committer *committer, int timeout_ms,
                             enum store_status *ret_status, struct error *err)
{
    struct timespec until = clock_monotonic_after(timeout_ms);
    struct chunk *chunk = NULL;
    int waited = 0;

    if (committer->given == 0) {
        return NULL;
    }
    pthread_mutex_lock(&committer->lock);
    while (committer->done == 0 && timeout_ms > 0 && waited == 0) {
        waited = pthread_cond_timedwait(&committer->changed, &committer->lock, &until);
    }
    if (committer->done > 0) {
        chunk = committer->queue[0];
        *ret_status = committer->failed;
        if (*ret_status != STORE_OK) {
            *err = committer->err;
        }
        committer->done--;
        committer->count--;
        memmove(committer->queue, committer->queue + 1, committer->count * sizeof(struct chunk *));
        committer->given--;
    }
    pthread_mutex_unlock(&committer->lock);
    return chunk;
}

size_t committer_given(const struct committer *committer)
{
    return committer->given;
}

enum store_status committer_abandon(struct committer *committer, struct error *err)
{
    pthread_mutex_lock(&committer->lock);
    committer->ending = true;
    pthread_cond_broadcast(&committer->changed);
    pthread_mutex_unlock(&committer->lock);
    if (!committer->ended) {
        pthread_join(committer->thread, NULL);
        committer->ended = true;
    }
    committer->given = 0;
    if (committer->failed != STORE_OK) {
        *err = committer->err;
    }
    return committer->failed;
}

void committer_close(struct committer *committer)
{
    struct error ignored;

    if (!committer) {
        return;
    }
    (void)committer_abandon(committer, &ignored);
    pthread_cond_destroy(&committer->changed);
    pthread_mutex_destroy(&committer->lock);
    free(committer);
}
