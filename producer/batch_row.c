#include "producer/batch_row.h"

#include <string.h>

#define AMOUNT_SIZE 8

static unsigned char *put_text(unsigned char *to, const char *text)
{
    size_t len = strlen(text);

    *to++ = (unsigned char)(len >> 8);
    *to++ = (unsigned char)len;
    memcpy(to, text, len);
    return to + len;
}

size_t batch_row_put(const struct payment *payment, unsigned char buf[BATCH_ROW_MAX])
{
    unsigned char *end = buf;

    end = put_text(end, payment->key);
    end = put_text(end, payment->src);
    end = put_text(end, payment->dest);
    end = put_text(end, payment->currency);
    for (int shift = 8 * (AMOUNT_SIZE - 1); shift >= 0; shift -= 8) {
        *end++ = (unsigned char)((uint64_t)payment->amount_minor >> shift);
    }
    return (size_t)(end - buf);
}

/* Returns the position behind a text of at most max bytes, or NULL; also when from is NULL. */
static const unsigned char *take_text(const unsigned char *from, const unsigned char *end,
                                      char *field, size_t max)
{
    if (!from || end - from < 2) {
        return NULL;
    }
    size_t len = (size_t)from[0] << 8 | from[1];
    from += 2;
    if (len > max || len > (size_t)(end - from)) {
        return NULL;
    }
    payment_copy(field, (const char *)from, len);
    return from + len;
}

size_t batch_row_take(const unsigned char *data, size_t len, struct payment *ret)
{
    const unsigned char *end = data + len;
    const unsigned char *at = data;
    uint64_t amount = 0;

    at = take_text(at, end, ret->key, PAYMENT_KEY_MAX);
    at = take_text(at, end, ret->src, PAYMENT_ACCOUNT_MAX);
    at = take_text(at, end, ret->dest, PAYMENT_ACCOUNT_MAX);
    at = take_text(at, end, ret->currency, MONEY_CURRENCY_SIZE - 1);
    if (!at || end - at < AMOUNT_SIZE) {
        return 0;
    }
    for (int i = 0; i < AMOUNT_SIZE; i++) {
        amount = amount << 8 | *at++;
    }
    ret->amount_minor = (int64_t)amount;
    return (size_t)(at - data);
}
