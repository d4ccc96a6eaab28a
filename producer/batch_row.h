/*
 * A row as bytes, as a batch's digest is computed over it and as the spool holds it:
 *
 *   key, src, dest, currency: two bytes of length (big-endian) and the bytes; amount_minor: eight
 *   bytes (big-endian)
 *
 * Digests are stored with payments: this encoding must never change.
 */
#ifndef PRODUCER_BATCH_ROW_H
#define PRODUCER_BATCH_ROW_H

#include "common/payment.h"

#include <stddef.h>

/* Bytes of the longest row: four lengths and texts, and the amount. */
#define BATCH_ROW_MAX (4 * 2 + PAYMENT_KEY_MAX + 2 * PAYMENT_ACCOUNT_MAX + MONEY_CURRENCY_SIZE + 8)

/* Write a payment; its batch is not looked at. Returns the length. */
size_t batch_row_put(const struct payment *payment, unsigned char buf[BATCH_ROW_MAX]);

/*
 * Read the row at the beginning of len bytes. Returns its length, or 0 when no whole row stands
 * there: *ret is then undefined. The batch in *ret stays as it is.
 */
size_t batch_row_take(const unsigned char *data, size_t len, struct payment *ret);

#endif
