#include "tests/lib/fault.h"

#include "common/clock.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAY_MS     240000
#define STOP_MS    60000
#define ACCOUNTS   40
#define AMOUNT_MAX 100000

/* ---- life ---- */

void fault_begin(struct fault *fault)
{
    const char *seed = getenv("PAY_SEED");
    char path[PROCESS_PATH_MAX + 32];

    fault->started_ms = clock_monotonic_ms();
    fault->seed = seed ? (unsigned)strtoul(seed, NULL, 10) : (unsigned)time(NULL);
    fault->drawing = fault->seed;
    fprintf(stderr, "PAY_SEED=%u folder=%s\n", fault->seed, fault->scene.dir);
    snprintf(path, sizeof(path), "%s/history.jsonl", fault->scene.dir);
    fault->history = fopen(path, "we");
    cr_assert(fault->history, "%s cannot be written", path);
    snprintf(path, sizeof(path), "%s/snapshots", fault->scene.dir);
    cr_assert_eq(mkdir(path, 0700), 0);
}

void fault_open_embedded(struct fault *fault)
{
    *fault = (struct fault){.hits = 0};
    scene_open_embedded(&fault->scene);
    fault_begin(fault);
}

void fault_open_bare(struct fault *fault)
{
    *fault = (struct fault){.hits = 0};
    scene_open_bare(&fault->scene);
    fault_begin(fault);
}

void fault_open_kafka(struct fault *fault, const char *const *advertised, int *proxied)
{
    *fault = (struct fault){.hits = 0};
    scene_open_kafka(&fault->scene, advertised, proxied);
    fault_begin(fault);
}

int fault_draw(struct fault *fault, int below)
{
    return rand_r(&fault->drawing) % below;
}

void fault_hit(struct fault *fault, int64_t times)
{
    fault->hits += times;
}

/* ---- the history ---- */

/* One line; the caller flushes. The object is taken over. */
static void write_line(struct fault *fault, cJSON *line)
{
    char *text = cJSON_PrintUnformatted(line);

    cr_assert(text, "out of memory");
    fprintf(fault->history, "%s\n", text);
    cJSON_free(text);
    cJSON_Delete(line);
}

static cJSON *event_line(const char *event, const char *key)
{
    cJSON *line = cJSON_CreateObject();

    cJSON_AddStringToObject(line, "event", event);
    if (key) {
        cJSON_AddStringToObject(line, "key", key);
    } else {
        cJSON_AddNullToObject(line, "key");
    }
    return line;
}

static void flush_history(struct fault *fault)
{
    cr_assert(fflush(fault->history) == 0 && fsync(fileno(fault->history)) == 0,
              "the history cannot be written");
}

void fault_make_batch(struct fault *fault, struct fault_batch *batch, const char *id, int rows)
{
    batch->rows = rows;
    snprintf(batch->id, sizeof(batch->id), "%s", id);
    snprintf(batch->file, sizeof(batch->file), "%.400s/%s.csv", fault->scene.dir, id);
    FILE *out = fopen(batch->file, "we");
    cr_assert(out);
    fprintf(out, "src,dest,amount\n");
    for (int i = 0; i < rows; i++) {
        int amount = 1 + fault_draw(fault, AMOUNT_MAX);
        int src = fault_draw(fault, ACCOUNTS);
        int dest = (src + 1 + fault_draw(fault, ACCOUNTS - 1)) % ACCOUNTS;
        fprintf(out, "account-%d,account-%d,%d.%02d\n", src, dest, amount / 100, amount % 100);
    }
    cr_assert_eq(fclose(out), 0);
}

/* Each row as it stands in the file that fault_make_batch() wrote. */
static void note_invoked(struct fault *fault, const struct fault_batch *batch)
{
    FILE *in = fopen(batch->file, "re");
    char text[256];
    char key[64];
    char src[64];
    char dest[64];
    char amount[32];
    long whole;
    long cents;

    cr_assert(in && fgets(text, sizeof(text), in));
    for (int row = 1; fgets(text, sizeof(text), in); row++) {
        cr_assert_eq(sscanf(text, "%63[^,],%63[^,],%ld.%ld", src, dest, &whole, &cents), 4);
        snprintf(key, sizeof(key), "%s:%010d", batch->id, row);
        snprintf(amount, sizeof(amount), "%ld", 100 * whole + cents);
        cJSON *line = event_line("invoke", key);
        cJSON *fields = cJSON_AddObjectToObject(line, "fields");
        cJSON_AddStringToObject(fields, "src", src);
        cJSON_AddStringToObject(fields, "dest", dest);
        cJSON_AddStringToObject(fields, "amount", amount);
        cJSON_AddStringToObject(fields, "currency", "EUR");
        write_line(fault, line);
    }
    fclose(in);
    flush_history(fault);
}

