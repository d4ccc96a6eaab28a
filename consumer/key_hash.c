#include "consumer/key_hash.h"

#include <xxhash.h>

struct key_hash key_hash(const void *data, size_t len)
{
    XXH128_hash_t hash = XXH3_128bits(data, len);

    return (struct key_hash){hash.low64, hash.high64};
}

void key_hash_add(struct key_hash *sum, struct key_hash more)
{
    sum->low += more.low;
    sum->high += more.high;
}

void key_hash_store(unsigned char bytes[KEY_HASH_SIZE], struct key_hash hash)
{
    for (int i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)(hash.high >> (56 - 8 * i));
        bytes[8 + i] = (unsigned char)(hash.low >> (56 - 8 * i));
    }
}

struct key_hash key_hash_load(const unsigned char bytes[KEY_HASH_SIZE])
{
    struct key_hash hash = {0, 0};

    for (int i = 0; i < 8; i++) {
        hash.high = hash.high << 8 | bytes[i];
        hash.low = hash.low << 8 | bytes[8 + i];
    }
    return hash;
}
