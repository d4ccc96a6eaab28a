#include "common/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/*
 * Length of the well-formed UTF-8 character at data, 0 when there is none; *ret_code is its code
 * point. The table of allowed bytes is RFC 3629, section 4.
 */
static size_t utf8_char(const unsigned char *data, size_t len, uint32_t *ret_code)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t code = data[0];
    size_t size;

    if (code < 0x80) {
        *ret_code = code;
        return 1;
    } else if (code >= 0xC2 && code <= 0xDF) {
        size = 2;
        code &= 0x1F;
    } else if (code >= 0xE0 && code <= 0xEF) {
        size = 3;
        code &= 0x0F;
    } else if (code >= 0xF0 && code <= 0xF4) {
        size = 4;
        code &= 0x07;
    } else {
        return 0;
    }
    if (size > len) {
        return 0;
    }
    for (size_t i = 1; i < size; i++) {
        if ((data[i] & 0xC0) != 0x80) {
            return 0;
        }
        code = code << 6 | (data[i] & 0x3F);
    }
    if (code < smallest[size] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
        return 0;
    }
    *ret_code = code;
    return size;
}

static bool is_printable(uint32_t code)
{
    return code >= 0x20 && !(code >= 0x7F && code <= 0x9F) && code != 0x2028 && code != 0x2029;
}

bool text_is_utf8(const char *data, size_t len)
{
    uint32_t code;

    for (size_t pos = 0; pos < len;) {
        size_t size = utf8_char((const unsigned char *)data + pos, len - pos, &code);
        if (size == 0) {
            return false;
        }
        pos += size;
    }
    return true;
}

bool text_is_printable(const char *data, size_t len)
{
    uint32_t code;

    for (size_t pos = 0; pos < len;) {
        size_t size = utf8_char((const unsigned char *)data + pos, len - pos, &code);
        if (size == 0 || !is_printable(code)) {
            return false;
        }
        pos += size;
    }
    return true;
}

char *text_escape(char *buf, size_t size, const char *data, size_t len)
{
    size_t used = 0;
    size_t cut = 0; /* the last place at which "..." still fits */

    for (size_t pos = 0; pos < len;) {
        char piece[8];
        uint32_t code;
        size_t piece_len;
        size_t taken = utf8_char((const unsigned char *)data + pos, len - pos, &code);

        if (taken == 0 || !is_printable(code)) {
            taken = 1;
            piece_len = (size_t)snprintf(piece, sizeof(piece), "\\x%02X", (unsigned char)data[pos]);
        } else if (code == '"' || code == '\\') {
            piece[0] = '\\';
            piece[1] = (char)code;
            piece_len = 2;
        } else {
            memcpy(piece, data + pos, taken);
            piece_len = taken;
        }
        cut = used + 4 <= size ? used : cut;
        if (used + piece_len + 1 > size) {
            memcpy(buf + cut, "...", 4);
            return buf;
        }
        memcpy(buf + used, piece, piece_len);
        used += piece_len;
        pos += taken;
    }
    buf[used] = '\0';
    return buf;
}
