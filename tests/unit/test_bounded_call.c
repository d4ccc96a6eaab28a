#include "common/bounded_call.h"

#include <criterion/criterion.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>

#define LONG_MS 60000

static void note(void *user)
{
    *(int *)user = 1;
}

struct gate {
    sem_t open;
    sem_t left;
};

static void wait_at(void *user)
{
    struct gate *gate = user;

    while (sem_wait(&gate->open) != 0) {
    }
    sem_post(&gate->left);
}

static void note_signals(void *user)
{
    pthread_sigmask(SIG_SETMASK, NULL, user);
}

Test(bounded_call, that_returns_is_waited_for)
{
    int called = 0;

    cr_expect(bounded_call(LONG_MS, note, &called));
    cr_expect_eq(called, 1);
    cr_expect_not(bounded_call_runs());
}

Test(bounded_call, that_does_not_return_in_time_is_left_behind_and_known)
{
    static struct gate gate; /* the call's own */

    sem_init(&gate.open, 0, 0);
    sem_init(&gate.left, 0, 0);
    cr_expect_not(bounded_call(1, wait_at, &gate));
    cr_expect(bounded_call_runs());
    sem_post(&gate.open);
    while (sem_wait(&gate.left) != 0) {
    }
    while (bounded_call_runs()) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

Test(bounded_call, takes_no_signals_of_the_process)
{
    sigset_t there;
    sigset_t here;

    cr_expect(bounded_call(LONG_MS, note_signals, &there));
    pthread_sigmask(SIG_SETMASK, NULL, &here);
    cr_expect(sigismember(&there, SIGTERM));
    cr_expect_not(sigismember(&here, SIGTERM));
}
