/*
 * The simulated disk: a VFS in memory below SQLite, which becomes the default one. The lock that
 * store_lock.c takes is on a real file that stays empty.
 *
 * Files outlive each payd. A dead one's writes have no effect; when the power is lost, what was
 * not synced is gone from some write on.
 */
#ifndef TESTS_SIMULATION_DISK_H
#define TESTS_SIMULATION_DISK_H

#include <stdbool.h>

/* Make it SQLite's default. Call once. */
void disk_install(void);

/* All files are gone. */
void disk_begin(void);

/* True when the crash came inside of SQLite, which returns an error for everything from there on.
 */
bool disk_is_dead(void);

/* The process is dead: what it still writes has no effect, so that its handles can be closed. */
void disk_freeze(void);

/* Another process can write. */
void disk_thaw(bool power_lost);

#endif
