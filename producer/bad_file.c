#include "producer/bad_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

struct bad_file {
    FILE *file;
    char *path;
    char *temporary; /* its name while it is written; removed at close */
};

static int failed(const struct bad_file *bad, const char *what, struct error *err)
{
    return error_set(err, EX_IOERR, "cannot %s %s: %s", what, bad->path, strerror(errno));
}

static int add_line(struct bad_file *bad, const char *data, size_t len)
{
    return fwrite(data, 1, len, bad->file) == len && putc('\n', bad->file) != EOF ? 0 : -1;
}

int bad_file_open(struct bad_file **ret, const char *path, const char *header, size_t header_len,
                  struct error *err)
{
    struct bad_file *bad = calloc(1, sizeof(*bad));
    size_t size = strlen(path) + sizeof(".XXXXXX");
    int fd = -1;

    if (!bad || !(bad->path = strdup(path)) || !(bad->temporary = malloc(size))) {
        error_set(err, EX_OSERR, "out of memory");
        goto fail;
    }
    snprintf(bad->temporary, size, "%s.XXXXXX", path);
    fd = mkostemp(bad->temporary, O_CLOEXEC); /* mode 0600 */
    if (fd < 0) {
        failed(bad, "make", err);
        free(bad->temporary);
        bad->temporary = NULL;
        goto fail;
    }
    bad->file = fdopen(fd, "w+");
    if (!bad->file) {
        failed(bad, "make", err);
        close(fd);
        goto fail;
    }
    if (header && add_line(bad, header, header_len) != 0) {
        failed(bad, "write", err);
        goto fail;
    }
    *ret = bad;
    return 0;

fail:
    bad_file_close(bad);
    return -1;
}

int bad_file_add(struct bad_file *bad, const char *raw, size_t len, struct error *err)
{
    return add_line(bad, raw, len) == 0 ? 0 : failed(bad, "write", err);
}

/* Returns 1 when both have the same bytes, 0 when not, -1 when one cannot be read. */
static int same_content(FILE *a, FILE *b)
{
    int byte_a;
    int byte_b;

    rewind(a);
    rewind(b);
    do {
        byte_a = getc_unlocked(a);
        byte_b = getc_unlocked(b);
    } while (byte_a == byte_b && byte_a != EOF);
    return ferror(a) || ferror(b) ? -1 : byte_a == byte_b;
}

static int compare_with_old(struct bad_file *bad, struct error *err)
{
    FILE *old = fopen(bad->path, "re");
    int same = old ? same_content(bad->file, old) : -1;

    if (same < 0) {
        failed(bad, "read", err);
    } else if (same == 0) {
        error_set(err, EX_DATAERR,
                  "%s is there already, with other rows: it may hold what somebody mended; move it "
                  "away and run again",
                  bad->path);
    }
    if (old) {
        fclose(old);
    }
    return same > 0 ? 0 : -1;
}

/* A new name is durable when its folder is. */
static int sync_folder(const struct bad_file *bad)
{
    char *copy = strdup(bad->path);
    int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int result = fd >= 0 ? fsync(fd) : -1;

    if (fd >= 0) {
        close(fd);
    }
    free(copy);
    return result;
}

int bad_file_finish(struct bad_file *bad, struct error *err)
{
    if (fflush(bad->file) != 0 || fsync(fileno(bad->file)) != 0) {
        return failed(bad, "write", err);
    }
    /* Unlike rename(), link() never replaces a file. */
    if (link(bad->temporary, bad->path) != 0) {
        return errno == EEXIST ? compare_with_old(bad, err) : failed(bad, "make", err);
    }
    return sync_folder(bad) == 0 ? 0 : failed(bad, "sync the folder of", err);
}

void bad_file_close(struct bad_file *bad)
{
    if (!bad) {
        return;
    }
    if (bad->file) {
        fclose(bad->file);
    }
    if (bad->temporary) {
        unlink(bad->temporary);
    }
    free(bad->temporary);
    free(bad->path);
    free(bad);
}
