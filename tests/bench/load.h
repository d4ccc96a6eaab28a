/*
 * The load of the benchmark: payments and their repeats, all from one seed.
 *
 * Payment i of a load is always the same, whoever asks for it and in which order, so generator,
 * limit program and growth program make the same rows without a file between them.
 *
 * A repeat is the same key with the same payload again, at most LOAD_DISTANCE_MAX payments later.
 */
#ifndef TESTS_BENCH_LOAD_H
#define TESTS_BENCH_LOAD_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/payment.h"

#include <getopt.h>
#include <stdint.h>

#define LOAD_DISTANCE_MAX 100000

/* The batch of KEYS_BATCH. */
#define LOAD_BATCH_ID "bench"

enum load_keys {
    KEYS_UUID4, /* random, as most programs make them */
    KEYS_UUID7, /* as `pay key` and `pay send --new` make them */
    KEYS_BATCH, /* as `pay batch --batch-id bench` makes them: "bench:0000000001" */
};

struct load {
    uint64_t seed;
    enum load_keys keys;
    int64_t payments;       /* different ones */
    int64_t repeat_percent; /* 0 to 100: so many repeats for 100 payments */
    int64_t accounts;       /* at least 2 */
    struct payment_batch batch;
};

/* Seed 1, a million payments, random keys, 5 % repeats, 1,000 accounts. */
struct load load_default(void);

/* Payment i, from 0 on. */
void load_payment(const struct load *load, int64_t i, struct payment *ret);

/* A load with batch keys: computes the digest that binds its rows. Fails with EX_OSERR. */
MUST_CHECK int load_bind_batch(struct load *load, struct error *err);

/* Payments and repeats together. */
int64_t load_records(const struct load *load);

/* Where one is in a load; begins as {load}. */
struct load_cursor {
    const struct load *load;
    int64_t payments; /* given so far */
    int64_t repeats;
};

/* The payment of the next record, -1 at the end. */
int64_t load_next(struct load_cursor *cursor);

/* 64 random bits that belong to seed and number. */
uint64_t load_random(uint64_t seed, uint64_t number);

/* ---- command lines ---- */

enum load_option {
    LOAD_OPTION_SEED = 1000,
    LOAD_OPTION_KEYS,
    LOAD_OPTION_PAYMENTS,
    LOAD_OPTION_REPEATS,
    LOAD_OPTION_ACCOUNTS,
};

/* For a table of getopt_long(). */
#define LOAD_OPTIONS                                                                               \
    {"seed", required_argument, NULL, LOAD_OPTION_SEED},                                           \
        {"keys", required_argument, NULL, LOAD_OPTION_KEYS},                                       \
        {"payments", required_argument, NULL, LOAD_OPTION_PAYMENTS},                               \
        {"repeats", required_argument, NULL, LOAD_OPTION_REPEATS},                                 \
    {                                                                                              \
        "accounts", required_argument, NULL, LOAD_OPTION_ACCOUNTS                                  \
    }

#define LOAD_USAGE                                                                                 \
    "  --payments N   different payments (default: 1000000)\n"                                     \
    "  --repeats P    percent of them that come again later (default: 5)\n"                        \
    "  --keys KIND    uuid4, uuid7 or batch (default: uuid4)\n"                                    \
    "  --accounts N   (default: 1000)\n"                                                           \
    "  --seed N       (default: 1)\n"

/* Take an option of LOAD_OPTIONS. Fails with EX_USAGE, also for an option that is none of them. */
MUST_CHECK int load_take_option(struct load *load, int option, const char *text, struct error *err);

/* Read a whole number from min to max. name is for the message. Fails with EX_USAGE. */
MUST_CHECK int load_take_number(const char *name, const char *text, int64_t min, int64_t max,
                                int64_t *ret, struct error *err);

#endif
