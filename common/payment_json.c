#include "common/payment_json.h"

#include "common/strict_json.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1
#define TYPE    "payment"

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
    };
    return names[reason];
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

typedef const char *(*rule)(const char *data, size_t len);

/* Copies a string field into a payment after its rule accepted it. */
static enum unreadable take_string(const cJSON *object, const char *name, rule problem_of,
                                   char *field, char *detail)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

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

static enum unreadable take_money(const cJSON *root, struct payment *ret, char *detail)
{
    char digits[AMOUNT_DIGITS_MAX + 1];

    enum unreadable reason = take_string(root, "amount", amount_problem, digits, detail);
    if (reason != READABLE) {
        return reason;
    }
    ret->amount_minor = strtoll(digits, NULL, 10);
    if (!cJSON_GetObjectItemCaseSensitive(root, "currency")) {
        payment_copy(ret->currency, MONEY_DEFAULT_CURRENCY, strlen(MONEY_DEFAULT_CURRENCY));
        return READABLE;
    }
    return take_string(root, "currency", currency_problem, ret->currency, detail);
}

static enum unreadable take_batch(const cJSON *root, struct payment_batch *ret, char *detail)
{
    const cJSON *batch = cJSON_GetObjectItemCaseSensitive(root, "batch");

    memset(ret, 0, sizeof(*ret));
    if (!batch) {
        return READABLE;
    }
    if (!cJSON_IsObject(batch)) {
        return refuse(detail, UNREADABLE_FIELD, "field \"batch\" is not an object");
    }
    const cJSON *rows = cJSON_GetObjectItemCaseSensitive(batch, "rows");
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

static enum unreadable take_head(const cJSON *root, char *detail)
{
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(root, "v");
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(root, "type");

    if (!cJSON_IsNumber(version) || version->valuedouble != VERSION) {
        return refuse(detail, UNREADABLE_VERSION, "field \"v\" is not %d", VERSION);
    }
    if (!cJSON_IsString(type) || strcmp(type->valuestring, TYPE) != 0) {
        return refuse(detail, UNREADABLE_TYPE, "field \"type\" is not \"%s\"", TYPE);
    }
    return READABLE;
}

static enum unreadable take_tree(const cJSON *root, struct payment *ret, char *detail)
{
    enum unreadable reason = take_head(root, detail);

    if (reason == READABLE) {
        reason = take_string(root, "src", payment_account_problem, ret->src, detail);
    }
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

int payment_json_decode(const char *key, size_t key_len, const char *value, size_t value_len,
                        struct payment *ret, enum unreadable *ret_reason,
                        char detail[UNREADABLE_DETAIL_SIZE])
{
    const char *problem = key ? payment_key_problem(key, key_len) : "the message has no key";
    enum strict_json_fault fault;

    detail[0] = '\0';
    if (problem) {
        *ret_reason = refuse(detail, UNREADABLE_KEY, "%s", problem);
    } else if (!value || value_len == 0) {
        *ret_reason = refuse(detail, UNREADABLE_EMPTY, "the message has no value");
    } else if (value_len > PAYMENT_JSON_MAX_BYTES) {
        *ret_reason = refuse(detail, UNREADABLE_TOO_LARGE, "%zu bytes, at most %d are read",
                             value_len, PAYMENT_JSON_MAX_BYTES);
    } else {
        cJSON *root = strict_json_parse(value, value_len, &fault, detail);
        if (!root && fault == STRICT_JSON_NO_MEMORY) {
            return -1;
        }
        payment_copy(ret->key, key, key_len);
        *ret_reason = root ? take_tree(root, ret, detail) : unreadable_of(fault);
        cJSON_Delete(root);
    }
    return 0;
}

/* ---- writing ---- */

static bool add_batch(cJSON *root, const struct payment_batch *batch)
{
    if (batch->id[0] == '\0') {
        return true;
    }
    cJSON *object = cJSON_AddObjectToObject(root, "batch");
    return object && cJSON_AddStringToObject(object, "id", batch->id) &&
           cJSON_AddNumberToObject(object, "rows", (double)batch->rows) &&
           cJSON_AddStringToObject(object, "digest", batch->digest);
}

size_t payment_json_encode(const struct payment *payment, char buf[PAYMENT_JSON_SIZE])
{
    char digits[24];

    snprintf(digits, sizeof(digits), "%lld", (long long)payment->amount_minor);
    cJSON *root = cJSON_CreateObject();
    bool good = root && cJSON_AddNumberToObject(root, "v", VERSION) &&
                cJSON_AddStringToObject(root, "type", TYPE) &&
                cJSON_AddStringToObject(root, "src", payment->src) &&
                cJSON_AddStringToObject(root, "dest", payment->dest) &&
                cJSON_AddStringToObject(root, "amount", digits) &&
                cJSON_AddStringToObject(root, "currency", payment->currency) &&
                add_batch(root, &payment->batch) &&
                cJSON_PrintPreallocated(root, buf, PAYMENT_JSON_SIZE, false);
    cJSON_Delete(root);
    return good ? strlen(buf) : 0;
}
