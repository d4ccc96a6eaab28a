/*
 * What a message orders, read from its key and value by the documented rules (the README and
 * common/command.schema.json), by code of the checker's own.
 */
#ifndef TESTS_CHECKER_ORDER_H
#define TESTS_CHECKER_ORDER_H

#include "tests/checker/names.h"
#include "tests/checker/sha.h"
#include "tests/checker/strict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORDER_KEY_MAX       255
#define ORDER_AMOUNT_MAX    INT64_C(9999999999999999) /* minor units */
#define ORDER_CURRENCY_SIZE 4

/* The numbers of the types stand in the store and in digests. */
enum order_type {
    ORDER_UNREADABLE = 0,
    ORDER_PAYMENT = 1,
    ORDER_OPEN = 2,
    ORDER_LIMIT = 3,
    ORDER_CLOSE = 4,
    ORDER_MODE = 5,
    ORDER_CANCEL = 6,
};

struct order {
    enum order_type type;
    int32_t src; /* of words.accounts; of an account command its account; NAMES_NONE: none */
    int32_t dest;
    int32_t batch;   /* of words.batches, its id; NAMES_NONE: the order belongs to none */
    int32_t content; /* of words.contents: id, rows and digest of the batch together */
    int64_t amount_minor;
    int64_t min_minor;
    bool has_min;
    bool strict;
    char currency[ORDER_CURRENCY_SIZE];
    unsigned char digest[SHA_SIZE]; /* over the known fields; of the raw value when unreadable */
};

/* The names that orders are made of, and the room to read one. */
struct words {
    struct names *keys; /* every key of the evidence, usable or not */
    struct names *accounts;
    struct names *batches;
    struct names *contents;
    struct strict_tree *tree;
};

void words_init(struct words *words);
void words_release(struct words *words);

/* Whether bytes may be an idempotency key. NULL: the message has none. */
bool order_key_is_usable(const char *key, size_t len);

/* Read a message. value may be NULL: it has none. */
void order_read(struct words *words, const char *key, size_t key_len, const char *value,
                size_t value_len, struct order *ret);

/* Set batch and content of an order. */
void order_set_batch(struct words *words, struct order *order, const char *id, size_t id_len,
                     int64_t rows, const char *digest);

/* Set the digest of a readable order over its fields; the form is that of common/command.h. */
void order_set_digest(const struct words *words, struct order *order);

#define ORDER_FIELDS_SIZE 96

/* Write the names of the fields that differ, separated by commas; "" for the same payload. */
char *order_differs(char fields[ORDER_FIELDS_SIZE], const struct order *a, const struct order *b);

#endif
