#include "common/strict_json.h"

#include "common/text.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- cJSON's memory ---- */

/*
 * A tree takes some thirty small pieces, a message. They are taken from a piece of each thread's
 * own memory while a parser runs, and from the heap when that is full. It is free again when the
 * last piece is given back.
 */
static _Thread_local struct {
    max_align_t bytes[STRICT_JSON_ARENA_BYTES / sizeof(max_align_t)];
    size_t used;        /* bytes */
    size_t pieces;      /* that are not given back */
    bool is_open;       /* a parser runs */
    bool out_of_memory; /* cJSON answers NULL for bad JSON and for no memory alike */
} arena;

static void *take(size_t size)
{
    size_t whole = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);

    if (arena.is_open && whole >= size && whole <= sizeof(arena.bytes) - arena.used) {
        void *piece = (char *)arena.bytes + arena.used;
        arena.used += whole;
        arena.pieces++;
        return piece;
    }
    void *memory = malloc(size);
    if (!memory) {
        arena.out_of_memory = true;
    }
    return memory;
}

static void give_back(void *piece)
{
    if ((uintptr_t)piece - (uintptr_t)arena.bytes >= sizeof(arena.bytes)) {
        free(piece);
    } else if (--arena.pieces == 0) {
        arena.used = 0;
    }
}

static void set_hooks(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = take, .free_fn = give_back});
}

/* The hooks are the process's: they are set by the first parser, before it runs. */
static void open_arena(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, set_hooks);
    arena.out_of_memory = false;
    arena.is_open = true;
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
    for (pos++;; pos += 2) {
        pos += pos < len ? text_unescaped_len(json + pos, len - pos) : 0;
        if (pos >= len || json[pos] == '"') {
            return pos + 1;
        }
        *ret_problem = json[pos] == '\\' ? escape_problem(json, len, pos)
                                         : "a control character inside a string";
        if (*ret_problem) {
            return 0;
        }
    }
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

/* Does an object have a field of this one's name before it? */
static bool is_repeated(const cJSON *object, const cJSON *field)
{
    const cJSON *other = object->child;

    while (other != field &&
           (other->string[0] != field->string[0] || strcmp(other->string, field->string) != 0)) {
        other = other->next;
    }
    return other != field;
}

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
            if (is_repeated(node, child)) {
                char name[64];
                return refuse(
                    problem, STRICT_JSON_DUPLICATE, "field \"%s\" is there twice",
                    text_escape(name, sizeof(name), child->string, strlen(child->string)));
            }
        }
        enum strict_json_fault reason =
            child->child ? check_fields(child, problem) : STRICT_JSON_FINE;
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
    open_arena();
    *ret = cJSON_ParseWithLengthOpts(data, len, &end, 0);
    arena.is_open = false;
    if (arena.out_of_memory) {
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
    *ret_fault = parse(data, len, &root, problem);
    if (*ret_fault != STRICT_JSON_FINE) {
        cJSON_Delete(root);
        return NULL;
    }
    return root;
}
