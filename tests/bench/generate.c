/*
 * bench-generate: writes a load (load.h) to a topic, to a file for `kcat -P`, and to one for
 * `pay batch`. The payloads are those that pay makes.
 */
#include "common/command_json.h"
#include "common/digest.h"
#include "common/money.h"
#include "tests/bench/load.h"
#include "tests/bench/records.h"
#include "tests/bench/timer.h"

#include <errno.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define POLL_EVERY  1000 /* records */
#define QUEUE_MAX   "500000"
#define FLUSH_MS    120000
#define REASON_SIZE 512

static const char usage[] =
    "Usage: bench-generate [-b BROKERS -t TOPIC] [--kcat FILE] [--csv FILE] [LOAD]\n"
    "\n"
    "Writes the records of a load to a topic that is there already (lz4, acks=all, idempotent),\n"
    "as KEY<tab>VALUE lines for kcat -P -K '\\t', and its different payments as CSV for pay "
    "batch.\n"
    "Prints how many records, and the sum by which bench-count knows them again.\n"
    "\n" LOAD_USAGE;

struct generator {
    struct load load;
    const char *brokers;
    const char *topic;
    const char *kcat_path;
    const char *csv_path;
    rd_kafka_t *rk; /* NULL = no topic is written */
    FILE *kcat;
    FILE *csv;
    struct record_sum sum;
    int64_t failed; /* not acknowledged */
    char reason[REASON_SIZE];
};

/* ---- the topic ---- */

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct generator *generator = opaque;

    (void)rk;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        generator->failed++;
        snprintf(generator->reason, sizeof(generator->reason), "%s",
                 rd_kafka_err2str(message->err));
    }
}

static int open_topic(struct generator *generator, struct error *err)
{
    static const char *const properties[][2] = {
        {"acks", "all"},
        {"enable.idempotence", "true"},
        {"compression.type", "lz4"},
        {"partitioner", "murmur2_random"},
        {"linger.ms", "50"},
        {"log_level", "3"}, /* a new Kafka makes it wait for a moment, and it says so */
        {"batch.num.messages", "20000"},
        {"queue.buffering.max.messages", QUEUE_MAX},
        {"queue.buffering.max.kbytes", "524288"},
    };
    char why[REASON_SIZE];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
        rd_kafka_conf_set(conf, properties[i][0], properties[i][1], NULL, 0);
    }
    rd_kafka_conf_set(conf, "bootstrap.servers", generator->brokers, NULL, 0);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_conf_set_opaque(conf, generator);
    generator->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (!generator->rk) {
        rd_kafka_conf_destroy(conf);
        return error_set(err, EX_UNAVAILABLE, "the Kafka client cannot start: %s", why);
    }
    return 0;
}

/* Waits for room in the client's queue. */
static int send_record(struct generator *generator, const char *key, const char *value, size_t len,
                       struct error *err)
{
    for (;;) {
        rd_kafka_resp_err_t code = rd_kafka_producev(
            generator->rk, RD_KAFKA_V_TOPIC(generator->topic),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, strlen(key)),
            RD_KAFKA_V_VALUE((char *)value, len), RD_KAFKA_V_END);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            return 0;
        }
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            return error_set(err, EX_UNAVAILABLE, "%s: %s", generator->topic,
                             rd_kafka_err2str(code));
        }
        rd_kafka_poll(generator->rk, 10);
    }
}

static int finish_topic(struct generator *generator, struct error *err)
{
    if (rd_kafka_flush(generator->rk, FLUSH_MS) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return error_set(err, EX_UNAVAILABLE, "%s: not all was acknowledged within %d s",
                         generator->topic, FLUSH_MS / 1000);
    }
    return generator->failed == 0
               ? 0
               : error_set(err, EX_UNAVAILABLE, "%s: %" PRId64 " failed: %s", generator->topic,
                           generator->failed, generator->reason);
}

/* ---- files ---- */

static int open_file(const char *path, FILE **ret, struct error *err)
{
    *ret = path ? fopen(path, "we") : NULL;
    return path && !*ret ? error_set(err, EX_CANTCREAT, "%s: %s", path, strerror(errno)) : 0;
}

static int close_file(const char *path, FILE *file, struct error *err)
{
    if (!file) {
        return 0;
    }
    int failed = ferror(file);
    return fclose(file) == 0 && !failed ? 0
                                        : error_set(err, EX_IOERR, "%s: cannot be written", path);
}

