/*
 * A list of keys out of a file, to ask whether a key is in it.
 */
#ifndef CONSUMER_KEY_LIST_H
#define CONSUMER_KEY_LIST_H

#include "common/compiler.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

struct key_list;

/*
 * Read a file of idempotency keys, one a line; empty lines are skipped. It is kept in memory as it
 * is, with 8 bytes a key beside it. Fails with EX_NOINPUT when it cannot be opened, EX_DATAERR
 * (FILE:LINE) for a line that is no key, EX_IOERR, EX_OSERR. On success the caller frees *ret.
 */
MUST_CHECK int key_list_read(struct key_list **ret, const char *path, struct error *err);

/* True for a key of the list; user is the list, so that it fits reread_filter(). */
bool key_list_has(void *user, const char *key, size_t len);

/* Free; NULL is accepted. */
void key_list_free(struct key_list *list);

#endif
