/*
 * bench-latency: how long after a payment was acknowledged is it committed? An open loop: each
 * payment is due at its own time, whatever became of those before, so a pause of anything counts
 * for all payments that were due in it (no coordinated omission).
 *
 *   due        when it should be handed to the client; everything is also counted from here
 *   acked      the client's delivery report: the broker has it (acks=all)
 *   committed  a reader of payd's ledger sees it. The reader asks every 0.1 ms for PRAGMA
 *              data_version, which reads the header of the WAL's index in shared memory, and after
 *              another commit for the new rows of the view `payments`. How often it really looked
 *              is printed: that is the resolution, and it only ever adds to the latency. A commit
 *              is visible only after its fdatasync.
 *
 * Beside it, in the same run, what no consumer with a durable store can go below: one fdatasync of
 * 4 KiB on the ledger's disk, and one fetch, measured with a consumer in this process on a topic of
 * its own at the same rate.
 */
#include "common/command_json.h"
#include "tests/bench/histogram.h"
#include "tests/bench/load.h"
#include "tests/bench/timer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#define LOOK_NS      100000 /* how often the ledger is looked at */
#define WARM_UP_S    3
#define SETTLE_NS    (INT64_C(30) * 1000000000) /* for the last ones to come */
#define SYNCS        2000
#define SYNC_BYTES   4096
#define SYNC_BLOCKS  1024 /* of the file that is written round and round */
#define TIMEOUT_MS   10000
#define REASON_SIZE  512
#define PATH_SIZE    4096
#define INDEX_DIGITS 12 /* of a key: which payment it is */

static const char usage[] =
    "Usage: bench-latency -b BROKERS -t TOPIC --probe TOPIC --db FILE [--rate N] [--seconds N]\n"
    "                     [--json FILE] [--seed N]\n"
    "\n"
    "Publishes N payments a second (default: 1000) for some seconds (default: 30) to a topic that "
    "a\n"
    "running payd reads into FILE, after 3 s to warm up. The probe topic is for the fetch.\n";

/* One way of noticing a record, timed by one thread. */
struct phase {
    rd_kafka_t *producer;
    const char *topic;
    int64_t rate;
    int64_t warm_up; /* the first payments that do not count */
    int64_t count;
    uint64_t seed;
    _Atomic int64_t *due_ns; /* each by number of the payment */
    _Atomic int64_t *acked_ns;
    _Atomic int64_t *seen_ns;
    _Atomic int64_t acked;
    _Atomic int64_t seen;
    _Atomic bool stop;
};

struct latency {
    const char *brokers;
    const char *topic;
    const char *probe;
    const char *db;
    const char *json_path;
    int64_t rate;
    int64_t seconds;
    int64_t seed;
    struct histogram sync;
    struct histogram fetch; /* acknowledged -> received by a plain consumer */
    struct histogram fetch_due;
    struct histogram commit; /* acknowledged -> committed */
    struct histogram commit_due;
    struct histogram ack; /* due -> acknowledged */
    struct histogram look;
};

static int fail_text(struct error *err, const char *what, const char *why)
{
    return error_set(err, EX_UNAVAILABLE, "%s: %s", what, why);
}

static void sleep_until(int64_t ns)
{
    struct timespec at = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR) {
    }
}

/* ---- one fdatasync ---- */

static int measure_sync(struct latency *latency, struct error *err)
{
    static char block[SYNC_BYTES];
    char path[PATH_SIZE];

    snprintf(path, sizeof(path), "%s.sync", latency->db);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail_text(err, path, strerror(errno));
    }
    int result = 0;
    for (int i = 0; result == 0 && i < SYNC_BLOCKS; i++) {
        result = pwrite(fd, block, sizeof(block), (off_t)i * SYNC_BYTES) == SYNC_BYTES ? 0 : -1;
    }
    result = result == 0 ? fsync(fd) : -1;
    for (int i = 0; result == 0 && i < SYNCS; i++) {
        int64_t started_ns = timer_now_ns();
        memset(block, i, sizeof(block));
        if (pwrite(fd, block, sizeof(block), (off_t)(i % SYNC_BLOCKS) * SYNC_BYTES) != SYNC_BYTES ||
            fdatasync(fd) != 0) {
            result = -1;
        }
        histogram_add(&latency->sync, timer_now_ns() - started_ns);
    }
    if (result != 0) {
        fail_text(err, path, strerror(errno));
    }
    close(fd);
    unlink(path);
    return result;
}

