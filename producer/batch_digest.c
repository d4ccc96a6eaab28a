#include "producer/batch_digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Keeps these digests apart from every other use of SHA-256; hashed with its NUL. */
static const char domain[] = "pay batch 1";

/* Bytes of the longest encoded row: four lengths and texts, and the amount. */
#define ROW_MAX (4 * 2 + PAYMENT_KEY_MAX + 2 * PAYMENT_ACCOUNT_MAX + MONEY_CURRENCY_SIZE + 8)

struct batch_digest {
    EVP_MD_CTX *context;
};

static int failed(struct error *err)
{
    return error_set(err, EX_OSERR, "OpenSSL cannot compute a SHA-256");
}

int batch_digest_open(struct batch_digest **ret, struct error *err)
{
    struct batch_digest *digest = calloc(1, sizeof(*digest));

    if (!digest) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    digest->context = EVP_MD_CTX_new();
    if (!digest->context || EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) != 1 ||
        EVP_DigestUpdate(digest->context, domain, sizeof(domain)) != 1) {
        batch_digest_close(digest);
        return failed(err);
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
    return EVP_DigestUpdate(digest->context, row, (size_t)(end - row)) == 1 ? 0 : failed(err);
}

int batch_digest_finish(struct batch_digest *digest, char ret[PAYMENT_DIGEST_LEN + 1],
                        struct error *err)
{
    unsigned char hash[PAYMENT_DIGEST_LEN / 2];
    unsigned len;

    if (EVP_DigestFinal_ex(digest->context, hash, &len) != 1 || len != sizeof(hash)) {
        return failed(err);
    }
    for (size_t i = 0; i < sizeof(hash); i++) {
        snprintf(ret + 2 * i, 3, "%02x", hash[i]);
    }
    return 0;
}

void batch_digest_close(struct batch_digest *digest)
{
    if (digest) {
        EVP_MD_CTX_free(digest->context);
        free(digest);
    }
}

const char *batch_digest_library_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}
