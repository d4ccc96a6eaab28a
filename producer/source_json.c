/*
 * JSON Lines: one flat object a line, every value a string.
 *
 *   {"src":"ann","dest":"bob","amount":"12.34","currency":"EUR","key":"invoice-7"}
 *
 * cJSON lets a few things pass that money must not: they are refused before and after it. A record
 * is one line, so a bad one never hides the next.
 */
#include "common/text.h"
#include "producer/source_formats.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <string.h>
#include <sysexits.h>

/* What cJSON would take as white space, or would end a string at. */
static const char *bytes_problem(const char *data, size_t len)
{
    if (!text_is_utf8(data, len)) {
        return "it is not UTF-8";
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)data[i] < 0x20 && data[i] != '\t') {
            return "a control character";
        }
        if (data[i] == '\\') {
            if (len - i >= 6 && memcmp(data + i, "\\u0000", 6) == 0) {
                return "a NUL inside a string";
            }
            i++; /* the escaped character is not the beginning of an escape */
        }
    }
    size_t first = 0;
    while (first < len && (data[first] == ' ' || data[first] == '\t')) {
        first++;
    }
    return data[first] == '{' ? NULL : "it is not a JSON object";
}

static bool refuse_name(char *problem, const char *name, const char *why)
{
    char shown[64];

    return source_refuse(problem, "field \"%s\" %s",
                         text_escape(shown, sizeof(shown), name, strlen(name)), why);
}

static bool take_field(const cJSON *item, struct source_text *fields, char *problem)
{
    int column = source_column_of(item->string, strlen(item->string));

    if (column < 0) {
        return refuse_name(problem, item->string,
                           "is not known: use src, dest, amount, currency and key");
    }
    if (fields[column].data) {
        return refuse_name(problem, item->string, "is there twice");
    }
    if (column == SOURCE_AMOUNT && cJSON_IsNumber(item)) {
        return refuse_name(problem, item->string,
                           "is a number, which JSON does not keep exactly: write it as a string, "
                           "such as \"12.34\"");
    }
    if (!cJSON_IsString(item)) {
        return refuse_name(problem, item->string, "is not a string");
    }
    fields[column] = (struct source_text){item->valuestring, strlen(item->valuestring)};
    return true;
}

static bool take_object(const cJSON *root, struct payment *ret, char *problem)
{
    struct source_text fields[SOURCE_COLUMNS] = {{NULL, 0}};
    const cJSON *item;

    cJSON_ArrayForEach(item, root)
    {
        if (!take_field(item, fields, problem)) {
            return false;
        }
    }
    return source_payment(fields, ret, problem);
}

static bool only_blanks(const char *from, const char *end)
{
    while (from < end && (*from == ' ' || *from == '\t')) {
        from++;
    }
    return from == end;
}

static int json_open(struct source *source, struct error *err)
{
    (void)err;
    source->line_waits = true; /* there is no header: the first line is a record */
    return 0;
}

static int json_read(struct source *source, struct row *ret, struct error *err)
{
    const char *data = source->raw;
    size_t len = source->line_len;
    const char *problem = bytes_problem(data, len);
    const char *end = NULL;

    if (problem) {
        source_refuse(ret->problem, "%s", problem);
        return 0;
    }
    errno = 0;
    cJSON *root = cJSON_ParseWithLengthOpts(data, len, &end, 0);
    if (!root && errno == ENOMEM) { /* cJSON says no more about it than about bad JSON */
        return error_set(err, EX_OSERR, "out of memory");
    }
    if (!root) {
        source_refuse(ret->problem, "it is not a JSON object");
    } else if (!only_blanks(end, data + len)) {
        source_refuse(ret->problem, "something stands behind the JSON object");
    } else {
        take_object(root, &ret->payment, ret->problem);
    }
    cJSON_Delete(root);
    return 0;
}

static void json_close(struct source *source)
{
    (void)source;
}

const struct source_format source_json = {json_open, json_read, json_close};
