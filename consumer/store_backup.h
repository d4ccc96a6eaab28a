/*
 * A copy of a store while it is written.
 */
#ifndef CONSUMER_STORE_BACKUP_H
#define CONSUMER_STORE_BACKUP_H

#include "common/compiler.h"
#include "common/error.h"

#include <stdint.h>

/* Called now and then with how many pages are copied; 0 to go on, -1 to stop with *err set. */
typedef int store_backup_step(void *user, int64_t done, int64_t total, struct error *err);

/*
 * Copy the store in the file at path to a new file, of one moment, also while payd writes, whose
 * WAL grows meanwhile (SQLite's backup API). The copy is in the file, and the file in its folder,
 * when this returns 0; else there is no file. *ret_bytes is its size. Fails with EX_CANTCREAT when
 * the new file is there already or cannot be made, with EX_IOERR when reading or writing fails, and
 * as store_sqlite_open_readonly().
 */
MUST_CHECK int store_sqlite_backup(const char *path, const char *copy, store_backup_step *step,
                                   void *user, int64_t *ret_bytes, struct error *err);

/* Make a file and its name in its folder durable. Fails with EX_IOERR. */
MUST_CHECK int store_sync_name(const char *path, struct error *err);

#endif
