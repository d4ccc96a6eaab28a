#include "tests/lib/fault_vfs.h"

#include "tests/lib/fault_power.h"

#include <errno.h>
#include <sqlite3.h>
#include <unistd.h>

#define WATCHED (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL)

/* Stands behind the usual VFS's own file. */
struct tail {
    const sqlite3_io_methods *usual;
    sqlite3_io_methods methods;
    struct power_file *power; /* NULL: opened while no power failure was awaited */
};

static const struct {
    const char *name;
    int code;
} kinds[FAULT_VFS_COUNT] = {
    [FAULT_VFS_READ] = {"read fails", SQLITE_IOERR_READ},
    [FAULT_VFS_WRITE] = {"write fails", SQLITE_IOERR_WRITE},
    [FAULT_VFS_FULL] = {"no room", SQLITE_FULL},
    [FAULT_VFS_SYNC] = {"sync fails", SQLITE_IOERR_FSYNC},
    [FAULT_VFS_TRUNCATE] = {"truncate fails", SQLITE_IOERR_TRUNCATE},
    [FAULT_VFS_DELETE] = {"delete fails", SQLITE_IOERR_DELETE},
};

static sqlite3_vfs *real;
static sqlite3_vfs faulty;
static enum fault_vfs_kind armed;
static int until_fault = -1; /* calls that succeed before one fails; -1 = none fails */

const char *fault_vfs_name(enum fault_vfs_kind kind)
{
    return kinds[kind].name;
}

/* True for the call that is to fail. */
static bool strikes(enum fault_vfs_kind kind)
{
    return kind == armed && until_fault >= 0 && until_fault-- == 0;
}

static struct tail *tail_of(sqlite3_file *file)
{
    return (struct tail *)((char *)file + real->szOsFile);
}

static int faulty_read(sqlite3_file *file, void *data, int len, sqlite3_int64 offset)
{
    return strikes(FAULT_VFS_READ) ? SQLITE_IOERR_READ
                                   : tail_of(file)->usual->xRead(file, data, len, offset);
}

static int faulty_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 offset)
{
    struct tail *tail = tail_of(file);

    if (strikes(FAULT_VFS_WRITE) ||
        (tail->power && !fault_power_write(tail->power, data, (size_t)len, offset))) {
        return SQLITE_IOERR_WRITE;
    }
    return strikes(FAULT_VFS_FULL) ? SQLITE_FULL : tail->usual->xWrite(file, data, len, offset);
}

static int faulty_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct tail *tail = tail_of(file);

    if (strikes(FAULT_VFS_TRUNCATE) || (tail->power && !fault_power_truncate(tail->power, size))) {
        return SQLITE_IOERR_TRUNCATE;
    }
    return tail->usual->xTruncate(file, size);
}

static int faulty_sync(sqlite3_file *file, int flags)
{
    struct tail *tail = tail_of(file);

    (void)flags;
    if (strikes(FAULT_VFS_SYNC) || (tail->power && !fault_power_sync(tail->power))) {
        return SQLITE_IOERR_FSYNC;
    }
    return SQLITE_OK;
}

/* Stands for fsync() in code that is linked with --wrap=fsync. */
int __wrap_fsync(int fd);

int __wrap_fsync(int fd)
{
    (void)fd;
    if (strikes(FAULT_VFS_SYNC)) {
        errno = EIO;
        return -1;
    }
    return 0;
}

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                       int *ret_flags)
{
    bool is_watched = (flags & WATCHED) && name;
    bool is_new = is_watched && access(name, F_OK) != 0;

    if (is_new && fault_power_failed()) {
        return SQLITE_CANTOPEN;
    }
    int code = real->xOpen(vfs, name, file, flags, ret_flags);
    if (code == SQLITE_OK && is_watched) {
        struct tail *tail = tail_of(file);
        tail->usual = file->pMethods;
        tail->methods = *tail->usual;
        tail->methods.xRead = faulty_read;
        tail->methods.xWrite = faulty_write;
        tail->methods.xTruncate = faulty_truncate;
        tail->methods.xSync = faulty_sync;
        bool syncs_folder = (flags & SQLITE_OPEN_CREATE) && !(flags & SQLITE_OPEN_MAIN_DB);
        tail->power =
            fault_power_is_watching() ? fault_power_opened(name, is_new, syncs_folder) : NULL;
        file->pMethods = &tail->methods;
    }
    return code;
}

static int faulty_delete(sqlite3_vfs *vfs, const char *name, int syncs_folder)
{
    if (strikes(FAULT_VFS_DELETE) ||
        (fault_power_is_watching() && !fault_power_delete(name, syncs_folder != 0))) {
        return SQLITE_IOERR_DELETE;
    }
    return real->xDelete(vfs, name, 0);
}

void fault_vfs_install(void)
{
    real = sqlite3_vfs_find("unix");
    faulty = *real;
    faulty.zName = "faulty";
    faulty.szOsFile = real->szOsFile + (int)sizeof(struct tail);
    faulty.xOpen = faulty_open;
    faulty.xDelete = faulty_delete;
    sqlite3_vfs_register(&faulty, 1);
}

void fault_vfs_remove(void)
{
    sqlite3_vfs_unregister(&faulty);
    sqlite3_vfs_register(real, 1);
}

void fault_vfs_arm(enum fault_vfs_kind kind, int calls_before)
{
    armed = kind;
    until_fault = calls_before;
}

bool fault_vfs_disarm(void)
{
    bool struck = until_fault < 0;

    until_fault = -1;
    return struck;
}
