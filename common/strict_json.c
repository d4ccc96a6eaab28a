#include "common/strict_json.h"

#include "common/text.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static enum strict_json_fault refuse(char *problem, enum strict_json_fault fault, const char *fmt,
                                     ...) PRINTF_LIKE(3, 4);

static enum strict_json_fault refuse(char *problem, enum strict_json_fault fault, const char *fmt,
                                     ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(problem, STRICT_JSON_PROBLEM_SIZE, fmt, args);
    va_end(args);
    return fault;
}

/* ---- before the parser ---- */

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

static enum strict_json_fault scan(const char *json, size_t len, char *problem)
{
    const char *wrong = NULL;
    int depth = 0;

    for (size_t pos = 0; pos < len;) {
        char c = json[pos];
        size_t next = pos + 1;
        if (c == '"') {
            next = scan_string(json, len, pos, &wrong);
        } else if (c == '-' || (c >= '0' && c <= '9')) {
            next = scan_number(json, len, pos, &wrong);
        } else if (c == '{' || c == '[') {
            if (++depth > STRICT_JSON_MAX_DEPTH) {
                return refuse(problem, STRICT_JSON_DEPTH, "nested deeper than %d",
                              STRICT_JSON_MAX_DEPTH);
            }
        } else if (c == '}' || c == ']') {
            depth--;
        } else if ((unsigned char)c < 0x20 && c != '\t' && c != '\n' && c != '\r') {
            wrong = "a control character";
        }
        if (wrong) {
            return refuse(problem, STRICT_JSON_SYNTAX, "%s at byte %zu", wrong, pos);
        }
        pos = next;
    }
    return STRICT_JSON_FINE;
}

/* ---- behind the parser ---- */

static enum strict_json_fault check_fields(const cJSON *node, char *problem)
{
    int fields = 0;
    const cJSON *child;

    cJSON_ArrayForEach(child, node)
    {
        if (cJSON_IsObject(node)) {
            if (++fields > STRICT_JSON_MAX_FIELDS) {
                return refuse(problem, STRICT_JSON_FIELDS, "an object with more than %d fields",
                              STRICT_JSON_MAX_FIELDS);
            }
            if (cJSON_GetObjectItemCaseSensitive(node, child->string) != child) {
                char name[64];
                return refuse(
                    problem, STRICT_JSON_DUPLICATE, "field \"%s\" is there twice",
                    text_escape(name, sizeof(name), child->string, strlen(child->string)));
            }
        }
        enum strict_json_fault reason = check_fields(child, problem);
        if (reason != STRICT_JSON_FINE) {
            return reason;
        }
    }
    return STRICT_JSON_FINE;
}

/* Only white space may stand behind the object. */
static bool only_blanks(const char *from, const char *end)
{
    while (from < end && (*from == ' ' || *from == '\t' || *from == '\n' || *from == '\r')) {
        from++;
    }
    return from == end;
}

static enum strict_json_fault parse(const char *data, size_t len, cJSON **ret, char *problem)
{
    const char *end = NULL;

    if (!text_is_utf8(data, len)) {
        return refuse(problem, STRICT_JSON_UTF8, "it is not UTF-8");
    }
    enum strict_json_fault fault = scan(data, len, problem);
    if (fault != STRICT_JSON_FINE) {
        return fault;
    }
    *ret = cJSON_ParseWithLengthOpts(data, len, &end, 0);
    if (out_of_memory) {
        return refuse(problem, STRICT_JSON_NO_MEMORY, "out of memory");
    }
    /* cJSON skips a byte order mark, which has no place in a message. */
    if (!*ret || !cJSON_IsObject(*ret) || (unsigned char)data[0] == 0xEF) {
        return refuse(problem, STRICT_JSON_SYNTAX, "it is not a JSON object");
    }
    if (!only_blanks(end, data + len)) {
        return refuse(problem, STRICT_JSON_SYNTAX, "something stands behind the JSON object");
    }
    return check_fields(*ret, problem);
}

cJSON *strict_json_parse(const char *data, size_t len, enum strict_json_fault *ret_fault,
                         char problem[STRICT_JSON_PROBLEM_SIZE])
{
    cJSON *root = NULL;

    problem[0] = '\0';
    init_cjson();
    *ret_fault = parse(data, len, &root, problem);
    if (*ret_fault != STRICT_JSON_FINE) {
        cJSON_Delete(root);
        return NULL;
    }
    return root;
}
