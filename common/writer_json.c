#include "common/writer_json.h"

#include "common/text.h"

#include <cjson/cJSON.h>
#include <string.h>

/* Of an int64_t in decimal, with its sign. */
#define NUMBER_MAX 20

/* The place for len bytes more, or NULL. One byte is kept for the ending NUL. */
static char *room(struct json_writer *writer, size_t len)
{
    char *at = writer->at;

    if (writer->failed || len >= (size_t)(writer->end - at)) {
        writer->failed = true;
        return NULL;
    }
    writer->at += len;
    return at;
}

static void put(struct json_writer *writer, const char *data, size_t len)
{
    char *at = room(writer, len);

    if (at) {
        memcpy(at, data, len);
    }
}

/* What stands before a value: a comma, unless it is the first one, and its name. */
static void put_name(struct json_writer *writer, const char *name)
{
    char last = writer->at[-1];
    size_t len = name ? strlen(name) : 0;
    bool is_first = last == '{' || last == '[';
    char *at = room(writer, (is_first ? 0 : 1) + (name ? len + 3 : 0));

    if (!at) {
        return;
    }
    if (!is_first) {
        *at++ = ',';
    }
    if (name) {
        *at++ = '"';
        memcpy(at, name, len);
        at[len] = '"';
        at[len + 1] = ':';
    }
}

/* cJSON knows how; it needs no memory for it. */
static void put_escaped(struct json_writer *writer, char *text)
{
    cJSON item = {.type = cJSON_String, .valuestring = text};
    size_t size = (size_t)(writer->end - writer->at);

    if (writer->failed || !cJSON_PrintPreallocated(&item, writer->at, (int)size, false)) {
        writer->failed = true;
        return;
    }
    writer->at += strlen(writer->at);
}

static size_t format(char digits[NUMBER_MAX], int64_t number)
{
    uint64_t rest = number < 0 ? ~(uint64_t)number + 1 : (uint64_t)number;
    char *begin = digits + NUMBER_MAX;

    do {
        *--begin = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0) {
        *--begin = '-';
    }
    size_t len = (size_t)(digits + NUMBER_MAX - begin);
    memmove(digits, begin, len);
    return len;
}

void json_begin(struct json_writer *writer, char *buf, size_t size)
{
    *writer = (struct json_writer){.begin = buf, .at = buf, .end = buf + size};
    put(writer, "{", 1);
}

void json_open(struct json_writer *writer, const char *name)
{
    put_name(writer, name);
    put(writer, "{", 1);
}

void json_open_list(struct json_writer *writer, const char *name)
{
    put_name(writer, name);
    put(writer, "[", 1);
}

void json_close(struct json_writer *writer)
{
    put(writer, "}", 1);
}

void json_close_list(struct json_writer *writer)
{
    put(writer, "]", 1);
}

void json_text(struct json_writer *writer, const char *name, const char *text)
{
    size_t len = strlen(text);

    put_name(writer, name);
    if (text_unescaped_len(text, len) < len) {
        put_escaped(writer, (char *)text);
        return;
    }
    char *at = room(writer, len + 2);
    if (at) {
        at[0] = '"';
        memcpy(at + 1, text, len);
        at[len + 1] = '"';
    }
}

void json_int(struct json_writer *writer, const char *name, int64_t number)
{
    char digits[NUMBER_MAX];

    put_name(writer, name);
    put(writer, digits, format(digits, number));
}

void json_digits(struct json_writer *writer, const char *name, int64_t number)
{
    char digits[NUMBER_MAX + 2] = "\"";
    size_t len = format(digits + 1, number);

    digits[len + 1] = '"';
    put_name(writer, name);
    put(writer, digits, len + 2);
}

void json_true(struct json_writer *writer, const char *name)
{
    put_name(writer, name);
    put(writer, "true", 4);
}

void json_null(struct json_writer *writer, const char *name)
{
    put_name(writer, name);
    put(writer, "null", 4);
}

void json_written(struct json_writer *writer, const char *name, const char *value, size_t len)
{
    put_name(writer, name);
    put(writer, value, len);
}

size_t json_finish(struct json_writer *writer)
{
    json_close(writer);
    if (writer->failed) {
        return 0;
    }
    *writer->at = '\0';
    return (size_t)(writer->at - writer->begin);
}
