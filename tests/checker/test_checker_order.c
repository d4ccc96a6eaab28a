/*
 * I5 and I6: the rules give the recorded outcomes in the recorded order, and no position passes a
 * message.
 */
#include "tests/checker/test_folder.h"

#include <criterion/criterion.h>

static struct folder folder;

static void make(void)
{
    folder_make_sample(&folder);
    folder_strip(&folder);
}

static void clear(void)
{
    folder_remove(&folder);
}

TestSuite(checker_order, .init = make, .fini = clear);

/* ---- I5 ---- */

Test(checker_order, a_payment_that_was_rejected_without_a_rule_is_i5)
{
    folder_sql(&folder,
               "UPDATE decisions SET outcome = 2, reason = 2 WHERE seq = 4;"
               "UPDATE accounts SET balance_minor = balance_minor - 200 WHERE name = 'cid';"
               "UPDATE accounts SET balance_minor = balance_minor + 200 WHERE name = 'bob';"
               "UPDATE totals SET applied = applied - 1, low = low - 200;"
               "UPDATE counters SET count = count - 1 WHERE outcome = 1;"
               "UPDATE counters SET count = count + 1 WHERE outcome = 2");
    folder_expect(&folder, false, 1, "I5",
                  "I5 key=k2 : seq 4 is rejected amount_out_of_range, the rules make it applied");
}

Test(checker_order, another_reason_is_i5)
{
    folder_sql(&folder, "UPDATE decisions SET reason = 2 WHERE seq = 5");
    folder_expect(&folder, false, 1, "I5", "the rules make it rejected same_account");
}

Test(checker_order, a_conflict_that_names_other_fields_is_i5)
{
    folder_sql(&folder, "UPDATE repeats SET fields = 'dest' WHERE seq = 3");
    folder_expect(&folder, false, 1, "I5",
                  "the conflict is said to differ in \"dest\", it differs in \"amount\"");
}

Test(checker_order, a_duplicate_taken_for_a_conflict_is_i5)
{
    folder_sql(&folder, "UPDATE repeats SET outcome = 4, reason = 6, fields = 'amount', payload ="
                        " (SELECT payload FROM repeats WHERE seq = 3) WHERE seq = 2");
    folder_expect(&folder, false, 1, "I5 I8", "seq 2 is conflict payload_differs, the rules make");
}

Test(checker_order, a_changed_batch_that_was_paid_is_i5)
{
    folder_sql(&folder, "UPDATE repeats SET reason = 6 WHERE seq = 11");
    folder_expect(&folder, false, 1, "I5",
                  "I5 key=b2 : seq 11 is conflict payload_differs, the "
                  "rules make it conflict batch_changed");
}

Test(checker_order, a_wrong_first_is_i5)
{
    folder_sql(&folder, "UPDATE repeats SET first_seq = 4 WHERE seq = 2");
    folder_expect(&folder, false, 1, "I5", "seq 2 names seq 4 as the first of its key");
}

Test(checker_order, a_readable_message_in_the_quarantine_is_i5)
{
    folder_replace(&folder, "topic.jsonl", "\"value_hex\":\"3f\"", "\"value\":null");
    folder_expect(&folder, false, 1, "I3 I8", "the quarantine does not hold this message");
    folder_replace(&folder, "topic.jsonl", "\"key\":\"poison\",\"value\":null",
                   "\"key\":\"poison\",\"value\":\"{\\\"v\\\":1,\\\"type\\\":\\\"cancel\\\"}\"");
    folder_expect(&folder, false, 1, "I3 I5 I8",
                  "seq 6 is quarantined bad_json, the rules make it rejected cancelled");
}

Test(checker_order, rows_out_of_the_order_of_offsets_are_i5)
{
    /* k2 and k3 of partition 1 change places. */
    folder_sql(&folder, "UPDATE decisions SET seq = 1000 WHERE seq = 4;"
                        "UPDATE decisions SET seq = 4 WHERE seq = 5;"
                        "UPDATE decisions SET seq = 5 WHERE seq = 1000;"
                        "UPDATE keys SET seq = 9 - seq WHERE seq IN (4, 5)");
    folder_expect(&folder, false, 1, "I5", "is recorded behind a later offset of its partition");
}

