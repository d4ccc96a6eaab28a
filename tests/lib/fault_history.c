/*
 * What submitters did and heard, as the checker reads it (tests/lib/fault.h).
 */
#include "tests/lib/fault.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define PAY_MS     240000
#define ACCOUNTS   40
#define AMOUNT_MAX 100000

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
    bool has_spoken = code != PROCESS_KILLED && code != PROCESS_LATE;
    bool has_published = code != EX_UNAVAILABLE;
    char key[64];

    cr_assert(fates);
    for (int row = 0; row < batch->rows; row++) {
        fates[row] = !has_spoken ? "unknown" : has_published ? "ok" : "fail";
    }
    if (has_spoken && has_published) {
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
