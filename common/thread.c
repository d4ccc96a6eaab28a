#include "common/thread.h"

#include <signal.h>
#include <time.h>

int thread_start(pthread_t *ret, void *(*run)(void *user), void *user)
{
    sigset_t all;
    sigset_t before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(ret, NULL, run, user);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

void thread_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}
