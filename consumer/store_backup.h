/*
 * A copy of a store while it is written, and the copy in the store's place.
 */
#ifndef CONSUMER_STORE_BACKUP_H
#define CONSUMER_STORE_BACKUP_H

#include "common/compiler.h"
#include "common/error.h"
#include "consumer/store.h"

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

/*
 * Chunks that a lost store may have committed after it told its group of them last: the group is
 * told every second or so. Never to be changed: groups keep sums of it, and restore knows by the
 * remainder what else was committed.
 */
#define STORE_OUTRUN_CHUNKS INT64_C(1000000)

/*
 * Make a restored copy of a store count as the later one of the two: its incarnation and its number
 * of chunks go beyond its own and those that are seen of the other in its consumer group, so that
 * the group refuses the other from now on. The chunks are then what is seen and a multiple of
 * STORE_OUTRUN_CHUNKS. Fails with EX_CONFIG for numbers that no store comes to.
 */
MUST_CHECK enum store_status
store_sqlite_outrun(struct store *store, const struct store_identity *seen, struct error *err);

/*
 * Close a store that was made or filled under a name that it will not keep: all that it holds is
 * then in the file at path, and no WAL is left, so the file alone can be renamed. The store is gone
 * whatever this returns. Waits up to patience_ms for another program that has it open, which keeps
 * the WAL there; fails with EX_TEMPFAIL then, or when a stop is requested, and with EX_IOERR when
 * the file cannot be written.
 */
MUST_CHECK int store_sqlite_finish(struct store *store, const char *path, int patience_ms,
                                   struct error *err);

/* For that: a look at it by another program takes no longer, or ought not to. */
#define STORE_FINISH_MS 30000

/* Make a file and its name in its folder durable. Fails with EX_IOERR. */
MUST_CHECK int store_sync_name(const char *path, struct error *err);

#endif
