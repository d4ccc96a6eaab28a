/*
 * I1 and I3: what was acknowledged has an outcome, and nothing has one that nobody sent.
 */
#include "tests/checker/test_folder.h"

#include <criterion/criterion.h>

static struct folder folder;

static void make(void)
{
    folder_make_sample(&folder);
}

static void clear(void)
{
    folder_remove(&folder);
}

TestSuite(checker_sent, .init = make, .fini = clear);

Test(checker_sent, a_clean_folder_violates_nothing)
{
    folder_expect(&folder, false, 0, "", "checked: messages=34 keys=10 snapshots=1 violations=0\n");
    folder_expect(&folder, true, 0, "", "violations=0\n");
}

Test(checker_sent, an_acknowledged_key_that_is_nowhere_is_i1)
{
    folder_append(&folder, "history-2.jsonl",
                  "{\"event\":\"invoke\",\"key\":\"lost\"}\n{\"event\":\"ok\",\"key\":\"lost\"}\n");
    folder_expect(&folder, false, 1, "I1",
                  "I1 key=lost : it was acknowledged, and neither the topic nor the store has it");
}

Test(checker_sent, what_is_only_invoked_or_unknown_may_be_nowhere)
{
    folder_append(&folder, "history-2.jsonl",
                  "{\"event\":\"invoke\",\"key\":\"x\"}\n{\"event\":\"invoke\",\"key\":\"y\"}\n"
                  "{\"event\":\"unknown\",\"key\":\"y\"}\n{\"event\":\"invoke\",\"key\":\"torn");
    folder_expect(&folder, true, 0, "", NULL);
}

Test(checker_sent, an_acknowledged_message_without_a_key_must_be_in_the_topic)
{
    folder_append(&folder, "history-2.jsonl",
                  "{\"event\":\"invoke\",\"key\":null,\"payload_hex\":\"00ff\"}\n"
                  "{\"event\":\"ok\",\"key\":null}\n");
    folder_expect(&folder, false, 1, "I1", "2 messages without a usable key");
}

Test(checker_sent, a_key_that_nobody_invoked_is_i3)
{
    folder_cut(&folder, "history-1.jsonl", "\"key\":\"k2\"");
    folder_expect(&folder, false, 1, "I3",
                  "I3 key=k2 : partition 1 offset 0 holds a message that "
                  "nobody sent");
}

Test(checker_sent, a_payload_that_nobody_sent_with_its_key_is_i3)
{
    folder_replace(&folder, "history-1.jsonl", "\"key\":\"k2\",\"payload_hex\":\"",
                   "\"key\":\"k2\",\"payload_hex\":\"20");
    folder_expect(&folder, false, 1, "I3", "a payload that nobody sent with this key");
}

Test(checker_sent, the_known_fields_stand_for_the_payload)
{
    folder_cut(&folder, "history-1.jsonl", "\"invoke\",\"key\":\"k2\"");
    folder_append(&folder, "history-2.jsonl",
                  "{\"event\":\"invoke\",\"key\":\"k2\",\"fields\":{\"src\":\"bob\",\"dest\":"
                  "\"cid\",\"amount\":\"200\",\"currency\":\"EUR\"}}\n");
    folder_expect(&folder, true, 0, "", NULL);
    folder_replace(&folder, "history-2.jsonl", "\"200\"", "\"201\"");
    folder_expect(&folder, true, 1, "I3", "a payload that nobody sent with this key");
}

Test(checker_sent, a_submitter_who_does_not_know_his_payload_is_believed)
{
    folder_cut(&folder, "history-1.jsonl", "\"invoke\",\"key\":\"k2\"");
    folder_append(&folder, "history-2.jsonl", "{\"event\":\"invoke\",\"key\":\"k2\"}\n");
    folder_expect(&folder, true, 0, "", NULL);
}

Test(checker_sent, a_sure_failure_that_is_in_the_topic_is_i3)
{
    folder_cut(&folder, "history-1.jsonl", "\"ok\",\"key\":\"k2\"");
    folder_append(&folder, "history-2.jsonl", "{\"event\":\"fail\",\"key\":\"k2\"}\n");
    folder_expect(&folder, false, 1, "I3", "each sending of it failed for sure");
}

Test(checker_sent, an_outcome_in_the_store_that_nobody_sent_is_i3)
{
    folder_sql(&folder, "UPDATE decisions SET key = CAST('\x02ghost' AS BLOB) WHERE seq = 4;"
                        "UPDATE keys SET key = CAST('\x02ghost' AS BLOB) WHERE seq = 4;");
    folder_delete(&folder, "snapshots/1.db");
    folder_expect(&folder, false, 1, "I1 I3 I8", "I3 key=ghost : the store has it");
}

Test(checker_sent, a_message_that_waits_is_no_violation_until_all_is_settled)
{
    folder_remove(&folder);
    folder_begin(&folder, 1, false);
    folder_send(&folder, &(struct folder_message){0, "a", FOLDER_PAYMENT("x", "y", "1")}, 1);
    folder_send_only(&folder, &(struct folder_message){0, "b", FOLDER_PAYMENT("x", "y", "1")}, 1);
    folder_end(&folder);
    folder_expect(&folder, false, 0, "", NULL);
    folder_expect(&folder, true, 1, "I1 I10", "I1 key=b : it was acknowledged, and has no outcome");
}
