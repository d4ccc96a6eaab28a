#include "tests/lib/scene.h"

#include "tests/lib/tree.h"

#include <criterion/criterion.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define START_MS 90000
#define DRAIN_MS 120000

/* ---- life ---- */

static void open_folder(struct scene *scene)
{
    const char *base = getenv("TMPDIR");

    snprintf(scene->dir, sizeof(scene->dir), "%.400s/pay-test-XXXXXX", base ? base : "/tmp");
    cr_assert(mkdtemp(scene->dir), "no folder for the test");
    snprintf(scene->db, sizeof(scene->db), "%.480s/ledger.db", scene->dir);
    snprintf(scene->sample, sizeof(scene->sample), "%s/compose/payments.csv", PAY_SOURCE_DIR);
    snprintf(scene->topic, sizeof(scene->topic), "payments");
}

void scene_open_bare(struct scene *scene)
{
    *scene = (struct scene){.is_embedded = true};
    open_folder(scene);
}

void scene_open_embedded(struct scene *scene)
{
    scene_open_bare(scene);
    scene->broker =
        process_start(scene->dir, NULL, NULL,
                      (const char *const[]){PAY_BIN_DIR "/pay-broker", "--topic", "payments:4",
                                            "--topic", "payments.outcomes:4", "--topic", "others:1",
                                            "--topic", "others.outcomes:1", NULL});
    cr_assert(file_comes_to_have(scene->broker.out, "\n", START_MS), "no embedded broker");
    process_value(&scene->broker, "bootstrap", scene->brokers, sizeof(scene->brokers));
}

void scene_open_on(struct scene *scene, const char *brokers)
{
    scene_open_bare(scene);
    snprintf(scene->brokers, sizeof(scene->brokers), "%s", brokers);
}

void scene_stop(struct scene *scene)
{
    if (scene->is_embedded) {
        process_kill(&scene->broker);
    } else {
        scene_kafka_stop(scene);
    }
}

void scene_close(struct scene *scene)
{
    scene_stop(scene);
    if (!getenv("PAY_KEEP")) {
        (void)tree_remove(scene->dir);
    }
}

/* ---- the programs ---- */

/* The test build of a program: with failpoints, or another that the environment names. */
static const char *program(const char *name, char path[PROCESS_PATH_MAX])
{
    const char *variant = getenv("PAY_VARIANT");

    snprintf(path, PROCESS_PATH_MAX, "%s/%s_%s", PAY_BIN_DIR, name,
             variant ? variant : "failpoints");
    return path;
}

static int add_args(const char **args, int count, const char *const *more)
{
    while (more && *more) {
        args[count++] = *more++;
    }
    return count;
}

struct process scene_start_payd_under(const struct scene *scene, const char *const *before,
                                      const char *env, const char *const *more)
{
    char path[PROCESS_PATH_MAX];
    const char *const run[] = {program("payd", path),
                               "run",
                               "--db",
                               scene->db,
                               "-b",
                               scene->brokers,
                               "-t",
                               scene->topic,
                               "-g",
                               "test",
                               "-X",
                               "session.timeout.ms=6000",
                               scene->is_embedded ? "--skip-topic-check" : NULL,
                               NULL};
    const char *args[PROCESS_ARGS_MAX] = {NULL};
    int count = add_args(args, 0, before);

    count = add_args(args, count, run);
    add_args(args, count, more);
    return process_start(scene->dir, NULL, env, args);
}

struct process scene_start_payd(const struct scene *scene, const char *env, const char *const *more)
{
    return scene_start_payd_under(scene, NULL, env, more);
}

int scene_drain(const struct scene *scene, const char *env, struct process *process)
{
    *process = scene_start_payd(scene, env, (const char *const[]){"--until-end", NULL});
    return process_wait(process, DRAIN_MS);
}

struct process scene_start_pay(const struct scene *scene, const char *env, const char *const *more)
{
    char path[PROCESS_PATH_MAX];
    const char *args[PROCESS_ARGS_MAX] = {program("pay", path)};
    int count = 1;

    while (*more) {
        args[count++] = *more++;
    }
    args[count++] = "-b";
    args[count++] = scene->brokers;
    args[count++] = "-t";
    args[count++] = scene->topic;
    if (scene->is_embedded) {
        args[count++] = "--skip-topic-check";
    }
    return process_start(scene->dir, NULL, env, args);
}

int scene_payd(const struct scene *scene, struct process *process, const char *const *args)
{
    const char *all[PROCESS_ARGS_MAX] = {PAY_BIN_DIR "/payd"};

    for (int i = 1; *args; i++) {
        cr_assert_lt(i, PROCESS_ARGS_MAX - 1, "too many arguments");
        all[i] = *args++;
    }
    return process_run(scene->dir, NULL, process, all);
}

void expect_printed(const struct process *process, const char *text)
{
    cr_expect(file_has(process->out, text), "no %s in\n%s\n%s", text, file_tail(process->out),
              file_tail(process->err));
}

void expect_said(const struct process *process, const char *text)
{
    cr_expect(file_has(process->err, text), "no %s in\n%s", text, file_tail(process->err));
}

int scene_pay(const struct scene *scene, const char *env, struct process *process,
              const char *const *args)
{
    *process = scene_start_pay(scene, env, args);
    return process_wait(process, DRAIN_MS);
}

/* ---- the ledger ---- */

#define BUSY_MS 5000

