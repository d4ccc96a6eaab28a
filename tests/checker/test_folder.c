#include "tests/checker/test_folder.h"

#include "common/command_digest.h"
#include "common/outcome_json.h"
#include "consumer/ledger.h"
#include "tests/lib/process.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_ROWS   4096
#define TIMESTAMP_MS INT64_C(1700000000000)
#define OUTCOMES_MAX 64
#define CHECK_MS     60000

static void path_of(const struct folder *folder, const char *file, char path[PROCESS_PATH_MAX])
{
    snprintf(path, PROCESS_PATH_MAX, "%.250s/%s", folder->dir, file);
}

static FILE *open_file(const struct folder *folder, const char *file, const char *mode)
{
    char path[PROCESS_PATH_MAX];

    path_of(folder, file, path);
    FILE *stream = fopen(path, mode);
    cr_assert(stream, "%s", path);
    return stream;
}

/* ---- making ---- */

void folder_begin(struct folder *folder, int partitions, bool strict)
{
    struct error err = {0, ""};

    *folder = (struct folder){.partitions = partitions};
    kit_folder_make(folder->dir);
    snprintf(folder->db, sizeof(folder->db), "%s/ledger.db", folder->dir);
    cr_assert_eq(store_sqlite_open(&folder->store, folder->db, NULL, &err), 0, "%s", err.text);
    cr_assert_eq(folder->store->ops->bind(folder->store, "c1", "payments", &err), STORE_OK);
    cr_assert_eq(folder->store->ops->set_mode(folder->store, strict, &err), STORE_OK);
    for (int32_t i = 0; i < partitions; i++) {
        cr_assert_eq(folder->store->ops->adopt(folder->store, i, 0, &err), STORE_OK);
    }
    fclose(open_file(folder, "history-1.jsonl", "w"));
    fclose(open_file(folder, "topic.jsonl", "w"));
}

/* As hex, which suits any bytes. */
static void put_hex(FILE *file, const char *name, const char *text)
{
    if (!text) {
        fprintf(file, "\"%s\":null", name);
        return;
    }
    fprintf(file, "\"%s_hex\":\"", name);
    for (; *text; text++) {
        fprintf(file, "%02x", (unsigned char)*text);
    }
    fputc('"', file);
}

static void put_key(FILE *file, const char *key)
{
    if (key) {
        fprintf(file, "\"key\":\"%s\"", key);
    } else {
        fputs("\"key\":null", file);
    }
}

static int64_t write_message(struct folder *folder, const struct folder_message *message)
{
    FILE *history = open_file(folder, "history-1.jsonl", "a");
    FILE *topic = open_file(folder, "topic.jsonl", "a");
    int64_t offset = folder->ends[message->partition]++;

    fputs("{\"event\":\"invoke\",", history);
    put_key(history, message->key);
    fputc(',', history);
    put_hex(history, "payload", message->value);
    fputs("}\n{\"event\":\"ok\",", history);
    put_key(history, message->key);
    fputs("}\n", history);
    fprintf(topic, "{\"partition\":%d,\"offset\":%" PRId64 ",\"timestamp_ms\":%" PRId64 ",",
            message->partition, offset, TIMESTAMP_MS);
    put_key(topic, message->key);
    fputc(',', topic);
    put_hex(topic, "value", message->value);
    fputs("}\n", topic);
    fclose(history);
    fclose(topic);
    return offset;
}

static void add_item(struct chunk *chunk, struct digest *digest,
                     const struct folder_message *message, int64_t offset)
{
    struct chunk_range *range = chunk_range(chunk, message->partition, offset);
    struct chunk_item *item = chunk_add(chunk);
    unsigned char whole[DIGEST_SIZE];
    struct error err;

    item->origin = (struct origin){message->partition, offset, TIMESTAMP_MS};
    item->raw =
        (struct raw_message){message->key, message->key ? strlen(message->key) : 0, message->value,
                             message->value ? strlen(message->value) : 0, NULL};
    range->to = offset + 1;
    cr_assert_eq(command_json_decode(item->raw.key, item->raw.key_len, item->raw.value,
                                     item->raw.value_len, &item->command, &item->unreadable,
                                     item->detail),
                 0);
    if (item->unreadable == READABLE) {
        cr_assert_eq(command_digest(digest, &item->command, item->digest, &err), 0);
        return;
    }
    cr_assert_eq(digest_add(digest, item->raw.value, item->raw.value_len, &err), 0);
    cr_assert_eq(digest_finish(digest, whole, &err), 0);
    memcpy(item->digest, whole, sizeof(item->digest));
}

