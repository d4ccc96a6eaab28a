#include "common/payment_json.h"

#include "common/text.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1
#define TYPE    "payment"

/* cJSON answers NULL for bad JSON and for no memory alike; its allocator tells them apart. */
static _Thread_local bool out_of_memory;

static void *noting_malloc(size_t size)
{
    void *memory = malloc(size);

    if (!memory) {
        out_of_memory = true;
    }
    return memory;
}

static void set_hooks(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = noting_malloc, .free_fn = free});
}

static void init_cjson(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, set_hooks);
    out_of_memory = false;
}

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

/* ---- the scan before the parser: what cJSON lets pass and we do not ---- */

/* What is wrong with the escape whose backslash stands at pos; NULL when nothing that cJSON misses.
 */
static const char *escape_problem(const char *json, size_t len, size_t pos)
{
    if (pos + 1 >= len || json[pos + 1] != 'u') {
        return NULL;
    }
    for (size_t i = 2; i < 6; i++) {
        if (pos + i >= len || !isxdigit((unsigned char)json[pos + i])) {
            return "an escape that is not \\u and four hex digits";
        }
    }
    return memcmp(json + pos + 2, "0000", 4) == 0 ? "a NUL inside a string" : NULL;
}

/* Returns the position behind the string that begins at pos, or 0 with *ret_problem set. */
static size_t scan_string(const char *json, size_t len, size_t pos, const char **ret_problem)
{
    for (pos++; pos < len && json[pos] != '"'; pos++) {
        if ((unsigned char)json[pos] < 0x20) {
            *ret_problem = "a control character inside a string";
            return 0;
        }
        if (json[pos] == '\\') {
            *ret_problem = escape_problem(json, len, pos);
            if (*ret_problem) {
                return 0;
            }
            pos++;
        }
    }
    return pos + 1;
}

static size_t skip_digits(const char *json, size_t len, size_t pos)
{
    while (pos < len && json[pos] >= '0' && json[pos] <= '9') {
        pos++;
    }
    return pos;
}

/* As scan_string(), for a number by the grammar of RFC 8259. */
static size_t scan_number(const char *json, size_t len, size_t pos, const char **ret_problem)
{
    size_t start = pos + (json[pos] == '-');
    size_t end = skip_digits(json, len, start);
    bool good = end > start && (json[start] != '0' || end == start + 1);

    if (good && end < len && json[end] == '.') {
        start = end + 1;
        end = skip_digits(json, len, start);
        good = end > start;
    }
    if (good && end < len && (json[end] == 'e' || json[end] == 'E')) {
        start = end + 1;
        start += start < len && (json[start] == '+' || json[start] == '-');
        end = skip_digits(json, len, start);
        good = end > start;
    }
    if (!good) {
        *ret_problem = "a number that is not of JSON's form";
    }
    return good ? end : 0;
}

static enum unreadable scan(const char *json, size_t len, char *detail)
{
    const char *problem = NULL;
    int depth = 0;

    for (size_t pos = 0; pos < len;) {
        char c = json[pos];
        size_t next = pos + 1;
        if (c == '"') {
            next = scan_string(json, len, pos, &problem);
        } else if (c == '-' || (c >= '0' && c <= '9')) {
            next = scan_number(json, len, pos, &problem);
        } else if (c == '{' || c == '[') {
            if (++depth > PAYMENT_JSON_MAX_DEPTH) {
                return refuse(detail, UNREADABLE_TOO_DEEP, "nested deeper than %d",
                              PAYMENT_JSON_MAX_DEPTH);
            }
        } else if (c == '}' || c == ']') {
            depth--;
        } else if ((unsigned char)c < 0x20 && c != '\t' && c != '\n' && c != '\r') {
            problem = "a control character";
        }
        if (problem) {
            return refuse(detail, UNREADABLE_JSON, "%s at byte %zu", problem, pos);
        }
        pos = next;
    }
    return READABLE;
}

/* ---- the tree ---- */

static enum unreadable check_fields(const cJSON *node, char *detail)
{
    int fields = 0;
    const cJSON *child;

    cJSON_ArrayForEach(child, node)
    {
        if (cJSON_IsObject(node)) {
            if (++fields > PAYMENT_JSON_MAX_FIELDS) {
                return refuse(detail, UNREADABLE_FIELD, "an object with more than %d fields",
                              PAYMENT_JSON_MAX_FIELDS);
            }
            if (cJSON_GetObjectItemCaseSensitive(node, child->string) != child) {
                char name[64];
                return refuse(
                    detail, UNREADABLE_DUPLICATE_FIELD, "field \"%s\" is there twice",
                    text_escape(name, sizeof(name), child->string, strlen(child->string)));
            }
        }
        enum unreadable reason = check_fields(child, detail);
        if (reason != READABLE) {
            return reason;
        }
    }
    return READABLE;
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
    enum unreadable reason = check_fields(root, detail);

    if (reason == READABLE) {
        reason = take_head(root, detail);
    }
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

/* Only white space may stand behind the object. */
static bool only_blanks(const char *from, const char *end)
{
    while (from < end && (*from == ' ' || *from == '\t' || *from == '\n' || *from == '\r')) {
        from++;
    }
    return from == end;
}

static enum unreadable decode_value(const char *value, size_t len, struct payment *ret,
                                    char *detail)
{
    if (!value || len == 0) {
        return refuse(detail, UNREADABLE_EMPTY, "the message has no value");
    }
    if (len > PAYMENT_JSON_MAX_BYTES) {
        return refuse(detail, UNREADABLE_TOO_LARGE, "%zu bytes, at most %d are read", len,
                      PAYMENT_JSON_MAX_BYTES);
    }
    if (!text_is_utf8(value, len)) {
        return refuse(detail, UNREADABLE_UTF8, "the value is not UTF-8");
    }
    enum unreadable reason = scan(value, len, detail);
    if (reason != READABLE) {
        return reason;
    }
    const char *end = NULL;
    cJSON *root = cJSON_ParseWithLengthOpts(value, len, &end, 0);
    if (!root || !cJSON_IsObject(root) || memcmp(value, "\xEF\xBB\xBF", len < 3 ? len : 3) == 0) {
        reason = refuse(detail, UNREADABLE_JSON, "not a JSON object");
    } else if (!only_blanks(end, value + len)) {
        reason = refuse(detail, UNREADABLE_JSON, "something stands behind the JSON object");
    } else {
        reason = take_tree(root, ret, detail);
    }
    cJSON_Delete(root);
    return reason;
}

int payment_json_decode(const char *key, size_t key_len, const char *value, size_t value_len,
                        struct payment *ret, enum unreadable *ret_reason,
                        char detail[UNREADABLE_DETAIL_SIZE])
{
    const char *problem = key ? payment_key_problem(key, key_len) : "the message has no key";

    detail[0] = '\0';
    if (problem) {
        *ret_reason = refuse(detail, UNREADABLE_KEY, "%s", problem);
        return 0;
    }
    payment_copy(ret->key, key, key_len);
    init_cjson();
    enum unreadable reason = decode_value(value, value_len, ret, detail);
    if (out_of_memory) {
        return -1;
    }
    *ret_reason = reason;
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

    init_cjson();
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
