/*
 * One filter over all sealed key segments: which of them may hold a key? "None" is certain, as long
 * as every segment was added; any segment that it names has to be asked.
 *
 * It is a Bloom filter for each segment, and all of them look at the same bits: key_filter_bytes()
 * gives their size, KEY_FILTER_HASHES positions follow from a key's hash. They lie in memory
 * across: one row for each position, with one bit a segment. So a key costs KEY_FILTER_HASHES
 * cache lines for 512 segments, and the AND of its rows names the segments.
 *
 * Memory: rows are kept in banks of 512 segments, which begin with room for 8 and double it, where
 * they are, when they need more. With B = key_filter_bytes() a bank takes B x 8, 16, 32 … 512, and
 * the last few segments, which do not fill a group of KEY_FILTER_GROUP yet, B x 8 beside it: since
 * a bank's rows are memory too large for any cache, it is written to only a group at a time.
 * Segments of 200,000 keys have B = 512 KiB: 4 MiB up to 1.6 million keys, 36 MiB up to 12.8
 * million, 260 MiB from 53 million up to 102 million. Address space for the widest rows is taken
 * with the first group.
 *
 * A key is named wrongly by a full segment with a probability of 1 in 10,000.
 */
#ifndef CONSUMER_KEY_FILTER_H
#define CONSUMER_KEY_FILTER_H

#include "common/compiler.h"
#include "consumer/key_hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bits a key, at least: the number of positions is a power of two. */
#define KEY_FILTER_BITS_A_KEY 20

#define KEY_FILTER_HASHES 8

/* Segments that become part of a bank's rows at once: a byte of them. */
#define KEY_FILTER_GROUP 8

/* Segments in a filter at the most. */
#define KEY_FILTER_SEGMENTS_MAX 4096

#define KEY_FILTER_NONE SIZE_MAX

/* Bytes of the bitmap of a segment that has so many keys when it is full. */
size_t key_filter_bytes(size_t keys);

/* Set a key's bits in the bitmap of its segment. */
void key_filter_mark(unsigned char *bitmap, size_t bytes, struct key_hash hash);

/* False when the bitmap surely has not the key. */
bool key_filter_has(const unsigned char *bitmap, size_t bytes, struct key_hash hash);

struct key_filter;

/* A filter over no segment, for bitmaps of so many bytes; NULL when memory ran out. */
struct key_filter *key_filter_new(size_t bytes);

/* Free; NULL is accepted. */
void key_filter_free(struct key_filter *filter);

/* How many segments were added. They are numbered from 0. */
size_t key_filter_segments(const struct key_filter *filter);

/*
 * Get the memory that so many segments in all need, so that adding them copies nothing. -1 as
 * key_filter_add().
 */
MUST_CHECK int key_filter_reserve(struct key_filter *filter, size_t segments);

/*
 * Add the next segments by their bitmaps, which are only read. -1 when there would be more than
 * KEY_FILTER_SEGMENTS_MAX, or memory ran out: then none was added.
 */
MUST_CHECK int key_filter_add(struct key_filter *filter, const unsigned char *const *bitmaps,
                              size_t count);

/* Forget the last segments, so that count of them are left. */
void key_filter_cut(struct key_filter *filter, size_t count);

/* Bring the key's rows closer to the processor. */
void key_filter_prefetch(const struct key_filter *filter, struct key_hash hash);

/* The first segment from number `from` on that may hold the key, or KEY_FILTER_NONE. */
size_t key_filter_next(const struct key_filter *filter, struct key_hash hash, size_t from);

#endif
