#include "producer/batch_digest.h"

#include "producer/batch_row.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Keeps these digests apart from every other use of SHA-256; hashed with its NUL. */
static const char domain[] = "pay batch 1";

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

int batch_digest_add(struct batch_digest *digest, const struct payment *payment, struct error *err)
{
    unsigned char row[BATCH_ROW_MAX];

    return batch_digest_add_rows(digest, row, batch_row_put(payment, row), err);
}

int batch_digest_add_rows(struct batch_digest *digest, const void *rows, size_t len,
                          struct error *err)
{
    return digest_add(digest->rows, rows, len, err);
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
