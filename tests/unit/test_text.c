/*
 * Text from outside: what is UTF-8, what may be printed, and how the rest is shown.
 */
#include "common/text.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct row {
    const char *bytes;
    size_t len;
    bool utf8;
    bool printable;
};

/* The bytes of a literal with their length, so that a NUL may be among them. */
#define BYTES(literal) literal, sizeof(literal) - 1

static const struct row rows[] = {
    {BYTES(""), true, true},
    {BYTES("plain text"), true, true},
    {BYTES(" ~"), true, true},
    {BYTES("\"\\"), true, true},
    /* control characters */
    {BYTES("\0"), true, false},
    {BYTES("a\0b"), true, false},
    {BYTES("\x01"), true, false},
    {BYTES("\t"), true, false},
    {BYTES("\n"), true, false},
    {BYTES("\x1F"), true, false},
    {BYTES("\x7F"), true, false},
    {BYTES("\xC2\x80"), true, false},     /* U+0080 */
    {BYTES("\xC2\x85"), true, false},     /* U+0085, next line */
    {BYTES("\xC2\x9F"), true, false},     /* U+009F */
    {BYTES("\xC2\xA0"), true, true},      /* U+00A0 */
    {BYTES("\xE2\x80\xA7"), true, true},  /* U+2027 */
    {BYTES("\xE2\x80\xA8"), true, false}, /* U+2028, line separator */
    {BYTES("\xE2\x80\xA9"), true, false}, /* U+2029, paragraph separator */
    {BYTES("\xE2\x80\xAA"), true, true},  /* U+202A */
    /* the ends of each length */
    {BYTES("\xC3\xA9"), true, true},         /* U+00E9 */
    {BYTES("\xDF\xBF"), true, true},         /* U+07FF */
    {BYTES("\xE0\xA0\x80"), true, true},     /* U+0800 */
    {BYTES("\xED\x9F\xBF"), true, true},     /* U+D7FF */
    {BYTES("\xEE\x80\x80"), true, true},     /* U+E000 */
    {BYTES("\xEF\xBF\xBF"), true, true},     /* U+FFFF */
    {BYTES("\xF0\x90\x80\x80"), true, true}, /* U+10000 */
    {BYTES("\xF4\x8F\xBF\xBF"), true, true}, /* U+10FFFF */
    {BYTES("\xF4\x90\x80\x80"), false, false},
    {BYTES("\xF5\x80\x80\x80"), false, false},
    {BYTES("\xFF"), false, false},
    {BYTES("\xFE"), false, false},
    /* longer than needed */
    {BYTES("\xC0\x80"), false, false},
    {BYTES("\xC0\xAF"), false, false},
    {BYTES("\xC1\xBF"), false, false},
    {BYTES("\xE0\x80\x80"), false, false},
    {BYTES("\xE0\x9F\xBF"), false, false},
    {BYTES("\xF0\x80\x80\x80"), false, false},
    {BYTES("\xF0\x8F\xBF\xBF"), false, false},
    /* surrogates */
    {BYTES("\xED\xA0\x80"), false, false},
    {BYTES("\xED\xBF\xBF"), false, false},
    {BYTES("\xED\xA0\xBD\xED\xB8\x80"), false, false},
    /* cut short, or a continuation without a beginning */
    {BYTES("\x80"), false, false},
    {BYTES("\xBF"), false, false},
    {BYTES("\xC3"), false, false},
    {BYTES("\xE2\x82"), false, false},
    {BYTES("\xF0\x9F\x98"), false, false},
    {BYTES("a\xC3"), false, false},
    {BYTES("\xC3"
           "a"),
     false, false},
    {BYTES("\xC3\xC3\xA9"), false, false},
    {BYTES("\xE2\x82\x41"), false, false},
    {BYTES("\xF0\x9F\x98\x41"), false, false},
    {BYTES("\xC3\xA9\x80"), false, false},
};

Test(text, tells_well_formed_utf8)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(text_is_utf8(rows[i].bytes, rows[i].len), rows[i].utf8, "row %zu", i);
    }
}

Test(text, tells_what_may_be_printed)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(text_is_printable(rows[i].bytes, rows[i].len), rows[i].printable, "row %zu",
                     i);
    }
}

Test(text, every_lone_byte_above_ascii_is_refused)
{
    for (int byte = 0; byte < 256; byte++) {
        char c = (char)byte;
        cr_expect_eq(text_is_utf8(&c, 1), byte < 0x80, "%02X", (unsigned)byte);
        cr_expect_eq(text_is_printable(&c, 1), byte >= 0x20 && byte < 0x7F, "%02X", (unsigned)byte);
    }
}

