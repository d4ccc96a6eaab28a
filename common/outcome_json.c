#include "common/outcome_json.h"

#include "common/clock.h"
#include "common/command_json.h"
#include "common/writer_json.h"

#include <string.h>

#define VERSION 1

static void put_reason(struct json_writer *writer, const char *reason)
{
    if (reason[0] != '\0') {
        json_text(writer, "reason", reason);
    } else {
        json_null(writer, "reason");
    }
}

static void put_digest(struct json_writer *writer, const unsigned char digest[DIGEST_SHORT_SIZE])
{
    char hex[DIGEST_SHORT_HEX_SIZE];

    json_text(writer, "digest", digest_hex(hex, digest, DIGEST_SHORT_SIZE));
}

static void put_time(struct json_writer *writer, int64_t ms)
{
    char text[CLOCK_TEXT_SIZE];

    json_text(writer, "decided_at", clock_text(text, ms));
}

static void put_origin(struct json_writer *writer, const struct outcome_origin *origin)
{
    json_open(writer, "origin");
    json_text(writer, "topic", origin->topic);
    json_int(writer, "partition", origin->partition);
    json_int(writer, "offset", origin->offset);
    json_close(writer);
}

static void put_fields(struct json_writer *writer, unsigned fields)
{
    char names[COMMAND_FIELDS_SIZE];
    char *rest = command_fields(names, fields);

    json_open_list(writer, "fields");
    for (char *name; (name = strsep(&rest, ",")) && *name != '\0';) {
        json_text(writer, NULL, name);
    }
    json_close_list(writer);
}

/* What this message itself came to. */
static void put_verdict(struct json_writer *writer, const struct outcome_record *record)
{
    json_text(writer, "outcome", outcome_name(outcome_answer(record)));
    put_reason(writer, outcome_answer_reason(record));
    json_text(writer, "verdict", outcome_name(record->verdict));
    if (record->verdict == OUTCOME_DUPLICATE) {
        json_true(writer, "duplicate");
    }
    if (record->verdict == OUTCOME_CONFLICT) {
        put_fields(writer, record->fields);
    }
}

static void put_first(struct json_writer *writer, const struct outcome_first *first)
{
    json_open(writer, "first");
    json_text(writer, "outcome", outcome_name(first->outcome));
    put_reason(writer, first->reason == REASON_NONE ? "" : reason_name(first->reason));
    json_int(writer, "seq", first->seq);
    put_digest(writer, first->digest);
    json_open(writer, "command");
    command_json_put(writer, &first->command);
    json_close(writer);
    put_origin(writer, &first->origin);
    put_time(writer, first->decided_ms);
    json_close(writer);
}

size_t outcome_json_encode(const struct outcome_record *record, char buf[OUTCOME_JSON_SIZE])
{
    struct json_writer writer;

    json_begin(&writer, buf, OUTCOME_JSON_SIZE);
    json_int(&writer, "v", VERSION);
    json_text(&writer, "type", "outcome");
    json_text(&writer, "key", record->key);
    put_verdict(&writer, record);
    put_digest(&writer, record->digest);
    json_int(&writer, "seq", record->seq);
    put_origin(&writer, &record->origin);
    put_time(&writer, record->decided_ms);
    if (record->has_first) {
        put_first(&writer, &record->first);
    } else {
        json_null(&writer, "first");
    }
    json_text(&writer, "store", record->store);
    json_int(&writer, "rules", record->rules);
    return json_finish(&writer);
}