void folder_send(struct folder *folder, const struct folder_message *messages, size_t count)
{
    struct chunk *chunk = chunk_new(CHUNK_ROWS);
    struct error err = {0, ""};
    struct digest *digest = NULL;

    cr_assert(chunk && count <= CHUNK_ROWS);
    cr_assert_eq(digest_open(&digest, &err), 0, "%s", err.text);
    chunk->one_partition = folder->partitions == 1;
    for (size_t i = 0; i < count; i++) {
        add_item(chunk, digest, &messages[i], write_message(folder, &messages[i]));
    }
    cr_assert_eq(kit_transact(folder->store, chunk, &err), STORE_OK, "%s", err.text);
    digest_close(digest);
    chunk_free(chunk);
}

void folder_send_only(struct folder *folder, const struct folder_message *messages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        write_message(folder, &messages[i]);
    }
}

void folder_publish(struct folder *folder)
{
    static struct store_outcome outcomes[OUTCOMES_MAX];
    const struct store_ops *ops = folder->store->ops;
    FILE *file = open_file(folder, "outcomes.jsonl", "a");
    struct error err = {0, ""};
    int64_t published = 0;
    int64_t last = 0;
    size_t count = 0;

    cr_assert_eq(ops->outbox(folder->store, &published, &last, &err), STORE_OK);
    while (ops->outcomes(folder->store, published, outcomes, OUTCOMES_MAX, &count, &err) ==
               STORE_OK &&
           count > 0) {
        for (size_t i = 0; i < count; i++) {
            char text[OUTCOME_JSON_SIZE];
            published = outcomes[i].record.seq;
            if (outcomes[i].record.key[0] == '\0') {
                continue;
            }
            cr_assert_gt(outcome_json_encode(&outcomes[i].record, text), 0);
            fputc('{', file);
            put_key(file, outcomes[i].record.key);
            fputc(',', file);
            put_hex(file, "value", text);
            fputs("}\n", file);
        }
    }
    fclose(file);
    cr_assert_eq(ops->published(folder->store, published, &err), STORE_OK, "%s", err.text);
}

void folder_new_log(struct folder *folder)
{
    const struct store_ops *ops = folder->store->ops;
    struct error err = {0, ""};

    cr_assert_eq(ops->new_log(folder->store, TIMESTAMP_MS, &err), STORE_OK, "%s", err.text);
    cr_assert_eq(ops->bind(folder->store, "c1", "payments", &err), STORE_OK, "%s", err.text);
    for (int32_t i = 0; i < folder->partitions; i++) {
        cr_assert_eq(ops->adopt(folder->store, i, 0, &err), STORE_OK, "%s", err.text);
        folder->ends[i] = 0;
    }
    fclose(open_file(folder, "topic.jsonl", "w"));
}

void folder_make_sample(struct folder *folder)
{
    static const struct folder_message first[] = {
        {0, "k1", FOLDER_PAYMENT("ann", "bob", "500")},
        {0, "k1", FOLDER_PAYMENT("ann", "bob", "500")},
        {0, "k1", FOLDER_PAYMENT("ann", "bob", "501")},
        {1, "k2", FOLDER_PAYMENT("bob", "cid", "200")},
        {1, "k3", FOLDER_PAYMENT("ann", "ann", "5")},
        {1, "poison", "?"},
        {0, NULL, FOLDER_PAYMENT("ann", "bob", "7")},
        {1, "k4", "{\"v\":1,\"type\":\"cancel\"}"},
        {1, "k4", FOLDER_PAYMENT("ann", "bob", "9")},
        {0, "b1", FOLDER_ROW("ann", "bob", "10", "0a")},
        {1, "b2", FOLDER_ROW("ann", "cid", "11", "0b")},
    };
    static const struct folder_message second[] = {
        {1, "o1", "{\"v\":1,\"type\":\"account_open\",\"account\":\"dan\"}"},
        {1, "018f3c6e-0000-7000-8000-000000000001", FOLDER_PAYMENT("cid", "dan", "1")},
        {0, "k5", FOLDER_PAYMENT("dan", "ann", "3")},
    };
    static const struct folder_message repeat = {0, "k1", FOLDER_PAYMENT("ann", "bob", "500")};

    folder_begin(folder, 2, false);
    folder_send(folder, first, sizeof(first) / sizeof(first[0]));
    folder_publish(folder);
    folder_snapshot(folder, "1");
    for (int i = 0; i < 20; i++) {
        folder_send(folder, &repeat, 1);
    }
    folder_send(folder, second, sizeof(second) / sizeof(second[0]));
    folder_publish(folder);
    folder_end(folder);
}

/* The lines without which a topic's file is no evidence. */
static void write_ends(const struct folder *folder, const char *name, const int64_t *ends,
                       int partitions)
{
    FILE *file = open_file(folder, name, "a");

    for (int i = 0; i < partitions; i++) {
        fprintf(file, "{\"partition\":%d,\"low\":0,\"high\":%" PRId64 ",\"records\":%" PRId64 "}\n",
                i, ends[i], ends[i]);
    }
    fclose(file);
}

static int64_t count_lines(const struct folder *folder, const char *name)
{
    char path[PROCESS_PATH_MAX];

    path_of(folder, name, path);
    return file_count(path, "\n");
}

