#include "producer/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define BUFFER_SIZE 262144

struct spool {
    FILE *file;
    char *directory;
    int64_t added;
    int64_t read;
};

/* What stands before the bytes of a payment's texts. Written and read by one process only. */
struct frame {
    int64_t amount_minor;
    unsigned char key_len;
    unsigned char src_len;
    unsigned char dest_len;
    char currency[MONEY_CURRENCY_SIZE];
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
    int fd = -1;

    if (!spool || !(spool->directory = strdup(directory))) {
        error_set(err, EX_OSERR, "out of memory");
        goto fail;
    }
    fd = open_unnamed(directory);
    if (fd < 0 || !(spool->file = fdopen(fd, "w+"))) {
        failed(spool, "make", err);
        goto fail;
    }
    setvbuf(spool->file, NULL, _IOFBF, BUFFER_SIZE);
    *ret = spool;
    return 0;

fail:
    if (fd >= 0) {
        close(fd);
    }
    spool_close(spool);
    return -1;
}

int spool_append(struct spool *spool, const struct payment *payment, struct error *err)
{
    struct frame frame = {
        .amount_minor = payment->amount_minor,
        .key_len = (unsigned char)strlen(payment->key),
        .src_len = (unsigned char)strlen(payment->src),
        .dest_len = (unsigned char)strlen(payment->dest),
    };

    memcpy(frame.currency, payment->currency, sizeof(frame.currency));
    if (fwrite(&frame, sizeof(frame), 1, spool->file) != 1 ||
        fwrite(payment->key, 1, frame.key_len, spool->file) != frame.key_len ||
        fwrite(payment->src, 1, frame.src_len, spool->file) != frame.src_len ||
        fwrite(payment->dest, 1, frame.dest_len, spool->file) != frame.dest_len) {
        return failed(spool, "write", err);
    }
    spool->added++;
    return 0;
}

int spool_rewind(struct spool *spool, struct error *err)
{
    if (fflush(spool->file) != 0 || fseek(spool->file, 0, SEEK_SET) != 0) {
        return failed(spool, "write", err);
    }
    spool->read = 0;
    return 0;
}

static bool read_text(struct spool *spool, char *field, size_t max, size_t len)
{
    if (len > max || fread(field, 1, len, spool->file) != len) {
        return false;
    }
    field[len] = '\0';
    return true;
}

int spool_next(struct spool *spool, struct payment *ret, struct error *err)
{
    struct frame frame;

    if (spool->read == spool->added) {
        return 0;
    }
    errno = 0;
    memset(ret, 0, sizeof(*ret));
    if (fread(&frame, sizeof(frame), 1, spool->file) != 1 ||
        !read_text(spool, ret->key, PAYMENT_KEY_MAX, frame.key_len) ||
        !read_text(spool, ret->src, PAYMENT_ACCOUNT_MAX, frame.src_len) ||
        !read_text(spool, ret->dest, PAYMENT_ACCOUNT_MAX, frame.dest_len)) {
        return error_set(err, EX_IOERR, "cannot read the spool in %s: %s", spool->directory,
                         errno ? strerror(errno) : "it is shorter than what was written");
    }
    memcpy(ret->currency, frame.currency, sizeof(ret->currency));
    ret->amount_minor = frame.amount_minor;
    spool->read++;
    return 1;
}

void spool_close(struct spool *spool)
{
    if (!spool) {
        return;
    }
    if (spool->file) {
        fclose(spool->file);
    }
    free(spool->directory);
    free(spool);
}
