/*
 * The digest of all decisions of a store: the sum of their hashes, so their order and times do not
 * matter. Two stores that have decided the same have the same digest, and one in which a decision
 * was lost, added or changed has another. It finds accidents, not forgeries.
 */
#ifndef CONSUMER_DECISION_HASH_H
#define CONSUMER_DECISION_HASH_H

#include "common/digest.h"
#include "common/outcome.h"
#include "consumer/key_hash.h"

#include <stddef.h>

/*
 * The hash of one decision: over the key's stored form (key_form.h), the payload's digest, outcome
 * and reason. It stands in the store, as part of a sum: it never changes.
 */
struct key_hash decision_hash(const unsigned char *form, size_t form_len,
                              const unsigned char digest[DIGEST_SHORT_SIZE], enum outcome outcome,
                              enum reason reason);

#endif
