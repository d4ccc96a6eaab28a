/*
 * An outcome as the bytes of a Kafka message, and back.
 *
 *   key    the idempotency key
 *   value  {"v":1,"type":"outcome","key":"k1",
 *           "outcome":"applied","reason":null,        the answer to the sender of this message
 *           "verdict":"duplicate","duplicate":true,   this message's own; duplicate only in repeats
 *           "fields":["amount"],                      only in conflicts: what differs
 *           "digest":"<32 hex digits>",               of this message's payload
 *           "seq":17,"origin":{"topic":"payments","partition":0,"offset":12},
 *           "decided_at":"2026-11-25T12:00:00.000Z",
 *           "first":{"outcome":"applied","reason":null,"seq":3,"digest":"...",
 *                    "command":{"type":"payment","src":"ann","dest":"bob","amount":"1234",
 *                               "currency":"EUR"},
 *                    "origin":{...},"decided_at":"..."},   null while the key is not decided
 *           "store":"<UUID>","rules":1}
 *
 * command holds the fields of command_json.h without "v". The schema is outcome.schema.json.
 */
#ifndef COMMON_OUTCOME_JSON_H
#define COMMON_OUTCOME_JSON_H

#include "common/compiler.h"
#include "common/outcome_record.h"

#include <stddef.h>

/*
 * Write the value into a buffer that the caller frees with free(), ended with NUL. Returns its
 * length, or 0 when memory ran out. The record must be well-formed.
 */
MUST_CHECK size_t outcome_json_encode(const struct outcome_record *record, char **ret);

/*
 * Read a value of len bytes. Returns 0 and fills *ret, or -1 with a sentence in problem (at least
 * OUTCOME_PROBLEM_SIZE bytes) and *ret undefined. Unknown extra fields are ignored.
 */
#define OUTCOME_PROBLEM_SIZE 160
MUST_CHECK int outcome_json_decode(const char *value, size_t len, struct outcome_record *ret,
                                   char problem[OUTCOME_PROBLEM_SIZE]);

#endif
