#include "producer/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define BUFFER_SIZE 262144

/* Bytes of the longest texts of a payment. */
#define TEXTS_MAX (PAYMENT_KEY_MAX + 2 * PAYMENT_ACCOUNT_MAX)

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
    __fsetlocking(spool->file, FSETLOCKING_BYCALLER); /* a spool belongs to one thread */
    *ret = spool;
    return 0;

fail:
    if (fd >= 0) {
        close(fd);
    }
    spool_close(spool);
    return -1;
}

static unsigned char *put(unsigned char *to, const void *from, size_t len)
{
    memcpy(to, from, len);
    return to + len;
}

int spool_append(struct spool *spool, const struct payment *payment, struct error *err)
{
    unsigned char bytes[sizeof(struct frame) + TEXTS_MAX];
    unsigned char *end = bytes;
    struct frame frame = {
        .amount_minor = payment->amount_minor,
        .key_len = (unsigned char)strlen(payment->key),
        .src_len = (unsigned char)strlen(payment->src),
        .dest_len = (unsigned char)strlen(payment->dest),
    };

    memcpy(frame.currency, payment->currency, sizeof(frame.currency));
    end = put(end, &frame, sizeof(frame));
    end = put(end, payment->key, frame.key_len);
    end = put(end, payment->src, frame.src_len);
    end = put(end, payment->dest, frame.dest_len);
    if (fwrite(bytes, (size_t)(end - bytes), 1, spool->file) != 1) {
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

/* Reads what stands behind a frame. */
static bool read_texts(struct spool *spool, const struct frame *frame, struct payment *ret)
{
    char texts[TEXTS_MAX];
    size_t len = (size_t)frame->key_len + frame->src_len + frame->dest_len;

    if (frame->src_len > PAYMENT_ACCOUNT_MAX || frame->dest_len > PAYMENT_ACCOUNT_MAX ||
        fread(texts, 1, len, spool->file) != len) {
        return false;
    }
    payment_copy(ret->key, texts, frame->key_len);
    payment_copy(ret->src, texts + frame->key_len, frame->src_len);
    payment_copy(ret->dest, texts + frame->key_len + frame->src_len, frame->dest_len);
    return true;
}

int spool_next(struct spool *spool, struct payment *ret, struct error *err)
{
    struct frame frame;

    if (spool->read == spool->added) {
        return 0;
    }
    errno = 0;
    if (fread(&frame, sizeof(frame), 1, spool->file) != 1 || !read_texts(spool, &frame, ret)) {
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
