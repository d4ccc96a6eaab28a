/*
 * The Kafka client's configuration: what a user may set and in which order, what is refused by
 * name, and where a mistake is said to stand.
 */
#include "common/kafka_conf.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const struct kafka_property no_properties[] = {{NULL, NULL}};

static struct error err;

/* The configuration of args, which the caller destroys; NULL when it was refused. */
static rd_kafka_conf_t *make(const struct kafka_args *args)
{
    rd_kafka_conf_t *conf = NULL;

    err = (struct error){EX_OK, ""};
    if (kafka_conf_make(args, no_properties, no_properties, &conf, &err) != 0) {
        cr_expect_null(conf, "a refused configuration was handed out");
        return NULL;
    }
    cr_expect_str_eq(err.text, "");
    return conf;
}

/* Expects the configuration to be refused with code and a sentence that has text in it. */
static void expect_refused(const struct kafka_args *args, int code, const char *text)
{
    rd_kafka_conf_t *conf = make(args);

    cr_expect_null(conf, "taken, although: %s", text);
    cr_expect_eq(err.code, code, "%s: code %d", err.text, err.code);
    cr_expect(strstr(err.text, text) != NULL, "\"%s\" is not in \"%s\"", text, err.text);
    if (conf) {
        rd_kafka_conf_destroy(conf);
    }
}

/* Expects a property to have that value. */
static void expect_value(const rd_kafka_conf_t *conf, const char *name, const char *wanted)
{
    char value[512] = "";
    size_t size = sizeof(value);

    cr_assert_eq(rd_kafka_conf_get(conf, name, value, &size), RD_KAFKA_CONF_OK, "%s", name);
    cr_expect_str_eq(value, wanted, "%s is %s", name, value);
}

static const struct {
    const char *name;
    const char *value;
} breaking[] = {
    {"acks", "0"},
    {"request.required.acks", "1"},
    {"enable.idempotence", "false"},
    {"enable.gapless.guarantee", "true"},
    {"transactional.id", "t"},
    {"retries", "0"},
    {"message.send.max.retries", "0"},
    {"max.in.flight.requests.per.connection", "5"},
    {"max.in.flight", "5"},
    {"delivery.report.only.error", "true"},
    {"produce.offset.report", "false"},
    {"partitioner", "random"},
    {"queuing.strategy", "lifo"},
    {"isolation.level", "read_uncommitted"},
    {"enable.auto.commit", "true"},
    {"auto.commit.enable", "true"},
    {"enable.auto.offset.store", "true"},
    {"auto.offset.reset", "latest"},
    {"offset.store.method", "file"},
    {"offset.store.path", "/tmp"},
    {"enable.partition.eof", "false"},
    {"partition.assignment.strategy", "cooperative-sticky"},
    {"check.crcs", "false"},
    {"allow.auto.create.topics", "true"},
    {"group.id", "g"},
    {"test.mock.num.brokers", "3"},
    {"test.mock.broker.rtt", "1"},
};

Test(kafka_conf, a_property_that_breaks_the_promise_is_refused_by_name)
{
    for (size_t i = 0; i < sizeof(breaking) / sizeof(breaking[0]); i++) {
        static const char *const forms[] = {"%s=%s", "%s =%s", "%s\t = %s"};
        const char *why = kafka_conf_refused(breaking[i].name);
        cr_expect_not_null(why, "%s", breaking[i].name);
        for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
            char property[128];
            char sentence[256];
            snprintf(property, sizeof(property), forms[f], breaking[i].name, breaking[i].value);
            snprintf(sentence, sizeof(sentence), "property %s cannot be set: %s", breaking[i].name,
                     why);
            struct kafka_args args = {
                .brokers = "b:9092", .properties = {property}, .property_count = 1};
            expect_refused(&args, EX_USAGE, sentence);
            cr_expect_str_eq(err.text, sentence);
        }
    }
}

