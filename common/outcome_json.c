#include "common/outcome_json.h"

#include "common/command_json.h"
#include "common/command_text.h"
#include "common/strict_json.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VERSION 1

/* ---- writing ---- */

/* cJSON keeps numbers as doubles, and prints those from 2^53 on in another form. */
static bool add_int(cJSON *object, const char *name, int64_t value)
{
    char digits[24];

    snprintf(digits, sizeof(digits), "%" PRId64, value);
    return cJSON_AddRawToObject(object, name, digits) != NULL;
}

/* A text, or null for "". */
static bool add_text(cJSON *object, const char *name, const char *text)
{
    return (text[0] ? cJSON_AddStringToObject(object, name, text)
                    : cJSON_AddNullToObject(object, name)) != NULL;
}

static bool add_answer(cJSON *object, enum outcome outcome, const char *reason)
{
    return cJSON_AddStringToObject(object, "outcome", outcome_name(outcome)) &&
           add_text(object, "reason", reason);
}

static bool add_fields(cJSON *root, unsigned fields)
{
    char names[COMMAND_FIELDS_SIZE];
    cJSON *list = cJSON_AddArrayToObject(root, "fields");
    char *rest = command_fields(names, fields);
    bool good = list != NULL;

    for (char *name; good && (name = strsep(&rest, ",")) && name[0];) {
        good = cJSON_AddItemToArray(list, cJSON_CreateString(name));
    }
    return good;
}

/* What this arrival and the first decision both have. */
static bool add_place(cJSON *object, const unsigned char *digest, int64_t seq,
                      const struct outcome_origin *origin, int64_t decided_ms)
{
    char hex[DIGEST_SHORT_HEX_SIZE];
    char time[COMMAND_TEXT_TIME_SIZE];

    if (!cJSON_AddStringToObject(object, "digest", digest_hex(hex, digest, DIGEST_SHORT_SIZE)) ||
        !add_int(object, "seq", seq)) {
        return false;
    }
    cJSON *place = cJSON_AddObjectToObject(object, "origin");
    return place && cJSON_AddStringToObject(place, "topic", origin->topic) &&
           add_int(place, "partition", origin->partition) &&
           add_int(place, "offset", origin->offset) &&
           cJSON_AddStringToObject(object, "decided_at", command_text_time(time, decided_ms));
}

static bool add_first(cJSON *root, const struct outcome_record *record)
{
    const struct outcome_first *first = &record->first;

    if (!record->has_first) {
        return cJSON_AddNullToObject(root, "first") != NULL;
    }
    cJSON *object = cJSON_AddObjectToObject(root, "first");
    const char *reason = first->reason == REASON_NONE ? "" : reason_name(first->reason);
    if (!object || !add_answer(object, first->outcome, reason) ||
        !add_place(object, first->digest, first->seq, &first->origin, first->decided_ms)) {
        return false;
    }
    cJSON *command = cJSON_AddObjectToObject(object, "command");
    return command && command_json_put(command, &first->command);
}

static bool add_all(cJSON *root, const struct outcome_record *record)
{
    return cJSON_AddNumberToObject(root, "v", VERSION) &&
           cJSON_AddStringToObject(root, "type", "outcome") &&
           cJSON_AddStringToObject(root, "key", record->key) &&
           add_answer(root, outcome_answer(record), outcome_answer_reason(record)) &&
           cJSON_AddStringToObject(root, "verdict", outcome_name(record->verdict)) &&
           (record->verdict != OUTCOME_DUPLICATE || cJSON_AddTrueToObject(root, "duplicate")) &&
           (record->verdict != OUTCOME_CONFLICT || add_fields(root, record->fields)) &&
           add_place(root, record->digest, record->seq, &record->origin, record->decided_ms) &&
           add_first(root, record) && cJSON_AddStringToObject(root, "store", record->store) &&
           add_int(root, "rules", record->rules);
}

size_t outcome_json_encode(const struct outcome_record *record, char **ret)
{
    cJSON *root = cJSON_CreateObject();
    char *text = root && add_all(root, record) ? cJSON_PrintUnformatted(root) : NULL;

    cJSON_Delete(root);
    *ret = text;
    return text ? strlen(text) : 0;
}

/* ---- reading ---- */

static bool refuse(char *problem, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Returns false, so that a reader can end with it. */
static bool refuse(char *problem, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(problem, OUTCOME_PROBLEM_SIZE, fmt, args);
    va_end(args);
    return false;
}

static bool take_text(const cJSON *object, const char *name, char *field, size_t size,
                      char *problem)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    field[0] = '\0';
    if (cJSON_IsNull(item)) {
        return true;
    }
    if (!cJSON_IsString(item)) {
        return refuse(problem, "field \"%s\" is not a text", name);
    }
    size_t len = strlen(item->valuestring);
    if (len >= size) {
        return refuse(problem, "field \"%s\" is too long", name);
    }
    memcpy(field, item->valuestring, len + 1);
    return true;
}

/* Whole numbers from 0 that a double holds exactly. */
static bool take_int(const cJSON *object, const char *name, double max, int64_t *ret, char *problem)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    bool good = cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= max &&
                item->valuedouble == (double)(int64_t)item->valuedouble;

    if (!good) {
        return refuse(problem, "field \"%s\" is not a whole number", name);
    }
    *ret = (int64_t)item->valuedouble;
    return true;
}

#define INT_MAX_EXACT 9007199254740992.0

