/* Threads beside the main one. */
#ifndef COMMON_THREAD_H
#define COMMON_THREAD_H

#include <pthread.h>

/*
 * Start run(user) on a thread to which no signal is delivered: signals are the main thread's. The
 * caller joins or detaches *ret. Returns 0, or an errno code when no thread can be started.
 */
int thread_start(pthread_t *ret, void *(*run)(void *user), void *user);

/* A condition whose timed waits are measured on the monotonic clock, which nobody sets. */
void thread_condition_init(pthread_cond_t *condition);

#endif
