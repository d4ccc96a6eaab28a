/*
 * A VFS below SQLite that passes everything on to the usual one, and fails when it is told to.
 *
 * Databases, journals and WALs are watched; the shared memory of a WAL is not. Nothing is really
 * synced: what a sync means is told by fault_power.h, whose power failure goes through this VFS
 * too. A program that is linked with it has fsync() of its own code replaced likewise.
 */
#ifndef TESTS_LIB_FAULT_VFS_H
#define TESTS_LIB_FAULT_VFS_H

#include <stdbool.h>

/* What fails: one kind of call, with one error. */
enum fault_vfs_kind {
    FAULT_VFS_READ,     /* I/O error */
    FAULT_VFS_WRITE,    /* I/O error */
    FAULT_VFS_FULL,     /* a write: no room */
    FAULT_VFS_SYNC,     /* I/O error */
    FAULT_VFS_TRUNCATE, /* I/O error */
    FAULT_VFS_DELETE,   /* I/O error */
    FAULT_VFS_COUNT,
};

const char *fault_vfs_name(enum fault_vfs_kind kind);

/* The VFS of connections that are opened without naming one, until _remove(). */
void fault_vfs_install(void);
void fault_vfs_remove(void);

/* So many calls of the kind succeed, the next one fails, and all after it succeed again. */
void fault_vfs_arm(enum fault_vfs_kind kind, int calls_before);

/* Nothing fails any more. True when the fault that was armed has struck. */
bool fault_vfs_disarm(void);

#endif