Test(checker_order, a_message_that_is_recorded_twice_is_i5)
{
    folder_sql(&folder, "INSERT INTO quarantine SELECT seq + 1000, log, partition, offset + 1000,"
                        " reason, detail, key, value, key_len, value_len, digest, timestamp_ms,"
                        " decided_ms FROM quarantine WHERE seq = 6;"
                        "DROP INDEX quarantine_origin;"
                        "UPDATE quarantine SET offset = offset - 1000 WHERE seq > 1000;"
                        "UPDATE counters SET count = count + 1 WHERE outcome = 6");
    folder_expect(&folder, false, 1, "I5 I6", "is recorded twice, as seq 6 and 1006");
}

Test(checker_order, a_wrong_count_of_repeats_is_i5)
{
    folder_sql(&folder, "UPDATE repeat_counts SET count = count + 1 WHERE count > 16");
    folder_expect(&folder, false, 1, "I5 I6", "the store counts 23 repeats of the key");
}

Test(checker_order, a_wrong_counter_is_i5)
{
    folder_sql(&folder, "UPDATE counters SET count = count + 1 WHERE outcome = 3");
    folder_expect(&folder, false, 1, "I5", "the store counts 23 duplicate, there are 22");
}

Test(checker_order, an_account_in_another_state_is_i5)
{
    folder_sql(&folder, "UPDATE accounts SET state = 1 WHERE name = 'dan'");
    folder_expect(&folder, false, 1, "I5",
                  "account \"dan\" is used in EUR, the rules make it open in EUR");
}

Test(checker_order, a_mode_that_no_command_set_is_i5)
{
    folder_remove(&folder);
    folder_begin(&folder, 1, false);
    folder_send(
        &folder,
        &(struct folder_message){0, "m", "{\"v\":1,\"type\":\"accounts\",\"mode\":\"strict\"}"}, 1);
    folder_end(&folder);
    folder_expect(&folder, true, 0, "", NULL);
    folder_sql(&folder, "UPDATE store SET strict = 0");
    folder_expect(&folder, true, 1, "I5", "the accounts are open, the commands make them strict");
}

/* ---- I6 ---- */

Test(checker_order, a_passed_message_without_a_row_is_i6)
{
    folder_sql(&folder, "DELETE FROM quarantine WHERE seq = 6;"
                        "UPDATE counters SET count = count - 1 WHERE outcome = 6");
    folder_expect(&folder, false, 1, "I1 I6",
                  "I6 key=poison : partition 1 offset 2 is below the "
                  "stored position, and nothing is recorded of it");
}

Test(checker_order, a_kept_repeat_that_is_gone_is_i6)
{
    folder_sql(&folder, "DELETE FROM repeats WHERE seq = 2");
    folder_expect(&folder, false, 1, "I5 I6", "I6 key=k1 : partition 0 offset 1 is below");
}

Test(checker_order, a_repeat_that_nobody_counted_is_i6)
{
    folder_sql(&folder, "UPDATE repeat_counts SET count = count - 1 WHERE count > 16;"
                        "UPDATE counters SET count = count - 1 WHERE outcome = 3");
    folder_expect(&folder, false, 1, "I5 I6", "I6 key=k1 : partition 0 offset 24 is below");
}

Test(checker_order, a_row_beyond_the_position_is_i6)
{
    folder_sql(&folder, "UPDATE positions SET next_offset = next_offset - 1 WHERE partition = 0");
    folder_expect(&folder, false, 1, "I6",
                  "I6 key=k5 : partition 0 offset 25 is recorded, the "
                  "stored position is 25");
}

Test(checker_order, a_position_behind_the_end_is_i6)
{
    folder_sql(&folder, "UPDATE positions SET next_offset = next_offset + 1 WHERE partition = 1");
    folder_expect(&folder, false, 1, "I6",
                  "partition 1: the stored position 9 lies behind its end "
                  "8");
}

Test(checker_order, an_offset_that_was_committed_too_early_is_i6)
{
    folder_replace(&folder, "committed.jsonl", "\"offset\":8", "\"offset\":9");
    folder_expect(&folder, false, 1, "I6", "partition 1: 9 is committed, the stored position is 8");
}

Test(checker_order, a_commit_of_another_ledger_is_i6)
{
    folder_sql(&folder, "UPDATE store SET uuid = 'other'");
    folder_expect(&folder, false, 1, "I6", "partition 0: another ledger");
}

Test(checker_order, a_commit_of_a_later_self_is_i6)
{
    folder_sql(&folder, "UPDATE store SET chunks = chunks - 1");
    folder_expect(&folder, false, 1, "I6", "partition 0: the group knows of chunk");
}
