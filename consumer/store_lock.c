#include "consumer/store_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sysexits.h>
#include <unistd.h>

#ifndef CIFS_SUPER_MAGIC
#define CIFS_SUPER_MAGIC 0xFF534D42
#endif
#ifndef SMB2_SUPER_MAGIC
#define SMB2_SUPER_MAGIC 0xFE534D42
#endif
#ifndef CEPH_SUPER_MAGIC
#define CEPH_SUPER_MAGIC 0x00C36400
#endif
#ifndef FUSE_SUPER_MAGIC
#define FUSE_SUPER_MAGIC 0x65735546
#endif

/* File systems whose locks or syncs cannot be relied on. Magic numbers: statfs(2). */
static const struct {
    unsigned long magic;
    const char *name;
} refused_systems[] = {
    {NFS_SUPER_MAGIC, "NFS"},   {SMB_SUPER_MAGIC, "SMB"},   {CIFS_SUPER_MAGIC, "CIFS"},
    {SMB2_SUPER_MAGIC, "SMB2"}, {AFS_SUPER_MAGIC, "AFS"},   {CODA_SUPER_MAGIC, "Coda"},
    {V9FS_MAGIC, "9P"},         {CEPH_SUPER_MAGIC, "Ceph"}, {FUSE_SUPER_MAGIC, "FUSE"},
};

/* Looks the holder of the flock up in /proc/locks by inode. 0 = not found. */
static long find_holder(const struct stat *file)
{
    FILE *locks = fopen("/proc/locks", "re");
    char *line = NULL;
    size_t size = 0;
    long holder = 0;

    while (locks && holder == 0 && getline(&line, &size, locks) >= 0) {
        long pid;
        unsigned device_major;
        unsigned device_minor;
        unsigned long inode;
        if (sscanf(line, "%*s FLOCK %*s %*s %ld %x:%x:%lu", &pid, &device_major, &device_minor,
                   &inode) == 4 &&
            inode == file->st_ino && device_major == major(file->st_dev) &&
            device_minor == minor(file->st_dev)) {
            holder = pid;
        }
    }
    free(line);
    if (locks) {
        fclose(locks);
    }
    return holder;
}

static int refuse_held(const char *path, const struct stat *file, struct error *err)
{
    long holder = find_holder(file);
    char command[64] = "";

    if (holder <= 0) {
        return error_set(err, EX_IOERR, "%s: another process is writing this store", path);
    }
    snprintf(command, sizeof(command), "/proc/%ld/comm", holder);
    FILE *comm = fopen(command, "re");
    if (!comm || !fgets(command, sizeof(command), comm)) {
        snprintf(command, sizeof(command), "?");
    }
    if (comm) {
        fclose(comm);
    }
    command[strcspn(command, "\n")] = '\0';
    return error_set(err, EX_IOERR,
                     "%s: process %ld (%s) is writing this store; a store has one "
                     "writer",
                     path, holder, command);
}

static int check_mount(int fd, const char *path, struct error *err)
{
    struct statx details;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &details) == 0 &&
        (details.stx_attributes & STATX_ATTR_MOUNT_ROOT)) {
        return error_set(err, EX_IOERR,
                         "%s: the file is itself a mount point, so its WAL would not "
                         "be beside it; mount its directory instead",
                         path);
    }
    return 0;
}

static int check_system(int fd, const char *path, struct error *err)
{
    struct statfs system;

    if (fstatfs(fd, &system) != 0) {
        return error_set(err, EX_IOERR, "%s: %s", path, strerror(errno));
    }
    for (size_t i = 0; i < sizeof(refused_systems) / sizeof(refused_systems[0]); i++) {
        if ((unsigned long)system.f_type == refused_systems[i].magic) {
            return error_set(err, EX_IOERR,
                             "%s: lies on %s, whose locks cannot be relied on; use a "
                             "local disk",
                             path, refused_systems[i].name);
        }
    }
    return 0;
}

int store_lock_check(const char *path, int fd, struct error *err)
{
    struct stat opened;
    struct stat named;

    if (fstat(fd, &opened) != 0 || stat(path, &named) != 0) {
        return error_set(err, EX_IOERR, "%s: %s", path, strerror(errno));
    }
    if (opened.st_ino != named.st_ino || opened.st_dev != named.st_dev) {
        return error_set(err, EX_IOERR, "%s: the file was replaced while it was open", path);
    }
    if (opened.st_nlink > 1) {
        return error_set(err, EX_IOERR,
                         "%s: has %lu hard links, and each name would have a WAL of "
                         "its own; keep one",
                         path, (unsigned long)opened.st_nlink);
    }
    return 0;
}

static int check_file(int fd, const char *path, struct error *err)
{
    struct stat opened;

    if (fstat(fd, &opened) != 0) {
        return error_set(err, EX_IOERR, "%s: %s", path, strerror(errno));
    }
    if (!S_ISREG(opened.st_mode)) {
        return error_set(err, EX_IOERR, "%s: is not a regular file", path);
    }
    if (store_lock_check(path, fd, err) != 0) {
        return -1;
    }
    if (check_mount(fd, path, err) != 0) {
        return -1;
    }
    return check_system(fd, path, err);
}

/* A new file's name is durable only when its directory is synced. */
static int sync_directory(const char *path, struct error *err)
{
    char *copy = strdup(path);
    int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int result = 0;

    if (fd < 0 || fsync(fd) != 0) {
        result = error_set(err, EX_IOERR, "%s: its directory cannot be synced: %s", path,
                           strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    free(copy);
    return result;
}

int store_lock_take(const char *path, int *ret_fd, struct error *err)
{
    struct stat file;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);

    if (fd < 0) {
        return error_set(err, EX_IOERR, "%s: %s", path, strerror(errno));
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK && fstat(fd, &file) == 0) {
            refuse_held(path, &file, err);
        } else {
            error_set(err, EX_IOERR, "%s: cannot be locked: %s", path, strerror(errno));
        }
        close(fd);
        return -1;
    }
    if (check_file(fd, path, err) != 0 || sync_directory(path, err) != 0) {
        close(fd);
        return -1;
    }
    *ret_fd = fd;
    return 0;
}
