#include "consumer/key_filter.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define GROUP         KEY_FILTER_GROUP
#define BANK_SEGMENTS 512
#define BANKS         (KEY_FILTER_SEGMENTS_MAX / BANK_SEGMENTS)
#define BYTES_MIN     8
#define PIECE         64 /* bytes of a bitmap that are worked on at once: a cache line */
#define AT_ONCE       64 /* bitmaps that are added at once: whole groups */
#define WORDS         (BANK_SEGMENTS / 64)

/* A row is read in words of 64 bits, also where it is shorter. */
#define SLACK 8

/* Rows are read at random places: with large pages the processor finds them faster. */
#define LARGE_PAGE ((size_t)2 << 20)

/*
 * Row i begins at byte i x width; bit 0 of its first byte is the bank's first segment. The place
 * for the widest rows is reserved at once, and only as much of it is memory as the rows need: so
 * they grow where they are.
 */
struct bank {
    unsigned char *rows;
    size_t width; /* bytes of a row: 0, 1, 2, 4 … 64 */
};

struct key_filter {
    size_t positions;
    unsigned shift; /* takes the position out of 64 bits of hash */
    size_t segments;
    unsigned char *last; /* rows of one byte: the segments that do not fill a group yet */
    struct bank banks[BANKS];
};

size_t key_filter_bytes(size_t keys)
{
    size_t bytes = BYTES_MIN;

    while (bytes * 8 < keys * KEY_FILTER_BITS_A_KEY) {
        bytes *= 2;
    }
    return bytes;
}

/* Their number is a power of two. */
static unsigned shift_of(size_t positions)
{
    return 64 - (unsigned)LOWEST_BIT(positions);
}

/* The n-th position of a key. The step is odd, so that it is never 0. */
static size_t position(struct key_hash hash, unsigned n, unsigned shift)
{
    return (size_t)((hash.low + n * (hash.high | 1)) >> shift);
}

void key_filter_mark(unsigned char *bitmap, size_t bytes, struct key_hash hash)
{
    unsigned shift = shift_of(bytes * 8);

    for (unsigned n = 0; n < KEY_FILTER_HASHES; n++) {
        size_t at = position(hash, n, shift);
        bitmap[at / 8] |= (unsigned char)(1U << at % 8);
    }
}

bool key_filter_has(const unsigned char *bitmap, size_t bytes, struct key_hash hash)
{
    unsigned shift = shift_of(bytes * 8);
    bool has = true;

    for (unsigned n = 0; n < KEY_FILTER_HASHES && has; n++) {
        size_t at = position(hash, n, shift);
        has = (bitmap[at / 8] >> at % 8 & 1) != 0;
    }
    return has;
}

/* ---- life ---- */

struct key_filter *key_filter_new(size_t bytes)
{
    struct key_filter *filter = calloc(1, sizeof(*filter));

    if (filter) {
        filter->positions = bytes * 8;
        filter->shift = shift_of(filter->positions);
    }
    return filter;
}

/* The bytes that are reserved for a bank. */
static size_t place(const struct key_filter *filter)
{
    return filter->positions * (BANK_SEGMENTS / GROUP) + SLACK;
}

void key_filter_free(struct key_filter *filter)
{
    if (!filter) {
        return;
    }
    for (size_t i = 0; i < BANKS; i++) {
        if (filter->banks[i].rows) {
            munmap(filter->banks[i].rows, place(filter));
        }
    }
    if (filter->last) {
        munmap(filter->last, filter->positions);
    }
    free(filter);
}

size_t key_filter_segments(const struct key_filter *filter)
{
    return filter->segments;
}

/* The segments whose groups are full: those in banks. */
static size_t in_groups(size_t segments)
{
    return segments / GROUP * GROUP;
}

/* ---- memory ---- */

/* Zeroed, or with PROT_NONE only the place for it. NULL when there is none. */
static unsigned char *map_rows(size_t size, int protection)
{
    void *rows = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (rows == MAP_FAILED) {
        return NULL;
    }
    if (size >= LARGE_PAGE) {
        madvise(rows, size, MADV_HUGEPAGE); /* works without */
    }
    return rows;
}

/* Moves rows of width bytes apart. From the last on, so that none is written over unread. */
static void spread(unsigned char *rows, size_t positions, size_t width, size_t wider)
{
    for (size_t at = positions; at-- > 0;) {
        memmove(rows + at * wider, rows + at * width, width);
        memset(rows + at * wider + width, 0, wider - width);
    }
}

/* Gives each row of a bank room for so many segments. False when memory ran out. */
static bool widen(const struct key_filter *filter, struct bank *bank, size_t segments)
{
    size_t width = bank->width > 0 ? bank->width : 1;

    while (width * GROUP < segments) {
        width *= 2;
    }
    if (width == bank->width) {
        return true;
    }
    if (!bank->rows) {
        bank->rows = map_rows(place(filter), PROT_NONE);
    }
    if (!bank->rows ||
        mprotect(bank->rows, filter->positions * width + SLACK, PROT_READ | PROT_WRITE) != 0) {
        return false;
    }
    if (bank->width > 0) {
        spread(bank->rows, filter->positions, bank->width, width);
    }
    bank->width = width;
    return true;
}