Test(text, escapes_what_may_not_be_printed)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *shown;
    } escapes[] = {
        {BYTES(""), ""},
        {BYTES("plain \xC3\xA9 \xF0\x9F\x98\x80"), "plain \xC3\xA9 \xF0\x9F\x98\x80"},
        {BYTES("say \"no\""), "say \\\"no\\\""},
        {BYTES("a\\b"), "a\\\\b"},
        {BYTES("a\0b"), "a\\x00b"},
        {BYTES("\n\t\x7F"), "\\x0A\\x09\\x7F"},
        {BYTES("\xC2\x85"), "\\xC2\\x85"},
        {BYTES("\xE2\x80\xA8"), "\\xE2\\x80\\xA8"},
        {BYTES("\xFFok\xC3"), "\\xFFok\\xC3"},
        {BYTES("\xE2\x82z"), "\\xE2\\x82z"},
    };
    char shown[TEXT_ESCAPED_SIZE];

    for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
        cr_expect_eq(text_escape(shown, sizeof(shown), escapes[i].bytes, escapes[i].len), shown);
        cr_expect_str_eq(shown, escapes[i].shown);
    }
}

Test(text, cuts_between_characters_and_says_so)
{
    static const struct {
        size_t size;
        const char *text;
        const char *shown;
    } cuts[] = {
        {4, "abcdefgh", "..."},
        {5, "abcdefgh", "a..."},
        {8, "abcdefgh", "abcd..."},
        {8, "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9", "\xC3\xA9\xC3\xA9..."},
        {9, "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9", "\xC3\xA9\xC3\xA9..."},
        {9, "a\n\n\n", "a\\x0A..."},
        {8, "a\n\n\n", "a..."},
        {6, "a\"\"\"\"", "a..."},
        {7, "a\"\"\"\"", "a\\\"..."},
    };

    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        char shown[32];
        memset(shown, '#', sizeof(shown));
        text_escape(shown, cuts[i].size, cuts[i].text, strlen(cuts[i].text));
        cr_expect_str_eq(shown, cuts[i].shown, "row %zu: %s", i, shown);
        cr_expect_eq(shown[cuts[i].size], '#', "row %zu wrote behind the buffer", i);
    }
}

Test(text, what_fits_is_not_cut)
{
    static const char *const texts[] = {"abc", "abcdefgh", "a\\\"", "\xC3\xA9\xC3\xA9"};
    char whole[64];
    char tight[64];

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        text_escape(whole, sizeof(whole), texts[i], strlen(texts[i]));
        text_escape(tight, strlen(whole) + 1, texts[i], strlen(texts[i]));
        cr_expect_str_eq(tight, whole);
    }
}

Test(text, a_longest_key_of_unprintable_bytes_is_shown_whole)
{
    char key[255];
    char shown[TEXT_ESCAPED_SIZE];

    memset(key, '\xFF', sizeof(key));
    text_escape(shown, sizeof(shown), key, sizeof(key));
    cr_expect_eq(strlen(shown), 4 * sizeof(key));
    cr_expect_str_eq(shown + strlen(shown) - 4, "\\xFF");
}

/* A row amid plain text is as good or bad as alone, wherever in a word of eight bytes it stands. */
Test(text, is_judged_the_same_wherever_it_stands)
{
    char bytes[64];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t before = 0; before <= 17; before++) {
            for (size_t after = 0; after <= 17; after++) {
                size_t len = before + rows[i].len + after;
                memset(bytes, 'a', sizeof(bytes));
                memcpy(bytes + before, rows[i].bytes, rows[i].len);
                cr_assert_eq(text_is_utf8(bytes, len), rows[i].utf8, "row %zu, %zu before", i,
                             before);
                cr_assert_eq(text_is_printable(bytes, len), rows[i].printable,
                             "row %zu, %zu before", i, before);
            }
        }
    }
}

Test(text, an_unescaped_run_ends_where_json_needs_an_escape)
{
    char bytes[24];

    for (int c = 0; c < 256; c++) {
        bool is_escaped = c < 0x20 || c == '"' || c == '\\';
        for (size_t at = 0; at < sizeof(bytes); at++) {
            memset(bytes, 0x80 | (int)at, sizeof(bytes));
            bytes[at] = (char)c;
            cr_assert_eq(text_unescaped_len(bytes, sizeof(bytes)), is_escaped ? at : sizeof(bytes),
                         "byte %d at %zu", c, at);
            cr_assert_eq(text_unescaped_len(bytes, at), at);
            for (size_t len = at + 1; len < sizeof(bytes); len++) {
                cr_assert_eq(text_unescaped_len(bytes, len), is_escaped ? at : len,
                             "byte %d at %zu of %zu", c, at, len);
            }
        }
    }
}