static sqlite3 *open_ledger(const struct scene *scene, int flags)
{
    sqlite3 *db = NULL;

    cr_assert_eq(sqlite3_open_v2(scene->db, &db, flags, NULL), SQLITE_OK, "%s cannot be opened",
                 scene->db);
    sqlite3_busy_timeout(db, BUSY_MS);
    return db;
}

const char *scene_text(const struct scene *scene, const char *sql)
{
    static char text[1024];
    sqlite3 *db = open_ledger(scene, SQLITE_OPEN_READONLY);
    sqlite3_stmt *row = NULL;

    text[0] = '\0';
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &row, NULL), SQLITE_OK, "%s: %s", sql,
                 sqlite3_errmsg(db));
    if (sqlite3_step(row) == SQLITE_ROW && sqlite3_column_text(row, 0)) {
        snprintf(text, sizeof(text), "%s", (const char *)sqlite3_column_text(row, 0));
    }
    sqlite3_finalize(row);
    sqlite3_close(db);
    return text;
}

int64_t scene_int(const struct scene *scene, const char *sql)
{
    return strtoll(scene_text(scene, sql), NULL, 10);
}

void scene_change(const struct scene *scene, const char *sql)
{
    sqlite3 *db = open_ledger(scene, SQLITE_OPEN_READWRITE);

    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s: %s", sql,
                 sqlite3_errmsg(db));
    sqlite3_close(db);
}

bool scene_comes_to(const struct scene *scene, const char *sql, int64_t wanted, int timeout_ms)
{
    for (int waited = 0; waited <= timeout_ms; waited += 50) {
        /* Before payd has made its tables there is nothing to ask. */
        if (access(scene->db, R_OK) == 0 && file_has(scene->db, "SQLite format 3") &&
            scene_int(scene, "SELECT count(*) FROM sqlite_schema WHERE name = 'quarantined'") &&
            scene_int(scene, sql) == wanted) {
            return true;
        }
        pause_ms(50);
    }
    return false;
}

void scene_check_books(const struct scene *scene)
{
    static const struct {
        const char *what;
        const char *sql; /* gives 0 */
    } checks[] = {
        {"postings do not sum to zero", "SELECT ifnull(sum(amount_minor), 0) FROM postings"},
        {"a payment without two postings that sum to zero",
         "SELECT count(*) FROM (SELECT seq FROM postings GROUP BY seq"
         " HAVING count(*) <> 2 OR sum(amount_minor) <> 0)"},
        {"balances do not sum to zero", "SELECT ifnull(sum(balance_minor), 0) FROM balances"},
        {"a balance that is not the sum of its postings",
         "SELECT count(*) FROM balances b WHERE balance_minor <>"
         " (SELECT sum(amount_minor) FROM postings p WHERE p.account = b.account)"},
        {"a key with two outcomes", "SELECT count(*) - count(DISTINCT key) FROM payments"},
        {"a key without a marker, or a marker without a decision",
         "SELECT (SELECT count(*) FROM keys) - (SELECT count(*) FROM decisions)"},
        {"a total that is not the sum of its payments",
         "SELECT count(*) FROM totals t WHERE high * 10000000000000000 + low <>"
         " (SELECT sum(amount_minor) FROM payments p WHERE p.currency = t.currency"
         "  AND outcome = 'applied')"},
        {"a position behind an outcome",
         "SELECT count(*) FROM decisions d JOIN positions q ON q.partition = d.partition"
         " WHERE d.offset >= q.next_offset AND d.log = (SELECT log FROM store)"},
    };

    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        cr_expect_eq(scene_int(scene, checks[i].sql), 0, "%s", checks[i].what);
    }
    cr_expect_str_eq(scene_text(scene, "PRAGMA integrity_check"), "ok");
}

/* ---- messages of other clients ---- */

static void produce(const struct scene *scene, const char *topic, const char *key,
                    const void *value, size_t value_len, const char *const *names_and_values)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_headers_t *headers = rd_kafka_headers_new(4);

    rd_kafka_conf_set(conf, "bootstrap.servers", scene->brokers, why, sizeof(why));
    rd_kafka_conf_set(conf, "partitioner", "murmur2_random", why, sizeof(why));
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    cr_assert(rk, "%s", why);
    for (; *names_and_values; names_and_values += 2) {
        rd_kafka_header_add(headers, names_and_values[0], -1, names_and_values[1], -1);
    }
    rd_kafka_resp_err_t code = rd_kafka_producev(
        rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_KEY(key, key ? strlen(key) : 0),
        RD_KAFKA_V_VALUE((void *)value, value_len), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    cr_assert_eq(code, RD_KAFKA_RESP_ERR_NO_ERROR);
    cr_assert_eq(rd_kafka_flush(rk, START_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_destroy(rk);
}

void scene_produce_bytes(const struct scene *scene, const char *key, const void *value,
                         size_t value_len)
{
    produce(scene, scene->topic, key, value, value_len,
            (const char *const[]){"sent-by", "a test", NULL});
}

void scene_produce_to(const struct scene *scene, const char *topic, const char *key,
                      const void *value, size_t value_len)
{
    produce(scene, topic, key, value, value_len, (const char *const[]){NULL});
}

void scene_produce_with_headers(const struct scene *scene, const char *key, const char *value,
                                const char *const *headers)
{
    produce(scene, scene->topic, key, value, strlen(value), headers);
}

void scene_produce(const struct scene *scene, const char *key, const char *value)
{
    scene_produce_bytes(scene, key, value, value ? strlen(value) : 0);
}
