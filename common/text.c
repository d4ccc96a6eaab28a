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

/* ---- eight bytes at once ---- */

/*
 * Most text is plain ASCII. Each test below may take a lower byte's carry for a hit, but only where
 * there is a hit already, and the caller then looks byte by byte.
 */
#define WORD        sizeof(uint64_t)
#define ALL(byte)   (UINT64_C(0x0101010101010101) * (byte))
#define HIGHEST_BIT ALL(0x80)

static uint64_t load(const char *data)
{
    uint64_t word;

    memcpy(&word, data, WORD);
    return word;
}

static bool is_ascii_word(uint64_t word)
{
    return (word & HIGHEST_BIT) == 0;
}

/*
 * The last bytes of a text, fewer than a word, as a word: with those that stand before them, or,
 * where there are none, with spaces.
 */
static uint64_t load_end(const char *data, size_t pos, size_t len)
{
    uint64_t word = ALL(' ');

    if (len >= WORD) {
        return load(data + len - WORD);
    }
    for (size_t i = pos; i < len; i++) {
        word = word << 8 | (unsigned char)data[i];
    }
    return word;
}

/* 0x20 to 0x7E each. */
static bool is_printable_word(uint64_t word)
{
    return ((word | (word - ALL(0x20)) | (word + ALL(1))) & HIGHEST_BIT) == 0;
}

/* In the highest bits: which bytes are zero. */
static uint64_t zeros(uint64_t word)
{
    return (word - ALL(1)) & ~word & HIGHEST_BIT;
}

static bool is_unescaped_word(uint64_t word)
{
    uint64_t controls = (word - ALL(0x20)) & ~word & HIGHEST_BIT;

    return (controls | zeros(word ^ ALL('"')) | zeros(word ^ ALL('\\'))) == 0;
}

size_t text_unescaped_len(const char *data, size_t len)
{
    size_t pos = 0;

    while (len - pos >= WORD && is_unescaped_word(load(data + pos))) {
        pos += WORD;
    }
    if (len - pos < WORD && is_unescaped_word(load_end(data, pos, len))) {
        return len;
    }
    while (pos < len && (unsigned char)data[pos] >= 0x20 && data[pos] != '"' && data[pos] != '\\') {
        pos++;
    }
    return pos;
}

bool text_is_utf8(const char *data, size_t len)
{
    uint32_t code;

    for (size_t pos = 0; pos < len;) {
        if (len - pos >= WORD && is_ascii_word(load(data + pos))) {
            pos += WORD;
            continue;
        }
        if (len - pos < WORD && is_ascii_word(load_end(data, pos, len))) {
            return true;
        }
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
        if (len - pos >= WORD && is_printable_word(load(data + pos))) {
            pos += WORD;
            continue;
        }
        if (len - pos < WORD && is_printable_word(load_end(data, pos, len))) {
            return true;
        }
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