int key_filter_reserve(struct key_filter *filter, size_t segments)
{
    size_t banked = in_groups(segments);

    if (segments > KEY_FILTER_SEGMENTS_MAX) {
        return -1;
    }
    if (!filter->last) {
        filter->last = map_rows(filter->positions, PROT_READ | PROT_WRITE);
    }
    for (size_t i = in_groups(filter->segments) / BANK_SEGMENTS; i * BANK_SEGMENTS < banked; i++) {
        size_t in_bank = banked - i * BANK_SEGMENTS;
        if (!widen(filter, &filter->banks[i], in_bank < BANK_SEGMENTS ? in_bank : BANK_SEGMENTS)) {
            return -1;
        }
    }
    return filter->last ? 0 : -1;
}

/* ---- adding segments ---- */

/* Swaps the bits of m with those that stand `by` places higher. */
static uint64_t swap_bits(uint64_t square, uint64_t m, unsigned by)
{
    uint64_t differ = (square ^ square >> by) & m;

    return square ^ differ ^ differ << by;
}

/* Bit j of byte i becomes bit i of byte j: first in blocks of 1, then of 2, then of 4. */
static uint64_t transpose(uint64_t square)
{
    square = swap_bits(square, UINT64_C(0x00aa00aa00aa00aa), 7);
    square = swap_bits(square, UINT64_C(0x0000cccc0000cccc), 14);
    return swap_bits(square, UINT64_C(0x00000000f0f0f0f0), 28);
}

/*
 * A piece of each bitmap, in one place: the bitmaps themselves lie so far apart, by a power of two,
 * that they would drive each other out of the processor's cache.
 */
struct pieces {
    unsigned char of[AT_ONCE][PIECE];
};

/* Sets one byte of 8 rows: of up to 8 segments, the first of which has bit `bit`. */
static void add_byte(unsigned char *byte, size_t width, size_t bit,
                     const unsigned char (*pieces)[PIECE], size_t count, size_t at)
{
    uint64_t square = 0;

    for (size_t i = 0; i < count; i++) {
        square |= (uint64_t)pieces[i][at] << 8 * (bit + i);
    }
    square = transpose(square);
    for (size_t row = 0; row < 8; row++, square >>= 8) {
        byte[row * width] |= (unsigned char)square;
    }
}

/*
 * Sets bits in rows of width bytes: of up to AT_ONCE segments, from bit `bit` of the first byte on.
 * All bytes of a row at once: it comes from memory only once.
 */
static void add_bits(const struct key_filter *filter, unsigned char *rows, size_t width, size_t bit,
                     const unsigned char *const *bitmaps, size_t count)
{
    size_t bytes = filter->positions / 8;
    size_t piece = bytes < PIECE ? bytes : PIECE;
    struct pieces pieces;

    for (size_t at = 0; at < bytes; at++) {
        for (size_t i = 0; at % piece == 0 && i < count; i++) {
            memcpy(pieces.of[i], bitmaps[i] + at, piece);
        }
        for (size_t done = 0; done < count; done += GROUP) {
            size_t more = count - done < GROUP ? count - done : GROUP;
            add_byte(rows + at * 8 * width + done / GROUP, width, bit, &pieces.of[done], more,
                     at % piece);
        }
    }
}

/* Adds whole groups to their bank, up to AT_ONCE segments. Returns how many. */
static size_t add_groups(struct key_filter *filter, const unsigned char *const *bitmaps,
                         size_t count)
{
    const struct bank *bank = &filter->banks[filter->segments / BANK_SEGMENTS];
    size_t first = filter->segments % BANK_SEGMENTS;
    size_t room = BANK_SEGMENTS - first < AT_ONCE ? BANK_SEGMENTS - first : AT_ONCE;
    size_t added = in_groups(count < room ? count : room);

    add_bits(filter, bank->rows + first / GROUP, bank->width, 0, bitmaps, added);
    filter->segments += added;
    return added;
}

/* The byte of a group in its bank's first row. */
static unsigned char *group_byte(const struct bank *bank, size_t segment)
{
    return bank->rows + segment % BANK_SEGMENTS / GROUP;
}

/* Adds to the last group, up to its end; then it moves to its bank. Returns how many. */
static size_t add_to_last(struct key_filter *filter, const unsigned char *const *bitmaps,
                          size_t count)
{
    size_t bit = filter->segments % GROUP;
    size_t added = count < GROUP - bit ? count : GROUP - bit;

    add_bits(filter, filter->last, 1, bit, bitmaps, added);
    if (bit + added == GROUP) {
        const struct bank *bank = &filter->banks[filter->segments / BANK_SEGMENTS];
        unsigned char *byte = group_byte(bank, filter->segments);
        for (size_t row = 0; row < filter->positions; row++) {
            byte[row * bank->width] = filter->last[row];
        }
        memset(filter->last, 0, filter->positions);
    }
    filter->segments += added;
    return added;
}

