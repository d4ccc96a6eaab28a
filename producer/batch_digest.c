#include "producer/batch_digest.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Keeps these digests apart from every other use of SHA-256; hashed with its NUL. */
static const char domain[] = "pay batch 1";

/* Bytes of the longest encoded row: four lengths and texts, and the amount. */
#define ROW_MAX (4 * 2 + PAYMENT_KEY_MAX + 2 * PAYMENT_ACCOUNT_MAX + MONEY_CURRENCY_SIZE + 8)

struct batch_digest {
    struct digest *rows;
};

int batch_digest_open(struct batch_digest **ret, struct error *err)
{
    struct batch_digest *digest = calloc(1, sizeof(*digest));

    if (!digest) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    if (digest_open(&digest->rows, err) != 0 ||
        digest_add(digest->rows, domain, sizeof(domain), err) != 0) {
        batch_digest_close(digest);
        return -1;
    }
    *ret = digest;
    return 0;
}

/* Writes the number's size bytes, the highest first. Returns the position behind them. */
static unsigned char *put_number(unsigned char *to, uint64_t number, int size)
{
    for (int i = size - 1; i >= 0; i--) {
        *to++ = (unsigned char)(number >> (8 * i));
    }
    return to;
}

static unsigned char *put_text(unsigned char *to, const char *text)
{
    size_t len = strlen(text);

    to = put_number(to, len, 2);
    memcpy(to, text, len);
    return to + len;
}

int batch_digest_add(struct batch_digest *digest, const struct payment *payment, struct error *err)
{
    unsigned char row[ROW_MAX];
    unsigned char *end = row;

    end = put_text(end, payment->key);
    end = put_text(end, payment->src);
    end = put_text(end, payment->dest);
    end = put_text(end, payment->currency);
    end = put_number(end, (uint64_t)payment->amount_minor, 8);
    return digest_add(digest->rows, row, (size_t)(end - row), err);
}

int batch_digest_finish(struct batch_digest *digest, char ret[PAYMENT_DIGEST_LEN + 1],
                        struct error *err)
{
    unsigned char hash[DIGEST_SIZE];

    if (digest_finish(digest->rows, hash, err) != 0) {
        return -1;
    }
    digest_hex(ret, hash, sizeof(hash));
    return 0;
}

void batch_digest_close(struct batch_digest *digest)
{
    if (digest) {
        digest_close(digest->rows);
        free(digest);
    }
}
