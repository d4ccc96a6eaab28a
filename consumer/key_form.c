#include "consumer/key_form.h"

#include <stdbool.h>
#include <string.h>

#define UUID_TEXT_LEN 36
#define UUID_LEN      16

/* Where the two digits of each byte stand; the dashes are between them. */
static const unsigned char digit_places[UUID_LEN] = {0,  2,  4,  6,  9,  11, 14, 16,
                                                     19, 21, 24, 26, 28, 30, 32, 34};
static const unsigned char dash_places[] = {8, 13, 18, 23};

/* The value of a digit with this bit, so that 0 means: no digit. */
#define HEX 0x10

/* Upper-case letters are not canonical: such a key stays text, or two keys would become one. */
static const unsigned char hex_values[256] = {
    ['0'] = HEX | 0,  ['1'] = HEX | 1,  ['2'] = HEX | 2,  ['3'] = HEX | 3,
    ['4'] = HEX | 4,  ['5'] = HEX | 5,  ['6'] = HEX | 6,  ['7'] = HEX | 7,
    ['8'] = HEX | 8,  ['9'] = HEX | 9,  ['a'] = HEX | 10, ['b'] = HEX | 11,
    ['c'] = HEX | 12, ['d'] = HEX | 13, ['e'] = HEX | 14, ['f'] = HEX | 15,
};

static bool parse_uuid(unsigned char bytes[UUID_LEN], const char *key, size_t len)
{
    const unsigned char *text = (const unsigned char *)key;
    unsigned all = HEX;

    if (len != UUID_TEXT_LEN) {
        return false;
    }
    for (size_t i = 0; i < sizeof(dash_places); i++) {
        if (text[dash_places[i]] != '-') {
            return false;
        }
    }
    for (size_t i = 0; i < UUID_LEN; i++) {
        unsigned high = hex_values[text[digit_places[i]]];
        unsigned low = hex_values[text[digit_places[i] + 1]];
        all &= high & low;
        bytes[i] = (unsigned char)((high << 4 | (low & 0xF)) & 0xFF);
    }
    return all == HEX;
}

size_t key_form(unsigned char form[KEY_FORM_SIZE], const char *key)
{
    size_t len = strlen(key);

    if (parse_uuid(form + 1, key, len)) {
        form[0] = KEY_FORM_UUID;
        return 1 + UUID_LEN;
    }
    form[0] = KEY_FORM_TEXT;
    memcpy(form + 1, key, len);
    return 1 + len;
}

/* Of the bytes of a UUID: 48 bits of time, then the version, and at UUID_VARIANT the variant. */
#define UUID_TIME_LEN 6
#define UUID_VERSION  6
#define UUID_VARIANT  8

int64_t key_form_made_ms(const unsigned char *form, size_t len)
{
    const unsigned char *bytes = form + 1;
    int64_t ms = 0;

    if (len != 1 + UUID_LEN || form[0] != KEY_FORM_UUID || bytes[UUID_VERSION] >> 4 != 7 ||
        bytes[UUID_VARIANT] >> 6 != 2) {
        return -1;
    }
    for (size_t i = 0; i < UUID_TIME_LEN; i++) {
        ms = ms << 8 | bytes[i];
    }
    return ms;
}

bool key_form_row(char id[PAYMENT_BATCH_ID_MAX + 1], int64_t *ret_row, const unsigned char *form,
                  size_t len)
{
    const size_t tail = 1 + KEY_FORM_ROW_DIGITS; /* with the colon */

    if (len < 1 + 1 + tail || form[0] != KEY_FORM_TEXT || form[len - tail] != ':' ||
        len - 1 - tail > PAYMENT_BATCH_ID_MAX) {
        return false;
    }
    *ret_row = 0;
    for (size_t i = len - KEY_FORM_ROW_DIGITS; i < len; i++) {
        if (form[i] < '0' || form[i] > '9') {
            return false;
        }
        *ret_row = *ret_row * 10 + (form[i] - '0');
    }
    payment_copy(id, (const char *)form + 1, len - 1 - tail);
    return true;
}

static void write_uuid(char *key, const unsigned char *bytes)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < UUID_LEN; i++) {
        key[digit_places[i]] = digits[bytes[i] >> 4];
        key[digit_places[i] + 1] = digits[bytes[i] & 0xF];
    }
    for (size_t i = 0; i < sizeof(dash_places); i++) {
        key[dash_places[i]] = '-';
    }
    key[UUID_TEXT_LEN] = '\0';
}

bool key_form_text(char key[PAYMENT_KEY_MAX + 1], const unsigned char *form, size_t len)
{
    unsigned char bytes[UUID_LEN];

    if (len == 1 + UUID_LEN && form[0] == KEY_FORM_UUID) {
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
