/*
 * 128-bit hashes of stored keys (key_form.h), for the key filter and for checksums. The numbers
 * stand in the store: they are the same on every machine and never change. They find accidents, not
 * forgeries.
 */
#ifndef CONSUMER_KEY_HASH_H
#define CONSUMER_KEY_HASH_H

#include <stddef.h>
#include <stdint.h>

struct key_hash {
    uint64_t low;
    uint64_t high;
};

#define KEY_HASH_SIZE 16 /* bytes of its stored form */

/* The hash of any bytes. */
struct key_hash key_hash(const void *data, size_t len);

/*
 * Add a hash to a sum. The sum of all keys' hashes is the checksum of a set of keys: their order
 * does not matter, and each key counts as often as it is there.
 */
void key_hash_add(struct key_hash *sum, struct key_hash more);

/* Its stored form: both numbers, the highest byte first. */
void key_hash_store(unsigned char bytes[KEY_HASH_SIZE], struct key_hash hash);
struct key_hash key_hash_load(const unsigned char bytes[KEY_HASH_SIZE]);

#endif
