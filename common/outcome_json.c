#include "common/outcome_json.h"

#include "common/clock.h"
#include "common/command_json.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define VERSION 1

/* Bytes of a usual outcome: the printer begins with as many, and needs no second allocation. */
#define USUAL_BYTES 1024

/*
 * This runs once a message, so the tree borrows what it can: names are constants, texts belong to
 * the record, which outlives it.
 */
static bool add(cJSON *object, const char *name, cJSON *item)
{
    return item && cJSON_AddItemToObjectCS(object, name, item);
}

static bool add_text(cJSON *object, const char *name, const char *text)
{
    return add(object, name, cJSON_CreateStringReference(text));
}

static bool add_reason(cJSON *object, const char *reason)
{
    return add(object, "reason",
               reason[0] != '\0' ? cJSON_CreateStringReference(reason) : cJSON_CreateNull());
}

/* cJSON keeps numbers as doubles, and prints large ones in another form. */
static bool add_int(cJSON *object, const char *name, int64_t value)
{
    char digits[24];

    snprintf(digits, sizeof(digits), "%" PRId64, value);
    return add(object, name, cJSON_CreateRaw(digits));
}

static bool add_digest(cJSON *object, const unsigned char digest[DIGEST_SHORT_SIZE])
{
    char hex[DIGEST_SHORT_HEX_SIZE];

    return add(object, "digest", cJSON_CreateString(digest_hex(hex, digest, DIGEST_SHORT_SIZE)));
}

static bool add_time(cJSON *object, int64_t ms)
{
    char text[CLOCK_TEXT_SIZE];

    return add(object, "decided_at", cJSON_CreateString(clock_text(text, ms)));
}

static cJSON *add_object(cJSON *object, const char *name)
{
    cJSON *child = cJSON_CreateObject();

    return add(object, name, child) ? child : NULL;
}

static bool add_origin(cJSON *object, const struct outcome_origin *origin)
{
    cJSON *child = add_object(object, "origin");

    return child && add_text(child, "topic", origin->topic) &&
           add_int(child, "partition", origin->partition) &&
           add_int(child, "offset", origin->offset);
}

static bool add_fields(cJSON *object, unsigned fields)
{
    cJSON *list = cJSON_CreateArray();
    char names[COMMAND_FIELDS_SIZE];
    char *rest = command_fields(names, fields);
    bool good = add(object, "fields", list);

    for (char *name; good && (name = strsep(&rest, ",")) && *name != '\0';) {
        good = cJSON_AddItemToArray(list, cJSON_CreateString(name));
    }
    return good;
}

/* What this message itself came to. */
static bool add_verdict(cJSON *object, const struct outcome_record *record)
{
    return add_text(object, "outcome", outcome_name(outcome_answer(record))) &&
           add_reason(object, outcome_answer_reason(record)) &&
           add_text(object, "verdict", outcome_name(record->verdict)) &&
           (record->verdict != OUTCOME_DUPLICATE || add(object, "duplicate", cJSON_CreateTrue())) &&
           (record->verdict != OUTCOME_CONFLICT || add_fields(object, record->fields));
}

static bool add_command(cJSON *object, const struct command *command)
{
    cJSON *child = add_object(object, "command");

    return child && command_json_put(child, command);
}

static bool add_first(cJSON *object, const struct outcome_first *first)
{
    cJSON *child = add_object(object, "first");

    return child && add_text(child, "outcome", outcome_name(first->outcome)) &&
           add_reason(child, first->reason == REASON_NONE ? "" : reason_name(first->reason)) &&
           add_int(child, "seq", first->seq) && add_digest(child, first->digest) &&
           add_command(child, &first->command) && add_origin(child, &first->origin) &&
           add_time(child, first->decided_ms);
}

static bool add_record(cJSON *root, const struct outcome_record *record)
{
    return add_int(root, "v", VERSION) && add_text(root, "type", "outcome") &&
           add_text(root, "key", record->key) && add_verdict(root, record) &&
           add_digest(root, record->digest) && add_int(root, "seq", record->seq) &&
           add_origin(root, &record->origin) && add_time(root, record->decided_ms) &&
           (record->has_first ? add_first(root, &record->first)
                              : add(root, "first", cJSON_CreateNull())) &&
           add_text(root, "store", record->store) && add_int(root, "rules", record->rules);
}

size_t outcome_json_encode(const struct outcome_record *record, char **ret)
{
    cJSON *root = cJSON_CreateObject();
    char *text =
        root && add_record(root, record) ? cJSON_PrintBuffered(root, USUAL_BYTES, false) : NULL;

    cJSON_Delete(root);
    if (!text) {
        return 0;
    }
    *ret = text;
    return strlen(text);
}
