/*
 * The standard streams: made safe at the start, and looked at before the end.
 */
#ifndef COMMON_STREAMS_H
#define COMMON_STREAMS_H

#include "common/compiler.h"

#include <stdbool.h>

/*
 * Call before any file is opened. A standard stream that is closed is opened so that its use fails:
 * else the next file or socket would take its number, and what is printed would be written there.
 * Returns false when that cannot be done.
 */
MUST_CHECK bool streams_open(void);

/* Flush standard output. Returns false when something that was printed did not get through. */
MUST_CHECK bool streams_flush(void);

#endif
