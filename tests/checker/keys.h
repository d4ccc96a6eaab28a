/*
 * What is known of each key: from the history, the topic and the store. 120 bytes a key, and 80
 * for each payload that the history names.
 */
#ifndef TESTS_CHECKER_KEYS_H
#define TESTS_CHECKER_KEYS_H

#include "tests/checker/order.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A payload that a submitter gave a key: the whole value, or only the fields he knows. */
struct payload {
    struct payload *next;
    bool is_fields;
    bool is_null;                   /* no value at all */
    unsigned char digest[SHA_SIZE]; /* of the whole value */
    int32_t src;                    /* of words.accounts */
    int32_t dest;
    int64_t amount_minor;
    char currency[ORDER_CURRENCY_SIZE];
};

struct key {
    /* The history. */
    uint32_t invoked;
    uint32_t acknowledged;
    uint32_t unknown;
    uint32_t failed;
    bool sent_anything; /* one of its submitters does not say what he sent */
    struct payload *payloads;
    /* The topic. */
    uint32_t records;
    uint32_t undecided; /* of them behind the stored position */
    /* The store. */
    const struct order *first; /* what decided it, by the fold; NULL: nothing yet */
    int64_t first_seq;
    uint32_t decisions;
    uint32_t quarantined;
    int64_t repeat_rows;
    int64_t kept_rows;      /* of them, which are kept for good */
    int64_t counted;        /* repeats, by the store's own count */
    int64_t repeats_passed; /* records that the fold takes for repeats without a row */
};

struct keys {
    struct key *entries; /* by number of words.keys */
    size_t room;
    struct key nameless; /* of messages without a usable key, as far as the history knows them */
};

/* The entry of a key, made when it is new; of NAMES_NONE the nameless one. Valid until the next. */
struct key *keys_at(struct keys *keys, int32_t number);
void keys_release(struct keys *keys);

#endif
