/*
 * JSON Lines: one flat object a line, every value a string.
 *
 *   {"src":"ann","dest":"bob","amount":"12.34","currency":"EUR","key":"invoice-7"}
 *
 * A record is one line, so a bad one never hides the next.
 */
#include "common/strict_json.h"
#include "common/text.h"
#include "producer/source_formats.h"

#include <cjson/cJSON.h>
#include <string.h>
#include <sysexits.h>

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

static int json_open(struct source *source, struct error *err)
{
    (void)err;
    source->line_waits = true; /* there is no header: the first line is a record */
    return 0;
}

static int json_read(struct source *source, struct row *ret, struct error *err)
{
    char problem[STRICT_JSON_PROBLEM_SIZE];
    enum strict_json_fault fault;
    cJSON *root = strict_json_parse(source->raw, source->line_len, &fault, problem);

    if (!root && fault == STRICT_JSON_NO_MEMORY) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    if (root) {
        take_object(root, &ret->payment, ret->problem);
    } else {
        source_refuse(ret->problem, "%s", problem);
    }
    cJSON_Delete(root);
    return 0;
}

static void json_close(struct source *source)
{
    (void)source;
}

const struct source_format source_json = {json_open, json_read, json_close};
