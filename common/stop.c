#include "common/stop.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>

#define SLICE_MS 20

static volatile sig_atomic_t requested;

static void on_signal(int signo)
{
    (void)signo;
    requested = 1;
}

void stop_install(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGXFSZ, &action, NULL);
}

bool stop_requested(void)
{
    return requested != 0;
}

bool stop_wait(int timeout_ms)
{
    /* In slices: another thread may be the one that took the signal. */
    for (int left = timeout_ms; left > 0 && !requested; left -= SLICE_MS) {
        int slice = left < SLICE_MS ? left : SLICE_MS;
        nanosleep(&(struct timespec){.tv_nsec = slice * 1000000L}, NULL);
    }
    return stop_requested();
}
