/*
 * Whose a consumer group is, by what stands in its metadata.
 */
#include "consumer/owner.h"

#include <criterion/criterion.h>
#include <string.h>

#define OURS   "018f3c6e-0123-7abc-89de-f0123456789a"
#define THEIRS "018f3c6e-0123-7abc-89de-f0123456789b"
#define OPENED "01900000-0000-7000-8000-000000000001"
#define OTHER  "01900000-0000-7000-8000-000000000002"

static const struct store_identity self = {OURS, OPENED, 5, 100, 0};

Test(owner, what_is_written_is_read_back_as_our_own)
{
    char text[OWNER_TEXT_SIZE];

    cr_expect_str_eq(owner_write(text, &self), "payd1 " OURS " 5 100 " OPENED);
    cr_expect_eq(owner_judge(&self, true, text), OWNER_SELF);
}

Test(owner, whoever_stands_there_is_read)
{
    struct store_identity found;
    char text[OWNER_TEXT_SIZE];

    cr_assert(owner_read(owner_write(text, &self), &found));
    cr_expect_str_eq(found.uuid, OURS);
    cr_expect_str_eq(found.opening, OPENED);
    cr_expect_eq(found.incarnation, 5);
    cr_expect_eq(found.chunks, 100);
    cr_expect_not(owner_read(NULL, &found));
    cr_expect_not(owner_read("", &found));
    cr_expect_not(owner_read("payd1 " OURS " 5", &found));
}

Test(owner, the_longest_identity_fits)
{
    const struct store_identity longest = {OURS, OPENED, INT64_MAX, INT64_MAX, 0};
    char text[OWNER_TEXT_SIZE];

    cr_expect_eq(owner_judge(&longest, true, owner_write(text, &longest)), OWNER_SELF, "%s", text);
}

Test(owner, is_judged_by_ledger_incarnation_chunk_and_opening)
{
    static const struct {
        const char *text;
        bool claimed;
        enum owner owner;
    } rows[] = {
        {NULL, false, OWNER_NOBODY},
        {"", false, OWNER_NOBODY},
        {"lag tool", false, OWNER_NOBODY},
        {"payd1 " OURS " 5", false, OWNER_NOBODY},
        {"payd1 " OURS " 4 100 " OTHER, false, OWNER_SELF}, /* the last time it ran */
        {"payd1 " OURS " 1 0 " OTHER, false, OWNER_SELF},
        {"payd1 " OURS " 4 101 " OTHER, false, OWNER_NEWER}, /* went further than we have */
        {"payd1 " OURS " 6 1 " OTHER, false, OWNER_NEWER},
        {"payd1 " OURS " 5 100 " OTHER, false, OWNER_NEWER}, /* a copy opened as often as we */
        {"payd1 " OURS " 5 100 " OTHER, true, OWNER_NEWER},
        {"payd1 " OURS " 5 100 " OPENED, true, OWNER_SELF},
        {"payd1 " OURS " 5 99 " OPENED, true, OWNER_SELF},
        {"payd1 " OURS " 5 101 " OPENED, true, OWNER_NEWER},
        {"payd1 " OURS " 4 7 " OTHER, true, OWNER_SELF}, /* an old claim on another partition */
        {"payd1 " THEIRS " 1 1 " OTHER, false, OWNER_FOREIGN},
        {"payd1 " THEIRS " 5 100 " OPENED, true, OWNER_FOREIGN},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(owner_judge(&self, rows[i].claimed, rows[i].text), rows[i].owner, "row %zu",
                     i);
    }
}
