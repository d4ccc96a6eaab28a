/*
 * Fresh keys: of the form of a UUID of version 7, never the same twice, with the time in front.
 */
#include "common/uuid7.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MANY 10000

static char texts[MANY][UUID7_TEXT_SIZE];

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void draw_many(void)
{
    struct error err;

    for (int i = 0; i < MANY; i++) {
        cr_assert_eq(uuid7_new(texts[i], &err), 0);
    }
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t time_of(const char *text)
{
    char digits[13];

    snprintf(digits, sizeof(digits), "%.8s%.4s", text, text + 9);
    return strtoull(digits, NULL, 16);
}

Test(uuid7, is_canonical_lower_case_of_version_7)
{
    static const char form[] = "hhhhhhhh-hhhh-7hhh-vhhh-hhhhhhhhhhhh";

    draw_many();
    for (int i = 0; i < MANY; i++) {
        cr_assert_eq(strlen(texts[i]), strlen(form));
        for (size_t pos = 0; pos < strlen(form); pos++) {
            char c = texts[i][pos];
            const char *allowed = form[pos] == 'h'   ? "0123456789abcdef"
                                  : form[pos] == 'v' ? "89ab"
                                  : form[pos] == '7' ? "7"
                                                     : "-";
            cr_assert(strchr(allowed, c), "%s at %zu", texts[i], pos);
        }
    }
}

Test(uuid7, no_two_are_the_same)
{
    draw_many();
    qsort(texts, MANY, sizeof(texts[0]), compare);
    for (int i = 1; i < MANY; i++) {
        cr_assert_str_neq(texts[i - 1], texts[i]);
    }
}

Test(uuid7, begins_with_the_time_in_milliseconds)
{
    uint64_t before = now_ms();

    draw_many();
    uint64_t after = now_ms();
    for (int i = 0; i < MANY; i++) {
        cr_assert_geq(time_of(texts[i]), before);
        cr_assert_leq(time_of(texts[i]), after);
    }
}

/* Of 10,000 draws a bit stays the same with the probability 2^-9999. */
Test(uuid7, every_random_bit_takes_both_values)
{
    unsigned ones[UUID7_TEXT_SIZE] = {0};
    unsigned zeros[UUID7_TEXT_SIZE] = {0};

    draw_many();
    for (int i = 0; i < MANY; i++) {
        for (size_t pos = 15; pos < UUID7_TEXT_SIZE - 1; pos++) {
            char digit[2] = {texts[i][pos], '\0'};
            unsigned value = (unsigned)strtoul(digit, NULL, 16);
            ones[pos] |= value;
            zeros[pos] |= ~value & 0xF;
        }
    }
    for (size_t pos = 15; pos < UUID7_TEXT_SIZE - 1; pos++) {
        unsigned random = pos == 18 || pos == 23 ? 0 : pos == 19 ? 0x3 : 0xF;
        cr_expect_eq(ones[pos] & zeros[pos], random, "at %zu", pos);
    }
}