static bool take_outcome(const cJSON *object, const char *name, enum outcome *ret, char *problem)
{
    char text[OUTCOME_REASON_SIZE];

    if (!take_text(object, name, text, sizeof(text), problem)) {
        return false;
    }
    *ret = outcome_of(text);
    return *ret != OUTCOME_NONE || refuse(problem, "field \"%s\" is no outcome", name);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_digest(const cJSON *object, unsigned char *ret, char *problem)
{
    char hex[DIGEST_SHORT_HEX_SIZE];
    bool good =
        take_text(object, "digest", hex, sizeof(hex), problem) && strlen(hex) == sizeof(hex) - 1;

    for (size_t i = 0; good && i < DIGEST_SHORT_SIZE; i++) {
        int high = hex_value(hex[2 * i]);
        int low = hex_value(hex[2 * i + 1]);
        good = high >= 0 && low >= 0;
        ret[i] = (unsigned char)(high << 4 | low);
    }
    return good || refuse(problem, "field \"digest\" is not %d lower-case hex digits",
                          2 * DIGEST_SHORT_SIZE);
}

static bool take_time(const cJSON *object, int64_t *ret_ms, char *problem)
{
    char text[COMMAND_TEXT_TIME_SIZE];
    char again[COMMAND_TEXT_TIME_SIZE];
    struct tm parts = {0};
    int millis = 0;

    if (!take_text(object, "decided_at", text, sizeof(text), problem)) {
        return false;
    }
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    bool good = rest && sscanf(rest, ".%3dZ", &millis) == 1;
    *ret_ms = good ? (int64_t)timegm(&parts) * 1000 + millis : 0;
    good = good && *ret_ms >= 0 && strcmp(command_text_time(again, *ret_ms), text) == 0;
    return good || refuse(problem, "field \"decided_at\" is not a time in UTC");
}

static bool take_place(const cJSON *object, unsigned char *digest, int64_t *ret_seq,
                       struct outcome_origin *origin, int64_t *ret_ms, char *problem)
{
    const cJSON *place = cJSON_GetObjectItemCaseSensitive(object, "origin");
    int64_t partition = 0;

    if (!take_digest(object, digest, problem) ||
        !take_int(object, "seq", INT_MAX_EXACT, ret_seq, problem) ||
        !take_time(object, ret_ms, problem)) {
        return false;
    }
    if (!cJSON_IsObject(place)) {
        return refuse(problem, "field \"origin\" is not an object");
    }
    if (!take_text(place, "topic", origin->topic, sizeof(origin->topic), problem) ||
        !take_int(place, "partition", INT32_MAX, &partition, problem) ||
        !take_int(place, "offset", INT_MAX_EXACT, &origin->offset, problem)) {
        return false;
    }
    origin->partition = (int32_t)partition;
    return true;
}

static bool take_first(const cJSON *root, struct outcome_record *ret, char *problem)
{
    const cJSON *object = cJSON_GetObjectItemCaseSensitive(root, "first");
    struct outcome_first *first = &ret->first;
    char reason[OUTCOME_REASON_SIZE];

    ret->has_first = cJSON_IsObject(object);
    if (!ret->has_first) {
        return cJSON_IsNull(object) || refuse(problem, "field \"first\" is not an object");
    }
    if (!take_outcome(object, "outcome", &first->outcome, problem) ||
        !take_text(object, "reason", reason, sizeof(reason), problem) ||
        !take_place(object, first->digest, &first->seq, &first->origin, &first->decided_ms,
                    problem)) {
        return false;
    }
    first->reason = reason_of(reason);
    const cJSON *command = cJSON_GetObjectItemCaseSensitive(object, "command");
    if (!cJSON_IsObject(command) ||
        command_json_take(command, &first->command, problem) != READABLE) {
        return refuse(problem, "field \"command\" is not a command");
    }
    memcpy(first->command.payment.key, ret->key, sizeof(ret->key));
    return true;
}

/* A name of a later version is passed over. */
static void take_fields(const cJSON *root, unsigned *ret)
{
    const cJSON *item;

    *ret = 0;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(root, "fields"))
    {
        *ret |= cJSON_IsString(item) ? command_field_of(item->valuestring) : 0;
    }
}

static bool take_all(const cJSON *root, struct outcome_record *ret, char *problem)
{
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(root, "type");
    int64_t number = 0;

    if (!take_int(root, "v", VERSION, &number, problem) || number != VERSION ||
        !cJSON_IsString(type) || strcmp(type->valuestring, "outcome") != 0) {
        return refuse(problem, "not an outcome of version %d", VERSION);
    }
    if (!take_text(root, "key", ret->key, sizeof(ret->key), problem) ||
        payment_key_problem(ret->key, strlen(ret->key))) {
        return refuse(problem, "field \"key\" is not an idempotency key");
    }
    if (!take_outcome(root, "verdict", &ret->verdict, problem) ||
        !take_place(root, ret->digest, &ret->seq, &ret->origin, &ret->decided_ms, problem) ||
        !take_first(root, ret, problem) ||
        !take_text(root, "store", ret->store, sizeof(ret->store), problem) ||
        !take_int(root, "rules", INT32_MAX, &number, problem)) {
        return false;
    }
    ret->rules = (int)number;
    take_fields(root, &ret->fields);
    /* "reason" belongs to the answer: a duplicate itself has none. */
    ret->reason[0] = '\0';
    return ret->verdict == OUTCOME_DUPLICATE ||
           take_text(root, "reason", ret->reason, sizeof(ret->reason), problem);
}

int outcome_json_decode(const char *value, size_t len, struct outcome_record *ret,
                        char problem[OUTCOME_PROBLEM_SIZE])
{
    enum strict_json_fault fault;

    problem[0] = '\0';
    cJSON *root = value ? strict_json_parse(value, len, &fault, problem) : NULL;
    bool good = root && take_all(root, ret, problem);
    cJSON_Delete(root);
    return good ? 0 : -1;
}
