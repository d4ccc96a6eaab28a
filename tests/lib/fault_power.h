/*
 * A power failure, for files that are written through fault_vfs.h.
 *
 * The files on the disk are what a running system sees. Beside each one stands what the medium
 * has for sure: its content at the last sync, and the writes and truncations since then in their
 * order. A new or removed name is sure when the folder is synced, which SQLite does with the first
 * sync of a new journal or WAL, and with a delete that asks for it.
 *
 * At the failure every changing call fails from then on. Afterwards fault_power_settle() leaves in
 * the files what a medium may have: of the unsynced sectors some are written, one is written by
 * half, and unsynced names, removals and truncations happened or not. All by the seed.
 *
 * One thread, one folder. Running out of memory aborts.
 */
#ifndef TESTS_LIB_FAULT_POWER_H
#define TESTS_LIB_FAULT_POWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What became of what was not synced. */
struct fault_power_loss {
    int kept;   /* sectors written */
    int lost;   /* sectors not written */
    int torn;   /* sectors written by half */
    int undone; /* truncations, new names and removals that did not happen */
};

/* Begin: the files are as they are, for sure. The power fails at the calls-th changing call. */
void fault_power_on(int calls);

bool fault_power_is_watching(void);
bool fault_power_failed(void);

/* Changing calls since fault_power_on(). */
int fault_power_calls(void);

/*
 * When all files are closed: change them to what the medium has, and end the watch. *loss may be
 * NULL.
 */
void fault_power_settle(unsigned seed, struct fault_power_loss *loss);

/* ---- for the VFS ---- */

struct power_file;

/*
 * A file was opened. is_new: it was made by that. syncs_folder: its first sync also syncs the
 * folder. The result is valid until fault_power_settle().
 */
struct power_file *fault_power_opened(const char *path, bool is_new, bool syncs_folder);

/*
 * A changing call. False when the power is off: then the call fails, and has not happened on the
 * running system either; a write at the failure may still be on the medium.
 */
bool fault_power_write(struct power_file *file, const void *data, size_t len, int64_t offset);
bool fault_power_truncate(struct power_file *file, int64_t size);
bool fault_power_sync(struct power_file *file);
bool fault_power_delete(const char *path, bool syncs_folder);

#endif
