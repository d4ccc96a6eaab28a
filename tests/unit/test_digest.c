/*
 * SHA-256 by the examples of its standard (FIPS 180-4), and its lower-case hex.
 */
#include "common/digest.h"

#include <criterion/criterion.h>
#include <string.h>

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static struct digest *digest;
static struct error err;

static void open_digest(void)
{
    cr_assert_eq(digest_open(&digest, &err), 0, "%s", err.text);
}

static void close_digest(void)
{
    digest_close(digest);
}

TestSuite(digest, .init = open_digest, .fini = close_digest);

static const char *finish(void)
{
    static char hex[DIGEST_HEX_SIZE];
    unsigned char bytes[DIGEST_SIZE];

    cr_assert_eq(digest_finish(digest, bytes, &err), 0, "%s", err.text);
    return digest_hex(hex, bytes, sizeof(bytes));
}

Test(digest, the_examples_of_the_standard)
{
    cr_expect_str_eq(finish(), EMPTY);
    cr_assert_eq(digest_add(digest, "abc", 3, &err), 0);
    cr_expect_str_eq(finish(), ABC);
}

Test(digest, begins_anew_after_it_was_finished)
{
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(digest_add(digest, "abc", 3, &err), 0);
        cr_expect_str_eq(finish(), ABC);
        cr_expect_str_eq(finish(), EMPTY);
    }
}

Test(digest, pieces_are_one_text)
{
    cr_assert_eq(digest_add(digest, "a", 1, &err), 0);
    cr_assert_eq(digest_add(digest, "", 0, &err), 0);
    cr_assert_eq(digest_add(digest, "bc", 2, &err), 0);
    cr_expect_str_eq(finish(), ABC);
}

Test(digest, hex_is_lower_case_and_ends_in_nul)
{
    char hex[9] = "########";

    cr_expect_str_eq(digest_hex(hex, (const unsigned char *)"\x00\x9A\xFF", 3), "009aff");
    cr_expect_eq(hex[7], '#');
    cr_expect_str_eq(digest_hex(hex, NULL, 0), "");
}

Test(digest, closing_none_is_fine)
{
    digest_close(NULL);
}

Test(digest, hex_is_read_back_and_nothing_else_is)
{
    static const char *const bad[] = {"", "00f", "00ff0", "00F7", "0x12", "00 f", "00fg", "00ff00"};
    unsigned char bytes[2] = {0xAA, 0xAA};
    char hex[5];

    for (unsigned i = 0; i < 0x10000; i++) {
        const unsigned char wanted[2] = {(unsigned char)(i >> 8), (unsigned char)i};
        cr_assert(digest_from_hex(bytes, 2, digest_hex(hex, wanted, 2)), "%s", hex);
        cr_assert(bytes[0] == wanted[0] && bytes[1] == wanted[1], "%s", hex);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_not(digest_from_hex(bytes, 2, bad[i]), "\"%s\"", bad[i]);
    }
}
