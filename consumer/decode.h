/*
 * A message's bytes to an item of a chunk.
 */
#ifndef CONSUMER_DECODE_H
#define CONSUMER_DECODE_H

#include "common/digest.h"
#include "consumer/chunk.h"

/*
 * Read item->raw: sets command, or unreadable and detail, and the digest. digest is used for it and
 * must have nothing in it. Fails with EX_OSERR when memory ran out.
 */
MUST_CHECK int decode_item(struct chunk_item *item, struct digest *digest, struct error *err);

/*
 * Set item->digest alone: of the command; or of the value, whose sender knows what he sent although
 * nobody can read it. digest as above. Fails with EX_OSERR.
 */
MUST_CHECK int decode_digest(struct chunk_item *item, struct digest *digest, struct error *err);

#endif
