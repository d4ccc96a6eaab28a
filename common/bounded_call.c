#include "common/bounded_call.h"

#include "common/clock.h"
#include "common/thread.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

struct call {
    void (*call)(void *);
    void *user;
};

static atomic_int running;

static void *run(void *arg)
{
    struct call call = *(struct call *)arg;

    free(arg);
    call.call(call.user);
    atomic_fetch_sub(&running, 1);
    return NULL;
}

static bool start(pthread_t *thread, struct call *call)
{
    atomic_fetch_add(&running, 1);
    int code = thread_start(thread, run, call);

    if (code != 0) {
        atomic_fetch_sub(&running, 1);
    }
    return code == 0;
}

bool bounded_call(int timeout_ms, void (*call)(void *user), void *user)
{
    struct call *copy = malloc(sizeof(*copy));
    pthread_t thread;

    if (copy) {
        *copy = (struct call){call, user};
    }
    if (!copy || !start(&thread, copy)) {
        free(copy);
        call(user);
        return true;
    }
    struct timespec until = clock_monotonic_after(timeout_ms);
    if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0) {
        return true;
    }
    pthread_detach(thread);
    return false;
}

bool bounded_call_runs(void)
{
    return atomic_load(&running) > 0;
}
