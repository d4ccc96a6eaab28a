/*
 * The stored form of an idempotency key: compact, injective, in an order that keeps time-ordered
 * keys together.
 *
 *   0x01, 16 bytes   a canonical lower-case UUID ("018f3c6e-...")
 *   0x02, the bytes  every other key, verbatim
 *
 * The tag byte keeps the two apart, so no two keys share a form.
 */
#ifndef CONSUMER_KEY_FORM_H
#define CONSUMER_KEY_FORM_H

#include "common/payment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_FORM_UUID 1
#define KEY_FORM_TEXT 2
#define KEY_FORM_SIZE (1 + PAYMENT_KEY_MAX)

/* Write the stored form of a key that ends in NUL. Returns its length. */
size_t key_form(unsigned char form[KEY_FORM_SIZE], const char *key);

/*
 * When a key was made, by itself: the time inside a UUIDv7 (RFC 9562), in Unix milliseconds. -1 for
 * every other key.
 */
int64_t key_form_made_ms(const unsigned char *form, size_t len);

/* The key of a batch's row, "ID:" and a row number of so many digits. */
#define KEY_FORM_ROW_DIGITS 10

/*
 * Read the stored form of such a key: the batch's id with its ending NUL, and the number. False for
 * every other key.
 */
bool key_form_row(char id[PAYMENT_BATCH_ID_MAX + 1], int64_t *ret_row, const unsigned char *form,
                  size_t len);

/* Write the key of a stored form, with its ending NUL. False for bytes that are no stored form. */
bool key_form_text(char key[PAYMENT_KEY_MAX + 1], const unsigned char *form, size_t len);

#endif
