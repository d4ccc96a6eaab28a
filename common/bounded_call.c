#include "common/bounded_call.h"

#include "common/clock.h"

#include <pthread.h>
#include <signal.h>
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
    sigset_t all;
    sigset_t old;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    atomic_fetch_add(&running, 1);
    int code = pthread_create(thread, NULL, run, call);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
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
