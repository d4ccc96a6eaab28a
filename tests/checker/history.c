#include "tests/checker/history.h"

#include "tests/checker/lines.h"
#include "tests/checker/memory.h"

#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* An amount that no payment can have. */
#define NO_AMOUNT (-1)

static int64_t amount_of(const char *text)
{
    char *end;
    long long amount = strtoll(text, &end, 10);

    return *end == '\0' && amount >= 0 && strlen(text) <= 18 ? amount : NO_AMOUNT;
}

static bool read_fields(struct words *words, const cJSON *fields, struct payload *ret)
{
    const cJSON *src = cJSON_GetObjectItemCaseSensitive(fields, "src");
    const cJSON *dest = cJSON_GetObjectItemCaseSensitive(fields, "dest");
    const cJSON *amount = cJSON_GetObjectItemCaseSensitive(fields, "amount");
    const cJSON *currency = cJSON_GetObjectItemCaseSensitive(fields, "currency");
    const char *code = cJSON_IsString(currency) ? currency->valuestring : "EUR";

    if (!cJSON_IsString(src) || !cJSON_IsString(dest) || !cJSON_IsString(amount) ||
        strlen(code) != ORDER_CURRENCY_SIZE - 1) {
        return false;
    }
    ret->is_fields = true;
    ret->src = names_add(words->accounts, src->valuestring, strlen(src->valuestring));
    ret->dest = names_add(words->accounts, dest->valuestring, strlen(dest->valuestring));
    ret->amount_minor = amount_of(amount->valuestring);
    memcpy(ret->currency, code, ORDER_CURRENCY_SIZE);
    return true;
}

static bool read_invoke(struct words *words, const cJSON *line, struct key *key)
{
    const cJSON *fields = cJSON_GetObjectItemCaseSensitive(line, "fields");
    struct payload payload = {.next = key->payloads};
    struct line_bytes value;

    key->invoked++;
    if (!line_get_bytes(line, "payload", &value)) {
        return false;
    }
    if (!value.is_there && !fields) {
        key->sent_anything = true;
        return true;
    }
    if (!value.is_there && !read_fields(words, fields, &payload)) {
        return false;
    }
    if (value.is_there) {
        payload.is_null = !value.data;
        sha_short(payload.digest, value.data, value.len);
    }
    key->payloads = memory_new(1, sizeof(payload));
    *key->payloads = payload;
    return true;
}

static int read_event(struct keys *keys, struct words *words, const struct lines *lines,
                      const cJSON *line, struct fault *fault)
{
    const cJSON *event = cJSON_GetObjectItemCaseSensitive(line, "event");
    const char *name = cJSON_IsString(event) ? event->valuestring : "";
    struct line_bytes bytes;

    if (!line_get_bytes(line, "key", &bytes) || !bytes.is_there) {
        return lines_refuse(lines, "has no key", fault);
    }
    struct key *key =
        keys_at(keys, bytes.data ? names_add(words->keys, bytes.data, bytes.len) : NAMES_NONE);
    if (strcmp(name, "invoke") == 0) {
        return read_invoke(words, line, key)
                   ? 0
                   : lines_refuse(lines, "has a payload or fields that cannot be read", fault);
    }
    if (strcmp(name, "ok") == 0) {
        key->acknowledged++;
    } else if (strcmp(name, "unknown") == 0) {
        key->unknown++;
    } else if (strcmp(name, "fail") == 0) {
        key->failed++;
    } else {
        return lines_refuse(lines, "is none of invoke, ok, unknown, fail", fault);
    }
    return 0;
}

static int read_file(struct keys *keys, struct words *words, const char *path, size_t *events,
                     struct fault *fault)
{
    struct lines lines;
    cJSON *line = NULL;
    int result = lines_open(&lines, path, true, fault);

    if (result != 0) {
        return -1;
    }
    while ((result = lines_next(&lines, &line, fault)) == 1 &&
           (result = read_event(keys, words, &lines, line, fault)) == 0) {
        ++*events;
    }
    lines_close(&lines);
    return result;
}

int history_read(struct keys *keys, struct words *words, const char *dir, size_t *ret_events,
                 struct fault *fault)
{
    char pattern[PATH_MAX];
    glob_t files;
    int result = 0;

    *ret_events = 0;
    snprintf(pattern, sizeof(pattern), "%s/history*.jsonl", dir);
    if (glob(pattern, 0, NULL, &files) != 0) {
        return fault_set(fault, EX_DATAERR, "%s: is not there", pattern);
    }
    for (size_t i = 0; result == 0 && i < files.gl_pathc; i++) {
        result = read_file(keys, words, files.gl_pathv[i], ret_events, fault);
    }
    globfree(&files);
    return result;
}
