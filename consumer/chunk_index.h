/*
 * What chunk_index() works with, made once with its chunk. For chunk.c alone.
 */
#ifndef CONSUMER_CHUNK_INDEX_H
#define CONSUMER_CHUNK_INDEX_H

#include <stddef.h>

struct chunk_index;

/* For a chunk of capacity items, or NULL when memory ran out. The caller frees it. */
struct chunk_index *chunk_index_new(size_t capacity);

/* Free; NULL is accepted. */
void chunk_index_free(struct chunk_index *index);

#endif
