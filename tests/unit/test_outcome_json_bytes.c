/*
 * What is written without a tree is, byte for byte, what cJSON prints of a tree: commands, and
 * outcomes of every kind, of drawn records whose texts need escapes now and then.
 */
#include "common/clock.h"
#include "common/command_json.h"
#include "common/outcome_json.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS 20000

/* ---- the tree ---- */

static void add_number(cJSON *object, const char *name, int64_t number)
{
    char digits[24];

    snprintf(digits, sizeof(digits), "%" PRId64, number);
    cJSON_AddRawToObject(object, name, digits);
}

static void add_minor(cJSON *object, const char *name, int64_t minor)
{
    char digits[24];

    snprintf(digits, sizeof(digits), "%" PRId64, minor);
    cJSON_AddStringToObject(object, name, digits);
}

static void add_reason(cJSON *object, const char *reason)
{
    if (reason[0]) {
        cJSON_AddStringToObject(object, "reason", reason);
    } else {
        cJSON_AddNullToObject(object, "reason");
    }
}

static void add_digest(cJSON *object, const unsigned char digest[DIGEST_SHORT_SIZE])
{
    char hex[DIGEST_SHORT_HEX_SIZE];

    for (size_t i = 0; i < DIGEST_SHORT_SIZE; i++) {
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    }
    cJSON_AddStringToObject(object, "digest", hex);
}

static void add_time(cJSON *object, int64_t ms)
{
    char text[CLOCK_TEXT_SIZE];

    cJSON_AddStringToObject(object, "decided_at", clock_text(text, ms));
}

static void add_origin(cJSON *object, const struct outcome_origin *origin)
{
    cJSON *child = cJSON_AddObjectToObject(object, "origin");

    cJSON_AddStringToObject(child, "topic", origin->topic);
    add_number(child, "partition", origin->partition);
    add_number(child, "offset", origin->offset);
}

static void add_payment(cJSON *object, const struct payment *payment)
{
    cJSON_AddStringToObject(object, "src", payment->src);
    cJSON_AddStringToObject(object, "dest", payment->dest);
    add_minor(object, "amount", payment->amount_minor);
    cJSON_AddStringToObject(object, "currency", payment->currency);
    if (payment->batch.id[0]) {
        cJSON *batch = cJSON_AddObjectToObject(object, "batch");
        cJSON_AddStringToObject(batch, "id", payment->batch.id);
        cJSON_AddNumberToObject(batch, "rows", (double)payment->batch.rows);
        cJSON_AddStringToObject(batch, "digest", payment->batch.digest);
    }
}

static void add_command(cJSON *object, const struct command *command)
{
    cJSON_AddStringToObject(object, "type", command_type_name(command->type));
    if (command->type == COMMAND_PAYMENT) {
        add_payment(object, &command->payment);
    } else if (command->type == COMMAND_ACCOUNTS) {
        cJSON_AddStringToObject(object, "mode", command->strict ? "strict" : "open");
    } else if (command->type != COMMAND_CANCEL) {
        cJSON_AddStringToObject(object, "account", command->payment.src);
    }
    if (command->type == COMMAND_ACCOUNT_OPEN || command->type == COMMAND_ACCOUNT_LIMIT) {
        cJSON_AddStringToObject(object, "currency", command->payment.currency);
        if (command->has_min) {
            add_minor(object, "min_balance", command->min_minor);
        } else {
            cJSON_AddNullToObject(object, "min_balance");
        }
    }
}

static void add_first(cJSON *root, const struct outcome_first *first)
{
    cJSON *child = cJSON_AddObjectToObject(root, "first");

    cJSON_AddStringToObject(child, "outcome", outcome_name(first->outcome));
    add_reason(child, first->reason == REASON_NONE ? "" : reason_name(first->reason));
    add_number(child, "seq", first->seq);
    add_digest(child, first->digest);
    add_command(cJSON_AddObjectToObject(child, "command"), &first->command);
    add_origin(child, &first->origin);
    add_time(child, first->decided_ms);
}

static void add_fields(cJSON *root, unsigned fields)
{
    cJSON *list = cJSON_AddArrayToObject(root, "fields");
    char names[COMMAND_FIELDS_SIZE];
    char *rest = command_fields(names, fields);

    for (char *name; (name = strsep(&rest, ",")) && *name;) {
        cJSON_AddItemToArray(list, cJSON_CreateString(name));
    }
}

static char *print_outcome(const struct outcome_record *record)
{
    cJSON *root = cJSON_CreateObject();

    cJSON_AddNumberToObject(root, "v", 1);
    cJSON_AddStringToObject(root, "type", "outcome");
    cJSON_AddStringToObject(root, "key", record->key);
    cJSON_AddStringToObject(root, "outcome", outcome_name(outcome_answer(record)));
    add_reason(root, outcome_answer_reason(record));
    cJSON_AddStringToObject(root, "verdict", outcome_name(record->verdict));
    if (record->verdict == OUTCOME_DUPLICATE) {
        cJSON_AddTrueToObject(root, "duplicate");
    }
    if (record->verdict == OUTCOME_CONFLICT) {
        add_fields(root, record->fields);
    }
    add_digest(root, record->digest);
    add_number(root, "seq", record->seq);
    add_origin(root, &record->origin);
    add_time(root, record->decided_ms);
    if (record->has_first) {
        add_first(root, &record->first);
    } else {
        cJSON_AddNullToObject(root, "first");
    }
    cJSON_AddStringToObject(root, "store", record->store);
    add_number(root, "rules", record->rules);
    char *text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    return text;
}

