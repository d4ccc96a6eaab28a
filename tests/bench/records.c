#include "tests/bench/records.h"

/* FNV-1a, 64 bits: no enemy chooses these records. */
static uint64_t hash(uint64_t seed, const void *data, size_t len)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < len; i++) {
        seed = (seed ^ bytes[i]) * UINT64_C(0x100000001B3);
    }
    return seed;
}

void record_sum_add(struct record_sum *sum, const void *key, size_t key_len, const void *value,
                    size_t value_len)
{
    uint64_t h = hash(UINT64_C(0xCBF29CE484222325), key, key_len);

    h = hash(h ^ 0xFF, value, value_len);
    sum->sum += h ^ (h >> 29);
    sum->records++;
    sum->bytes += (int64_t)(key_len + value_len);
}
