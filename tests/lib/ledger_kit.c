#include "tests/lib/ledger_kit.h"

#include "tests/lib/tree.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_ROWS 64

const char *kit_answer(char buf[KIT_ANSWER_SIZE], const struct decision *decision)
{
    char fields[COMMAND_FIELDS_SIZE];
    bool has_reason = decision->reason != REASON_NONE;

    command_fields(fields, decision->fields);
    snprintf(buf, KIT_ANSWER_SIZE, "%s%s%s%s%s", outcome_name(decision->outcome),
             has_reason ? " " : "", has_reason ? reason_name(decision->reason) : "",
             fields[0] ? " " : "", fields);
    return buf;
}

void kit_run(struct store *store, int32_t partition, const struct kit_row *rows, size_t count)
{
    struct chunk *chunk = chunk_new(CHUNK_ROWS);
    struct error err = {0, ""};
    int64_t offset = kit_position(store, partition);

    cr_assert_not_null(chunk);
    cr_assert_geq(offset, 0);
    for (size_t i = 0; i < count; i++) {
        kit_add(chunk, &rows[i], partition, offset + (int64_t)i);
    }
    cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK, "%s", err.text);
    for (size_t i = 0; i < count; i++) {
        char answer[KIT_ANSWER_SIZE];
        cr_expect_str_eq(kit_answer(answer, &chunk->items[i].decision), rows[i].answer,
                         "row %zu (key %s) is %s, not %s", i, rows[i].key, answer, rows[i].answer);
    }
    chunk_free(chunk);
}

void kit_run_commands(struct store *store, bool one_partition, const struct kit_command *rows,
                      size_t count)
{
    struct chunk *chunk = chunk_new(CHUNK_ROWS);
    struct error err = {0, ""};
    int64_t offset = kit_position(store, 0);

    cr_assert_not_null(chunk);
    chunk->one_partition = one_partition;
    for (size_t i = 0; i < count; i++) {
        kit_add_command(chunk, &rows[i].command, 0, offset + (int64_t)i);
    }
    cr_assert_eq(kit_transact(store, chunk, &err), STORE_OK, "%s", err.text);
    for (size_t i = 0; i < count; i++) {
        char answer[KIT_ANSWER_SIZE];
        cr_expect_str_eq(kit_answer(answer, &chunk->items[i].decision), rows[i].answer,
                         "row %zu (key %s) is %s, not %s", i, rows[i].command.payment.key, answer,
                         rows[i].answer);
    }
    chunk_free(chunk);
}

int64_t kit_position(struct store *store, int32_t partition)
{
    struct error err = {0, ""};
    bool found = false;
    struct log_marks marks;
    int64_t offset = 0;

    cr_assert_eq(store->ops->position(store, partition, &found, &offset, &marks, &err), STORE_OK,
                 "%s", err.text);
    return found ? offset : -1;
}

struct chunk_account kit_account(struct store *store, const char *name)
{
    struct kit_row row = {"kit", name, name, 1, "EUR", NULL, NULL};
    struct chunk *chunk = chunk_new(1);
    struct error err = {0, ""};

    cr_assert_not_null(chunk);
    chunk_add(chunk)->command =
        (struct command){.type = COMMAND_PAYMENT, .payment = kit_payment(&row)};
    chunk_index(chunk);
    cr_assert_eq(store->ops->begin(store, &err), STORE_OK, "%s", err.text);
    cr_assert_eq(store->ops->load(store, chunk, &err), STORE_OK, "%s", err.text);
    store->ops->rollback(store);
    struct chunk_account account = chunk->accounts[0];
    account.name = name;
    chunk_free(chunk);
    return account;
}

void kit_begin(struct store *store)
{
    struct error err = {0, ""};

    cr_assert_eq(store->ops->bind(store, "c1", "payments", &err), STORE_OK, "%s", err.text);
    cr_assert_eq(store->ops->adopt(store, 0, 0, &err), STORE_OK, "%s", err.text);
    cr_assert_eq(store->ops->adopt(store, 1, 0, &err), STORE_OK, "%s", err.text);
}

void kit_folder_make(char path[KIT_PATH_SIZE])
{
    const char *parent = getenv("TMPDIR");

    snprintf(path, KIT_PATH_SIZE, "%.200s/pay_test_XXXXXX", parent ? parent : "/tmp");
    cr_assert_not_null(mkdtemp(path), "%s", path);
}

void kit_folder_remove(const char *path)
{
    cr_assert_eq(tree_remove(path), 0, "%s", path);
}

void kit_on_each_store(void (*check)(struct store *store, const char *which))
{
    char folder[KIT_PATH_SIZE];
    char path[KIT_PATH_SIZE + 16];
    struct store *memory = store_memory_new();
    struct store *sqlite = NULL;
    struct store *segments = NULL;
    struct error err = {0, ""};

    kit_folder_make(folder);
    snprintf(path, sizeof(path), "%s/ledger.db", folder);
    cr_assert_not_null(memory);
    cr_assert_eq(store_sqlite_open(&sqlite, path, NULL, &err), 0, "%s", err.text);
    snprintf(path, sizeof(path), "%s/segments.db", folder);
    cr_assert_eq(store_sqlite_open_segments(&segments, path, NULL, 2, &err), 0, "%s", err.text);
    check(memory, "memory");
    check(sqlite, "sqlite");
    check(segments, "sqlite, two keys a segment");
    store_close(memory);
    store_close(sqlite);
    store_close(segments);
    kit_folder_remove(folder);
}
