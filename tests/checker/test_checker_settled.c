/*
 * I10 and the outcomes topic: when all is over, everything is read, committed and answered.
 */
#include "tests/checker/test_folder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct folder folder;

static void make(void)
{
    folder_make_sample(&folder);
}

static void clear(void)
{
    folder_remove(&folder);
}

TestSuite(checker_settled, .init = make, .fini = clear);

Test(checker_settled, a_commit_that_lags_is_i10_only_when_all_is_over)
{
    folder_replace(&folder, "committed.jsonl", "\"offset\":8", "\"offset\":7");
    folder_expect(&folder, false, 0, "", NULL);
    folder_expect(&folder, true, 1, "I10", "I10 key=- : partition 1: 7 is committed, the end is 8");
}

Test(checker_settled, a_group_that_committed_nothing_is_i10)
{
    folder_replace(&folder, "committed.jsonl", "\"offset\":8", "\"offset\":null");
    folder_expect(&folder, true, 1, "I10", "partition 1: -1 is committed");
}

Test(checker_settled, a_message_without_an_answer_is_i10)
{
    folder_cut(&folder, "outcomes.jsonl", "\"key\":\"k2\"");
    folder_replace(&folder, "outcomes.jsonl", "\"records\":33", "\"records\":32");
    folder_expect(&folder, false, 0, "", NULL);
    folder_expect(&folder, true, 1, "I10",
                  "I10 key=k2 : seq 4 (partition 1 offset 0) has no "
                  "answer");
    folder_sql(&folder, "INSERT INTO outcomes_skipped VALUES (4, 'too large', 0)");
    folder_expect(&folder, true, 0, "", NULL);
}

/* Replaces a text in the hex of the answer to k2. */
static void change_answer(const char *from, const char *to)
{
    char hex[2][256];
    const char *const texts[] = {from, to};

    for (int i = 0; i < 2; i++) {
        for (size_t j = 0; texts[i][j]; j++) {
            snprintf(hex[i] + 2 * j, 3, "%02x", (unsigned char)texts[i][j]);
        }
    }
    folder_replace(&folder, "outcomes.jsonl", hex[0], hex[1]);
}

Test(checker_settled, an_answer_that_says_something_else_is_i5)
{
    change_answer("\"outcome\":\"rejected\",\"reason\":\"same_account\",\"verdict\":\"rejected\"",
                  "\"outcome\":\"applied\",\"reason\":null,\"verdict\":\"applied\"");
    folder_expect(&folder, false, 1, "I5",
                  "I5 key=k3 : the answer of seq 5 is applied, the store has rejected");
}

Test(checker_settled, an_answer_with_another_reason_is_i5)
{
    change_answer("\"reason\":\"same_account\",\"verdict\"",
                  "\"reason\":\"no_account\",\"verdict\"");
    folder_expect(&folder, false, 1, "I5", "gives another reason than the store");
}

Test(checker_settled, an_answer_with_another_digest_is_i5)
{
    change_answer("\"digest\":\"", "\"digest\":\"0");
    folder_expect(&folder, false, 1, "I5", "has another digest than its message");
}

Test(checker_settled, an_answer_that_the_store_does_not_have_is_i5)
{
    change_answer("\"seq\":4,", "\"seq\":4444,");
    folder_expect(&folder, false, 1, "I5", "seq 4444 was given and the store does not have it");
}

Test(checker_settled, an_answer_of_another_ledger_is_i5)
{
    change_answer("\"store\":\"", "\"store\":\"0");
    folder_expect(&folder, false, 1, "I5", "was given by another ledger");
}

Test(checker_settled, an_answer_under_another_key_is_i5)
{
    folder_replace(&folder, "outcomes.jsonl", "\"key\":\"k2\"", "\"key\":\"k1\"");
    folder_expect(&folder, false, 1, "I5", "I5 key=k2 : the answer of seq 4 is not of its form");
}
