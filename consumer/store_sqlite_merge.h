/*
 * All keys of a store in the order of their stored forms, out of all segments side by side. Only
 * files of the SQLite store include this header.
 */
#ifndef CONSUMER_STORE_SQLITE_MERGE_H
#define CONSUMER_STORE_SQLITE_MERGE_H

#include "consumer/store_sqlite_internal.h"

/* A key on its way; valid until the next step. */
struct sqlite_merged {
    const unsigned char *form; /* NULL = the end */
    size_t form_len;
    int64_t seq;
    int64_t segment;
};

struct sqlite_merge;

/*
 * Begin, in an open transaction: some 20 KiB a segment. segments is how many there are, the current
 * one counted. On STORE_OK the caller closes *ret.
 */
enum store_status sqlite_merge_open(struct sqlite_merge **ret, struct store_sqlite *store,
                                    int64_t segments, struct error *err);

/*
 * The next key. After a failure the segment that cannot be read is at its end: the caller may go on
 * with the others.
 */
enum store_status sqlite_merge_next(struct sqlite_merge *merge, struct sqlite_merged *ret,
                                    struct error *err);

/* NULL is accepted. */
void sqlite_merge_close(struct sqlite_merge *merge);

/* As memcmp(), for stored forms. */
int sqlite_compare_forms(const unsigned char *a, size_t a_len, const unsigned char *b,
                         size_t b_len);

#endif
