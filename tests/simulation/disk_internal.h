/*
 * What the files of the simulated disk share.
 *
 *   disk.c        files, faults, power
 *   disk_vfs.c    SQLite's interface to them
 */
#ifndef TESTS_SIMULATION_DISK_INTERNAL_H
#define TESTS_SIMULATION_DISK_INTERNAL_H

#include "tests/simulation/disk.h"

#include <sqlite3.h>
#include <stddef.h>

#define DISK_FILES 4 /* database, its journal or WAL, and others for a moment */

/* A change since the last sync, and what stood there before it. */
struct disk_change {
    size_t offset;
    size_t len;      /* bytes of before */
    size_t old_size; /* of the file */
    char *before;
};

struct disk_file {
    char name[512]; /* "" = free */
    char *bytes;
    size_t size;
    size_t capacity;
    struct disk_change *changes;
    size_t change_count;
    size_t change_capacity;
};

/* NULL when it is not there. */
struct disk_file *disk_find(const char *name);
struct disk_file *disk_make(const char *name);
void disk_remove(struct disk_file *file);

/* Change a file; SQLite's result codes. */
int disk_write(struct disk_file *file, const void *data, size_t len, size_t offset);
int disk_truncate(struct disk_file *file, size_t size);
int disk_sync(struct disk_file *file);

#endif
