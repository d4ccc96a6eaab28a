#include "common/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct digest {
    EVP_MD_CTX *context;
};

static int failed(struct error *err)
{
    return error_set(err, EX_OSERR, "OpenSSL cannot compute a SHA-256");
}

int digest_open(struct digest **ret, struct error *err)
{
    struct digest *digest = calloc(1, sizeof(*digest));

    if (!digest) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    digest->context = EVP_MD_CTX_new();
    if (!digest->context || EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) != 1) {
        digest_close(digest);
        return failed(err);
    }
    *ret = digest;
    return 0;
}

int digest_add(struct digest *digest, const void *data, size_t len, struct error *err)
{
    return EVP_DigestUpdate(digest->context, data, len) == 1 ? 0 : failed(err);
}

int digest_finish(struct digest *digest, unsigned char ret[DIGEST_SIZE], struct error *err)
{
    unsigned len;

    /* Without a type the context begins anew with the one that it has. */
    if (EVP_DigestFinal_ex(digest->context, ret, &len) != 1 || len != DIGEST_SIZE ||
        EVP_DigestInit_ex(digest->context, NULL, NULL) != 1) {
        return failed(err);
    }
    return 0;
}

void digest_close(struct digest *digest)
{
    if (digest) {
        EVP_MD_CTX_free(digest->context);
        free(digest);
    }
}

char *digest_hex(char *buf, const unsigned char *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        buf[2 * i] = digits[bytes[i] >> 4];
        buf[2 * i + 1] = digits[bytes[i] & 15];
    }
    buf[2 * len] = '\0';
    return buf;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool digest_from_hex(unsigned char *bytes, size_t len, const char *hex)
{
    bool good = strlen(hex) == 2 * len;

    for (size_t i = 0; good && i < len; i++) {
        int high = digit_of(hex[2 * i]);
        int low = digit_of(hex[2 * i + 1]);
        good = high >= 0 && low >= 0;
        bytes[i] = (unsigned char)(good ? (unsigned)high << 4 | (unsigned)low : 0U);
    }
    return good;
}

const char *digest_library_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION_STRING);
}