int key_filter_add(struct key_filter *filter, const unsigned char *const *bitmaps, size_t count)
{
    if (key_filter_reserve(filter, filter->segments + count) != 0) {
        return -1;
    }
    for (size_t done = 0; done < count;) {
        bool whole = filter->segments % GROUP == 0 && count - done >= GROUP;
        done += whole ? add_groups(filter, bitmaps + done, count - done)
                      : add_to_last(filter, bitmaps + done, count - done);
    }
    return 0;
}

/* Takes a group out of its bank; it becomes the last one. */
static void take_back(struct key_filter *filter, size_t segment)
{
    const struct bank *bank = &filter->banks[segment / BANK_SEGMENTS];
    unsigned char *byte = group_byte(bank, segment);

    for (size_t row = 0; row < filter->positions; row++) {
        filter->last[row] = byte[row * bank->width];
        byte[row * bank->width] = 0;
    }
}

void key_filter_cut(struct key_filter *filter, size_t count)
{
    if (count >= filter->segments) {
        return;
    }
    for (size_t end = in_groups(filter->segments); end > count; end -= GROUP) {
        take_back(filter, end - GROUP);
    }
    unsigned char kept = (unsigned char)((1U << count % GROUP) - 1);
    for (size_t row = 0; row < filter->positions; row++) {
        filter->last[row] &= kept;
    }
    filter->segments = count;
}

/* ---- asking ---- */

/* The bank's segments that have all of the key's bits. */
struct found {
    uint64_t words[WORDS];
};

/* A short row's bits of a word. */
static uint64_t short_mask(size_t width)
{
    return width < 8 ? (UINT64_C(1) << 8 * width) - 1 : UINT64_MAX;
}

/* False when no segment has them. */
static bool ask_bank(struct found *found, const struct key_filter *filter, const struct bank *bank,
                     struct key_hash hash)
{
    size_t words = bank->width < 8 ? 1 : bank->width / 8;
    uint64_t any = 1;

    for (size_t i = 0; i < WORDS; i++) {
        found->words[i] = i < words ? short_mask(bank->width) : 0;
    }
    for (unsigned n = 0; n < KEY_FILTER_HASHES && any != 0; n++) {
        const unsigned char *row = bank->rows + position(hash, n, filter->shift) * bank->width;
        any = 0;
        for (size_t i = 0; i < words; i++) {
            uint64_t word;
            memcpy(&word, row + i * sizeof(word), sizeof(word));
            found->words[i] &= le64toh(word);
            any |= found->words[i];
        }
    }
    return any != 0;
}

/* The first bit from `from` on that is set, or BANK_SEGMENTS. */
static size_t first_from(const struct found *found, size_t from)
{
    uint64_t mask = UINT64_MAX << from % 64;

    for (size_t i = from / 64; i < WORDS; i++, mask = UINT64_MAX) {
        if ((found->words[i] & mask) != 0) {
            return i * 64 + LOWEST_BIT(found->words[i] & mask);
        }
    }
    return BANK_SEGMENTS;
}

/* The last group's segments that have all of the key's bits. */
static unsigned ask_last(const struct key_filter *filter, struct key_hash hash)
{
    unsigned found = UINT8_MAX;

    for (unsigned n = 0; n < KEY_FILTER_HASHES && found != 0; n++) {
        found &= filter->last[position(hash, n, filter->shift)];
    }
    return found;
}

static void prefetch_rows(const struct key_filter *filter, const unsigned char *rows, size_t width,
                          struct key_hash hash)
{
    for (unsigned n = 0; n < KEY_FILTER_HASHES; n++) {
        PREFETCH(rows + position(hash, n, filter->shift) * width);
    }
}

void key_filter_prefetch(const struct key_filter *filter, struct key_hash hash)
{
    for (size_t i = 0; i * BANK_SEGMENTS < in_groups(filter->segments); i++) {
        prefetch_rows(filter, filter->banks[i].rows, filter->banks[i].width, hash);
    }
    if (filter->segments % GROUP != 0) {
        prefetch_rows(filter, filter->last, 1, hash);
    }
}

size_t key_filter_next(const struct key_filter *filter, struct key_hash hash, size_t from)
{
    size_t banked = in_groups(filter->segments);
    struct found found;

    for (size_t i = from / BANK_SEGMENTS; i * BANK_SEGMENTS < banked; i++) {
        if (ask_bank(&found, filter, &filter->banks[i], hash)) {
            size_t first = i == from / BANK_SEGMENTS ? from % BANK_SEGMENTS : 0;
            size_t at = first_from(&found, first);
            if (at < BANK_SEGMENTS) {
                return i * BANK_SEGMENTS + at;
            }
        }
    }
    if (filter->segments == banked) {
        return KEY_FILTER_NONE;
    }
    size_t first = from > banked ? from - banked : 0;
    unsigned last = first < GROUP ? ask_last(filter, hash) >> first << first : 0;
    return last != 0 ? banked + LOWEST_BIT(last) : KEY_FILTER_NONE;
}
