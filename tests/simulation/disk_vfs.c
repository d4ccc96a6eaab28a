#include "tests/simulation/disk_internal.h"

#include "tests/simulation/dice.h"
#include "tests/simulation/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR_BYTES     4096
#define SHARED_PAGES_MAX 8
#define MS_PER_DAY       86400000
#define UNIX_EPOCH_MS    INT64_C(210866760000000) /* as a Julian day */

/* An open file. SQLite gives the memory. */
struct handle {
    sqlite3_file base;
    struct disk_file *file;
    bool is_temporary;
    void *shared[SHARED_PAGES_MAX]; /* the WAL index, of the one process that there is */
    int shared_count;
};

static struct handle *handle_of(sqlite3_file *base)
{
    return (struct handle *)base;
}

/* ---- files ---- */

static int unmap_shared(sqlite3_file *base, int remove)
{
    struct handle *handle = handle_of(base);

    (void)remove;
    for (int i = 0; i < handle->shared_count; i++) {
        free(handle->shared[i]);
    }
    handle->shared_count = 0;
    return SQLITE_OK;
}

static int close_file(sqlite3_file *base)
{
    struct handle *handle = handle_of(base);

    unmap_shared(base, 0);
    if (handle->is_temporary) {
        disk_remove(handle->file);
    }
    return SQLITE_OK;
}

static int read_file(sqlite3_file *base, void *to, int amount, sqlite3_int64 offset)
{
    const struct disk_file *file = handle_of(base)->file;
    size_t begin = (size_t)offset;
    size_t wanted = (size_t)amount;
    size_t there = begin < file->size ? file->size - begin : 0;
    size_t len = there < wanted ? there : wanted;

    if (len > 0) {
        memcpy(to, file->bytes + begin, len);
    }
    memset((char *)to + len, 0, wanted - len);
    return len == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int write_file(sqlite3_file *base, const void *from, int amount, sqlite3_int64 offset)
{
    return disk_write(handle_of(base)->file, from, (size_t)amount, (size_t)offset);
}

static int truncate_file(sqlite3_file *base, sqlite3_int64 size)
{
    return disk_truncate(handle_of(base)->file, (size_t)size);
}

static int sync_file(sqlite3_file *base, int flags)
{
    (void)flags;
    return disk_sync(handle_of(base)->file);
}

static int size_of_file(sqlite3_file *base, sqlite3_int64 *ret)
{
    *ret = (sqlite3_int64)handle_of(base)->file->size;
    return SQLITE_OK;
}

/* One process, one connection: every lock is free. */
static int lock_file(sqlite3_file *base, int level)
{
    (void)base;
    (void)level;
    return SQLITE_OK;
}

static int check_lock(sqlite3_file *base, int *ret)
{
    (void)base;
    *ret = 0;
    return SQLITE_OK;
}

static int control_file(sqlite3_file *base, int operation, void *argument)
{
    (void)base;
    (void)operation;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int sector_size(sqlite3_file *base)
{
    (void)base;
    return SECTOR_BYTES;
}

static int characteristics(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE; /* as SQLite's own VFS for Unix says */
}

static int map_shared(sqlite3_file *base, int page, int size, int extend, void volatile **ret)
{
    struct handle *handle = handle_of(base);

    *ret = NULL;
    if (page >= SHARED_PAGES_MAX) {
        return SQLITE_IOERR_SHMSIZE;
    }
    while (extend && handle->shared_count <= page) {
        void *memory = calloc(1, (size_t)size);
        if (!memory) {
            return SQLITE_NOMEM;
        }
        handle->shared[handle->shared_count++] = memory;
    }
    if (page < handle->shared_count) {
        *ret = handle->shared[page];
    }
    return SQLITE_OK;
}

static int lock_shared(sqlite3_file *base, int offset, int count, int flags)
{
    (void)base;
    (void)offset;
    (void)count;
    (void)flags;
    return SQLITE_OK;
}

static void shared_barrier(sqlite3_file *base)
{
    (void)base;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = size_of_file,
    .xLock = lock_file,
    .xUnlock = lock_file,
    .xCheckReservedLock = check_lock,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = map_shared,
    .xShmLock = lock_shared,
    .xShmBarrier = shared_barrier,
    .xShmUnmap = unmap_shared,
};

/* ---- the disk ---- */

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags,
                     int *ret_flags)
{
    struct handle *handle = handle_of(base);
    const char *known = name ? name : "temporary";

    (void)vfs;
    memset(handle, 0, sizeof(*handle));
    handle->file = disk_find(known);
    if (!handle->file) {
        /* The database is there: store_lock.c has made it, empty. */
        handle->file = disk_make(known);
    }
    if (!handle->file) {
        return SQLITE_CANTOPEN;
    }
    handle->is_temporary = name == NULL;
    handle->base.pMethods = &methods;
    if (ret_flags) {
        *ret_flags = flags;
    }
    return SQLITE_OK;
}

static int delete_file(sqlite3_vfs *vfs, const char *name, int sync_directory)
{
    struct disk_file *file = disk_find(name);

    (void)vfs;
    (void)sync_directory;
    if (!file) {
        return SQLITE_IOERR_DELETE_NOENT;
    }
    disk_remove(file);
    return SQLITE_OK;
}

static int has_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
    const struct disk_file *file = disk_find(name);

    (void)vfs;
    *ret = file && (flags != SQLITE_ACCESS_EXISTS || file->size > 0);
    return SQLITE_OK;
}

static int full_name(sqlite3_vfs *vfs, const char *name, int size, char *ret)
{
    (void)vfs;
    snprintf(ret, (size_t)size, "%s", name);
    return SQLITE_OK;
}

/* The same numbers in each history; see disk_begin(). */
static int random_bytes(sqlite3_vfs *vfs, int count, char *ret)
{
    struct dice dice = {1};

    (void)vfs;
    for (int i = 0; i < count; i++) {
        ret[i] = (char)dice_below(&dice, 256);
    }
    return count;
}

static int pass_time(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    world_pass(us / 1000);
    return us;
}

static int current_time_ms(sqlite3_vfs *vfs, sqlite3_int64 *ret)
{
    (void)vfs;
    *ret = UNIX_EPOCH_MS + world_unix_ms();
    return SQLITE_OK;
}

static int current_time(sqlite3_vfs *vfs, double *ret)
{
    sqlite3_int64 ms;

    current_time_ms(vfs, &ms);
    *ret = (double)ms / MS_PER_DAY;
    return SQLITE_OK;
}

static int last_error(sqlite3_vfs *vfs, int size, char *ret)
{
    (void)vfs;
    (void)size;
    (void)ret;
    return 0;
}

void disk_install(void)
{
    static sqlite3_vfs vfs = {
        .iVersion = 2,
        .szOsFile = sizeof(struct handle),
        .mxPathname = 500,
        .zName = "simulated",
        .xOpen = open_file,
        .xDelete = delete_file,
        .xAccess = has_access,
        .xFullPathname = full_name,
        .xRandomness = random_bytes,
        .xSleep = pass_time,
        .xCurrentTime = current_time,
        .xGetLastError = last_error,
        .xCurrentTimeInt64 = current_time_ms,
    };

    if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK) {
        abort();
    }
}