/* ---- publishing at a rate ---- */

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct phase *phase = opaque;

    (void)rk;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        phase->acked_ns[(intptr_t)message->_private] = timer_now_ns();
        phase->acked++;
    }
}

static void *take_reports(void *argument)
{
    struct phase *phase = argument;

    while (!phase->stop) {
        rd_kafka_poll(phase->producer, 100);
    }
    return NULL;
}

/* A key like a UUIDv4 that ends in the payment's number. */
static void make_key(const struct phase *phase, int64_t number, char *key)
{
    uint64_t random = load_random(phase->seed, (uint64_t)number);

    snprintf(key, PAYMENT_KEY_MAX + 1,
             "%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64 "-8000-%012" PRIx64, random >> 32,
             random >> 16 & 0xFFFF, random & 0xFFF, (uint64_t)number);
}

/* -1 for a key that is none of ours. */
static int64_t number_of(const struct phase *phase, const char *key, size_t len)
{
    char digits[INDEX_DIGITS + 1] = {0};

    if (len < INDEX_DIGITS) {
        return -1;
    }
    memcpy(digits, key + len - INDEX_DIGITS, INDEX_DIGITS);
    int64_t number = strtoll(digits, NULL, 16);
    return number < phase->count ? number : -1;
}

static void note_seen(struct phase *phase, const char *key, size_t len, int64_t now_ns)
{
    int64_t number = number_of(phase, key, len);

    if (number >= 0 && phase->seen_ns[number] == 0) {
        phase->seen_ns[number] = now_ns;
        phase->seen++;
    }
}

static int publish(struct phase *phase, const struct load *load, int64_t number, struct error *err)
{
    struct command command;
    char value[COMMAND_JSON_SIZE];

    command_init(&command, COMMAND_PAYMENT);
    load_payment(load, number, &command.payment);
    make_key(phase, number, command.payment.key);
    size_t len = command_json_encode(&command, value);
    rd_kafka_resp_err_t code = rd_kafka_producev(
        phase->producer, RD_KAFKA_V_TOPIC(phase->topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(command.payment.key, strlen(command.payment.key)),
        RD_KAFKA_V_VALUE(value, len), RD_KAFKA_V_OPAQUE((void *)(intptr_t)number), RD_KAFKA_V_END);
    return len > 0 && code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? 0
               : fail_text(err, phase->topic, rd_kafka_err2str(code));
}

/* What is not on time is late, and its time still runs from when it was due. */
static int publish_all(struct phase *phase, struct error *err)
{
    const struct load load = load_default();
    int64_t started_ns = timer_now_ns();
    int result = 0;

    for (int64_t i = 0; result == 0 && i < phase->count; i++) {
        int64_t due_ns = started_ns + i * 1000000000 / phase->rate;
        sleep_until(due_ns);
        phase->due_ns[i] = due_ns;
        result = publish(phase, &load, i, err);
    }
    int64_t deadline_ns = timer_now_ns() + SETTLE_NS;
    while (result == 0 && (phase->acked < phase->count || phase->seen < phase->count)) {
        if (timer_now_ns() > deadline_ns) {
            result = error_set(err, EX_DATAERR,
                               "%s: of %" PRId64 " payments %" PRId64 " were acknowledged and "
                               "%" PRId64 " seen",
                               phase->topic, phase->count, phase->acked, phase->seen);
        }
        usleep(1000);
    }
    return result;
}

static rd_kafka_t *make_client(rd_kafka_type_t type, const char *brokers, struct phase *phase,
                               struct error *err)
{
    static const char *const properties[][2] = {{"acks", "all"},
                                                {"enable.idempotence", "true"},
                                                {"partitioner", "murmur2_random"},
                                                {"linger.ms", "0"}};
    const size_t count = sizeof(properties) / sizeof(properties[0]);
    char why[REASON_SIZE];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, NULL, 0);
    for (size_t i = 0; type == RD_KAFKA_PRODUCER && i < count; i++) {
        rd_kafka_conf_set(conf, properties[i][0], properties[i][1], NULL, 0);
    }
    if (type == RD_KAFKA_PRODUCER) {
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
        rd_kafka_conf_set_opaque(conf, phase);
    } else {
        rd_kafka_conf_set(conf, "group.id", "bench-latency", NULL, 0);
        rd_kafka_conf_set(conf, "enable.auto.commit", "false", NULL, 0);
    }
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof(why));
    if (!rk) {
        rd_kafka_conf_destroy(conf);
        fail_text(err, "the Kafka client cannot start", why);
    }
    return rk;
}

