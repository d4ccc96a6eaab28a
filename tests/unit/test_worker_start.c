/*
 * Where reading starts, from what the store has and what the log holds; and when it must not.
 */
#include "consumer/worker.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sysexits.h>

#define NO_START INT64_C(-77)
#define FAR      INT64_C(9000000000000000000)

static const struct {
    bool found;
    int64_t stored;
    int64_t low;
    int64_t high;
    bool from_log_start;
    int64_t start;    /* NO_START = refused */
    const char *text; /* a part of the refusal */
} rows[] = {
    /* a new store */
    {false, 0, 0, 0, false, 0, ""},
    {false, 0, 0, 100, false, 0, ""},
    {false, 0, 1, 100, false, NO_START,
     "the log begins at offset 1 and this store has read nothing of it: --from-log-start"},
    {false, 0, 50, 50, false, NO_START, "the log begins at offset 50 and"},
    {false, 0, 50, 100, true, 50, ""},
    {false, 0, 0, 100, true, 0, ""},
    /* a store with a position: the log must hold it */
    {true, 0, 0, 0, false, 0, ""},
    {true, 0, 0, 100, false, 0, ""},
    {true, 60, 50, 100, false, 60, ""},
    {true, 50, 50, 100, false, 50, ""},
    {true, 100, 50, 100, false, 100, ""},
    {true, 100, 100, 100, false, 100, ""},
    {true, 49, 50, 100, false, NO_START,
     "the log begins at offset 50, the store is at 49: 1 records are gone unread"},
    {true, 0, 50, 100, false, NO_START,
     "go on without them: payd position --db l.db --partition 3 --to 50"},
    {true, 101, 50, 100, false, NO_START,
     "the log ends at offset 100, the store is at 101: the topic was truncated or made anew"},
    {true, 7, 0, 0, false, NO_START,
     "its keys being remembered: payd position --db l.db --new-log"},
    {true, FAR, FAR - 1, FAR + 1, false, FAR, ""},
    {true, FAR, 0, 5, false, NO_START, "the store is at 9000000000000000000"},
    /* the option is for a new store only: a gap behind a position stays a gap */
    {true, 60, 50, 100, true, 60, ""},
    {true, 49, 50, 100, true, NO_START, "the store is at 49"},
    {true, 101, 50, 100, true, NO_START, "the store is at 101"},
};

Test(worker_start, starts_where_the_store_is_or_says_why_not)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct error err = {EX_OK, ""};
        int64_t start = NO_START;
        const struct worker_place place = {.db = "l.db",
                                           .partition = 3,
                                           .found = rows[i].found,
                                           .stored = rows[i].stored,
                                           .low = rows[i].low,
                                           .high = rows[i].high,
                                           .from_log_start = rows[i].from_log_start};
        int result = worker_start(&place, &start, &err);
        cr_expect_eq(start, rows[i].start, "row %zu: %lld", i, (long long)start);
        cr_expect_eq(result, rows[i].start == NO_START ? -1 : 0, "row %zu", i);
        cr_expect_eq(err.code, rows[i].start == NO_START ? EX_CONFIG : EX_OK, "row %zu", i);
        cr_expect(strstr(err.text, rows[i].text) != NULL, "row %zu: %s", i, err.text);
    }
}
