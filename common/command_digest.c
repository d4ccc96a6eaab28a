#include "common/command_digest.h"

#include <string.h>

int command_digest(struct digest *digest, const struct command *command,
                   unsigned char ret[DIGEST_SHORT_SIZE], struct error *err)
{
    unsigned char bytes[COMMAND_CANONICAL_SIZE];
    unsigned char whole[DIGEST_SIZE];
    size_t len = command_canonical(command, bytes);

    if (digest_add(digest, bytes, len, err) != 0 || digest_finish(digest, whole, err) != 0) {
        return -1;
    }
    memcpy(ret, whole, DIGEST_SHORT_SIZE);
    return 0;
}
