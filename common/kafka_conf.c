#include "common/kafka_conf.h"

#include "common/log.h"
#include "common/text.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define ONE_COPY    "a payment counts only when the in-sync replicas have it"
#define ONE_WRITE   "a retry inside the client must not write a payment twice"
#define ONE_FLIGHT  "a failed request must not pass for written because the next one is"
#define BY_KEY      "equal keys must reach the same partition from every client"
#define ORDER       "offsets are committed after the store, never before"
#define STORE_KNOWS "the store's own position decides where reading starts"
#define MOCK        "an in-memory cluster inside the client would acknowledge and forget"

/* Both programs refuse the whole table, so that one properties file can serve both. */
static const struct {
    const char *name;
    const char *why;
} refused[] = {
    {"acks", ONE_COPY},
    {"request.required.acks", ONE_COPY},
    {"enable.idempotence", ONE_WRITE},
    {"enable.gapless.guarantee", ONE_WRITE},
    {"transactional.id", ONE_WRITE},
    {"retries", ONE_WRITE},
    {"message.send.max.retries", ONE_WRITE},
    {"max.in.flight.requests.per.connection", ONE_FLIGHT},
    {"max.in.flight", ONE_FLIGHT},
    {"delivery.report.only.error", "a payment counts only when its delivery report says so"},
    {"produce.offset.report", "delivery reports must be whole"},
    {"partitioner", BY_KEY},
    {"queuing.strategy", "payments leave in the order in which they were given"},
    {"isolation.level", "an aborted transaction must stay invisible"},
    {"enable.auto.commit", ORDER},
    {"auto.commit.enable", ORDER},
    {"enable.auto.offset.store", ORDER},
    {"auto.offset.reset", STORE_KNOWS},
    {"offset.store.method", STORE_KNOWS},
    {"offset.store.path", STORE_KNOWS},
    {"enable.partition.eof", "the end of a partition must be seen"},
    {"partition.assignment.strategy", "cooperative rebalancing loses commits in this library"},
    {"check.crcs", "a damaged record must be noticed"},
    {"allow.auto.create.topics", "a misspelt topic must not come into being"},
    {"group.id", "it is named with -g"},
    {"test.mock.num.brokers", MOCK},
    {"test.mock.broker.rtt", MOCK},
};

const char *kafka_conf_refused(const char *name)
{
    /* The library also takes a topic's properties with this prefix. */
    name += strncmp(name, "topic.", strlen("topic.")) == 0 ? strlen("topic.") : 0;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (strcmp(refused[i].name, name) == 0) {
            return refused[i].why;
        }
    }
    return NULL;
}

const char *kafka_conf_library_version(void)
{
    return rd_kafka_version_str();
}

static int set(rd_kafka_conf_t *conf, const char *name, const char *value, struct error *err)
{
    char why[512];

    if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) == RD_KAFKA_CONF_OK) {
        return 0;
    }
    return error_set(err, EX_USAGE, "property %s: %s", name, why);
}

