#include "consumer/kept_headers.h"

#include <assert.h>
#include <string.h>

void kept_headers_init(struct kept_headers *headers)
{
    headers->count = headers->copied = headers->used = 0;
    headers->overflowed = false;
}

void kept_headers_put(struct kept_headers *headers, const char *name, const char *value,
                      size_t value_len)
{
    assert(headers->count - headers->copied < KEPT_HEADERS_MORE);
    headers->list[headers->count++] = (struct publisher_header){name, value, value_len};
}

const char *kept_headers_keep(struct kept_headers *headers, const void *bytes, size_t len)
{
    char *to = headers->bytes + headers->used;

    if (len >= sizeof(headers->bytes) - headers->used) {
        headers->overflowed = true;
        return NULL;
    }
    memcpy(to, bytes, len);
    to[len] = '\0';
    headers->used += len + 1;
    return to;
}

void kept_headers_copy(void *user, const struct store_quarantined_header *header)
{
    struct kept_headers *headers = user;

    if (headers->copied == CHUNK_HEADERS_MAX) {
        headers->overflowed = true;
        return;
    }
    headers->copied++;
    headers->list[headers->count++] = (struct publisher_header){
        .name = kept_headers_keep(headers, header->name, header->name_len),
        .value =
            header->value ? kept_headers_keep(headers, header->value, header->value_len) : NULL,
        .value_len = header->value_len,
    };
}
