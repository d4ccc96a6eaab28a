/*
 * The payload: a command as the bytes of a Kafka message, and back.
 *
 *   key    the idempotency key
 *   value  {"v":1,"type":"payment","src":"ann","dest":"bob","amount":"1234","currency":"EUR",
 *           "batch":{"id":"payroll-11","rows":1000,"digest":"<64 hex digits>"}}
 *          {"v":1,"type":"account_open","account":"ann","currency":"EUR","min_balance":"0"}
 *          {"v":1,"type":"account_limit","account":"ann","currency":"EUR","min_balance":"-5000"}
 *          {"v":1,"type":"account_close","account":"ann"}
 *          {"v":1,"type":"accounts","mode":"strict"}         or "open"
 *          {"v":1,"type":"cancel"}
 *
 * Amounts are strings of digits in minor units, because JSON parsers keep numbers as doubles.
 * currency may be left out (EUR); batch is there only in batches; min_balance may be null or left
 * out: no limit. Unknown extra fields are ignored. The schema is command.schema.json.
 */
#ifndef COMMON_COMMAND_JSON_H
#define COMMON_COMMAND_JSON_H

#include "common/command.h"
#include "common/compiler.h"
#include "common/strict_json.h"

#include <stddef.h>

/* A longer value is unreadable; so is one beyond the limits of strict_json.h. */
#define COMMAND_JSON_MAX_BYTES 16384

/* Bytes that hold any encoded command. */
#define COMMAND_JSON_SIZE 2560

/* Of them, those of a batch: its id, each byte escaped, and the rest. */
#define COMMAND_JSON_BATCH_SIZE (2 * PAYMENT_BATCH_ID_MAX + 128)

/* Why a message cannot be read as a command. The names are in the quarantine for good. */
enum unreadable {
    READABLE = 0,
    UNREADABLE_KEY,             /* no key, or not an idempotency key */
    UNREADABLE_EMPTY,           /* no value */
    UNREADABLE_TOO_LARGE,       /* longer than COMMAND_JSON_MAX_BYTES */
    UNREADABLE_UTF8,            /* the value is not UTF-8 */
    UNREADABLE_JSON,            /* not one JSON object, or with something behind it */
    UNREADABLE_TOO_DEEP,        /* nested too deep */
    UNREADABLE_DUPLICATE_FIELD, /* an object has a field twice */
    UNREADABLE_VERSION,         /* "v" is not 1 */
    UNREADABLE_TYPE,            /* "type" is not known */
    UNREADABLE_FIELD,           /* a field is missing or not of its form */
    UNREADABLE_STALE,           /* readable, but its key is older than what the store remembers: */
                                /* never said by command_json_decode() */
};

/* The stable name: "bad_key", "bad_json", ... A static string. */
const char *unreadable_name(enum unreadable reason);

/* The reason of that name, not READABLE: false when there is none, *ret is then unchanged. */
bool unreadable_parse(const char *name, enum unreadable *ret);

#define UNREADABLE_DETAIL_SIZE STRICT_JSON_PROBLEM_SIZE

/*
 * Read a message. key may be NULL (the message has none), value may be NULL (a tombstone); neither
 * needs to end in NUL. Returns 0 and sets *ret_reason: READABLE with *ret filled, or the reason,
 * with a sentence without control characters in detail and *ret undefined. Returns -1 only when
 * memory ran out, which says nothing about the message: try again or stop, never quarantine.
 */
MUST_CHECK int command_json_decode(const char *key, size_t key_len, const char *value,
                                   size_t value_len, struct command *ret,
                                   enum unreadable *ret_reason,
                                   char detail[UNREADABLE_DETAIL_SIZE]);

/*
 * Write the value of a command into buf, ended with NUL. Returns its length, or 0 when it does not
 * fit, as no well-formed command fails to.
 */
MUST_CHECK size_t command_json_encode(const struct command *command, char buf[COMMAND_JSON_SIZE]);

/* What is the same in the values of all rows of a batch, written once. */
struct command_json_batch {
    size_t len; /* 0: there is no batch */
    char text[COMMAND_JSON_BATCH_SIZE];
};

/* Write a batch, which must be well-formed or none. */
void command_json_batch(struct command_json_batch *ret, const struct payment_batch *batch);

/* As command_json_encode(), of a payment of this batch; its own batch is not looked at. */
MUST_CHECK size_t command_json_encode_row(const struct payment *payment,
                                          const struct command_json_batch *batch,
                                          char buf[COMMAND_JSON_SIZE]);

struct json_writer;

/* Add a command's type and fields to the object that is being written. */
void command_json_put(struct json_writer *writer, const struct command *command);

/* Read type and fields from an object, without the key. Reason and detail as above. */
MUST_CHECK enum unreadable command_json_take(const struct cJSON *object, struct command *ret,
                                             char detail[UNREADABLE_DETAIL_SIZE]);

#endif
