#include "common/outcome_json.h"

#include "common/command_json.h"
#include "common/command_text.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool add_int(cJSON *o, const char *name, int64_t value)
{
    char digits[24];
    snprintf(digits, sizeof(digits), "%" PRId64, value);
    return cJSON_AddRawToObject(o, name, digits) != NULL;
}
static bool add_text(cJSON *o, const char *name, const char *text)
{
    return text[0] ? cJSON_AddStringToObject(o, name, text) != NULL : cJSON_AddNullToObject(o, name) != NULL;
}
static bool add_common(cJSON *o, const unsigned char *digest, int64_t seq, const struct outcome_origin *origin, int64_t ms)
{
    char hex[DIGEST_SHORT_HEX_SIZE];
    char time[COMMAND_TEXT_TIME_SIZE];
    cJSON_AddStringToObject(o, "digest", digest_hex(hex, digest, DIGEST_SHORT_SIZE));
    add_int(o, "seq", seq);
    cJSON *p = cJSON_AddObjectToObject(o, "origin");
    cJSON_AddStringToObject(p, "topic", origin->topic);
    add_int(p, "partition", origin->partition);
    add_int(p, "offset", origin->offset);
    return cJSON_AddStringToObject(o, "decided_at", command_text_time(time, ms)) != NULL;
}
size_t outcome_json_encode(const struct outcome_record *r, char **ret)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddNumberToObject(root, "v", 1);
    cJSON_AddStringToObject(root, "type", "outcome");
    cJSON_AddStringToObject(root, "key", r->key);
    cJSON_AddStringToObject(root, "outcome", outcome_name(outcome_answer(r)));
    add_text(root, "reason", outcome_answer_reason(r));
    cJSON_AddStringToObject(root, "verdict", outcome_name(r->verdict));
    if (r->verdict == OUTCOME_DUPLICATE) cJSON_AddTrueToObject(root, "duplicate");
    add_common(root, r->digest, r->seq, &r->origin, r->decided_ms);
    if (r->has_first) {
        cJSON *f = cJSON_AddObjectToObject(root, "first");
        cJSON_AddStringToObject(f, "outcome", outcome_name(r->first.outcome));
        add_text(f, "reason", r->first.reason ? reason_name(r->first.reason) : "");
        cJSON *c = cJSON_AddObjectToObject(f, "command");
        if (!command_json_put(c, &r->first.command)) return 0;
        add_common(f, r->first.digest, r->first.seq, &r->first.origin, r->first.decided_ms);
    } else cJSON_AddNullToObject(root, "first");
    cJSON_AddStringToObject(root, "store", r->store);
    add_int(root, "rules", r->rules);
    *ret = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    return *ret ? strlen(*ret) : 0;
}
