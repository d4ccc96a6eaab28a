/*
 * Failpoints: named places where a test build can be killed, stopped or delayed.
 *
 * Only a build with PAY_FAILPOINTS defined contains them; in every other build FAILPOINT() is
 * nothing. The environment names one place, what happens there, and at which visit:
 *
 *   PAY_FAILPOINT=after-store-commit=kill        at the first visit
 *   PAY_FAILPOINT=after-store-commit=stop@3      SIGSTOP at the third visit
 *   PAY_FAILPOINT=before-publish=delay@5         sleep 1 s at the fifth visit
 *   PAY_FAILPOINT=before-publish=slow            sleep 1 ms at every visit
 *
 * Each hit is written to standard error as "failpoint NAME ACTION", so that a test can count it.
 */
#ifndef COMMON_FAILPOINT_H
#define COMMON_FAILPOINT_H

#ifdef PAY_FAILPOINTS
void failpoint_visit(const char *name);
#define FAILPOINT(name) failpoint_visit(name)
#else
#define FAILPOINT(name) ((void)0)
#endif

#endif
