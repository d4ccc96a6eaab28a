#include "consumer/scratch.h"

#include "consumer/store_reset.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

int scratch_make(struct scratch *ret, struct error *err)
{
    const char *temporary = getenv("TMPDIR");

    snprintf(ret->folder, sizeof(ret->folder), "%s/payd-scratch-XXXXXX",
             temporary && temporary[0] ? temporary : "/tmp");
    if (!mkdtemp(ret->folder)) {
        error_set(err, EX_CANTCREAT, "%s: %s (set TMPDIR to a folder with room)", ret->folder,
                  strerror(errno));
        ret->folder[0] = '\0';
        return -1;
    }
    snprintf(ret->path, sizeof(ret->path), "%s/scratch.db", ret->folder);
    return 0;
}

void scratch_remove(struct scratch *scratch)
{
    struct error ignored; /* what cannot be removed is left in a temporary folder */

    if (scratch->folder[0] && store_sqlite_remove(scratch->path, &ignored) == 0) {
        rmdir(scratch->folder);
    }
    scratch->folder[0] = '\0';
}
