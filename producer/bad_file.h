/*
 * FILE.bad: the rows that --skip-bad leaves out, as they stood in the input, to be mended. It comes
 * into being whole, or not at all, and never in place of another: that may hold mended rows.
 */
#ifndef PRODUCER_BAD_FILE_H
#define PRODUCER_BAD_FILE_H

#include "common/compiler.h"
#include "common/error.h"

#include <stddef.h>

struct bad_file;

/*
 * Begin a temporary file beside path. header is its first line, or NULL. Fails with EX_IOERR. On
 * success the caller closes *ret.
 */
MUST_CHECK int bad_file_open(struct bad_file **ret, const char *path, const char *header,
                             size_t header_len, struct error *err);

/* Add a row as a line. Fails with EX_IOERR. */
MUST_CHECK int bad_file_add(struct bad_file *bad, const char *raw, size_t len, struct error *err);

/*
 * Sync it and give it its name. When path is there already: succeeds if it has the same content,
 * else fails with EX_DATAERR. Other failures are EX_IOERR.
 */
MUST_CHECK int bad_file_finish(struct bad_file *bad, struct error *err);

/* Close; NULL is accepted. The temporary file is removed. */
void bad_file_close(struct bad_file *bad);

#endif
