#include "consumer/fingerprint.h"

#include <string.h>

/* Keeps these digests apart from every other use of SHA-256; hashed with its NUL. */
static const char domain[] = "payd record 1";

static void put_number(unsigned char *to, uint64_t number)
{
    for (int i = 0; i < 8; i++) {
        to[i] = (unsigned char)(number >> (56 - 8 * i));
    }
}

static int add_bytes(struct digest *digest, const char *data, size_t len, struct error *err)
{
    unsigned char head[9] = {data != NULL};

    put_number(head + 1, data ? len : 0);
    return digest_add(digest, head, sizeof(head), err) == 0
               ? digest_add(digest, data, data ? len : 0, err)
               : -1;
}

int fingerprint_make(struct digest *digest, const struct raw_message *raw, int64_t offset,
                     int64_t timestamp_ms, struct fingerprint *ret, struct error *err)
{
    unsigned char whole[DIGEST_SIZE];
    unsigned char time[8];

    put_number(time, (uint64_t)timestamp_ms);
    if (digest_add(digest, domain, sizeof(domain), err) != 0 ||
        add_bytes(digest, raw->key, raw->key_len, err) != 0 ||
        add_bytes(digest, raw->value, raw->value_len, err) != 0 ||
        digest_add(digest, time, sizeof(time), err) != 0 ||
        digest_finish(digest, whole, err) != 0) {
        return -1;
    }
    ret->known = true;
    ret->offset = offset;
    memcpy(ret->print, whole, sizeof(ret->print));
    return 0;
}

int fingerprint_ranges(struct digest *digest, struct chunk *chunk, struct log_marks *known,
                       struct error *err)
{
    size_t open = chunk->range_count;

    for (size_t i = chunk->item_count; i-- > 0 && open > 0;) {
        const struct chunk_item *item = &chunk->items[i];
        const struct origin *origin = &item->origin;
        struct log_marks *marks = &chunk_range(chunk, origin->partition, 0)->marks;
        if (marks->last.known) {
            continue;
        }
        if (fingerprint_make(digest, &item->raw, origin->offset, origin->timestamp_ms, &marks->last,
                             err) != 0) {
            return -1;
        }
        /* The first records that are read are what the log is known by from then on. */
        marks->anchor = known[origin->partition].anchor;
        if (!marks->anchor.known) {
            marks->anchor = marks->last;
        }
        known[origin->partition] = *marks;
        open--;
    }
    return 0;
}
