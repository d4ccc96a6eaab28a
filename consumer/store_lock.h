/*
 * The lock that makes one process the only writer of a store file.
 *
 * It is a flock() on the file itself, so it holds for every name that the file has: a lock file
 * beside it would miss hard links and bind mounts. SQLite's own locks are of another kind (POSIX
 * record locks) and do not meet it.
 */
#ifndef CONSUMER_STORE_LOCK_H
#define CONSUMER_STORE_LOCK_H

#include "common/compiler.h"
#include "common/error.h"

#include <stdbool.h>

/*
 * Open the file (making it with mode 0600, and its directory entry durable, when it is not there)
 * and lock it. Refuses, with EX_IOERR: a file that another process holds (and says which), that is
 * not a regular file, that has a second hard link, that is itself a mount point, or that lies on a
 * network or FUSE file system. On success *ret_fd must stay open until after the database is
 * closed (closing any descriptor of the file drops SQLite's locks), and closing it unlocks.
 */
MUST_CHECK int store_lock_take(const char *path, int *ret_fd, struct error *err);

/*
 * Is the locked file still the one that the path names? Fails with EX_IOERR when it was removed,
 * replaced or given a second name: what is committed from then on nobody would find.
 */
MUST_CHECK int store_lock_check(const char *path, int fd, struct error *err);

#endif
