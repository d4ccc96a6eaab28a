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
#include "common/strict_json.h"

#include <stddef.h>
#include <stdint.h>

/* A longer value is not read. */
#define OUTCOME_JSON_MAX_BYTES 16384

/* Bytes that hold any encoded outcome. */
#define OUTCOME_JSON_SIZE (OUTCOME_JSON_MAX_BYTES / 3)

/* The largest seq and offset: readers may keep numbers as doubles, and these are exact in one. */
#define OUTCOME_NUMBER_MAX INT64_C(9007199254740991)

/*
 * Write the value into buf, ended with NUL. Returns its length, or 0 when it does not fit, as no
 * well-formed record fails to: its numbers and times in the ranges above, a repeat with the first
 * decision in it and without a reason of its own.
 */
MUST_CHECK size_t outcome_json_encode(const struct outcome_record *record,
                                      char buf[OUTCOME_JSON_SIZE]);

#define OUTCOME_PROBLEM_SIZE STRICT_JSON_PROBLEM_SIZE

/*
 * Read a value of len bytes. Returns 0 and fills *ret, or -1 with a sentence without control
 * characters in problem and *ret undefined; also when memory ran out, which says nothing about the
 * value.
 *
 * Refused: another version or type, a field that is missing or not of its form, an outcome that is
 * unknown or does not follow from verdict and first. Accepted, since a newer payd may write them:
 * unknown extra fields, unknown names in "fields", reasons of any text. An unknown reason of the
 * first decision becomes REASON_NONE; the answer's own is kept as it is, but in repeats, whose
 * answer is the first decision's. The key may be empty in a quarantined message only.
 */
MUST_CHECK int outcome_json_decode(const char *value, size_t len, struct outcome_record *ret,
                                   char problem[OUTCOME_PROBLEM_SIZE]);

#endif