/* Its key only where pay would not make the same one. */
static void write_row(struct generator *generator, const struct payment *payment)
{
    char amount[MONEY_TEXT_SIZE];

    money_format(amount, payment->amount_minor, payment->currency);
    fprintf(generator->csv, "%s,%s,%s", payment->src, payment->dest, amount);
    if (generator->load.keys != KEYS_BATCH) {
        fprintf(generator->csv, ",%s", payment->key);
    }
    fputc('\n', generator->csv);
}

/* ---- all of it ---- */

static int write_record(struct generator *generator, int64_t payment_number, bool is_new,
                        struct error *err)
{
    struct command command;
    char value[COMMAND_JSON_SIZE];

    command_init(&command, COMMAND_PAYMENT);
    load_payment(&generator->load, payment_number, &command.payment);
    size_t len = command_json_encode(&command, value);
    if (len == 0) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    record_sum_add(&generator->sum, command.payment.key, strlen(command.payment.key), value, len);
    if (generator->kcat) {
        fprintf(generator->kcat, "%s\t%s\n", command.payment.key, value);
    }
    if (generator->csv && is_new) {
        write_row(generator, &command.payment);
    }
    return generator->rk ? send_record(generator, command.payment.key, value, len, err) : 0;
}

static int write_all(struct generator *generator, struct error *err)
{
    struct load_cursor cursor = {&generator->load, 0, 0};
    int64_t payment;
    int64_t highest = -1;
    int result = 0;

    if (generator->csv) {
        fputs(generator->load.keys == KEYS_BATCH ? "src,dest,amount\n" : "src,dest,amount,key\n",
              generator->csv);
    }
    while (result == 0 && (payment = load_next(&cursor)) >= 0) {
        result = write_record(generator, payment, payment > highest, err);
        highest = payment > highest ? payment : highest;
        if (generator->rk && generator->sum.records % POLL_EVERY == 0) {
            rd_kafka_poll(generator->rk, 0);
        }
    }
    return result == 0 && generator->rk ? finish_topic(generator, err) : result;
}

static int generate(struct generator *generator, struct error *err)
{
    struct error ignored;
    int64_t started_ns = timer_now_ns();

    if ((generator->load.keys == KEYS_BATCH && load_bind_batch(&generator->load, err) != 0) ||
        open_file(generator->kcat_path, &generator->kcat, err) != 0 ||
        open_file(generator->csv_path, &generator->csv, err) != 0 ||
        (generator->topic && open_topic(generator, err) != 0)) {
        return -1;
    }
    int result = write_all(generator, err);
    if (close_file(generator->kcat_path, generator->kcat, result == 0 ? err : &ignored) != 0 ||
        close_file(generator->csv_path, generator->csv, result == 0 ? err : &ignored) != 0) {
        result = -1;
    }
    if (generator->rk) {
        rd_kafka_destroy(generator->rk);
    }
    if (result == 0) {
        printf("{\"records\": %" PRId64 ", \"sum\": \"%016" PRIx64 "\", \"bytes\": %" PRId64
               ", \"seconds\": %.3f}\n",
               generator->sum.records, generator->sum.sum, generator->sum.bytes,
               timer_seconds(timer_now_ns() - started_ns));
    }
    return result;
}

static int parse(int argc, char **argv, struct generator *ret, struct error *err)
{
    enum { OPTION_KCAT = 256, OPTION_CSV };
    static const struct option table[] = {{"kcat", required_argument, NULL, OPTION_KCAT},
                                          {"csv", required_argument, NULL, OPTION_CSV},
                                          LOAD_OPTIONS,
                                          {0}};
    int option;

    while ((option = getopt_long(argc, argv, "b:t:", table, NULL)) != -1) {
        if (option == 'b') {
            ret->brokers = optarg;
        } else if (option == 't') {
            ret->topic = optarg;
        } else if (option == OPTION_KCAT) {
            ret->kcat_path = optarg;
        } else if (option == OPTION_CSV) {
            ret->csv_path = optarg;
        } else if (load_take_option(&ret->load, option, optarg, err) != 0) {
            return -1;
        }
    }
    if (optind < argc || (ret->topic != NULL) != (ret->brokers != NULL)) {
        return error_set(err, EX_USAGE, "wrong usage: see --help");
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct generator generator = {.load = load_default()};
    struct error err = {.code = EX_SOFTWARE, .text = ""};

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (parse(argc, argv, &generator, &err) != 0 || generate(&generator, &err) != 0) {
        fprintf(stderr, "bench-generate: %s\n", err.text);
        return err.code;
    }
    return 0;
}
