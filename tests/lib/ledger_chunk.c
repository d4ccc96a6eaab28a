/* The part of ledger_kit.h that asserts nothing, for programs that are no test. */
#include "common/command_json.h"
#include "consumer/decode.h"
#include "consumer/ledger.h"
#include "tests/lib/ledger_kit.h"

#include <stdlib.h>
#include <string.h>

#define NOW_MS INT64_C(1700000000123)
#define VALUES 256

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
    range->to = offset + 1;
    return item;
}

/* A test that lets one allocation fail may hit this one: then it is tried again. */
static void set_digest(struct chunk_item *item)
{
    static struct digest *digest; /* the process's */
    struct error err;

    for (int tries = 0; tries < 2; tries++) {
        if ((digest || digest_open(&digest, &err) == 0) && decode_digest(item, digest, &err) == 0) {
            return;
        }
        digest_close(digest);
        digest = NULL;
    }
    abort();
}

/* The value as it would come. Of the last VALUES commands, which is more than a chunk has here. */
static void set_value(struct chunk_item *item)
{
    static char values[VALUES][COMMAND_JSON_SIZE];
    static size_t made;
    char *value = values[made++ % VALUES];

    item->raw.value_len = command_json_encode(&item->command, value);
    item->raw.value = value;
}

struct chunk_item *kit_add_command(struct chunk *chunk, const struct command *command,
                                   int32_t partition, int64_t offset)
{
    struct chunk_item *item = add(chunk, partition, offset);

    item->command = *command;
    set_value(item);
    set_digest(item);
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
    set_digest(item);
    return item;
}

enum store_status kit_transact(struct store *store, struct chunk *chunk, struct error *err)
{
    chunk->now_ms = NOW_MS;
    chunk_index(chunk);
    enum store_status status = store_begin_chunk(store, chunk, err);
    if (status == STORE_OK) {
        ledger_decide(chunk);
    }
    return store_end_chunk(store, status, chunk, err);
}
