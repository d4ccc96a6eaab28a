/*
 * A scratch ledger: a file in a folder of its own in $TMPDIR or /tmp, which is gone with its use.
 */
#ifndef CONSUMER_SCRATCH_H
#define CONSUMER_SCRATCH_H

#include "common/compiler.h"
#include "common/error.h"

#define SCRATCH_FOLDER_SIZE 4096

struct scratch {
    char folder[SCRATCH_FOLDER_SIZE];    /* "" = there is none */
    char path[SCRATCH_FOLDER_SIZE + 16]; /* of the ledger, which the caller opens and closes */
};

/* Make the folder. Fails with EX_CANTCREAT. */
MUST_CHECK int scratch_make(struct scratch *ret, struct error *err);

/* Remove folder and ledger, which is closed. A zeroed one is accepted. */
void scratch_remove(struct scratch *scratch);

#endif