static int set_all(rd_kafka_conf_t *conf, const struct kafka_property *list, struct error *err)
{
    for (; list->name; list++) {
        if (set(conf, list->name, list->value, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Takes "name=value" apart in place: text is changed. */
static int set_users(rd_kafka_conf_t *conf, char *text, struct error *err)
{
    char *equals = strchr(text, '=');

    if (!equals || equals == text) {
        return error_set(err, EX_USAGE, "property \"%s\" is not of the form name=value", text);
    }
    *equals = '\0';
    for (char *end = equals; end > text && (end[-1] == ' ' || end[-1] == '\t'); end--) {
        end[-1] = '\0';
    }
    char *value = equals + 1 + strspn(equals + 1, " \t");
    const char *why = kafka_conf_refused(text);
    if (why) {
        return error_set(err, EX_USAGE, "property %s cannot be set: %s", text, why);
    }
    return set(conf, text, value, err);
}

static int set_file(rd_kafka_conf_t *conf, const char *path, struct error *err)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    int result = 0;
    FILE *file = fopen(path, "re");

    if (!file) {
        return error_set(err, EX_NOINPUT, "%s: %s", path, strerror(errno));
    }
    for (int number = 1; result == 0 && (len = getline(&line, &size, file)) >= 0; number++) {
        while (len > 0 && strchr("\r\n \t", line[len - 1])) {
            line[--len] = '\0';
        }
        char *text = line + strspn(line, " \t");
        if (*text != '\0' && *text != '#' && set_users(conf, text, err) != 0) {
            result = error_wrap(err, "%s:%d", path, number);
        }
    }
    if (result == 0 && ferror(file)) {
        result = error_set(err, EX_NOINPUT, "%s: cannot be read", path);
    }
    free(line);
    fclose(file);
    return result;
}

/* Is one of the properties that name a broker set? Its length counts the ending NUL. */
static bool names_broker(const rd_kafka_conf_t *conf)
{
    char value[2] = "";
    size_t size = sizeof(value);

    return rd_kafka_conf_get(conf, "bootstrap.servers", value, &size) == RD_KAFKA_CONF_OK &&
           value[0] != '\0';
}

static int set_brokers(rd_kafka_conf_t *conf, const struct kafka_args *args, struct error *err)
{
    if (args->brokers && args->brokers[0] != '\0') {
        return set(conf, "bootstrap.servers", args->brokers, err);
    }
    if (names_broker(conf)) {
        return 0;
    }
    if (args->env_brokers && args->env_brokers[0] != '\0') {
        return set(conf, "bootstrap.servers", args->env_brokers, err);
    }
    return error_set(err, EX_USAGE, "no broker is named: use -b HOST:PORT or PAY_BROKERS");
}

static void log_to_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    /* The error callback tells of lost connections; once is enough. One set of properties serves
     * consumers and producers, and each would warn of those of the other. */
    if (strcmp(facility, "FAIL") == 0 || strcmp(facility, "CONFWARN") == 0) {
        return;
    }
    /* The library's levels are syslog's: 3 is an error, 4 a warning. */
    enum log_level mapped = level <= 3   ? LOG_LEVEL_ERROR
                            : level == 4 ? LOG_LEVEL_WARN
                                         : LOG_LEVEL_INFO;
    char shown[1024];
    log_event(mapped, "kafka", "facility=%s text=\"%s\"", facility,
              text_escape(shown, sizeof(shown), text, strlen(text)));
}

/* Without the log, only what was asked for with the debug property is printed. */
static void set_log(rd_kafka_conf_t *conf, const struct kafka_args *args)
{
    char debug[256] = "";
    size_t size = sizeof(debug);

    if (args->log) {
        rd_kafka_conf_set_log_cb(conf, log_to_log);
    } else if (rd_kafka_conf_get(conf, "debug", debug, &size) != RD_KAFKA_CONF_OK ||
               debug[0] == '\0') {
        rd_kafka_conf_set_log_cb(conf, NULL);
    }
}

int kafka_conf_make(const struct kafka_args *args, const struct kafka_property *defaults,
                    const struct kafka_property *fixed, struct rd_kafka_conf_s **ret,
                    struct error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    if (set_all(conf, defaults, err) != 0 ||
        (args->client_id && set(conf, "client.id", args->client_id, err) != 0) ||
        (args->file && set_file(conf, args->file, err) != 0)) {
        goto fail;
    }
    for (size_t i = 0; i < args->property_count; i++) {
        char text[1024];
        int len = snprintf(text, sizeof(text), "%s", args->properties[i]);
        if (len >= (int)sizeof(text)) {
            error_set(err, EX_USAGE, "a property is longer than %zu bytes", sizeof(text) - 1);
            goto fail;
        }
        if (set_users(conf, text, err) != 0) {
            goto fail;
        }
    }
    if (set_brokers(conf, args, err) != 0 || set_all(conf, fixed, err) != 0) {
        goto fail;
    }
    set_log(conf, args);
    *ret = conf;
    return 0;

fail:
    rd_kafka_conf_destroy(conf);
    return -1;
}

int kafka_conf_check(const struct kafka_args *args, struct error *err)
{
    static const struct kafka_property none[] = {{NULL, NULL}};
    rd_kafka_conf_t *conf;

    if (kafka_conf_make(args, none, none, &conf, err) != 0) {
        return -1;
    }
    rd_kafka_conf_destroy(conf);
    return 0;
}
