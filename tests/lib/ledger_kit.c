#include "tests/lib/ledger_kit.h"

#include "consumer/ledger.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_ROWS 64
#define NOW_MS     INT64_C(1700000000123)

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

struct payment kit_payment(const struct kit_row *row)
{
    struct payment payment = {.amount_minor = row->amount_minor};

    payment_copy(payment.key, row->key, strlen(row->key));
    payment_copy(payment.src, row->src, strlen(row->src));
    payment_copy(payment.dest, row->dest, strlen(row->dest));
    payment_copy(payment.currency, row->currency, strlen(row->currency));
    if (row->batch) {
        payment.batch = *row->batch;
    }
    return payment;
}

static struct chunk_item *add(struct chunk *chunk, int32_t partition, int64_t offset)
{
    struct chunk_range *range = chunk_range(chunk, partition, offset);
    struct chunk_item *item = chunk_add(chunk);

    item->origin = (struct origin){partition, offset, NOW_MS - 1000};
    item->raw = (struct raw_message){"raw key", 7, "raw value", 9, NULL};
    memset(item->digest, (int)offset, sizeof(item->digest));
    range->to = offset + 1;
    return item;
}

struct chunk_item *kit_add_command(struct chunk *chunk, const struct command *command,
                                   int32_t partition, int64_t offset)
{
    struct chunk_item *item = add(chunk, partition, offset);

    item->command = *command;
    return item;
}

struct chunk_item *kit_add(struct chunk *chunk, const struct kit_row *row, int32_t partition,
                           int64_t offset)
{
    if (row->key) {
        const struct command command = {.type = COMMAND_PAYMENT, .payment = kit_payment(row)};
        return kit_add_command(chunk, &command, partition, offset);
    }
    struct chunk_item *item = add(chunk, partition, offset);
    item->unreadable = UNREADABLE_JSON;
    payment_copy(item->detail, "not a JSON object", 17);
    return item;
}

enum store_status kit_transact(struct store *store, struct chunk *chunk, struct error *err)
{
    enum store_status status = store->ops->begin(store, err);

    chunk->now_ms = NOW_MS;
    chunk_index(chunk);
    if (status == STORE_OK) {
        status = store->ops->claim(store, chunk, err);
    }
    if (status == STORE_OK) {
        status = store->ops->load(store, chunk, err);
    }
    if (status == STORE_OK) {
        ledger_decide(chunk);
        status = store->ops->save(store, chunk, err);
    }
    if (status == STORE_OK) {
        status = store->ops->commit(store, err);
    }
    if (status != STORE_OK) {
        store->ops->rollback(store);
    }
    return status;
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

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

void kit_folder_remove(const char *path)
{
    cr_assert_eq(nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0, "%s", path);
}

void kit_on_each_store(void (*check)(struct store *store, const char *which))
{
    char folder[KIT_PATH_SIZE];
    char path[KIT_PATH_SIZE + 16];
    struct store *memory = store_memory_new();
    struct store *sqlite = NULL;
    struct error err = {0, ""};

    kit_folder_make(folder);
    snprintf(path, sizeof(path), "%s/ledger.db", folder);
    cr_assert_not_null(memory);
    cr_assert_eq(store_sqlite_open(&sqlite, path, NULL, &err), 0, "%s", err.text);
    check(memory, "memory");
    check(sqlite, "sqlite");
    store_close(memory);
    store_close(sqlite);
    kit_folder_remove(folder);
}
