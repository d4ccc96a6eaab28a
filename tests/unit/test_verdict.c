/* The verdict: one exit code for one answer, and the worst for many. */
#include "producer/verdict.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sysexits.h>

Test(verdict, each_answer_has_its_exit_code)
{
    static const struct {
        enum outcome answer;
        int code;
        int cancel;
    } rows[] = {
        {OUTCOME_APPLIED, 0, 1},
        {OUTCOME_REJECTED, VERDICT_REJECTED, 0},
        {OUTCOME_CONFLICT, VERDICT_CONFLICT, VERDICT_CONFLICT},
        {OUTCOME_QUARANTINED, VERDICT_QUARANTINED, VERDICT_QUARANTINED},
        {OUTCOME_NONE, EX_TEMPFAIL, EX_TEMPFAIL},
        {OUTCOME_DUPLICATE, EX_TEMPFAIL, EX_TEMPFAIL}, /* says nothing without its first */
        {OUTCOME_REDELIVERED, EX_TEMPFAIL, EX_TEMPFAIL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(verdict_exit(rows[i].answer), rows[i].code, "row %zu", i);
        cr_expect_eq(verdict_cancel(rows[i].answer), rows[i].cancel, "row %zu", i);
    }
}

Test(verdict, the_worst_of_many_decides)
{
    static const struct {
        struct verdict_counts counts; /* applied, rejected, conflict, quarantined, unknown */
        int code;
    } rows[] = {
        {{0, 0, 0, 0, 0}, 0},           {{9, 0, 0, 0, 0}, 0},
        {{9, 1, 0, 0, 0}, 1},           {{9, 9, 1, 0, 0}, 2},
        {{9, 9, 9, 1, 0}, 3},           {{9, 9, 9, 9, 1}, EX_TEMPFAIL},
        {{0, 0, 0, 0, 1}, EX_TEMPFAIL}, {{0, 0, 1, 0, 1}, EX_TEMPFAIL},
        {{0, 1, 0, 1, 0}, 3},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(verdict_worst(&rows[i].counts), rows[i].code, "row %zu", i);
    }
}

Test(verdict, counts_each_answer_in_its_place)
{
    static const enum outcome answers[] = {OUTCOME_APPLIED,  OUTCOME_APPLIED,     OUTCOME_REJECTED,
                                           OUTCOME_CONFLICT, OUTCOME_QUARANTINED, OUTCOME_NONE};
    struct verdict_counts counts = {0};

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        verdict_count(&counts, answers[i]);
    }
    cr_expect_eq(counts.applied, 2);
    cr_expect_eq(counts.rejected, 1);
    cr_expect_eq(counts.conflict, 1);
    cr_expect_eq(counts.quarantined, 1);
    cr_expect_eq(counts.unknown, 1);
    cr_expect_eq(verdict_decided(&counts), 5);
}

Test(verdict, counts_are_moved_and_added)
{
    struct verdict_counts counts = {.unknown = 5};
    const struct verdict_counts more = {1, 2, 3, 4, 5};
    const struct verdict_counts wanted = {3, 3, 3, 4, 7};

    verdict_move(&counts, 3, OUTCOME_NONE, OUTCOME_APPLIED);
    verdict_move(&counts, 1, OUTCOME_APPLIED, OUTCOME_REJECTED);
    verdict_add(&counts, &more);
    cr_expect_eq(memcmp(&counts, &wanted, sizeof(counts)), 0);
}
