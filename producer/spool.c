#include "producer/spool.h"

#include "producer/batch_digest.h"
#include "producer/batch_row.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* Bytes that are written and read at once. */
#define BLOCK_SIZE 262144

struct spool {
    int fd;
    char *directory;
    struct batch_digest *digest;
    int64_t added;
    struct spool_mark next; /* to be given out */
    bool is_reading;

    /* Rows that are not written yet, or were read and are not given out yet from at on. */
    size_t used;
    size_t at;
    unsigned char block[BLOCK_SIZE];
};

static int failed(const struct spool *spool, const char *what, struct error *err)
{
    return error_set(err, EX_IOERR,
                     "cannot %s the spool in %s: %s; to use another folder, set TMPDIR", what,
                     spool->directory, strerror(errno));
}

static int open_unnamed(const char *directory)
{
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char path[4096];

    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) {
        return fd;
    }
    /* This file system has no files without a name. */
    if (snprintf(path, sizeof(path), "%s/pay-spool.XXXXXX", directory) >= (int)sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) {
        unlink(path);
    }
    return fd;
}

int spool_open(struct spool **ret, const char *directory, struct error *err)
{
    struct spool *spool = calloc(1, sizeof(*spool));

    if (!spool) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    spool->fd = -1;
    spool->directory = strdup(directory);
    if (!spool->directory) {
        error_set(err, EX_OSERR, "out of memory");
        goto fail;
    }
    if (batch_digest_open(&spool->digest, err) != 0) {
        goto fail;
    }
    spool->fd = open_unnamed(directory);
    if (spool->fd < 0) {
        failed(spool, "make", err);
        goto fail;
    }
    *ret = spool;
    return 0;

fail:
    spool_close(spool);
    return -1;
}

/* What is in the block is both written and part of the digest: these are the same bytes. */
static int write_block(struct spool *spool, struct error *err)
{
    size_t done = 0;

    while (done < spool->used) {
        ssize_t len = write(spool->fd, spool->block + done, spool->used - done);
        if (len < 0 && errno != EINTR) {
            return failed(spool, "write", err);
        }
        done += len > 0 ? (size_t)len : 0;
    }
    spool->used = 0;
    return batch_digest_add_rows(spool->digest, spool->block, done, err);
}

int spool_append(struct spool *spool, const struct payment *payment, struct error *err)
{
    if (sizeof(spool->block) - spool->used < BATCH_ROW_MAX && write_block(spool, err) != 0) {
        return -1;
    }
    spool->used += batch_row_put(payment, spool->block + spool->used);
    spool->added++;
    return 0;
}

int spool_finish(struct spool *spool, char ret[PAYMENT_DIGEST_LEN + 1], struct error *err)
{
    spool->is_reading = true; /* from now on the block is for reading */
    return write_block(spool, err) == 0 ? batch_digest_finish(spool->digest, ret, err) : -1;
}

int spool_rewind(struct spool *spool, struct error *err)
{
    if (!spool->is_reading && write_block(spool, err) != 0) {
        return -1;
    }
    spool->is_reading = true;
    return spool_return(spool, (struct spool_mark){.rows = 0}, err);
}

struct spool_mark spool_here(const struct spool *spool)
{
    return spool->next;
}

int spool_return(struct spool *spool, struct spool_mark mark, struct error *err)
{
    if (lseek(spool->fd, mark.bytes, SEEK_SET) != mark.bytes) {
        return failed(spool, "read", err);
    }
    spool->used = 0;
    spool->at = 0;
    spool->next = mark;
    return 0;
}

/* Reads on behind what is left in the block. */
static int read_block(struct spool *spool, struct error *err)
{
    ssize_t len;

    memmove(spool->block, spool->block + spool->at, spool->used - spool->at);
    spool->used -= spool->at;
    spool->at = 0;
    do {
        len = read(spool->fd, spool->block + spool->used, sizeof(spool->block) - spool->used);
    } while (len < 0 && errno == EINTR);
    if (len <= 0) {
        return error_set(err, EX_IOERR, "cannot read the spool in %s: %s", spool->directory,
                         len < 0 ? strerror(errno) : "it is not what was written");
    }
    spool->used += (size_t)len;
    return 0;
}

int spool_next(struct spool *spool, struct payment *ret, struct error *err)
{
    size_t len;

    if (spool->next.rows == spool->added) {
        return 0;
    }
    while ((len = batch_row_take(spool->block + spool->at, spool->used - spool->at, ret)) == 0) {
        if (read_block(spool, err) != 0) {
            return -1;
        }
    }
    spool->at += len;
    spool->next.rows++;
    spool->next.bytes += (int64_t)len;
    return 1;
}

void spool_close(struct spool *spool)
{
    if (!spool) {
        return;
    }
    if (spool->fd >= 0) {
        close(spool->fd);
    }
    batch_digest_close(spool->digest);
    free(spool->directory);
    free(spool);
}