struct process fault_start_pay(struct fault *fault, const struct fault_batch *batch,
                               const char *env, const char *const *more)
{
    const char *args[PROCESS_ARGS_MAX] = {"batch", "--batch-id", batch->id, batch->file};
    int count = 4;

    while (more && *more) {
        args[count++] = *more++;
    }
    note_invoked(fault, batch);
    struct scene scene = fault->scene;
    if (fault->pay_brokers[0]) {
        snprintf(scene.brokers, sizeof(scene.brokers), "%s", fault->pay_brokers);
    }
    return scene_start_pay(&scene, env, args);
}

static int fate_number(const char *event)
{
    return strcmp(event, "ok") == 0 ? 0 : strcmp(event, "unknown") == 0 ? 1 : 2;
}

int fault_fates(const struct fault *fault, const char *event)
{
    return fault->fates[fate_number(event)];
}

/* What a line of pay's standard error says of rows: sets how they ended, from first to last. */
static void read_fates(const struct fault_batch *batch, char *text, const char **fates)
{
    size_t id_len = strlen(batch->id);
    char *next = NULL;

    for (char *line = strtok_r(text, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
        const char *fate = strncmp(line, "unknown ", 8) == 0  ? "unknown"
                           : strncmp(line, "failed ", 7) == 0 ? "fail"
                                                              : NULL;
        char *key = strchr(line, ' ');
        if (!fate || !key || strncmp(key + 1, batch->id, id_len) != 0) {
            continue;
        }
        int first = atoi(key + 1 + id_len + 1);
        char *to = strstr(key, " to ");
        int last = to ? atoi(to + 4 + id_len + 1) : first;
        cr_assert(first >= 1 && last >= first && last <= batch->rows, "%s", line);
        for (int row = first; row <= last; row++) {
            fates[row - 1] = fate;
        }
    }
}

void fault_note_pay(struct fault *fault, const struct fault_batch *batch, const struct process *pay,
                    int code)
{
    const char **fates = calloc((size_t)batch->rows, sizeof(const char *));
    char *text = file_text(pay->err);
    bool may_be_whole = code != PROCESS_KILLED && code != PROCESS_LATE;
    char key[64];

    cr_assert(fates);
    for (int row = 0; row < batch->rows; row++) {
        fates[row] = may_be_whole ? "ok" : "unknown";
    }
    if (code == 69) {
        for (int row = 0; row < batch->rows; row++) {
            fates[row] = "fail"; /* nothing was published */
        }
    } else if (may_be_whole) {
        read_fates(batch, text, fates);
    }
    memset(fault->fates, 0, sizeof(fault->fates));
    for (int row = 0; row < batch->rows; row++) {
        snprintf(key, sizeof(key), "%s:%010d", batch->id, row + 1);
        write_line(fault, event_line(fates[row], key));
        fault->fates[fate_number(fates[row])]++;
    }
    flush_history(fault);
    free(text);
    free(fates);
}

int fault_pay(struct fault *fault, const struct fault_batch *batch, const char *env,
              const char *const *more)
{
    struct process pay = fault_start_pay(fault, batch, env, more);
    int code = process_wait(&pay, PAY_MS);

    fault_note_pay(fault, batch, &pay, code);
    return code;
}

void fault_note_invoked(struct fault *fault, const char *key, const void *value, size_t value_len)
{
    cJSON *line = event_line("invoke", key);
    char *hex = calloc(2, value_len + 1);

    cr_assert(hex);
    for (size_t i = 0; i < value_len; i++) {
        snprintf(hex + 2 * i, 3, "%02x", ((const unsigned char *)value)[i]);
    }
    cJSON_AddStringToObject(line, "payload_hex", hex);
    free(hex);
    write_line(fault, line);
    flush_history(fault);
}

void fault_note_end(struct fault *fault, const char *key, const char *event)
{
    write_line(fault, event_line(event, key));
    flush_history(fault);
}

void fault_produce(struct fault *fault, const char *key, const void *value, size_t value_len)
{
    fault_note_invoked(fault, key, value, value_len);
    scene_produce_bytes(&fault->scene, key, value, value_len);
    fault_note_end(fault, key, "ok");
}

void fault_produce_text(struct fault *fault, const char *key, const char *value)
{
    fault_produce(fault, key, value, strlen(value));
}

/* ---- payd ---- */

void fault_snapshot(struct fault *fault)
{
    char path[PROCESS_PATH_MAX + 64];
    sqlite3 *from = NULL;
    sqlite3 *to = NULL;

    if (access(fault->scene.db, R_OK) != 0) {
        return;
    }
    snprintf(path, sizeof(path), "%s/snapshots/%03d.db", fault->scene.dir, fault->snapshots++);
    cr_assert_eq(sqlite3_open_v2(fault->scene.db, &from, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_open(path, &to), SQLITE_OK);
    sqlite3_busy_timeout(from, 5000);
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    cr_assert(backup, "%s", sqlite3_errmsg(to));
    int code = sqlite3_backup_step(backup, -1);
    cr_assert_eq(code, SQLITE_DONE, "the ledger cannot be copied: %s", sqlite3_errstr(code));
    sqlite3_backup_finish(backup);
    /* A copy of a file that payd has not made whole yet says nothing. */
    sqlite3_stmt *row = NULL;
    bool is_empty =
        sqlite3_prepare_v2(to, "SELECT 1 FROM positions LIMIT 1", -1, &row, NULL) != SQLITE_OK;
    sqlite3_finalize(row);
    sqlite3_close(to);
    sqlite3_close(from);
    if (is_empty) {
        unlink(path);
    }
}

void fault_expect_failpoint(struct fault *fault, const struct process *process)
{
    cr_assert(file_has(process->err, "failpoint "), "the failpoint was not reached: %s",
              file_tail(process->err));
    fault_hit(fault, 1);
}

void fault_drain(struct fault *fault)
{
    struct process payd;

    cr_assert_eq(scene_drain(&fault->scene, NULL, &payd), 0, "%s", file_tail(payd.err));
}

void fault_expect_stop(struct fault *fault, struct process *payd, int code, const char *why)
{
    int ended = process_wait(payd, STOP_MS);

    cr_assert_eq(ended, code, "exit code %d, not %d: %s", ended, code, file_tail(payd->err));
    cr_assert(file_has(payd->err, fault->scene.db) && file_has(payd->err, why),
              "it does not say \"%s\": %s", why, file_tail(payd->err));
    fault_hit(fault, 1);
}

void fault_expect_refusal(struct fault *fault, int code, const char *why)
{
    struct process payd =
        scene_start_payd(&fault->scene, NULL, (const char *const[]){"--until-end", NULL});

    fault_expect_stop(fault, &payd, code, why);
}

/* ---- the verdict ---- */

static int checker(const struct fault *fault, struct process *process, const char *const *args)
{
    return process_run(fault->scene.dir, NULL, process, args);
}

/* The last line of the checker: "checked: messages=N keys=N ...". */
static int64_t messages_of(const struct process *process)
{
    char *text = file_text(process->out);
    const char *at = strstr(text, "checked: messages=");
    int64_t messages = at ? strtoll(strchr(at, '=') + 1, NULL, 10) : 0;

    free(text);
    return messages;
}

static void report(const struct fault *fault, int64_t messages)
{
    const char *path = getenv("PAY_FAULTS_REPORT");
    FILE *out = path ? fopen(path, "ae") : NULL;

    if (out) {
        fprintf(out, "%s\t%s\t%u\t%lld\t%lld\t%lld\n", criterion_current_test->category,
                criterion_current_test->name, fault->seed, (long long)fault->hits,
                (long long)messages, (long long)(clock_monotonic_ms() - fault->started_ms));
        fclose(out);
    }
}

/* Returns how many messages the topic has. */
static int64_t check(struct fault *fault, bool is_settled)
{
    struct scene *scene = &fault->scene;
    struct process process;

    cr_assert_eq(checker(fault, &process,
                         (const char *const[]){PAY_BIN_DIR "/pay-checker", "collect", "-b",
                                               scene->brokers, "-t", scene->topic, "-g", "test",
                                               "--into", scene->dir, NULL}),
                 0, "%s", file_tail(process.err));
    int code =
        checker(fault, &process,
                (const char *const[]){PAY_BIN_DIR "/pay-checker", "check", scene->dir, "--db",
                                      scene->db, is_settled ? "--settled" : NULL, NULL});
    char *said = file_text(process.out);
    cr_assert_eq(code, 0, "the checker: %s%s", said, file_tail(process.err));
    free(said);
    return messages_of(&process);
}

void fault_check(struct fault *fault)
{
    check(fault, false);
}

void fault_report_only(struct fault *fault, int64_t messages)
{
    cr_assert_gt(fault->hits, 0, "the fault never struck: nothing is proved");
    report(fault, messages);
    fclose(fault->history);
    scene_close(&fault->scene);
    fault->is_judged = true;
}

void fault_judge_as_it_is(struct fault *fault)
{
    fault_report_only(fault, check(fault, true));
}

void fault_report(struct fault *fault)
{
    scene_check_books(&fault->scene);
    fault_report_only(fault, scene_int(&fault->scene, "SELECT sum(count) FROM counters"));
}

void fault_judge(struct fault *fault)
{
    fault_drain(fault);
    fault_judge_as_it_is(fault);
}

void fault_close(struct fault *fault)
{
    if (!fault->is_judged && fault->scene.dir[0]) {
        fprintf(stderr, "what it leaves is in %s\n", fault->scene.dir);
        scene_stop(&fault->scene);
    }
}
