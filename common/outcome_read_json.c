#include "common/clock.h"
#include "common/command_json.h"
#include "common/outcome_json.h"
#include "common/text.h"

#include <cjson/cJSON.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define VERSION 1

_Static_assert(OUTCOME_PROBLEM_SIZE >= UNREADABLE_DETAIL_SIZE, "a problem holds any detail");

static bool refuse(char *problem, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Returns false, so that what it says can end a reading. */
static bool refuse(char *problem, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(problem, OUTCOME_PROBLEM_SIZE, fmt, args);
    va_end(args);
    return false;
}

static const cJSON *field_of(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* ---- the kinds of values ---- */

/* A whole number from min to max, which is at most OUTCOME_NUMBER_MAX. */
static bool take_int(const cJSON *object, const char *name, int64_t min, int64_t max, int64_t *ret,
                     char *problem)
{
    const cJSON *item = field_of(object, name);

    /* Asked this way round, what is no number at all is out of range too. */
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= (double)min) ||
        !(item->valuedouble <= (double)max) ||
        item->valuedouble != (double)(int64_t)item->valuedouble) {
        return refuse(problem, "field \"%s\" is not a whole number in its range", name);
    }
    *ret = (int64_t)item->valuedouble;
    return true;
}

/* A printable text of min to size - 1 bytes. */
static bool take_text(const cJSON *object, const char *name, size_t min, char *field, size_t size,
                      char *problem)
{
    const cJSON *item = field_of(object, name);
    size_t len = cJSON_IsString(item) ? strlen(item->valuestring) : 0;

    if (!cJSON_IsString(item) || len < min || len >= size ||
        !text_is_printable(item->valuestring, len)) {
        return refuse(problem, "field \"%s\" is not a text of %zu to %zu bytes", name, min,
                      size - 1);
    }
    payment_copy(field, item->valuestring, len);
    return true;
}

static bool take_digest(const cJSON *object, unsigned char ret[DIGEST_SHORT_SIZE], char *problem)
{
    const cJSON *item = field_of(object, "digest");
    bool good = cJSON_IsString(item) && digest_from_hex(ret, DIGEST_SHORT_SIZE, item->valuestring);

    return good || refuse(problem, "field \"digest\" is not %d lower-case hex digits",
                          2 * DIGEST_SHORT_SIZE);
}

static bool take_time(const cJSON *object, int64_t *ret, char *problem)
{
    const cJSON *item = field_of(object, "decided_at");
    const char *text = cJSON_IsString(item) ? item->valuestring : "";
    char again[CLOCK_TEXT_SIZE];
    struct tm utc = {0};
    int ms = 0;

    /* What the scan is too patient with, such as a 30th of February, is not written back alike. */
    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &utc.tm_year, &utc.tm_mon, &utc.tm_mday,
               &utc.tm_hour, &utc.tm_min, &utc.tm_sec, &ms) == 7) {
        utc.tm_year -= 1900;
        utc.tm_mon -= 1;
        *ret = (int64_t)timegm(&utc) * 1000 + ms;
        if (*ret >= 0 && *ret <= CLOCK_TEXT_MAX_MS && strcmp(clock_text(again, *ret), text) == 0) {
            return true;
        }
    }
    return refuse(problem, "field \"decided_at\" is not a time like 2026-11-25T12:00:00.000Z");
}

/* One of the outcomes whose bits are in allowed. */
static bool take_outcome(const cJSON *object, const char *name, unsigned allowed, enum outcome *ret,
                         char *problem)
{
    const cJSON *item = field_of(object, name);

    *ret = cJSON_IsString(item) ? outcome_of(item->valuestring) : OUTCOME_NONE;
    return (allowed & 1U << *ret) != 0 ||
           refuse(problem, "field \"%s\" is not an outcome that can stand there", name);
}

/* null is "". */
static bool take_reason(const cJSON *object, char reason[OUTCOME_REASON_SIZE], char *problem)
{
    reason[0] = '\0';
    return cJSON_IsNull(field_of(object, "reason")) ||
           take_text(object, "reason", 1, reason, OUTCOME_REASON_SIZE, problem);
}

static bool take_origin(const cJSON *object, struct outcome_origin *ret, char *problem)
{
    const cJSON *origin = field_of(object, "origin");
    int64_t partition = 0;

    if (!cJSON_IsObject(origin)) {
        return refuse(problem, "field \"origin\" is not an object");
    }
    if (!take_text(origin, "topic", 1, ret->topic, sizeof(ret->topic), problem) ||
        !take_int(origin, "partition", 0, INT32_MAX, &partition, problem)) {
        return false;
    }
    ret->partition = (int32_t)partition;
    return take_int(origin, "offset", 0, OUTCOME_NUMBER_MAX, &ret->offset, problem);
}

/* ---- the parts ---- */

#define FINAL   (1U << OUTCOME_APPLIED | 1U << OUTCOME_REJECTED)
#define ANSWERS (FINAL | 1U << OUTCOME_CONFLICT | 1U << OUTCOME_QUARANTINED)

