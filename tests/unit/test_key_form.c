/*
 * The stored form of a key: UUIDs short, all else verbatim, no two keys alike, time order kept.
 */
#include "consumer/key_form.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct form {
    unsigned char bytes[KEY_FORM_SIZE];
    size_t len;
};

static struct form form_of(const char *key)
{
    struct form form;

    memset(form.bytes, '#', sizeof(form.bytes));
    form.len = key_form(form.bytes, key);
    return form;
}

/* As SQLite compares blobs. */
static int compare(const struct form *a, const struct form *b)
{
    size_t shorter = a->len < b->len ? a->len : b->len;
    int order = memcmp(a->bytes, b->bytes, shorter);

    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

Test(key_form, a_canonical_uuid_becomes_its_16_bytes)
{
    static const struct {
        const char *key;
        const char *bytes;
    } rows[] = {
        {"018f3c6e-0123-7abc-89de-f0123456789a",
         "\x01\x01\x8f\x3c\x6e\x01\x23\x7a\xbc\x89\xde\xf0\x12\x34\x56\x78\x9a"},
        {"00000000-0000-0000-0000-000000000000", "\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"},
        {"ffffffff-ffff-ffff-ffff-ffffffffffff",
         "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"},
        {"99999999-aaaa-4999-baaa-999999999999", /* any version */
         "\x01\x99\x99\x99\x99\xaa\xaa\x49\x99\xba\xaa\x99\x99\x99\x99\x99\x99"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct form form = form_of(rows[i].key);
        cr_expect_eq(form.len, 17, "%s", rows[i].key);
        cr_expect_eq(memcmp(form.bytes, rows[i].bytes, 17), 0, "%s", rows[i].key);
    }
}

Test(key_form, every_other_key_stays_as_it_is)
{
    static const char *const keys[] = {
        "k",
        "payroll-11:0000000001",
        "J\xC3\xB6rg",
        "018F3C6E-0123-7ABC-89DE-F0123456789A",  /* not canonical */
        "018f3c6e-0123-7abc-89de-f0123456789A",  /* one upper-case letter */
        "018f3c6e-0123-7abc-89de-f0123456789",   /* too short */
        "018f3c6e-0123-7abc-89de-f0123456789ab", /* too long */
        "018f3c6e-0123-7abc-89de-f0123456789g",  /* no hex digit */
        "018f3c6e-0123-7abc-89de_f0123456789a",  /* no dash */
        "018f3c6e0123-7abc-89de-f0123456789a-",  /* dash elsewhere */
        "018f3c6e-0123-7abc-89de--0123456789a",  /* dash for a digit */
        "{18f3c6e-0123-7abc-89de-f0123456789}",  /* brackets */
        "018f3c6e01237abc89def0123456789a",      /* without dashes */
        "\x01\x01\x8f\x3c",                      /* bytes like a form's */
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        struct form form = form_of(keys[i]);
        cr_expect_eq(form.len, 1 + strlen(keys[i]), "%s", keys[i]);
        cr_expect_eq(form.bytes[0], KEY_FORM_TEXT, "%s", keys[i]);
        cr_expect_eq(memcmp(form.bytes + 1, keys[i], strlen(keys[i])), 0, "%s", keys[i]);
    }
}

Test(key_form, a_longest_key_fits)
{
    char key[PAYMENT_KEY_MAX + 1];

    memset(key, 'k', sizeof(key) - 1);
    key[sizeof(key) - 1] = '\0';
    struct form form = form_of(key);
    cr_expect_eq(form.len, KEY_FORM_SIZE);
    cr_expect_eq(memcmp(form.bytes + 1, key, PAYMENT_KEY_MAX), 0);
}

Test(key_form, no_two_keys_share_a_form)
{
    static const char *const keys[] = {
        "018f3c6e-0123-7abc-89de-f0123456789a",
        "018F3C6E-0123-7ABC-89DE-F0123456789A",
        "018f3c6e01237abc89def0123456789a",
        "urn:uuid:018f3c6e-0123-7abc-89de-f0123456789a",
        " 018f3c6e-0123-7abc-89de-f0123456789a",
        "018f3c6e-0123-7abc-89de-f0123456789a ",
        "61616161-6161-6161-6161-616161616161", /* 16 times 'a' */
        "aaaaaaaaaaaaaaaa",
        "\x01"
        "aaaaaaaaaaaaaaaa",
        "\x02"
        "aaaaaaaaaaaaaaaa",
        "a",
        "aa",
        "A",
        "a ",
        " a",
        "1",
        "01",
        "\xC3\xA9",  /* e acute */
        "e\xCC\x81", /* the same to the eye */
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        for (size_t j = 0; j < sizeof(keys) / sizeof(keys[0]); j++) {
            struct form a = form_of(keys[i]);
            struct form b = form_of(keys[j]);
            cr_expect_eq(compare(&a, &b) == 0, i == j, "\"%s\" and \"%s\"", keys[i], keys[j]);
        }
    }
}

Test(key_form, a_form_gives_its_key_back_and_other_bytes_give_none)
{
    static const char *const keys[] = {"018f3c6e-0123-7abc-89de-f0123456789a",
                                       "018F3C6E-0123-7ABC-89DE-F0123456789A",
                                       "ffffffff-ffff-ffff-ffff-ffffffffffff",
                                       "00000000-0000-0000-0000-000000000000",
                                       "k",
                                       "payroll:0000000001",
                                       "\xE2\x82\xAC"};
    static const struct {
        const char *bytes;
        size_t len;
    } others[] = {{"", 0},
                  {"\x02", 1},
                  {"\x01"
                   "123456789012345",
                   16},
                  {"\x01"
                   "12345678901234567",
                   18},
                  {"\x03k", 2},
                  {"\x02k\0k", 4},
                  {"\x02"
                   "018f3c6e-0123-7abc-89de-f0123456789a",
                   37}};
    char longest[PAYMENT_KEY_MAX + 1];
    char key[PAYMENT_KEY_MAX + 1];

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        unsigned char form[KEY_FORM_SIZE];
        size_t len = key_form(form, keys[i]);
        cr_expect(key_form_text(key, form, len), "%s", keys[i]);
        cr_expect_str_eq(key, keys[i]);
    }
    unsigned char form[KEY_FORM_SIZE + 1];
    memset(longest, 'x', PAYMENT_KEY_MAX);
    longest[PAYMENT_KEY_MAX] = '\0';
    size_t len = key_form(form, longest);
    cr_expect(key_form_text(key, form, len));
    cr_expect_str_eq(key, longest);
    cr_expect_not(key_form_text(key, form, len + 1), "longer than any key");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        cr_expect_not(key_form_text(key, (const unsigned char *)others[i].bytes, others[i].len),
                      "row %zu", i);
    }
}