static int begin_phase(struct phase *phase, const struct latency *latency, const char *topic,
                       struct error *err)
{
    phase->topic = topic;
    phase->rate = latency->rate;
    phase->seed = (uint64_t)latency->seed;
    phase->warm_up = WARM_UP_S * latency->rate;
    phase->count = phase->warm_up + latency->seconds * latency->rate;
    phase->due_ns = calloc((size_t)phase->count, sizeof(*phase->due_ns));
    phase->acked_ns = calloc((size_t)phase->count, sizeof(*phase->acked_ns));
    phase->seen_ns = calloc((size_t)phase->count, sizeof(*phase->seen_ns));
    if (!phase->due_ns || !phase->acked_ns || !phase->seen_ns) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    phase->producer = make_client(RD_KAFKA_PRODUCER, latency->brokers, phase, err);
    return phase->producer ? 0 : -1;
}

static void end_phase(struct phase *phase)
{
    if (phase->producer) {
        rd_kafka_destroy(phase->producer);
    }
    free((void *)phase->due_ns);
    free((void *)phase->acked_ns);
    free((void *)phase->seen_ns);
}

/* Publishes while one thread takes the reports and another, the watcher, fills seen_ns. */
static int run_phase(struct phase *phase, void *(*watcher)(void *), void *user, struct error *err)
{
    pthread_t reports;
    pthread_t watch;

    if (pthread_create(&reports, NULL, take_reports, phase) != 0) {
        return error_set(err, EX_OSERR, "a thread cannot be started");
    }
    int result = -1;
    if (pthread_create(&watch, NULL, watcher, user) != 0) {
        error_set(err, EX_OSERR, "a thread cannot be started");
    } else {
        result = publish_all(phase, err);
        phase->stop = true;
        pthread_join(watch, NULL);
    }
    phase->stop = true;
    pthread_join(reports, NULL);
    return result;
}

static void add_up(const struct phase *phase, struct histogram *acked_seen,
                   struct histogram *due_seen, struct histogram *due_acked)
{
    for (int64_t i = phase->warm_up; i < phase->count; i++) {
        histogram_add(acked_seen, phase->seen_ns[i] - phase->acked_ns[i]);
        histogram_add(due_seen, phase->seen_ns[i] - phase->due_ns[i]);
        if (due_acked) {
            histogram_add(due_acked, phase->acked_ns[i] - phase->due_ns[i]);
        }
    }
}

/* ---- one fetch ---- */

struct fetch {
    struct phase phase;
    rd_kafka_t *consumer;
};

static void *watch_topic(void *argument)
{
    struct fetch *fetch = argument;

    while (!fetch->phase.stop) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(fetch->consumer, 100);
        if (message) {
            if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                note_seen(&fetch->phase, message->key, message->key_len, timer_now_ns());
            }
            rd_kafka_message_destroy(message);
        }
    }
    return NULL;
}

/* The topic is new, so its beginning is its end. */
static int assign_probe(struct fetch *fetch, const char *topic, struct error *err)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(fetch->consumer, topic, NULL);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(4);

    rd_kafka_poll_set_consumer(fetch->consumer);
    if (rd_kafka_metadata(fetch->consumer, 0, handle, &metadata, TIMEOUT_MS) ==
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        for (int i = 0; metadata->topic_cnt == 1 && i < metadata->topics[0].partition_cnt; i++) {
            rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
        }
        rd_kafka_metadata_destroy(metadata);
    }
    int result = list->cnt > 0 && rd_kafka_assign(fetch->consumer, list) == 0
                     ? 0
                     : fail_text(err, topic, "its partitions are not known");
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_topic_destroy(handle);
    return result;
}

