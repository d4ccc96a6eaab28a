/*
 * Failpoints: named places where a test build can be killed, stopped, delayed, or made to fail.
 *
 * Only a build with PAY_FAILPOINTS defined contains them; in every other build FAILPOINT() is
 * nothing and FAILPOINT_FAILS() is false. The environment names one place, what happens there, and
 * at which visit:
 *
 *   PAY_FAILPOINT=after-store-commit=kill        at the first visit
 *   PAY_FAILPOINT=after-store-commit=stop@3      SIGSTOP at the third visit
 *   PAY_FAILPOINT=before-save=error@2            the step fails at the second visit
 *   PAY_FAILPOINT=before-publish=delay@5         sleep 1 s at the fifth visit
 *   PAY_FAILPOINT=before-publish=slow            sleep 1 ms at every visit
 *
 * Each hit but those of slow is written to standard error as "failpoint NAME ACTION", so that a
 * test can count it. A place that cannot fail ignores an error.
 */
#ifndef COMMON_FAILPOINT_H
#define COMMON_FAILPOINT_H

#include <stdbool.h>

#ifdef PAY_FAILPOINTS
/* Visit a place. True when the step that follows is to fail as if its machinery had failed. */
bool failpoint_visit(const char *name);
#define FAILPOINT(name)       ((void)failpoint_visit(name))
#define FAILPOINT_FAILS(name) failpoint_visit(name)
#else
#define FAILPOINT(name)       ((void)0)
#define FAILPOINT_FAILS(name) false
#endif

#endif
