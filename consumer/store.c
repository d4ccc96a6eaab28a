#include "consumer/store.h"

#include "consumer/store_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

void store_close(struct store *store)
{
    if (store) {
        store->ops->close(store);
    }
}

enum store_status store_begin_chunk(struct store *store, struct chunk *chunk, struct error *err)
{
    enum store_status status = store->ops->begin(store, err);

    if (status == STORE_OK) {
        status = store->ops->claim(store, chunk, err);
    }
    return status == STORE_OK ? store->ops->load(store, chunk, err) : status;
}

enum store_status store_end_chunk(struct store *store, enum store_status status,
                                  struct chunk *chunk, struct error *err)
{
    if (status == STORE_OK) {
        status = store->ops->save(store, chunk, err);
    }
    if (status == STORE_OK) {
        status = store->ops->commit(store, err);
    }
    if (status != STORE_OK) {
        store->ops->rollback(store);
    }
    return status;
}

void store_stats_release(struct store_stats *stats)
{
    free(stats->topic);
    free(stats->currencies);
    free(stats->positions);
    *stats = (struct store_stats){.topic = NULL};
}

static int sync_path(const char *path, int flags, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    int result = fd >= 0 ? fsync(fd) : -1;

    if (result != 0) {
        error_set(err, EX_IOERR, "%s: %s", path, strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    return result;
}

int store_sync_name(const char *path, struct error *err)
{
    char *copy = strdup(path); /* dirname() changes it */

    if (!copy) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    int result = sync_path(path, 0, err);
    if (result == 0) {
        result = sync_path(dirname(copy), O_DIRECTORY, err);
    }
    free(copy);
    return result;
}