void folder_end(struct folder *folder)
{
    FILE *committed = open_file(folder, "committed.jsonl", "w");
    struct store_identity self;
    struct error err = {0, ""};
    char path[PROCESS_PATH_MAX];

    cr_assert_eq(folder->store->ops->identify(folder->store, &self, &err), STORE_OK);
    write_ends(folder, "topic.jsonl", folder->ends, folder->partitions);
    for (int32_t i = 0; i < folder->partitions; i++) {
        fprintf(committed,
                "{\"partition\":%d,\"offset\":%" PRId64 ",\"metadata\":\"payd1 %s %" PRId64
                " %" PRId64 " %s\"}\n",
                i, kit_position(folder->store, i), self.uuid, self.incarnation, self.chunks,
                self.opening);
    }
    fclose(committed);
    path_of(folder, "outcomes.jsonl", path);
    if (access(path, F_OK) == 0) {
        write_ends(folder, "outcomes.jsonl", (int64_t[]){count_lines(folder, "outcomes.jsonl")}, 1);
    }
    store_close(folder->store);
    folder->store = NULL;
}

void folder_snapshot(struct folder *folder, const char *name)
{
    char path[PROCESS_PATH_MAX];
    char sql[PROCESS_PATH_MAX + 32];

    path_of(folder, "snapshots", path);
    mkdir(path, 0700);
    snprintf(sql, sizeof(sql), "VACUUM INTO '%.250s/snapshots/%s.db'", folder->dir, name);
    folder_sql(folder, sql);
}

void folder_remove(struct folder *folder)
{
    store_close(folder->store);
    kit_folder_remove(folder->dir);
}

/* ---- doctoring ---- */

void folder_sql(const struct folder *folder, const char *sql)
{
    sqlite3 *db = NULL;

    cr_assert_eq(sqlite3_open_v2(folder->db, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_exec(db, "PRAGMA ignore_check_constraints = ON", NULL, NULL, NULL);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s: %s", sql,
                 sqlite3_errmsg(db));
    sqlite3_close(db);
}

void folder_replace(const struct folder *folder, const char *file, const char *from, const char *to)
{
    char path[PROCESS_PATH_MAX];

    path_of(folder, file, path);
    char *text = file_text(path);
    const char *at = strstr(text, from);
    cr_assert(at, "%s has no %s", file, from);
    FILE *stream = open_file(folder, file, "w");
    fprintf(stream, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    fclose(stream);
    free(text);
}

void folder_append(const struct folder *folder, const char *file, const char *text)
{
    FILE *stream = open_file(folder, file, "a");

    fputs(text, stream);
    fclose(stream);
}

void folder_cut(const struct folder *folder, const char *file, const char *text)
{
    char path[PROCESS_PATH_MAX];
    bool found = false;

    path_of(folder, file, path);
    char *whole = file_text(path);
    char *rest = whole;
    FILE *stream = open_file(folder, file, "w");
    for (char *line; (line = strsep(&rest, "\n")) && rest;) {
        found = found || strstr(line, text);
        if (!strstr(line, text)) {
            fprintf(stream, "%s\n", line);
        }
    }
    cr_assert(found, "%s has no line with %s", file, text);
    fclose(stream);
    free(whole);
}

void folder_delete(const struct folder *folder, const char *file)
{
    char path[PROCESS_PATH_MAX];

    path_of(folder, file, path);
    cr_assert_eq(unlink(path), 0, "%s", path);
}

void folder_strip(const struct folder *folder)
{
    folder_delete(folder, "snapshots/1.db");
    folder_delete(folder, "outcomes.jsonl");
}

/* ---- the verdict ---- */

/* "I2 I4": the numbers with which the output's lines begin, each once. */
static void list_invariants(const char *out, char *ret, size_t size)
{
    size_t used = 0;

    ret[0] = '\0';
    for (int i = 1; i <= 10; i++) {
        char start[24];
        snprintf(start, sizeof(start), "I%d key=", i);
        if (strstr(out, start)) {
            used += (size_t)snprintf(ret + used, size - used, "%sI%d", used > 0 ? " " : "", i);
        }
    }
}

void folder_expect(const struct folder *folder, bool settled, int code, const char *invariants,
                   const char *says)
{
    char found[64];
    struct process process =
        process_start(folder->dir, NULL, NULL,
                      (const char *const[]){PAY_BIN_DIR "/pay-checker", "check", folder->dir,
                                            settled ? "--settled" : NULL, NULL});
    int got = process_wait(&process, CHECK_MS);
    char *out = file_text(process.out);

    list_invariants(out, found, sizeof(found));
    cr_expect_eq(got, code, "exit code %d, not %d: %s%s", got, code, out, file_tail(process.err));
    cr_expect_str_eq(found, invariants, "%s", out);
    if (says) {
        cr_expect(strstr(out, says) || file_has(process.err, says), "no \"%s\" in: %s%s", says, out,
                  file_tail(process.err));
    }
    free(out);
}
