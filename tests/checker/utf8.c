#include "tests/checker/utf8.h"

#include <stdint.h>

static bool is_tail(const unsigned char *at, const unsigned char *end, size_t count)
{
    if ((size_t)(end - at) < count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (at[i] < 0x80 || at[i] > 0xBF) {
            return false;
        }
    }
    return true;
}

/* Takes one character off *at, or returns -1. */
static int32_t take(const unsigned char **at, const unsigned char *end)
{
    const unsigned char *byte = *at;
    unsigned lead = byte[0];

    if (lead < 0x80) {
        *at += 1;
        return (int32_t)lead;
    }
    if (lead >= 0xC2 && lead <= 0xDF && is_tail(byte + 1, end, 1)) {
        *at += 2;
        return (int32_t)((lead & 0x1F) << 6 | (byte[1] & 0x3FU));
    }
    if (lead >= 0xE0 && lead <= 0xEF && is_tail(byte + 1, end, 2)) {
        int32_t code = (int32_t)((lead & 0x0F) << 12 | (byte[1] & 0x3FU) << 6 | (byte[2] & 0x3FU));
        *at += 3;
        return code < 0x800 || (code >= 0xD800 && code <= 0xDFFF) ? -1 : code;
    }
    if (lead >= 0xF0 && lead <= 0xF4 && is_tail(byte + 1, end, 3)) {
        int32_t code = (int32_t)((lead & 0x07) << 18 | (byte[1] & 0x3FU) << 12 |
                                 (byte[2] & 0x3FU) << 6 | (byte[3] & 0x3FU));
        *at += 4;
        return code < 0x10000 || code > 0x10FFFF ? -1 : code;
    }
    return -1;
}

bool utf8_valid(const char *data, size_t len)
{
    const unsigned char *at = (const unsigned char *)data;
    const unsigned char *end = at + len;

    while (at < end) {
        if (take(&at, end) < 0) {
            return false;
        }
    }
    return true;
}

bool utf8_printable(const char *data, size_t len)
{
    const unsigned char *at = (const unsigned char *)data;
    const unsigned char *end = at + len;

    while (at < end) {
        int32_t code = take(&at, end);
        if (code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029) {
            return false;
        }
    }
    return true;
}
