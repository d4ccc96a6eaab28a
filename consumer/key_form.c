#include "consumer/key_form.h"

#include <stdbool.h>
#include <string.h>

#define UUID_TEXT_LEN 36

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_dash_place(size_t pos)
{
    return pos == 8 || pos == 13 || pos == 18 || pos == 23;
}

/* Upper-case letters are not canonical: such a key stays text, or two keys would become one. */
static bool parse_uuid(unsigned char *bytes, const char *key, size_t len)
{
    size_t digits = 0;

    if (len != UUID_TEXT_LEN) {
        return false;
    }
    memset(bytes, 0, 16);
    for (size_t pos = 0; pos < len; pos++) {
        if (is_dash_place(pos)) {
            if (key[pos] != '-') {
                return false;
            }
            continue;
        }
        int value = hex_value(key[pos]);
        if (value < 0) {
            return false;
        }
        bytes[digits / 2] = (unsigned char)(bytes[digits / 2] << 4 | value);
        digits++;
    }
    return true;
}

size_t key_form(unsigned char form[KEY_FORM_SIZE], const char *key)
{
    size_t len = strlen(key);

    if (parse_uuid(form + 1, key, len)) {
        form[0] = KEY_FORM_UUID;
        return 1 + 16;
    }
    form[0] = KEY_FORM_TEXT;
    memcpy(form + 1, key, len);
    return 1 + len;
}

static void write_uuid(char *key, const unsigned char *bytes)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t pos = 0, digit = 0; pos < UUID_TEXT_LEN; pos++) {
        if (is_dash_place(pos)) {
            key[pos] = '-';
        } else {
            unsigned char byte = bytes[digit / 2];
            key[pos] = digits[digit % 2 == 0 ? byte >> 4 : byte & 15];
            digit++;
        }
    }
    key[UUID_TEXT_LEN] = '\0';
}

bool key_form_text(char key[PAYMENT_KEY_MAX + 1], const unsigned char *form, size_t len)
{
    unsigned char bytes[16];

    if (len == 1 + 16 && form[0] == KEY_FORM_UUID) {
        write_uuid(key, form + 1);
        return true;
    }
    if (len < 2 || len > KEY_FORM_SIZE || form[0] != KEY_FORM_TEXT) {
        return false;
    }
    payment_copy(key, (const char *)form + 1, len - 1);
    /* A key with a NUL is none, and a UUID has its own form. */
    return strlen(key) == len - 1 && !parse_uuid(bytes, key, len - 1);
}
