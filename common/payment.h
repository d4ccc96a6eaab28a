/*
 * struct payment: one payment order as a value. It holds its own bytes, so it can be copied with
 * `=` and needs no release.
 *
 * A payment that a function here accepted is well-formed. Whether it can be paid (known currency,
 * two different accounts, amount in range) is the ledger's answer, not a question of form.
 */
#ifndef COMMON_PAYMENT_H
#define COMMON_PAYMENT_H

#include "common/money.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAYMENT_KEY_MAX     255 /* bytes of an idempotency key */
#define PAYMENT_ACCOUNT_MAX 128 /* bytes of an account */
#define PAYMENT_DIGEST_LEN  64  /* a SHA-256 in lower-case hex */

/* A batch row's own key is the batch id, ':' and ten digits, and must fit into a key. */
#define PAYMENT_BATCH_ID_MAX   (PAYMENT_KEY_MAX - 11)
#define PAYMENT_BATCH_ROWS_MAX INT64_C(9999999999)

/* What binds a row to the content of its batch: every row of a batch carries the same values. */
struct payment_batch {
    char id[PAYMENT_BATCH_ID_MAX + 1]; /* "" = the payment belongs to no batch */
    char digest[PAYMENT_DIGEST_LEN + 1];
    int64_t rows;
};

struct payment {
    char key[PAYMENT_KEY_MAX + 1];
    char src[PAYMENT_ACCOUNT_MAX + 1];
    char dest[PAYMENT_ACCOUNT_MAX + 1];
    char currency[MONEY_CURRENCY_SIZE];
    int64_t amount_minor;
    struct payment_batch batch;
};

/*
 * The rules of form. Each returns NULL when the bytes are fine, or a static sentence that says what
 * is wrong.
 *   key       1 to 255 bytes of printable UTF-8
 *   account   1 to 128 bytes of printable UTF-8, no space at either end
 *   batch id  1 to 244 bytes of printable UTF-8
 *   digest    64 lower-case hex digits
 */
const char *payment_key_problem(const char *data, size_t len);
const char *payment_account_problem(const char *data, size_t len);
const char *payment_batch_id_problem(const char *data, size_t len);
const char *payment_digest_problem(const char *data, size_t len);

/* Copy len bytes, of a length that a rule above accepted, into a field and end it with NUL. */
void payment_copy(char *field, const char *data, size_t len);

/* The fields of a payload, as bits. The key is not one of them. */
enum payment_field {
    PAYMENT_SRC = 1,
    PAYMENT_DEST = 2,
    PAYMENT_AMOUNT = 4,
    PAYMENT_CURRENCY = 8,
    PAYMENT_BATCH = 16,
};

/* The fields in which two payloads differ, 0 when they are the same payload. */
unsigned payment_differs(const struct payment *a, const struct payment *b);

/* True when both rows belong to the same content of one batch (id, rows and digest). */
bool payment_batch_equal(const struct payment_batch *a, const struct payment_batch *b);

#endif
