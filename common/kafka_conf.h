/*
 * The Kafka client's configuration: what the user may set, and what the promise fixes.
 *
 * Properties come in this order, the later over the earlier: the program's defaults, the -F file,
 * -X name=value, -b, and at last the fixed ones. A property that would break the promise is refused
 * by name, wherever it stands.
 */
#ifndef COMMON_KAFKA_CONF_H
#define COMMON_KAFKA_CONF_H

#include "common/compiler.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

#define KAFKA_PROPERTIES_MAX 64 /* of -X options */

/* What a command line says about Kafka. All strings are borrowed from argv and the environment. */
struct kafka_args {
    const char *brokers;     /* -b, or NULL */
    const char *env_brokers; /* PAY_BROKERS, or NULL: used when nothing else names a broker */
    const char *topic;
    const char *file; /* -F, or NULL */
    const char *properties[KAFKA_PROPERTIES_MAX];
    size_t property_count;
    const char *client_id; /* instead of the program's default, or NULL */
    bool skip_topic_check; /* the broker cannot report a topic's settings (the embedded one) */
    bool log;              /* pass the client library's own messages to the log */
};

struct kafka_property {
    const char *name;
    const char *value;
};

/* The library's own type, rd_kafka_conf_t, for the few files that know it. */
struct rd_kafka_conf_s;

/*
 * Make a configuration. defaults and fixed end with a NULL name. On success *ret is owned by the
 * caller (rd_kafka_new() takes it over). Errors: EX_USAGE for a property that is unknown, has a bad
 * value or is refused, or when no broker is named; EX_NOINPUT when the file cannot be read.
 */
MUST_CHECK int kafka_conf_make(const struct kafka_args *args, const struct kafka_property *defaults,
                               const struct kafka_property *fixed, struct rd_kafka_conf_s **ret,
                               struct error *err);

/* Would kafka_conf_make() take these arguments? Fails as it does; connects to nothing. */
MUST_CHECK int kafka_conf_check(const struct kafka_args *args, struct error *err);

/* Why a property is refused, a static sentence, or NULL when it may be set. */
const char *kafka_conf_refused(const char *name);

/* The library's version, a static string. */
const char *kafka_conf_library_version(void);

#endif