static int measure_fetch(struct latency *latency, struct error *err)
{
    struct fetch fetch = {.consumer = NULL};
    int result = begin_phase(&fetch.phase, latency, latency->probe, err);

    if (result == 0) {
        fetch.consumer = make_client(RD_KAFKA_CONSUMER, latency->brokers, NULL, err);
        result = fetch.consumer ? assign_probe(&fetch, latency->probe, err) : -1;
    }
    if (result == 0) {
        result = run_phase(&fetch.phase, watch_topic, &fetch, err);
    }
    if (result == 0) {
        add_up(&fetch.phase, &latency->fetch, &latency->fetch_due, NULL);
    }
    if (fetch.consumer) {
        rd_kafka_consumer_close(fetch.consumer);
        rd_kafka_destroy(fetch.consumer);
    }
    end_phase(&fetch.phase);
    return result;
}

/* ---- payd ---- */

struct ledger {
    struct phase phase;
    struct histogram *look;
    sqlite3 *db;
    sqlite3_stmt *version;
    sqlite3_stmt *rows;
    int64_t last_seq;
};

static int open_ledger(struct ledger *ledger, const char *path, struct error *err)
{
    if (sqlite3_open_v2(path, &ledger->db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(ledger->db, "PRAGMA data_version", -1, &ledger->version, NULL) !=
            SQLITE_OK ||
        sqlite3_prepare_v2(ledger->db, "SELECT seq, key FROM payments WHERE seq > ? ORDER BY seq",
                           -1, &ledger->rows, NULL) != SQLITE_OK) {
        return fail_text(err, path, sqlite3_errmsg(ledger->db));
    }
    return 0;
}

static void close_ledger(struct ledger *ledger)
{
    sqlite3_finalize(ledger->version);
    sqlite3_finalize(ledger->rows);
    sqlite3_close(ledger->db);
}

/* All rows of a query are of one snapshot, which is there from its first step on. */
static void take_rows(struct ledger *ledger)
{
    int64_t now_ns = 0;

    sqlite3_bind_int64(ledger->rows, 1, ledger->last_seq);
    while (sqlite3_step(ledger->rows) == SQLITE_ROW) {
        now_ns = now_ns ? now_ns : timer_now_ns();
        ledger->last_seq = sqlite3_column_int64(ledger->rows, 0);
        note_seen(&ledger->phase, (const char *)sqlite3_column_text(ledger->rows, 1),
                  (size_t)sqlite3_column_bytes(ledger->rows, 1), now_ns);
    }
    sqlite3_reset(ledger->rows);
}

static void *watch_ledger(void *argument)
{
    struct ledger *ledger = argument;
    int64_t seen_version = -1;
    int64_t looked_ns = timer_now_ns();

    prctl(PR_SET_TIMERSLACK, 1);
    while (!ledger->phase.stop) {
        int64_t version = -1;
        if (sqlite3_step(ledger->version) == SQLITE_ROW) {
            version = sqlite3_column_int64(ledger->version, 0);
        }
        sqlite3_reset(ledger->version);
        if (version != seen_version) {
            take_rows(ledger);
            seen_version = version;
        }
        int64_t now_ns = timer_now_ns();
        histogram_add(ledger->look, now_ns - looked_ns);
        looked_ns = now_ns;
        sleep_until(now_ns + LOOK_NS);
    }
    return NULL;
}

static int measure_commit(struct latency *latency, struct error *err)
{
    struct ledger ledger = {.look = &latency->look};
    int result = begin_phase(&ledger.phase, latency, latency->topic, err);

    if (result == 0) {
        result = open_ledger(&ledger, latency->db, err);
    }
    if (result == 0) {
        result = run_phase(&ledger.phase, watch_ledger, &ledger, err);
    }
    if (result == 0) {
        add_up(&ledger.phase, &latency->commit, &latency->commit_due, &latency->ack);
    }
    close_ledger(&ledger);
    end_phase(&ledger.phase);
    return result;
}

/* ---- what came out ---- */

struct line {
    const char *name; /* in JSON */
    const char *title;
    const struct histogram *histogram;
};

static const double percents[] = {50, 90, 99, 99.9, 100};
#define PERCENTS (sizeof(percents) / sizeof(percents[0]))

static void print_line(const struct line *line)
{
    printf("%-38s", line->title);
    for (size_t i = 0; i < PERCENTS; i++) {
        printf(" %8.2f", (double)histogram_percentile(line->histogram, percents[i]) / 1e6);
    }
    printf("\n");
}

static void write_line(FILE *out, const struct line *line)
{
    fprintf(out, ",\n  \"%s\": {\"count\": %" PRId64, line->name, line->histogram->count);
    for (size_t i = 0; i < PERCENTS; i++) {
        fprintf(out, ", \"%g\": %.4f", percents[i],
                (double)histogram_percentile(line->histogram, percents[i]) / 1e6);
    }
    fprintf(out, "}");
}

static int print_result(const struct latency *latency, struct error *err)
{
    const struct line lines[] = {
        {"sync", "write and fdatasync of 4 KiB", &latency->sync},
        {"fetch", "a plain consumer: acked -> received", &latency->fetch},
        {"fetch_due", "                  due -> received", &latency->fetch_due},
        {"ack", "payd's topic:     due -> acked", &latency->ack},
        {"commit", "payd:             acked -> committed", &latency->commit},
        {"commit_due", "                  due -> committed", &latency->commit_due},
        {"look", "time between two looks at the ledger", &latency->look},
    };
    FILE *out = latency->json_path ? fopen(latency->json_path, "we") : NULL;

    printf("%" PRId64 " payments a second for %" PRId64 " s; milliseconds\n", latency->rate,
           latency->seconds);
    printf("%-38s %8s %8s %8s %8s %8s\n", "", "p50", "p90", "p99", "p99.9", "max");
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        print_line(&lines[i]);
    }
    if (latency->json_path && !out) {
        return fail_text(err, latency->json_path, strerror(errno));
    }
    if (out) {
        fprintf(out, "{\"rate\": %" PRId64 ", \"seconds\": %" PRId64, latency->rate,
                latency->seconds);
        for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
            write_line(out, &lines[i]);
        }
        fprintf(out, "}\n");
        fclose(out);
    }
    return 0;
}

