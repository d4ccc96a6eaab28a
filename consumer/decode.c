#include "consumer/decode.h"

#include "common/command_digest.h"

#include <string.h>
#include <sysexits.h>

int decode_digest(struct chunk_item *item, struct digest *digest, struct error *err)
{
    unsigned char whole[DIGEST_SIZE];

    if (item->unreadable == READABLE) {
        return command_digest(digest, &item->command, item->digest, err);
    }
    if (digest_add(digest, item->raw.value, item->raw.value_len, err) != 0 ||
        digest_finish(digest, whole, err) != 0) {
        return -1;
    }
    memcpy(item->digest, whole, sizeof(item->digest));
    return 0;
}

int decode_item(struct chunk_item *item, struct digest *digest, struct error *err)
{
    const struct raw_message *raw = &item->raw;

    if (command_json_decode(raw->key, raw->key_len, raw->value, raw->value_len, &item->command,
                            &item->unreadable, item->detail) != 0) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    return decode_digest(item, digest, err);
}
