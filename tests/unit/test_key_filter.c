/*
 * The filter over key segments: it never misses a key that a segment has, hardly ever names one
 * that has it not, and forgets exactly what is cut off. Hashes that stand in stores do not change.
 */
#include "consumer/key_filter.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define KEYS 200 /* a segment */

static size_t bytes;
static struct key_filter *filter;

static void make_filter(void)
{
    bytes = key_filter_bytes(KEYS);
    filter = key_filter_new(bytes);
    cr_assert_not_null(filter);
}

static void free_filter(void)
{
    key_filter_free(filter);
}

TestSuite(key_filter, .init = make_filter, .fini = free_filter);

static struct key_hash hash_of(size_t segment, size_t key)
{
    const uint64_t number[2] = {segment, key};

    return key_hash(number, sizeof(number));
}

/* The bitmap of a segment with its keys, which the caller frees. */
static unsigned char *bitmap_of(size_t segment)
{
    unsigned char *bitmap = calloc(1, bytes);

    cr_assert_not_null(bitmap);
    for (size_t key = 0; key < KEYS; key++) {
        key_filter_mark(bitmap, bytes, hash_of(segment, key));
    }
    return bitmap;
}

/* Adds the next segments at once. */
static void add(size_t count)
{
    unsigned char **bitmaps = calloc(count, sizeof(*bitmaps));

    cr_assert_not_null(bitmaps);
    for (size_t i = 0; i < count; i++) {
        bitmaps[i] = bitmap_of(key_filter_segments(filter) + i);
    }
    cr_assert_eq(key_filter_add(filter, (const unsigned char *const *)bitmaps, count), 0);
    for (size_t i = 0; i < count; i++) {
        free(bitmaps[i]);
    }
    free(bitmaps);
}

static bool names(struct key_hash hash, size_t segment)
{
    return key_filter_next(filter, hash, segment) == segment;
}

static void expect_all_keys(size_t segments, const char *when)
{
    cr_assert_eq(key_filter_segments(filter), segments, "%s", when);
    for (size_t segment = 0; segment < segments; segment++) {
        for (size_t key = 0; key < KEYS; key++) {
            cr_assert(names(hash_of(segment, key), segment), "%s: key %zu of segment %zu", when,
                      key, segment);
        }
    }
}

Test(key_filter, a_bitmap_has_twenty_bits_a_key_at_least)
{
    cr_expect_eq(key_filter_bytes(200000), (size_t)512 << 10);
    cr_expect_eq(key_filter_bytes(209715), (size_t)512 << 10);
    cr_expect_eq(key_filter_bytes(209716), (size_t)1 << 20);
    cr_expect_eq(key_filter_bytes(5), 16);
    cr_expect_eq(key_filter_bytes(1), 8);
}

Test(key_filter, the_hash_of_a_key_never_changes)
{
    unsigned char bytes_of[KEY_HASH_SIZE];
    /* XXH3, 128 bits, as xxhsum -H2 prints it of these three bytes. */
    static const unsigned char abc[KEY_HASH_SIZE] = {0x06, 0xb0, 0x5a, 0xb6, 0x73, 0x3a,
                                                     0x61, 0x85, 0x78, 0xaf, 0x5f, 0x94,
                                                     0x89, 0x2f, 0x39, 0x50};

    key_hash_store(bytes_of, key_hash("abc", 3));
    cr_expect_arr_eq(bytes_of, abc, KEY_HASH_SIZE);
}

Test(key_filter, a_filter_without_segments_names_none)
{
    cr_expect_eq(key_filter_next(filter, hash_of(0, 0), 0), KEY_FILTER_NONE);
    key_filter_prefetch(filter, hash_of(0, 0));
}

/* One by one, so that each width of the rows and each bank is grown into. */
Test(key_filter, no_key_is_missed_while_it_grows)
{
    for (size_t segments = 1; segments <= 530; segments++) {
        add(1);
        if (segments < 20 || segments % 64 < 2) {
            expect_all_keys(segments, "one by one");
        }
    }
}

Test(key_filter, segments_that_are_added_at_once_are_as_those_one_by_one)
{
    static const size_t parts[] = {3, 70, 8, 1, 446};

    cr_assert_eq(key_filter_reserve(filter, 100), 0);
    cr_expect_eq(key_filter_segments(filter), 0);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        add(parts[i]);
    }
    expect_all_keys(528, "at once");
}

Test(key_filter, a_bitmap_has_each_of_its_keys_and_hardly_ever_another)
{
    unsigned char *bitmap = bitmap_of(0);
    size_t wrong = 0;

    for (size_t key = 0; key < KEYS; key++) {
        cr_assert(key_filter_has(bitmap, bytes, hash_of(0, key)), "key %zu", key);
        wrong += key_filter_has(bitmap, bytes, hash_of(1, key));
    }
    cr_expect_lt(wrong, KEYS / 100 + 1, "%zu", wrong);
    free(bitmap);
}

Test(key_filter, hardly_ever_is_a_segment_named_that_has_not_the_key)
{
    size_t named = 0;

    add(100);
    for (size_t key = 0; key < 10000; key++) {
        size_t at = 0;
        while ((at = key_filter_next(filter, hash_of(1000, key), at)) != KEY_FILTER_NONE) {
            named++;
            at++;
        }
    }
    /* 20 bits and more a key, of 1,000,000 answers: 100 at a full segment. */
    cr_expect_lt(named, 200, "%zu of 1,000,000", named);
    cr_expect_gt(named, 0, "nothing was tested");
}

Test(key_filter, what_is_cut_off_is_forgotten_and_the_rest_is_kept)
{
    static const size_t cuts[] = {531, 530, 521, 512, 511, 128, 121, 64, 63, 7, 0};
    size_t had = 532;

    add(had);
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        key_filter_cut(filter, cuts[i]);
        expect_all_keys(cuts[i], "after a cut");
        for (size_t segment = cuts[i]; segment < had; segment++) {
            cr_assert_not(names(hash_of(segment, 0), segment), "cut to %zu: %zu", cuts[i], segment);
        }
        had = cuts[i];
    }
    add(9);
    expect_all_keys(9, "added after the cuts");
}

Test(key_filter, more_segments_than_the_limit_are_refused)
{
    static const unsigned char none[8];
    const unsigned char *bitmaps[KEY_FILTER_SEGMENTS_MAX];

    key_filter_free(filter);
    filter = key_filter_new(sizeof(none));
    for (size_t i = 0; i < KEY_FILTER_SEGMENTS_MAX; i++) {
        bitmaps[i] = none;
    }
    cr_assert_eq(key_filter_add(filter, bitmaps, KEY_FILTER_SEGMENTS_MAX), 0);
    cr_expect_eq(key_filter_add(filter, bitmaps, 1), -1);
    cr_expect_eq(key_filter_reserve(filter, KEY_FILTER_SEGMENTS_MAX + 1), -1);
    cr_expect_eq(key_filter_segments(filter), KEY_FILTER_SEGMENTS_MAX);
}

Test(key_filter, a_checksum_does_not_depend_on_the_order_but_on_each_key)
{
    struct key_hash one = {0, 0};
    struct key_hash other = {0, 0};

    for (size_t key = 0; key < KEYS; key++) {
        key_hash_add(&one, hash_of(0, key));
        key_hash_add(&other, hash_of(0, KEYS - 1 - key));
    }
    cr_expect(one.low == other.low && one.high == other.high);
    key_hash_add(&other, hash_of(0, 0));
    cr_expect(one.low != other.low && one.high != other.high);
}