static int parse(int argc, char **argv, struct latency *ret, struct error *err)
{
    enum { OPTION_PROBE = 256, OPTION_DB, OPTION_RATE, OPTION_SECONDS, OPTION_JSON, OPTION_SEED };
    static const struct option table[] = {{"probe", required_argument, NULL, OPTION_PROBE},
                                          {"db", required_argument, NULL, OPTION_DB},
                                          {"rate", required_argument, NULL, OPTION_RATE},
                                          {"seconds", required_argument, NULL, OPTION_SECONDS},
                                          {"json", required_argument, NULL, OPTION_JSON},
                                          {"seed", required_argument, NULL, OPTION_SEED},
                                          {0}};
    int option;
    int result = 0;

    while (result == 0 && (option = getopt_long(argc, argv, "b:t:", table, NULL)) != -1) {
        const char **texts[] = {&ret->probe, &ret->db};
        if (option == 'b') {
            ret->brokers = optarg;
        } else if (option == 't') {
            ret->topic = optarg;
        } else if (option == OPTION_PROBE || option == OPTION_DB) {
            *texts[option - OPTION_PROBE] = optarg;
        } else if (option == OPTION_JSON) {
            ret->json_path = optarg;
        } else if (option == OPTION_RATE) {
            result = load_take_number("--rate", optarg, 1, 100000, &ret->rate, err);
        } else if (option == OPTION_SECONDS) {
            result = load_take_number("--seconds", optarg, 1, 3600, &ret->seconds, err);
        } else if (option == OPTION_SEED) {
            result = load_take_number("--seed", optarg, 0, INT64_MAX, &ret->seed, err);
        } else {
            return error_set(err, EX_USAGE, "wrong usage: see --help");
        }
    }
    if (result == 0 && (optind < argc || !ret->brokers || !ret->topic || !ret->probe || !ret->db)) {
        result = error_set(err, EX_USAGE, "wrong usage: see --help");
    }
    return result;
}

int main(int argc, char **argv)
{
    static struct latency latency = {.rate = 1000, .seconds = 30, .seed = 1};
    struct error err = {.code = EX_SOFTWARE, .text = ""};

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    prctl(PR_SET_TIMERSLACK, 1);
    if (parse(argc, argv, &latency, &err) != 0 || measure_sync(&latency, &err) != 0 ||
        measure_fetch(&latency, &err) != 0 || measure_commit(&latency, &err) != 0 ||
        print_result(&latency, &err) != 0) {
        fprintf(stderr, "bench-latency: %s\n", err.text);
        return err.code;
    }
    return 0;
}