Test(kafka_conf, what_does_not_break_the_promise_is_not_refused)
{
    static const char *const names[] = {"security.protocol",
                                        "sasl.password",
                                        "linger.ms",
                                        "bootstrap.servers",
                                        "ack",
                                        "acks.",
                                        "Acks",
                                        ""};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        cr_expect_null(kafka_conf_refused(names[i]), "%s", names[i]);
    }
}

Test(kafka_conf, mistakes_are_said)
{
    static char long_property[2048];
    static const struct {
        const char *property;
        const char *text;
    } rows[] = {
        {"linger.ms", "property \"linger.ms\" is not of the form name=value"},
        {"", "property \"\" is not of the form name=value"},
        {"=5", "property \"=5\" is not of the form name=value"},
        {"no.such.property=5", "property no.such.property: "},
        {"Acks=all", "property Acks: "},
        {" acks=0", "property  acks: "},
        {"linger.ms=soon", "property linger.ms: "},
        {"linger.ms=-1", "property linger.ms: "},
        {"security.protocol=telnet", "property security.protocol: "},
        {long_property, "a property is longer than 1023 bytes"},
    };

    memset(long_property, 'x', sizeof(long_property) - 1);
    memcpy(long_property, "client.id=", 10);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct kafka_args args = {
            .brokers = "b:9092", .properties = {rows[i].property}, .property_count = 1};
        expect_refused(&args, EX_USAGE, rows[i].text);
    }
}

