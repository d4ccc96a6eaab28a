/*
 * Asked to stop: SIGTERM and SIGINT set a flag that loops look at. SIGPIPE and SIGXFSZ
 * are ignored: what they tell of is an error of the write.
 */
#ifndef COMMON_STOP_H
#define COMMON_STOP_H

#include <stdbool.h>

/* Install the handlers. Call once, before any thread is started. */
void stop_install(void);

/* True from the first SIGTERM or SIGINT on. */
bool stop_requested(void);

/*
 * Sleep for up to timeout_ms milliseconds, or until a stop is requested. Returns
 * stop_requested().
 */
bool stop_wait(int timeout_ms);

#endif
