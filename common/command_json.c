#include "common/command_json.h"

#include "common/strict_json.h"
#include "common/writer_json.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1

const char *unreadable_name(enum unreadable reason)
{
    static const char *const names[] = {
        [READABLE] = "readable",
        [UNREADABLE_KEY] = "bad_key",
        [UNREADABLE_EMPTY] = "empty",
        [UNREADABLE_TOO_LARGE] = "too_large",
        [UNREADABLE_UTF8] = "bad_utf8",
        [UNREADABLE_JSON] = "bad_json",
        [UNREADABLE_TOO_DEEP] = "too_deep",
        [UNREADABLE_DUPLICATE_FIELD] = "duplicate_field",
        [UNREADABLE_VERSION] = "unknown_version",
        [UNREADABLE_TYPE] = "unknown_type",
        [UNREADABLE_FIELD] = "bad_field",
        [UNREADABLE_STALE] = "stale",
    };
    return names[reason];
}

bool unreadable_parse(const char *name, enum unreadable *ret)
{
    for (enum unreadable reason = UNREADABLE_KEY; reason <= UNREADABLE_STALE; reason++) {
        if (strcmp(unreadable_name(reason), name) == 0) {
            *ret = reason;
            return true;
        }
    }
    return false;
}

static enum unreadable refuse(char *detail, enum unreadable reason, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

static enum unreadable refuse(char *detail, enum unreadable reason, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(detail, UNREADABLE_DETAIL_SIZE, fmt, args);
    va_end(args);
    return reason;
}

/* As cJSON_GetObjectItemCaseSensitive(), of an object that strict_json_parse() has made. */
static const cJSON *find(const cJSON *object, const char *name)
{
    const cJSON *item = object->child;

    while (item && (item->string[0] != name[0] || strcmp(item->string, name) != 0)) {
        item = item->next;
    }
    return item;
}

typedef const char *(*rule)(const char *data, size_t len);

/* Copies a string field into a command after its rule accepted it. */
static enum unreadable take_string(const cJSON *object, const char *name, rule problem_of,
                                   char *field, char *detail)
{
    const cJSON *item = find(object, name);

    if (!cJSON_IsString(item)) {
        return refuse(detail, UNREADABLE_FIELD, "field \"%s\" is %s", name,
                      item ? "not a string" : "missing");
    }
    size_t len = strlen(item->valuestring);
    const char *problem = problem_of(item->valuestring, len);
    if (problem) {
        return refuse(detail, UNREADABLE_FIELD, "field \"%s\": %s", name, problem);
    }
    payment_copy(field, item->valuestring, len);
    return READABLE;
}

/* Enough for every amount that is paid and every one that is rejected as out of range. */
#define AMOUNT_DIGITS_MAX 18

static const char *amount_problem(const char *data, size_t len)
{
    bool digits = len > 0 && len <= AMOUNT_DIGITS_MAX && (data[0] != '0' || len == 1);

    for (size_t i = 0; digits && i < len; i++) {
        digits = data[i] >= '0' && data[i] <= '9';
    }
    return digits ? NULL : "not 1 to 18 digits of minor units without leading zeros";
}

static const char *currency_problem(const char *data, size_t len)
{
    return money_is_currency_form(data, len) ? NULL : "not three upper-case letters";
}

static enum unreadable take_currency(const cJSON *root, struct payment *ret, char *detail)
{
    if (!find(root, "currency")) {
        payment_copy(ret->currency, MONEY_DEFAULT_CURRENCY, strlen(MONEY_DEFAULT_CURRENCY));
        return READABLE;
    }
    return take_string(root, "currency", currency_problem, ret->currency, detail);
}

static enum unreadable take_money(const cJSON *root, struct payment *ret, char *detail)
{
    char digits[AMOUNT_DIGITS_MAX + 1];

    enum unreadable reason = take_string(root, "amount", amount_problem, digits, detail);
    if (reason != READABLE) {
        return reason;
    }
    ret->amount_minor = strtoll(digits, NULL, 10);
    return take_currency(root, ret, detail);
}

static enum unreadable take_batch(const cJSON *root, struct payment_batch *ret, char *detail)
{
    const cJSON *batch = find(root, "batch");

    memset(ret, 0, sizeof(*ret));
    if (!batch) {
        return READABLE;
    }
    if (!cJSON_IsObject(batch)) {
        return refuse(detail, UNREADABLE_FIELD, "field \"batch\" is not an object");
    }
    const cJSON *rows = find(batch, "rows");
    if (!cJSON_IsNumber(rows) || !(rows->valuedouble >= 1) ||
        !(rows->valuedouble <= (double)PAYMENT_BATCH_ROWS_MAX) ||
        rows->valuedouble != (double)(int64_t)rows->valuedouble) {
        return refuse(detail, UNREADABLE_FIELD, "field \"rows\" is not a whole number of rows");
    }
    ret->rows = (int64_t)rows->valuedouble;
    enum unreadable reason = take_string(batch, "id", payment_batch_id_problem, ret->id, detail);
    if (reason != READABLE) {
        return reason;
    }
    return take_string(batch, "digest", payment_digest_problem, ret->digest, detail);
}

static enum unreadable take_payment(const cJSON *root, struct payment *ret, char *detail)
{
    enum unreadable reason = take_string(root, "src", payment_account_problem, ret->src, detail);

    if (reason == READABLE) {
        reason = take_string(root, "dest", payment_account_problem, ret->dest, detail);
    }
    if (reason == READABLE) {
        reason = take_money(root, ret, detail);
    }
    if (reason == READABLE) {
        reason = take_batch(root, &ret->batch, detail);
    }
    return reason;
}

/* A sign and the digits of MONEY_MAX_MINOR. */
#define BALANCE_LEN_MAX 17

static const char *balance_problem(const char *data, size_t len)
{
    size_t sign = len > 0 && data[0] == '-';
    const char *problem = amount_problem(data + sign, len - sign);

    return problem || len > BALANCE_LEN_MAX || len - sign > 16 || (sign && data[1] == '0')
               ? "not up to 16 digits of minor units, with or without a minus sign"
               : NULL;
}

static enum unreadable take_min_balance(const cJSON *root, struct command *ret, char *detail)
{
    const cJSON *item = find(root, "min_balance");
    char digits[BALANCE_LEN_MAX + 1];

    if (!item || cJSON_IsNull(item)) {
        return READABLE;
    }
    enum unreadable reason = take_string(root, "min_balance", balance_problem, digits, detail);
    if (reason == READABLE) {
        ret->has_min = true;
        ret->min_minor = strtoll(digits, NULL, 10);
    }
    return reason;
}

static enum unreadable take_account(const cJSON *root, struct command *ret, char *detail)
{
    enum unreadable reason =
        take_string(root, "account", payment_account_problem, ret->payment.src, detail);

    if (reason == READABLE && ret->type != COMMAND_ACCOUNT_CLOSE) {
        reason = take_currency(root, &ret->payment, detail);
        if (reason == READABLE) {
            reason = take_min_balance(root, ret, detail);
        }
    }
    return reason;
}

#define MODE_MAX 6

static const char *mode_problem(const char *data, size_t len)
{
    (void)len;
    return strcmp(data, "strict") == 0 || strcmp(data, "open") == 0 ? NULL
                                                                    : "neither strict nor open";
}

static enum unreadable take_mode(const cJSON *root, struct command *ret, char *detail)
{
    char mode[MODE_MAX + 1];
    enum unreadable reason = take_string(root, "mode", mode_problem, mode, detail);

    ret->strict = reason == READABLE && strcmp(mode, "strict") == 0;
    return reason;
}

/* The type of a name, or COMMAND_TYPE_COUNT. */
static enum command_type type_of(const cJSON *item)
{
    int type = cJSON_IsString(item) ? COMMAND_PAYMENT : COMMAND_TYPE_COUNT;

    while (type < COMMAND_TYPE_COUNT &&
           strcmp(command_type_name((enum command_type)type), item->valuestring) != 0) {
        type++;
    }
    return (enum command_type)type;
}

enum unreadable command_json_take(const struct cJSON *object, struct command *ret,
                                  char detail[UNREADABLE_DETAIL_SIZE])
{
    enum command_type type = type_of(find(object, "type"));

    command_init(ret, type);
    switch (type) {
    case COMMAND_PAYMENT:
        return take_payment(object, &ret->payment, detail);
    case COMMAND_ACCOUNT_OPEN:
    case COMMAND_ACCOUNT_LIMIT:
    case COMMAND_ACCOUNT_CLOSE:
        return take_account(object, ret, detail);
    case COMMAND_ACCOUNTS:
        return take_mode(object, ret, detail);
    case COMMAND_CANCEL:
        return READABLE;
    case COMMAND_TYPE_COUNT:
    default:
        return refuse(detail, UNREADABLE_TYPE, "field \"type\" is not the name of a command");
    }
}

static enum unreadable take_tree(const cJSON *root, struct command *ret, char *detail)
{
    const cJSON *version = find(root, "v");

    if (!cJSON_IsNumber(version) || version->valuedouble != VERSION) {
        return refuse(detail, UNREADABLE_VERSION, "field \"v\" is not %d", VERSION);
    }
    return command_json_take(root, ret, detail);
}

/* The names that the quarantine has for what the parser refuses. */
static enum unreadable unreadable_of(enum strict_json_fault fault)
{
    switch (fault) {
    case STRICT_JSON_UTF8:
        return UNREADABLE_UTF8;
    case STRICT_JSON_DEPTH:
        return UNREADABLE_TOO_DEEP;
    case STRICT_JSON_DUPLICATE:
        return UNREADABLE_DUPLICATE_FIELD;
    case STRICT_JSON_FIELDS:
        return UNREADABLE_FIELD;
    case STRICT_JSON_FINE:
    case STRICT_JSON_SYNTAX:
    case STRICT_JSON_NO_MEMORY:
    default:
        return UNREADABLE_JSON;
    }
}

int command_json_decode(const char *key, size_t key_len, const char *value, size_t value_len,
                        struct command *ret, enum unreadable *ret_reason,
                        char detail[UNREADABLE_DETAIL_SIZE])
{
    const char *problem = key ? payment_key_problem(key, key_len) : "the message has no key";
    enum strict_json_fault fault;

    detail[0] = '\0';
    if (problem) {
        *ret_reason = refuse(detail, UNREADABLE_KEY, "%s", problem);
    } else if (!value || value_len == 0) {
        *ret_reason = refuse(detail, UNREADABLE_EMPTY, "the message has no value");
    } else if (value_len > COMMAND_JSON_MAX_BYTES) {
        *ret_reason = refuse(detail, UNREADABLE_TOO_LARGE, "%zu bytes, at most %d are read",
                             value_len, COMMAND_JSON_MAX_BYTES);
    } else {
        cJSON *root = strict_json_parse(value, value_len, &fault, detail);
        if (!root && fault == STRICT_JSON_NO_MEMORY) {
            return -1;
        }
        *ret_reason = root ? take_tree(root, ret, detail) : unreadable_of(fault);
        payment_copy(ret->payment.key, key, key_len);
        cJSON_Delete(root);
    }
    return 0;
}

/* ---- writing ---- */

void command_json_batch(struct command_json_batch *ret, const struct payment_batch *batch)
{
    struct json_writer writer;

    ret->len = 0;
    if (batch->id[0] != '\0') {
        json_begin(&writer, ret->text, sizeof(ret->text));
        json_text(&writer, "id", batch->id);
        json_int(&writer, "rows", batch->rows);
        json_text(&writer, "digest", batch->digest);
        ret->len = json_finish(&writer);
    }
}

static void put_payment(struct json_writer *writer, const struct payment *payment,
                        const struct command_json_batch *batch)
{
    json_text(writer, "src", payment->src);
    json_text(writer, "dest", payment->dest);
    json_digits(writer, "amount", payment->amount_minor);
    json_text(writer, "currency", payment->currency);
    if (batch->len > 0) {
        json_written(writer, "batch", batch->text, batch->len);
    }
}

static void put_limit(struct json_writer *writer, const struct command *command)
{
    json_text(writer, "account", command->payment.src);
    json_text(writer, "currency", command->payment.currency);
    if (command->has_min) {
        json_digits(writer, "min_balance", command->min_minor);
    } else {
        json_null(writer, "min_balance");
    }
}

void command_json_put(struct json_writer *writer, const struct command *command)
{
    struct command_json_batch batch;

    json_text(writer, "type", command_type_name(command->type));
    switch (command->type) {
    case COMMAND_PAYMENT:
        command_json_batch(&batch, &command->payment.batch);
        put_payment(writer, &command->payment, &batch);
        break;
    case COMMAND_ACCOUNT_OPEN:
    case COMMAND_ACCOUNT_LIMIT:
        put_limit(writer, command);
        break;
    case COMMAND_ACCOUNT_CLOSE:
        json_text(writer, "account", command->payment.src);
        break;
    case COMMAND_ACCOUNTS:
        json_text(writer, "mode", command->strict ? "strict" : "open");
        break;
    case COMMAND_CANCEL:
    case COMMAND_TYPE_COUNT:
    default:
        break;
    }
}

size_t command_json_encode_row(const struct payment *payment,
                               const struct command_json_batch *batch, char buf[COMMAND_JSON_SIZE])
{
    struct json_writer writer;

    json_begin(&writer, buf, COMMAND_JSON_SIZE);
    json_int(&writer, "v", VERSION);
    json_text(&writer, "type", command_type_name(COMMAND_PAYMENT));
    put_payment(&writer, payment, batch);
    return json_finish(&writer);
}

size_t command_json_encode(const struct command *command, char buf[COMMAND_JSON_SIZE])
{
    struct json_writer writer;

    json_begin(&writer, buf, COMMAND_JSON_SIZE);
    json_int(&writer, "v", VERSION);
    command_json_put(&writer, command);
    return json_finish(&writer);
}