Test(key_form, keys_that_rise_have_forms_that_rise)
{
    static const char *const rising[][4] = {
        {"018f3c6e-0123-7fff-bfff-ffffffffffff", "018f3c6e-0124-7000-8000-000000000000",
         "018f3c6f-0000-7000-8000-000000000000", "01900000-0000-7000-8000-000000000000"},
        {"payroll:0000000001", "payroll:0000000002", "payroll:0000000010", "payroll:0000000100"},
        {"a", "a:0000000001", "aa", "b"},
    };

    for (size_t i = 0; i < sizeof(rising) / sizeof(rising[0]); i++) {
        for (size_t j = 1; j < 4; j++) {
            struct form before = form_of(rising[i][j - 1]);
            struct form after = form_of(rising[i][j]);
            cr_expect_lt(compare(&before, &after), 0, "%s", rising[i][j]);
        }
    }
    for (int row = 1; row < 100000; row += 37) {
        char key[64];
        snprintf(key, sizeof(key), "b:%010d", row);
        struct form before = form_of(key);
        snprintf(key, sizeof(key), "b:%010d", row + 37);
        struct form after = form_of(key);
        cr_expect_lt(compare(&before, &after), 0, "%s", key);
    }
}

Test(key_form, a_uuid7_tells_when_it_was_made_and_nothing_else_does)
{
    static const struct {
        const char *key;
        int64_t made_ms;
    } rows[] = {
        {"018f3c6e-0123-7abc-89de-f0123456789a", INT64_C(0x018f3c6e0123)},
        {"00000000-0000-7000-8000-000000000000", 0},
        {"ffffffff-ffff-7fff-bfff-ffffffffffff", INT64_C(0xffffffffffff)},
        {"018f3c6e-0123-4abc-89de-f0123456789a", -1}, /* version 4 */
        {"018f3c6e-0123-7abc-c9de-f0123456789a", -1}, /* another variant */
        {"018F3C6E-0123-7ABC-89DE-F0123456789A", -1}, /* text */
        {"payroll:0000000001", -1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct form form = form_of(rows[i].key);
        cr_expect_eq(key_form_made_ms(form.bytes, form.len), rows[i].made_ms, "%s", rows[i].key);
    }
}

Test(key_form, a_row_of_a_batch_tells_its_batch)
{
    static const struct {
        const char *key;
        const char *id; /* NULL: it is none */
        int64_t row;
    } rows[] = {
        {"payroll:0000000017", "payroll", 17},
        {"a:b:9999999999", "a:b", INT64_C(9999999999)},
        {":0000000001", NULL, 0},
        {"payroll:000000001", NULL, 0},
        {"payroll:00000000017", NULL, 0},
        {"payroll:000000001x", NULL, 0},
        {"0000000001", NULL, 0},
        {"x", NULL, 0},
        {"018f3c6e-0123-7abc-89de-f0123456789a", NULL, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct form form = form_of(rows[i].key);
        char id[PAYMENT_BATCH_ID_MAX + 1];
        int64_t row = 0;
        bool is_row = key_form_row(id, &row, form.bytes, form.len);
        cr_expect_eq(is_row, rows[i].id != NULL, "%s", rows[i].key);
        if (is_row) {
            cr_expect_str_eq(id, rows[i].id);
            cr_expect_eq(row, rows[i].row);
        }
    }
}
