/*
 * The waitlist: which of our own commands have no answer yet.
 *
 * An answer belongs to key and payload: to the digest of the command as it was sent, or, when it
 * was quarantined because it could not be read, to the digest of its raw value. Other answers to
 * the same key are somebody else's. Commands with the same key and payload share a row, since they
 * get the same answer.
 *
 * Memory: 40 bytes a row and 16 to 32 bytes of index, taken when it is opened: 1,000,000 rows need
 * some 60 MB. Keys are kept as digests only.
 */
#ifndef PRODUCER_WAITLIST_H
#define PRODUCER_WAITLIST_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/outcome_record.h"
#include "producer/verdict.h"

#include <stddef.h>
#include <stdint.h>

/* More commands are not waited for: some 270 MB. */
#define WAITLIST_ROWS_MAX 4000000

struct waitlist;

/*
 * Make room for so many commands, all of them without an answer so far. Fails with EX_USAGE above
 * WAITLIST_ROWS_MAX, and EX_OSERR. On success the caller closes *ret.
 */
MUST_CHECK int waitlist_open(struct waitlist **ret, int64_t rows, struct error *err);

/*
 * Wait for a command and its value as it is sent. No more may be added than waitlist_open() made
 * room for. Fails with EX_OSERR.
 */
MUST_CHECK int waitlist_add(struct waitlist *list, const struct command *command, const char *value,
                            size_t value_len, struct error *err);

/*
 * Take a record of the outcomes topic. The first answer stays, except that a decision (applied,
 * rejected) takes the place of conflict and quarantined. *ret_rows is how many commands have a new
 * answer by it: 0 when it belongs to none, or to such as were answered before. Fails with EX_OSERR.
 */
MUST_CHECK int waitlist_answer(struct waitlist *list, const struct outcome_record *record,
                               int64_t *ret_rows, struct error *err);

/* Set *ret_answer to the answer of a command, OUTCOME_NONE for none. Fails with EX_OSERR. */
MUST_CHECK int waitlist_look(struct waitlist *list, const struct command *command,
                             enum outcome *ret_answer, struct error *err);

/* The answers so far; those not added yet count as unknown. Borrowed. */
const struct verdict_counts *waitlist_counts(const struct waitlist *list);

/* NULL is accepted. */
void waitlist_close(struct waitlist *list);

#endif
