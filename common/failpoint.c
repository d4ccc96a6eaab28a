#include "common/failpoint.h"

/* ISO C wants a declaration in every file, also where nothing is compiled. */
typedef int failpoint_not_empty;

#ifdef PAY_FAILPOINTS

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DELAY_S 1
#define SLOW_US 1000

/* True when the action is a failure of what follows. */
static bool act(const char *name, const char *action)
{
    dprintf(STDERR_FILENO, "failpoint %s %s\n", name, action);
    if (strcmp(action, "error") == 0) {
        return true;
    }
    if (strcmp(action, "kill") == 0) {
        raise(SIGKILL);
    } else if (strcmp(action, "stop") == 0) {
        raise(SIGSTOP);
    } else if (strcmp(action, "delay") == 0) {
        sleep(DELAY_S);
    } else {
        dprintf(STDERR_FILENO, "failpoint: no such action: %s\n", action);
        abort();
    }
    return false;
}

bool failpoint_visit(const char *name)
{
    static atomic_ulong visits; /* threads come here */
    const char *wanted = getenv("PAY_FAILPOINT");
    size_t len = strlen(name);
    char action[16];

    if (!wanted || strncmp(wanted, name, len) != 0 || wanted[len] != '=') {
        return false;
    }
    snprintf(action, sizeof(action), "%s", wanted + len + 1);
    char *at = strchr(action, '@');
    if (strcmp(action, "slow") == 0) {
        usleep(SLOW_US);
        return false;
    }
    unsigned long nth = 1;
    if (at) {
        nth = strtoul(at + 1, NULL, 10);
        *at = '\0';
    }
    return atomic_fetch_add(&visits, 1) + 1 == nth && act(name, action);
}

#endif
