/*
 * The fingerprint of a record: every part of it counts, and it never changes.
 */
#include "consumer/fingerprint.h"

#include <criterion/criterion.h>
#include <string.h>

#define TIME INT64_C(1700000000123)

static struct fingerprint print_of(const char *key, size_t key_len, const char *value,
                                   size_t value_len, int64_t time)
{
    const struct raw_message raw = {key, key_len, value, value_len, NULL};
    struct digest *digest = NULL;
    struct fingerprint found;
    struct error err;

    cr_assert_eq(digest_open(&digest, &err), 0);
    cr_assert_eq(fingerprint_make(digest, &raw, 7, time, &found, &err), 0);
    cr_expect(found.known);
    cr_expect_eq(found.offset, 7);
    digest_close(digest);
    return found;
}

Test(fingerprint, never_changes)
{
    struct fingerprint found = print_of("k1", 2, "value", 5, TIME);
    char hex[DIGEST_SHORT_HEX_SIZE];

    cr_expect_str_eq(digest_hex(hex, found.print, sizeof(found.print)),
                     "b2deacc28c1dc0379f9b07436fe16982");
}

Test(fingerprint, of_records_that_differ_in_anything_differ)
{
    const struct fingerprint prints[] = {
        print_of("k1", 2, "value", 5, TIME), print_of("k1", 2, "value", 5, TIME + 1),
        print_of("k1", 2, "valuf", 5, TIME), print_of("k1v", 3, "alue", 4, TIME),
        print_of("k", 1, "1value", 6, TIME), print_of(NULL, 0, "value", 5, TIME),
        print_of("", 0, "value", 5, TIME),   print_of("k1", 2, NULL, 0, TIME),
        print_of("k1", 2, "", 0, TIME),      print_of(NULL, 0, NULL, 0, TIME),
        print_of("value", 5, "k1", 2, TIME), print_of("k1", 2, "value", 5, -1),
    };
    const size_t count = sizeof(prints) / sizeof(prints[0]);

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            cr_expect_eq(memcmp(prints[i].print, prints[j].print, sizeof(prints[i].print)) == 0,
                         i == j, "%zu and %zu", i, j);
        }
    }
}