static char *print_command(const struct command *command)
{
    cJSON *root = cJSON_CreateObject();

    cJSON_AddNumberToObject(root, "v", 1);
    add_command(root, command);
    char *text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    return text;
}

/* ---- what is drawn ---- */

static uint64_t state = 1;

static uint64_t draw(uint64_t below)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (state >> 11) % below;
}

/* A number of any count of digits, max at the most. */
static int64_t draw_number(int64_t max)
{
    int64_t bound = max;

    for (uint64_t cuts = draw(18); cuts > 0 && bound > 9; cuts--) {
        bound /= 10;
    }
    return draw(20) == 0 ? max : (int64_t)draw((uint64_t)bound + 1);
}

static void draw_text(char *field, size_t size)
{
    static const char *const pieces[] = {"a",           "B",        "7",    "-",
                                         ".",           " ",        "acct", "\"",
                                         "\\",          "\xC3\xA9", "/",    "\xF0\x9F\x98\x80",
                                         "\xE2\x82\xAC"};
    size_t len = draw(8) == 0 ? size - 1 : draw(24);
    bool plain = draw(2) == 0;

    field[0] = '\0';
    for (size_t used = 0; used < len;) {
        const char *piece = pieces[draw(plain ? 7 : sizeof(pieces) / sizeof(pieces[0]))];
        if (used + strlen(piece) >= size) {
            break;
        }
        strcpy(field + used, piece);
        used += strlen(piece);
    }
}

static void draw_digest(unsigned char digest[DIGEST_SHORT_SIZE])
{
    for (size_t i = 0; i < DIGEST_SHORT_SIZE; i++) {
        digest[i] = (unsigned char)draw(256);
    }
}

static void draw_command(struct command *command)
{
    struct payment *payment = &command->payment;

    command_init(command, (enum command_type)(1 + draw(COMMAND_TYPE_COUNT - 1)));
    if (draw(2) == 0) {
        command->type = COMMAND_PAYMENT;
    }
    draw_text(payment->src, sizeof(payment->src));
    draw_text(payment->dest, sizeof(payment->dest));
    strcpy(payment->currency, draw(2) ? "EUR" : "JPY");
    payment->amount_minor = draw_number(MONEY_MAX_MINOR);
    if (draw(2) == 0) {
        draw_text(payment->batch.id, sizeof(payment->batch.id));
        payment->batch.rows = draw_number(PAYMENT_BATCH_ROWS_MAX);
        for (int i = 0; i < PAYMENT_DIGEST_LEN; i++) {
            payment->batch.digest[i] = "0123456789abcdef"[draw(16)];
        }
    }
    command->has_min = draw(2) == 0;
    command->min_minor = draw_number(MONEY_MAX_MINOR) * (draw(2) ? 1 : -1);
    command->strict = draw(2) == 0;
}

static void draw_origin(struct outcome_origin *origin)
{
    draw_text(origin->topic, sizeof(origin->topic));
    origin->partition = (int32_t)draw_number(INT32_MAX);
    origin->offset = draw_number(OUTCOME_NUMBER_MAX);
}

static void draw_outcome(struct outcome_record *record)
{
    memset(record, 0, sizeof(*record));
    draw_text(record->key, sizeof(record->key));
    draw_text(record->reason, sizeof(record->reason));
    draw_text(record->store, sizeof(record->store));
    record->verdict = (enum outcome)(1 + draw(OUTCOME_COUNT - 1));
    record->fields = (unsigned)draw(512);
    draw_digest(record->digest);
    record->seq = draw_number(OUTCOME_NUMBER_MAX);
    draw_origin(&record->origin);
    record->decided_ms = draw_number(CLOCK_TEXT_MAX_MS);
    record->rules = (int)draw_number(INT32_MAX);
    record->has_first = draw(3) > 0;
    record->first.outcome = draw(2) ? OUTCOME_APPLIED : OUTCOME_REJECTED;
    record->first.reason = (enum reason)draw(REASON_COUNT);
    record->first.seq = draw_number(OUTCOME_NUMBER_MAX);
    draw_digest(record->first.digest);
    draw_command(&record->first.command);
    draw_origin(&record->first.origin);
    record->first.decided_ms = draw_number(CLOCK_TEXT_MAX_MS);
}

Test(outcome_json_bytes, an_outcome_is_written_as_a_tree_of_it_is_printed)
{
    for (int i = 0; i < RECORDS; i++) {
        struct outcome_record record;
        char text[OUTCOME_JSON_SIZE];
        draw_outcome(&record);
        char *wanted = print_outcome(&record);
        cr_assert_eq(outcome_json_encode(&record, text), strlen(wanted), "record %d", i);
        cr_assert_str_eq(text, wanted, "record %d", i);
        free(wanted);
    }
}

Test(outcome_json_bytes, a_command_is_written_as_a_tree_of_it_is_printed)
{
    for (int i = 0; i < RECORDS; i++) {
        struct command command;
        char text[COMMAND_JSON_SIZE];
        draw_command(&command);
        char *wanted = print_command(&command);
        cr_assert_eq(command_json_encode(&command, text), strlen(wanted), "command %d", i);
        cr_assert_str_eq(text, wanted, "command %d", i);
        if (command.type == COMMAND_PAYMENT) {
            struct command_json_batch batch;
            command_json_batch(&batch, &command.payment.batch);
            memset(&command.payment.batch, 'x', sizeof(command.payment.batch));
            cr_assert_eq(command_json_encode_row(&command.payment, &batch, text), strlen(wanted));
            cr_assert_str_eq(text, wanted, "row %d", i);
        }
        free(wanted);
    }
}
