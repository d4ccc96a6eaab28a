#include "tests/checker/keys.h"

#include "tests/checker/memory.h"

#include <stdlib.h>

struct key *keys_at(struct keys *keys, int32_t number)
{
    if (number == NAMES_NONE) {
        return &keys->nameless;
    }
    keys->entries =
        memory_grow(keys->entries, &keys->room, (size_t)number + 1, sizeof(*keys->entries));
    return &keys->entries[number];
}

static void free_payloads(struct key *key)
{
    while (key->payloads) {
        struct payload *next = key->payloads->next;
        free(key->payloads);
        key->payloads = next;
    }
}

void keys_release(struct keys *keys)
{
    for (size_t i = 0; i < keys->room; i++) {
        free_payloads(&keys->entries[i]);
    }
    free_payloads(&keys->nameless);
    free(keys->entries);
    *keys = (struct keys){.entries = NULL};
}
