#include "tests/checker/lines.h"

#include "tests/checker/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define NAME_SIZE 32

/* The largest whole number that a double surely holds. */
#define INT_MAX_EXACT 9007199254740992.0

int lines_open(struct lines *lines, const char *path, bool torn_is_end, struct fault *fault)
{
    *lines = (struct lines){.path = path, .torn_is_end = torn_is_end};
    lines->file = fopen(path, "r");
    return lines->file ? 0 : fault_set(fault, EX_DATAERR, "%s: %s", path, strerror(errno));
}

void lines_close(struct lines *lines)
{
    cJSON_Delete(lines->object);
    free(lines->line);
    if (lines->file) {
        fclose(lines->file);
    }
    *lines = (struct lines){.file = NULL};
}

int lines_refuse(const struct lines *lines, const char *what, struct fault *fault)
{
    return fault_set(fault, EX_DATAERR, "%s:%zu: %s", lines->path, lines->number, what);
}

int lines_next(struct lines *lines, cJSON **ret, struct fault *fault)
{
    ssize_t len = getline(&lines->line, &lines->room, lines->file);

    cJSON_Delete(lines->object);
    lines->object = NULL;
    lines->number++;
    if (len < 0) {
        return ferror(lines->file) ? lines_refuse(lines, "cannot be read", fault) : 0;
    }
    if (lines->line[len - 1] != '\n') {
        return lines->torn_is_end ? 0 : lines_refuse(lines, "is cut in its last line", fault);
    }
    lines->object = cJSON_ParseWithLength(lines->line, (size_t)len);
    if (!cJSON_IsObject(lines->object)) {
        return lines_refuse(lines, "is not a JSON object", fault);
    }
    *ret = lines->object;
    return 1;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes a string of hex in its own place. */
static bool decode_hex(char *hex, size_t *ret_len)
{
    size_t len = strlen(hex);

    for (size_t i = 0; i + 1 < len; i += 2) {
        int high = hex_value(hex[i]);
        int low = hex_value(hex[i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        hex[i / 2] = (char)(high * 16 + low);
    }
    *ret_len = len / 2;
    return len % 2 == 0;
}

bool line_get_bytes(const cJSON *object, const char *name, struct line_bytes *ret)
{
    char hex_name[NAME_SIZE];

    snprintf(hex_name, sizeof(hex_name), "%s_hex", name);
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(object, name);
    const cJSON *hex = cJSON_GetObjectItemCaseSensitive(object, hex_name);
    *ret = (struct line_bytes){.is_there = text || hex};
    if (text && cJSON_IsString(text)) {
        ret->data = text->valuestring;
        ret->len = strlen(text->valuestring);
    } else if (hex && cJSON_IsString(hex)) {
        ret->data = hex->valuestring;
        return decode_hex(hex->valuestring, &ret->len);
    }
    return !ret->is_there || ret->data || cJSON_IsNull(text ? text : hex);
}

bool line_get_int(const cJSON *object, const char *name, int64_t min, int64_t *ret)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    if (!cJSON_IsNumber(item) || !(item->valuedouble >= (double)min) ||
        !(item->valuedouble <= INT_MAX_EXACT)) {
        return false;
    }
    *ret = (int64_t)item->valuedouble;
    return (double)*ret == item->valuedouble;
}

static void put_text(FILE *file, const char *data, size_t len)
{
    size_t done = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)data[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\') {
            continue;
        }
        fwrite(data + done, 1, i - done, file);
        done = i + 1;
        if (byte < 0x20) {
            fprintf(file, "\\u%04x", byte);
        } else {
            fprintf(file, "\\%c", byte);
        }
    }
    fwrite(data + done, 1, len - done, file);
}

void line_put_bytes(FILE *file, const char *name, const char *data, size_t len)
{
    if (!data) {
        fprintf(file, "\"%s\":null", name);
        return;
    }
    if (utf8_valid(data, len) && !memchr(data, '\0', len)) {
        fprintf(file, "\"%s\":\"", name);
        put_text(file, data, len);
    } else {
        fprintf(file, "\"%s_hex\":\"", name);
        for (size_t i = 0; i < len; i++) {
            fprintf(file, "%02x", (unsigned char)data[i]);
        }
    }
    fputc('"', file);
}
