#include "tests/checker/names.h"

#include "tests/checker/memory.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE  (1U << 20)
#define FIRST_SLOTS 1024 /* a power of two, as every later number of slots */

struct name {
    const char *text;
    size_t len;
    uint64_t hash;
};

/* Texts lie in blocks that never move. */
struct block {
    struct block *before;
    char text[];
};

struct names {
    struct name *entries;
    size_t count;
    size_t room;
    uint32_t *slots; /* number + 1, 0 = free; at the most half of them are taken */
    size_t slot_count;
    struct block *block;
    char *free; /* the rest of the block */
    size_t left;
};

struct names *names_new(void)
{
    struct names *names = memory_new(1, sizeof(*names));

    names->slot_count = FIRST_SLOTS;
    names->slots = memory_new(FIRST_SLOTS, sizeof(*names->slots));
    return names;
}

void names_free(struct names *names)
{
    if (!names) {
        return;
    }
    while (names->block) {
        struct block *before = names->block->before;
        free(names->block);
        names->block = before;
    }
    free(names->entries);
    free(names->slots);
    free(names);
}

/* FNV-1a, with its bits mixed once more because the low ones choose the slot. */
static uint64_t hash_of(const char *name, size_t len)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)name[i]) * UINT64_C(1099511628211);
    }
    return hash ^ hash >> 29;
}

/* The slot of a name, or the free one where it belongs. */
static size_t slot_of(const struct names *names, const char *name, size_t len, uint64_t hash)
{
    size_t mask = names->slot_count - 1;
    size_t slot = (size_t)hash & mask;

    while (names->slots[slot] != 0) {
        const struct name *entry = &names->entries[names->slots[slot] - 1];
        if (entry->hash == hash && entry->len == len && memcmp(entry->text, name, len) == 0) {
            break;
        }
        slot = (slot + 1) & mask;
    }
    return slot;
}

static void double_slots(struct names *names)
{
    size_t mask = names->slot_count * 2 - 1;
    uint32_t *slots = memory_new(mask + 1, sizeof(*slots));

    for (size_t i = 0; i < names->count; i++) {
        size_t slot = (size_t)names->entries[i].hash & mask;
        while (slots[slot] != 0) {
            slot = (slot + 1) & mask;
        }
        slots[slot] = (uint32_t)i + 1;
    }
    free(names->slots);
    names->slots = slots;
    names->slot_count = mask + 1;
}

static const char *keep(struct names *names, const char *name, size_t len)
{
    if (names->left < len + 1) {
        size_t size = len + 1 > BLOCK_SIZE ? len + 1 : BLOCK_SIZE;
        struct block *block = memory_new(1, sizeof(*block) + size);
        block->before = names->block;
        names->block = block;
        names->free = block->text;
        names->left = size;
    }
    char *text = names->free;
    memcpy(text, name, len);
    text[len] = '\0';
    names->free += len + 1;
    names->left -= len + 1;
    return text;
}

int32_t names_add(struct names *names, const char *name, size_t len)
{
    uint64_t hash = hash_of(name, len);
    size_t slot = slot_of(names, name, len, hash);

    if (names->slots[slot] != 0) {
        return (int32_t)(names->slots[slot] - 1);
    }
    names->entries =
        memory_grow(names->entries, &names->room, names->count + 1, sizeof(*names->entries));
    names->entries[names->count] =
        (struct name){.text = keep(names, name, len), .len = len, .hash = hash};
    names->slots[slot] = (uint32_t)++names->count;
    if (names->count * 2 > names->slot_count) {
        double_slots(names);
    }
    return (int32_t)(names->count - 1);
}

int32_t names_find(const struct names *names, const char *name, size_t len)
{
    size_t slot = slot_of(names, name, len, hash_of(name, len));

    return names->slots[slot] != 0 ? (int32_t)(names->slots[slot] - 1) : NAMES_NONE;
}

size_t names_count(const struct names *names)
{
    return names->count;
}

const char *names_text(const struct names *names, int32_t number, size_t *ret_len)
{
    *ret_len = names->entries[number].len;
    return names->entries[number].text;
}
