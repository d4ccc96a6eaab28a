#include "tests/bench/load.h"

#include "producer/batch_digest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define AMOUNT_MAX 100000 /* minor units */

/* UUIDv7: when the first payment was made, and how many follow in each millisecond. */
#define TIME_BASE_MS       UINT64_C(1764000000000)
#define PAYMENTS_IN_ONE_MS 100

/* What the numbers of one payment are drawn for. */
enum draw { DRAW_HIGH, DRAW_LOW, DRAW_ROUTE, DRAW_AMOUNT, DRAW_REPEAT, DRAWS };

uint64_t load_random(uint64_t seed, uint64_t number)
{
    /* The finalizer of SplitMix64. */
    uint64_t x = seed * UINT64_C(0xD1342543DE82EF95) + (number + 1) * UINT64_C(0x9E3779B97F4A7C15);

    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

static uint64_t draw(const struct load *load, int64_t i, enum draw what)
{
    return load_random(load->seed, (uint64_t)i * DRAWS + what);
}

struct load load_default(void)
{
    return (struct load){
        .seed = 1, .keys = KEYS_UUID4, .payments = 1000000, .repeat_percent = 5, .accounts = 1000};
}

static void write_uuid(char *key, uint64_t high, uint64_t low, uint64_t version)
{
    high = (high & ~UINT64_C(0xF000)) | version << 12;
    low = (low & ~(UINT64_C(3) << 62)) | UINT64_C(2) << 62;
    snprintf(key, PAYMENT_KEY_MAX + 1,
             "%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64, high >> 32,
             high >> 16 & 0xFFFF, high & 0xFFFF, low >> 48, low & UINT64_C(0xFFFFFFFFFFFF));
}

static void write_key(const struct load *load, int64_t i, char *key)
{
    uint64_t high = draw(load, i, DRAW_HIGH);
    uint64_t low = draw(load, i, DRAW_LOW);

    switch (load->keys) {
    case KEYS_UUID7:
        high = (TIME_BASE_MS + (uint64_t)i / PAYMENTS_IN_ONE_MS) << 16 | (high & 0xFFFF);
        write_uuid(key, high, low, 7);
        break;
    case KEYS_BATCH:
        snprintf(key, PAYMENT_KEY_MAX + 1, "%s:%010" PRId64, LOAD_BATCH_ID, i + 1);
        break;
    case KEYS_UUID4:
    default:
        write_uuid(key, high, low, 4);
        break;
    }
}

void load_payment(const struct load *load, int64_t i, struct payment *ret)
{
    uint64_t accounts = (uint64_t)load->accounts;
    uint64_t route = draw(load, i, DRAW_ROUTE);
    uint64_t src = (route >> 32) % accounts;
    uint64_t dest = (src + 1 + (route & UINT32_MAX) % (accounts - 1)) % accounts;

    write_key(load, i, ret->key);
    snprintf(ret->src, sizeof(ret->src), "account-%04" PRIu64, src);
    snprintf(ret->dest, sizeof(ret->dest), "account-%04" PRIu64, dest);
    memcpy(ret->currency, MONEY_DEFAULT_CURRENCY, sizeof(ret->currency));
    ret->amount_minor = 1 + (int64_t)(draw(load, i, DRAW_AMOUNT) % AMOUNT_MAX);
    ret->batch = load->batch;
}

int load_bind_batch(struct load *load, struct error *err)
{
    struct batch_digest *digest = NULL;
    struct payment payment;
    int result = batch_digest_open(&digest, err);

    for (int64_t i = 0; result == 0 && i < load->payments; i++) {
        load_payment(load, i, &payment);
        result = batch_digest_add(digest, &payment, err);
    }
    if (result == 0) {
        memcpy(load->batch.id, LOAD_BATCH_ID, sizeof(LOAD_BATCH_ID));
        load->batch.rows = load->payments;
        result = batch_digest_finish(digest, load->batch.digest, err);
    }
    batch_digest_close(digest);
    return result;
}

/* ---- the order of the records ---- */

static int64_t repeats_after(const struct load *load, int64_t payments)
{
    return payments * load->repeat_percent / 100;
}

int64_t load_records(const struct load *load)
{
    return load->payments + repeats_after(load, load->payments);
}

int64_t load_next(struct load_cursor *cursor)
{
    const struct load *load = cursor->load;

    if (cursor->repeats < repeats_after(load, cursor->payments)) {
        int64_t reach = cursor->payments < LOAD_DISTANCE_MAX ? cursor->payments : LOAD_DISTANCE_MAX;
        uint64_t drawn = draw(load, cursor->repeats++, DRAW_REPEAT);
        return cursor->payments - 1 - (int64_t)(drawn % (uint64_t)reach);
    }
    return cursor->payments < load->payments ? cursor->payments++ : -1;
}

/* ---- command lines ---- */

int load_take_number(const char *name, const char *text, int64_t min, int64_t max, int64_t *ret,
                     struct error *err)
{
    char *end;

    errno = 0;
    *ret = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || *ret < min || *ret > max) {
        return error_set(err, EX_USAGE, "%s: \"%s\" is not a number from %" PRId64 " to %" PRId64,
                         name, text, min, max);
    }
    return 0;
}

static int take_keys(const char *text, enum load_keys *ret, struct error *err)
{
    static const char *const names[] = {
        [KEYS_UUID4] = "uuid4", [KEYS_UUID7] = "uuid7", [KEYS_BATCH] = "batch"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret = (enum load_keys)i;
            return 0;
        }
    }
    return error_set(err, EX_USAGE, "--keys: uuid4, uuid7 or batch, not \"%s\"", text);
}

int load_take_option(struct load *load, int option, const char *text, struct error *err)
{
    int64_t seed = 0;
    int result;

    switch (option) {
    case LOAD_OPTION_SEED:
        result = load_take_number("--seed", text, 0, INT64_MAX, &seed, err);
        load->seed = (uint64_t)seed;
        return result;
    case LOAD_OPTION_KEYS:
        return take_keys(text, &load->keys, err);
    case LOAD_OPTION_PAYMENTS:
        return load_take_number("--payments", text, 1, INT64_C(1000000000), &load->payments, err);
    case LOAD_OPTION_REPEATS:
        return load_take_number("--repeats", text, 0, 100, &load->repeat_percent, err);
    case LOAD_OPTION_ACCOUNTS:
        return load_take_number("--accounts", text, 2, 1000000, &load->accounts, err);
    default:
        return error_set(err, EX_USAGE, "wrong usage: see --help");
    }
}
