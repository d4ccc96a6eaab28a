/*
 * The digest of a payload: what an answer belongs to, beside the key.
 */
#ifndef COMMON_COMMAND_DIGEST_H
#define COMMON_COMMAND_DIGEST_H

#include "common/command.h"
#include "common/digest.h"

/*
 * Write the first DIGEST_SHORT_SIZE bytes of the SHA-256 over command_canonical(). digest is used
 * for it and must have nothing in it. Fails with EX_OSERR.
 */
MUST_CHECK int command_digest(struct digest *digest, const struct command *command,
                              unsigned char ret[DIGEST_SHORT_SIZE], struct error *err);

#endif