Test(kafka_conf, a_broker_must_be_named)
{
    static const struct kafka_args rows[] = {
        {.brokers = NULL},
        {.brokers = ""},
        {.env_brokers = ""},
        {.brokers = "", .env_brokers = ""},
        {.properties = {"bootstrap.servers="}, .property_count = 1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect_refused(&rows[i], EX_USAGE, "no broker is named: use -b HOST:PORT or PAY_BROKERS");
    }
}

/* ---- files ---- */

static char path[64];

static void write_file(const char *text)
{
    snprintf(path, sizeof(path), "/tmp/pay_conf_XXXXXX");
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

Test(kafka_conf, a_file_sets_properties)
{
    struct kafka_args args = {.file = path};

    write_file("# our cluster\n"
               "\n"
               "   # indented remark\n"
               "bootstrap.servers = one:9092,two:9092  \r\n"
               "\tclient.id=from file\n"
               "sasl.password=a=b#c\n"
               "linger.ms=7");
    rd_kafka_conf_t *conf = make(&args);
    unlink(path);
    cr_assert_not_null(conf, "%s", err.text);
    expect_value(conf, "bootstrap.servers", "one:9092,two:9092");
    expect_value(conf, "client.id", "from file");
    expect_value(conf, "sasl.password", "a=b#c");
    expect_value(conf, "linger.ms", "7");
    rd_kafka_conf_destroy(conf);
}

Test(kafka_conf, a_mistake_in_a_file_is_said_with_its_line)
{
    static const struct {
        const char *text;
        int line;
        const char *problem;
    } rows[] = {
        {"acks=0\n", 1, "property acks cannot be set: "},
        {"# remark\n\nclient.id=x\n  isolation.level = read_uncommitted\n", 4,
         "property isolation.level cannot be set: "},
        {"client.id=x\r\nlinger.ms\r\n", 2, "property \"linger.ms\" is not of the form name=value"},
        {"client.id=x\nno.such.property=1\nacks=0\n", 2, "property no.such.property: "},
        {"linger.ms=soon", 1, "property linger.ms: "},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct kafka_args args = {.brokers = "b:9092", .file = path};
        char wanted[256];
        write_file(rows[i].text);
        snprintf(wanted, sizeof(wanted), "%s:%d: %s", path, rows[i].line, rows[i].problem);
        expect_refused(&args, EX_USAGE, wanted);
        cr_expect_eq(strncmp(err.text, wanted, strlen(wanted)), 0, "%s", err.text);
        unlink(path);
    }
}

Test(kafka_conf, every_refused_property_is_refused_in_a_file_too)
{
    for (size_t i = 0; i < sizeof(breaking) / sizeof(breaking[0]); i++) {
        struct kafka_args args = {.brokers = "b:9092", .file = path};
        char line[128];
        char wanted[256];
        snprintf(line, sizeof(line), "\n%s=%s\n", breaking[i].name, breaking[i].value);
        write_file(line);
        snprintf(wanted, sizeof(wanted), "%s:2: property %s cannot be set: ", path,
                 breaking[i].name);
        expect_refused(&args, EX_USAGE, wanted);
        unlink(path);
    }
}

Test(kafka_conf, a_file_that_cannot_be_read_is_no_input)
{
    struct kafka_args args = {.brokers = "b:9092", .file = "/nonexistent/kafka.conf"};

    expect_refused(&args, EX_NOINPUT, "/nonexistent/kafka.conf: No such file or directory");
    args.file = "/tmp";
    expect_refused(&args, EX_NOINPUT, "/tmp: ");
}

/* ---- which one wins ---- */

Test(kafka_conf, brokers_of_the_option_win_over_properties_over_the_environment)
{
    static const struct {
        struct kafka_args args;
        const char *brokers;
    } rows[] = {
        {{.env_brokers = "env:1"}, "env:1"},
        {{.properties = {"bootstrap.servers=x:1"}, .property_count = 1}, "x:1"},
        {{.properties = {"metadata.broker.list=x:1"}, .property_count = 1, .env_brokers = "env:1"},
         "x:1"},
        {{.properties = {"bootstrap.servers=x:1", "bootstrap.servers=x:2"},
          .property_count = 2,
          .env_brokers = "env:1"},
         "x:2"},
        {{.brokers = "b:1",
          .properties = {"bootstrap.servers=x:1"},
          .property_count = 1,
          .env_brokers = "env:1"},
         "b:1"},
        {{.brokers = "b:1", .env_brokers = "env:1"}, "b:1"},
        {{.file = path, .env_brokers = "env:1"}, "file:1"},
        {{.file = path,
          .properties = {"bootstrap.servers=x:1"},
          .property_count = 1,
          .env_brokers = "env:1"},
         "x:1"},
        {{.file = path, .brokers = "b:1"}, "b:1"},
    };

    write_file("bootstrap.servers=file:1\n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rd_kafka_conf_t *conf = make(&rows[i].args);
        cr_assert_not_null(conf, "row %zu: %s", i, err.text);
        expect_value(conf, "bootstrap.servers", rows[i].brokers);
        rd_kafka_conf_destroy(conf);
    }
    unlink(path);
}

Test(kafka_conf, defaults_give_way_and_fixed_properties_do_not)
{
    static const struct kafka_property defaults[] = {{"linger.ms", "1"},
                                                     {"client.id", "default"},
                                                     {"message.timeout.ms", "60000"},
                                                     {NULL, NULL}};
    static const struct kafka_property fixed[] = {
        {"acks", "all"}, {"enable.idempotence", "true"}, {NULL, NULL}};
    struct kafka_args args = {
        .brokers = "b:1", .file = path, .properties = {"linger.ms=3"}, .property_count = 1};
    rd_kafka_conf_t *conf = NULL;

    write_file("linger.ms=2\nclient.id=file\n");
    int result = kafka_conf_make(&args, defaults, fixed, &conf, &err);
    unlink(path);
    cr_assert_eq(result, 0, "%s", err.text);
    expect_value(conf, "linger.ms", "3");
    expect_value(conf, "client.id", "file");
    expect_value(conf, "message.timeout.ms", "60000");
    expect_value(conf, "acks", "-1");
    expect_value(conf, "enable.idempotence", "true");
    rd_kafka_conf_destroy(conf);
}

Test(kafka_conf, names_the_library_version)
{
    cr_expect_str_eq(kafka_conf_library_version(), rd_kafka_version_str());
}
