#include "common/payment.h"

#include "common/text.h"

#include <string.h>

const char *payment_key_problem(const char *data, size_t len)
{
    if (len == 0) {
        return "the key is empty";
    }
    if (len > PAYMENT_KEY_MAX) {
        return "the key is longer than 255 bytes";
    }
    if (!text_is_printable(data, len)) {
        return "the key is not printable UTF-8";
    }
    return NULL;
}

const char *payment_account_problem(const char *data, size_t len)
{
    if (len == 0) {
        return "the account is empty";
    }
    if (len > PAYMENT_ACCOUNT_MAX) {
        return "the account is longer than 128 bytes";
    }
    if (!text_is_printable(data, len)) {
        return "the account is not printable UTF-8";
    }
    if (data[0] == ' ' || data[len - 1] == ' ') {
        return "the account has a space at its beginning or end";
    }
    return NULL;
}

const char *payment_batch_id_problem(const char *data, size_t len)
{
    if (len == 0) {
        return "the batch id is empty";
    }
    if (len > PAYMENT_BATCH_ID_MAX) {
        return "the batch id is longer than 244 bytes";
    }
    if (!text_is_printable(data, len)) {
        return "the batch id is not printable UTF-8";
    }
    return NULL;
}

const char *payment_digest_problem(const char *data, size_t len)
{
    bool hex = len == PAYMENT_DIGEST_LEN;

    for (size_t i = 0; hex && i < len; i++) {
        hex = (data[i] >= '0' && data[i] <= '9') || (data[i] >= 'a' && data[i] <= 'f');
    }
    return hex ? NULL : "the digest is not 64 lower-case hex digits";
}

void payment_copy(char *field, const char *data, size_t len)
{
    memcpy(field, data, len);
    field[len] = '\0';
}

bool payment_batch_equal(const struct payment_batch *a, const struct payment_batch *b)
{
    return strcmp(a->id, b->id) == 0 && strcmp(a->digest, b->digest) == 0 && a->rows == b->rows;
}

unsigned payment_differs(const struct payment *a, const struct payment *b)
{
    unsigned fields = 0;

    if (strcmp(a->src, b->src) != 0) {
        fields |= PAYMENT_SRC;
    }
    if (strcmp(a->dest, b->dest) != 0) {
        fields |= PAYMENT_DEST;
    }
    if (a->amount_minor != b->amount_minor) {
        fields |= PAYMENT_AMOUNT;
    }
    if (strcmp(a->currency, b->currency) != 0) {
        fields |= PAYMENT_CURRENCY;
    }
    if (!payment_batch_equal(&a->batch, &b->batch)) {
        fields |= PAYMENT_BATCH;
    }
    return fields;
}
