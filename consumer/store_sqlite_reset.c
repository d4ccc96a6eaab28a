#include "consumer/store_reset.h"
#include "consumer/store_sqlite_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum store_status store_sqlite_reset(struct store *base, struct error *err)
{
    static const char sql[] = "UPDATE accounts SET balance_minor = 0; DELETE FROM totals;"
                              "DELETE FROM forgotten_postings; DELETE FROM forgotten_totals;"
                              "UPDATE store SET reset_seq = " LAST_SEQ_SQL;
    enum store_status status = base->ops->begin(base, err);

    if (status == STORE_OK) {
        status = sqlite_exec(sqlite_of(base), sql, "reset", err);
    }
    return sqlite_end(base, status, err);
}

int store_sqlite_remove(const char *path, struct error *err)
{
    static const char *const suffixes[] = {"-wal", "-shm", ""};
    char file[PATH_MAX];

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        int len = snprintf(file, sizeof(file), "%s%s", path, suffixes[i]);
        if (len >= (int)sizeof(file) || (unlink(file) != 0 && errno != ENOENT)) {
            return error_set(err, EX_IOERR, "%s%s: %s", path, suffixes[i], strerror(errno));
        }
    }
    return 0;
}