static bool take_command(const cJSON *object, struct command *ret, char *problem)
{
    const cJSON *command = field_of(object, "command");

    if (!cJSON_IsObject(command)) {
        return refuse(problem, "field \"command\" is not an object");
    }
    return command_json_take(command, ret, problem) == READABLE;
}

static bool take_first(const cJSON *root, struct outcome_record *ret, char *problem)
{
    const cJSON *object = field_of(root, "first");
    struct outcome_first *first = &ret->first;
    char reason[OUTCOME_REASON_SIZE];

    ret->has_first = cJSON_IsObject(object);
    if (!ret->has_first) {
        return cJSON_IsNull(object) || refuse(problem, "field \"first\" is not an object or null");
    }
    if (!take_outcome(object, "outcome", FINAL, &first->outcome, problem) ||
        !take_reason(object, reason, problem) ||
        !take_int(object, "seq", 0, OUTCOME_NUMBER_MAX, &first->seq, problem) ||
        !take_digest(object, first->digest, problem) ||
        !take_command(object, &first->command, problem) ||
        !take_origin(object, &first->origin, problem) ||
        !take_time(object, &first->decided_ms, problem)) {
        return false;
    }
    first->reason = reason_of(reason);
    payment_copy(first->command.payment.key, ret->key, strlen(ret->key));
    return true;
}

static bool take_fields(const cJSON *root, unsigned *ret, char *problem)
{
    const cJSON *list = field_of(root, "fields");
    const cJSON *item;

    if (!cJSON_IsArray(list)) {
        return refuse(problem, "field \"fields\" is not a list");
    }
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsString(item)) {
            return refuse(problem, "field \"fields\" is not a list of names");
        }
        *ret |= command_field_of(item->valuestring);
    }
    return true;
}

/* What this message came to; after first, which the answer to a repeat is taken from. */
static bool take_verdict(const cJSON *root, struct outcome_record *ret, char *problem)
{
    enum outcome answer;

    if (!take_outcome(root, "outcome", ANSWERS, &answer, problem) ||
        !take_outcome(root, "verdict", ANSWERS | 1U << OUTCOME_DUPLICATE, &ret->verdict, problem) ||
        !take_reason(root, ret->reason, problem)) {
        return false;
    }
    if (answer != outcome_answer(ret)) {
        return refuse(problem, "field \"outcome\" does not follow from \"verdict\" and \"first\"");
    }
    if (ret->verdict == OUTCOME_DUPLICATE) {
        ret->reason[0] = '\0'; /* it was the first decision's */
    }
    return ret->verdict != OUTCOME_CONFLICT || take_fields(root, &ret->fields, problem);
}

static bool take_key(const cJSON *root, struct outcome_record *ret, char *problem)
{
    const cJSON *verdict = field_of(root, "verdict");
    bool may_be_empty = cJSON_IsString(verdict) &&
                        strcmp(verdict->valuestring, outcome_name(OUTCOME_QUARANTINED)) == 0;

    return take_text(root, "key", may_be_empty ? 0 : 1, ret->key, sizeof(ret->key), problem);
}

static bool take_record(const cJSON *root, struct outcome_record *ret, char *problem)
{
    const cJSON *type = field_of(root, "type");
    int64_t number = 0;

    memset(ret, 0, sizeof(*ret));
    if (!take_int(root, "v", VERSION, VERSION, &number, problem)) {
        return false;
    }
    if (!cJSON_IsString(type) || strcmp(type->valuestring, "outcome") != 0) {
        return refuse(problem, "field \"type\" is not \"outcome\"");
    }
    if (!take_key(root, ret, problem) || !take_first(root, ret, problem) ||
        !take_verdict(root, ret, problem) || !take_digest(root, ret->digest, problem) ||
        !take_int(root, "seq", 0, OUTCOME_NUMBER_MAX, &ret->seq, problem) ||
        !take_origin(root, &ret->origin, problem) || !take_time(root, &ret->decided_ms, problem) ||
        !take_text(root, "store", 1, ret->store, sizeof(ret->store), problem) ||
        !take_int(root, "rules", 1, INT_MAX, &number, problem)) {
        return false;
    }
    ret->rules = (int)number;
    return true;
}

int outcome_json_decode(const char *value, size_t len, struct outcome_record *ret,
                        char problem[OUTCOME_PROBLEM_SIZE])
{
    enum strict_json_fault fault;

    problem[0] = '\0';
    if (!value || len == 0 || len > OUTCOME_JSON_MAX_BYTES) {
        refuse(problem, "%zu bytes, and 1 to %d are read", len, OUTCOME_JSON_MAX_BYTES);
        return -1;
    }
    cJSON *root = strict_json_parse(value, len, &fault, problem);
    bool good = root && take_record(root, ret, problem);
    cJSON_Delete(root);
    return good ? 0 : -1;
}
