/*
 * Errors that a Kafka client reports: which pass by themselves while it reads, and what to say of
 * others.
 */
#ifndef COMMON_KAFKA_ERROR_H
#define COMMON_KAFKA_ERROR_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where in the log a reader met an error. */
struct kafka_place {
    const char *topic;
    int32_t partition;
    int64_t offset;
};

/*
 * Does the client get over this error (an rd_kafka_resp_err_t) by itself, and without skipping a
 * record? Whatever is not known to pass does not.
 */
bool kafka_error_passes(int code);

/*
 * Keep, in a field of size bytes, what a client's error callback says. "All brokers are down"
 * follows the sentence that says why, and does not hide it.
 */
void kafka_error_keep(char *field, size_t size, int code, const char *reason);

/*
 * Say why a reader must stop; text is the client's own sentence. EX_CONFIG when access is refused,
 * EX_IOERR when a record is damaged, else EX_UNAVAILABLE. Returns -1.
 */
int kafka_error_stops(int code, const char *text, const struct kafka_place *place,
                      struct error *err);

#endif
