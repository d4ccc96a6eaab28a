/*
 * Where in a log to begin or to end, as it is written on a command line.
 */
#ifndef CONSUMER_SPAN_H
#define CONSUMER_SPAN_H

#include "common/compiler.h"
#include "common/error.h"

#include <stdint.h>

enum span_kind {
    SPAN_NONE,      /* not given */
    SPAN_BEGINNING, /* of the log */
    SPAN_OFFSET,    /* value is the offset */
    SPAN_TIME,      /* value is a time of the broker, Unix milliseconds */
};

struct span {
    enum span_kind kind;
    int64_t value;
};

/*
 * Read "beginning", an offset ("1200"), a time (clock_parse()), or a duration back from now_ms:
 * "90d", "12h", "30m", "45s". Fails with EX_USAGE; name is the option's, for the sentence.
 */
MUST_CHECK int span_parse(const char *name, const char *text, int64_t now_ms, struct span *ret,
                          struct error *err);

/* Read a duration, as above, in milliseconds: more than 0. Fails with EX_USAGE. */
MUST_CHECK int span_parse_duration(const char *name, const char *text, int64_t *ret_ms,
                                   struct error *err);

#endif
