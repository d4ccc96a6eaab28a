/*
 * No evidence is no verdict: what is missing or cut must never count as fine.
 */
#include "tests/checker/test_folder.h"

#include "tests/lib/process.h"

#include <criterion/criterion.h>
#include <sysexits.h>

static struct folder folder;

static void make(void)
{
    folder_make_sample(&folder);
}

static void clear(void)
{
    folder_remove(&folder);
}

TestSuite(checker_evidence, .init = make, .fini = clear);

Test(checker_evidence, each_file_must_be_there)
{
    folder_delete(&folder, "committed.jsonl");
    folder_expect(&folder, false, EX_DATAERR, "", "committed.jsonl: No such file");
    folder_delete(&folder, "topic.jsonl");
    folder_expect(&folder, false, EX_DATAERR, "", "topic.jsonl: No such file");
    folder_delete(&folder, "history-1.jsonl");
    folder_expect(&folder, false, EX_DATAERR, "", "history*.jsonl: is not there");
}

Test(checker_evidence, a_store_that_is_not_there_is_no_verdict)
{
    folder_delete(&folder, "ledger.db");
    folder_expect(&folder, false, EX_DATAERR, "", "ledger.db: is not there");
}

Test(checker_evidence, outcomes_and_snapshots_may_be_absent)
{
    folder_delete(&folder, "outcomes.jsonl");
    folder_delete(&folder, "snapshots/1.db");
    folder_expect(&folder, true, 0, "", "snapshots=0 violations=0");
}

Test(checker_evidence, an_empty_topic_with_a_history_is_a_violation)
{
    folder_delete(&folder, "outcomes.jsonl");
    folder_delete(&folder, "topic.jsonl");
    folder_append(&folder, "topic.jsonl",
                  "{\"partition\":0,\"low\":0,\"high\":0,\"records\":0}\n"
                  "{\"partition\":1,\"low\":0,\"high\":0,\"records\":0}\n");
    folder_expect(&folder, false, 1, "I1 I5 I6 I8", "the topic is empty");
}

Test(checker_evidence, an_empty_history_with_a_topic_is_i3)
{
    folder_delete(&folder, "history-1.jsonl");
    folder_append(&folder, "history-1.jsonl", "");
    folder_expect(&folder, false, 1, "I3", "I3 and 14 more\n");
}

Test(checker_evidence, nothing_sent_and_nothing_there_is_no_verdict)
{
    folder_remove(&folder);
    folder_begin(&folder, 1, false);
    folder_end(&folder);
    folder_expect(&folder, true, EX_DATAERR, "", "prove nothing");
}

Test(checker_evidence, a_cut_topic_is_no_verdict)
{
    folder_cut(&folder, "topic.jsonl", "\"low\":0,\"high\":8");
    folder_expect(&folder, false, EX_DATAERR, "", "lacks the ends of its partitions");
}

Test(checker_evidence, a_topic_that_lacks_a_message_is_no_verdict)
{
    folder_cut(&folder, "topic.jsonl", "\"key\":\"k2\"");
    folder_expect(&folder, false, EX_DATAERR, "", "does not hold all messages of a partition");
}

Test(checker_evidence, a_cut_outcomes_topic_is_no_verdict)
{
    folder_cut(&folder, "outcomes.jsonl", "\"key\":\"k2\"");
    folder_expect(&folder, false, EX_DATAERR, "", "outcomes.jsonl:34: does not hold all messages");
}

Test(checker_evidence, lines_that_are_none_are_no_verdict)
{
    folder_append(&folder, "history-2.jsonl", "{\"event\":\"sent\",\"key\":\"a\"}\n");
    folder_expect(&folder, false, EX_DATAERR, "", "history-2.jsonl:1: is none of invoke, ok");
    folder_delete(&folder, "history-2.jsonl");
    folder_append(&folder, "committed.jsonl", "{\"partition\":7,\"offset\":0,\"metadata\":null}\n");
    folder_expect(&folder, false, EX_DATAERR, "", "committed.jsonl:3: is no committed offset");
    folder_append(&folder, "topic.jsonl", "{");
    folder_expect(&folder, false, EX_DATAERR, "", "topic.jsonl:37: is cut in its last line");
}

Test(checker_evidence, what_an_earlier_log_brought_is_believed_and_goes_on)
{
    static const struct folder_message messages[] = {
        {0, "a", FOLDER_PAYMENT("x", "y", "1")},
        {0, "a", FOLDER_PAYMENT("x", "y", "1")},
        {0, "b", FOLDER_PAYMENT("y", "z", "2")},
    };

    folder_remove(&folder);
    folder_begin(&folder, 1, false);
    folder_send(&folder, messages, 3);
    folder_publish(&folder);
    folder_snapshot(&folder, "1");
    folder_new_log(&folder);
    folder_send(&folder, messages, 3);
    folder_send(&folder, &(struct folder_message){0, "c", FOLDER_PAYMENT("z", "x", "3")}, 1);
    folder_publish(&folder);
    folder_end(&folder);
    folder_expect(&folder, true, 0, "", "checked: messages=4 keys=3 snapshots=1 violations=0");
    folder_sql(&folder, "UPDATE decisions SET outcome = 2, reason = 2 WHERE seq = 3");
    folder_expect(&folder, true, 1, "I4 I5 I7", "I5 key=b : seq 3 is rejected");
}

Test(checker_evidence, wrong_usage_is_64)
{
    static const char *const wrong[][4] = {
        {NULL},
        {"judge", NULL},
        {"check", NULL},
        {"check", "a", "b", NULL},
        {"collect", "-b", "x", NULL},
        {"check", "a", "-b", NULL},
    };
    struct process process;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_expect_eq(process_run(folder.dir, NULL, &process,
                                 (const char *const[]){PAY_BIN_DIR "/pay-checker", wrong[i][0],
                                                       wrong[i][1], wrong[i][2], NULL}),
                     EX_USAGE, "row %zu", i);
    }
}

Test(checker_evidence, a_broker_that_is_not_there_is_69_in_time)
{
    struct process process;

    cr_expect_eq(process_run(folder.dir, NULL, &process,
                             (const char *const[]){PAY_BIN_DIR "/pay-checker", "collect", "-b",
                                                   "127.0.0.1:1", "-t", "payments", "-g", "g",
                                                   "--into", folder.dir, "--timeout", "1", NULL}),
                 EX_UNAVAILABLE);
}
