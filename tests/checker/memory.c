#include "tests/checker/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define FIRST_ROOM 64

static void *or_end(void *memory)
{
    if (!memory) {
        fprintf(stderr, "pay-checker: out of memory\n");
        exit(EX_OSERR);
    }
    return memory;
}

void *memory_new(size_t count, size_t size)
{
    return or_end(calloc(count > 0 ? count : 1, size));
}

void *memory_grow(void *array, size_t *room, size_t wanted, size_t size)
{
    size_t old = *room;

    if (wanted <= old) {
        return array;
    }
    size_t grown = old > 0 ? old : FIRST_ROOM;
    while (grown < wanted) {
        grown += grown / 2;
    }
    char *moved = or_end(reallocarray(array, grown, size));
    memset(moved + old * size, 0, (grown - old) * size);
    *room = grown;
    return moved;
}
