/*
 * I7, I8 and I9: nothing vanishes from the store, what it keeps is what was sent, the file is
 * whole.
 */
#include "tests/checker/test_folder.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct folder folder;

static void make(void)
{
    folder_make_sample(&folder);
}

static void clear(void)
{
    folder_remove(&folder);
}

TestSuite(checker_store, .init = make, .fini = clear);

/* ---- I7: each change alone, in the snapshot, so that the store itself stays right ---- */

static void change_snapshot(const char *sql)
{
    struct folder snapshot = folder;

    snprintf(snapshot.db, sizeof(snapshot.db), "%s/snapshots/1.db", folder.dir);
    folder_sql(&snapshot, sql);
}

Test(checker_store, a_decision_of_a_snapshot_that_is_gone_is_i7)
{
    change_snapshot("INSERT INTO decisions SELECT 9999, key, type, src, dest, amount_minor,"
                    " currency, batch, min_minor, strict, outcome, reason, digest, log, partition,"
                    " offset, decided_ms, rules FROM decisions WHERE seq = 1");
    folder_expect(&folder, false, 1, "I7",
                  "I7 key=- : from 1.db to ledger.db a decision is gone or has changed: seq 9999");
}

Test(checker_store, a_decision_that_has_changed_is_i7)
{
    change_snapshot("UPDATE decisions SET amount_minor = 499 WHERE seq = 1");
    folder_expect(&folder, false, 1, "I7", "a decision is gone or has changed: seq 1\n");
}

Test(checker_store, a_decision_that_came_in_between_is_i7)
{
    change_snapshot("DELETE FROM decisions WHERE seq = 1");
    folder_expect(&folder, false, 1, "I7", "a decision came in between later: seq 1\n");
}

Test(checker_store, a_sealed_segment_that_is_gone_is_i7)
{
    change_snapshot("INSERT INTO segments VALUES (1, 0, x'', x'', x'')");
    folder_expect(&folder, false, 1, "I7",
                  "a sealed key segment is gone or has changed: segment 1\n");
}

Test(checker_store, a_kept_repeat_that_has_changed_is_i7)
{
    change_snapshot("UPDATE repeats SET decided_ms = 1 WHERE seq = 2");
    folder_expect(&folder, false, 1, "I7", "a kept repeat is gone or has changed: seq 2\n");
}

Test(checker_store, an_unpublished_repeat_that_is_gone_is_i7)
{
    change_snapshot("INSERT INTO repeats SELECT 9999, key, first_seq, outcome, reason, fields,"
                    " payload, digest, log, partition, 9999, decided_ms, 0 FROM repeats"
                    " WHERE seq = 2");
    folder_expect(&folder, false, 1, "I7", "a repeat is gone before it was published: seq 9999\n");
}

Test(checker_store, a_published_repeat_that_is_not_kept_may_go)
{
    change_snapshot("UPDATE repeats SET kept = 0 WHERE seq = 2");
    folder_expect(&folder, false, 0, "", "snapshots=1");
}

Test(checker_store, a_quarantined_message_that_is_gone_is_i7)
{
    change_snapshot("UPDATE quarantine SET value = CAST('x' AS BLOB) WHERE seq = 6");
    folder_expect(&folder, false, 1, "I7", "a quarantined message is gone or has changed: seq 6\n");
}

Test(checker_store, a_position_that_went_back_is_i7)
{
    change_snapshot("UPDATE positions SET next_offset = 9999 WHERE partition = 1");
    folder_expect(&folder, false, 1, "I7", "a position lies behind the earlier one: partition 1\n");
}

Test(checker_store, a_snapshot_of_another_ledger_is_i7)
{
    change_snapshot("UPDATE store SET uuid = 'other'");
    folder_expect(&folder, false, 1, "I7", "it is another ledger, or an earlier self");
}

Test(checker_store, snapshots_are_compared_with_each_other_by_name)
{
    folder_snapshot(&folder, "0");
    folder_expect(&folder, false, 1, "I7", "I7 key=- : from 0.db to 1.db ");
    folder_expect(&folder, false, 1, "I7", "snapshots=2");
}

/* ---- I8 ---- */

Test(checker_store, a_stored_payload_that_is_not_the_first_one_is_i8)
{
    folder_strip(&folder);
    folder_sql(&folder, "UPDATE decisions SET dest = (SELECT id FROM accounts WHERE name = 'bob')"
                        " WHERE seq = 5");
    folder_expect(&folder, false, 1, "I8",
                  "I8 key=k3 : seq 5 of partition 1 offset 1: the stored payload differs from the "
                  "message in dest");
}

Test(checker_store, a_wrong_digest_is_i8)
{
    folder_strip(&folder);
    folder_sql(&folder, "UPDATE decisions SET digest = zeroblob(16) WHERE seq = 4");
    folder_expect(&folder, false, 1, "I8", "the stored digest is not that of its payload");
}

Test(checker_store, a_conflict_with_another_payload_is_i8)
{
    folder_strip(&folder);
    folder_sql(&folder, "UPDATE repeats SET payload = CAST('x' AS BLOB) WHERE seq = 3");
    folder_expect(&folder, false, 1, "I8", "the kept payload of the conflict is not the message's");
}

Test(checker_store, a_quarantined_value_that_is_another_is_i8)
{
    folder_strip(&folder);
    folder_sql(&folder, "UPDATE quarantine SET value = CAST('!' AS BLOB) WHERE seq = 6");
    folder_expect(&folder, false, 1, "I8", "the quarantine does not hold this message");
}

Test(checker_store, a_row_whose_message_is_not_in_the_topic_is_i8)
{
    folder_strip(&folder);
    folder_sql(&folder, "UPDATE quarantine SET offset = 9999 WHERE seq = 6");
    folder_expect(&folder, false, 1, "I6 I8", "seq 6: no message stands at its origin");
}

/* ---- I9 ---- */

Test(checker_store, an_index_that_lacks_a_row_is_i9)
{
    folder_strip(&folder);
    folder_sql(&folder, "PRAGMA writable_schema = ON;"
                        "CREATE TABLE saved AS SELECT sql FROM sqlite_schema WHERE name ="
                        " 'repeats_origin'; UPDATE sqlite_schema SET sql ="
                        " 'CREATE UNIQUE INDEX repeats_origin ON repeats (log, partition, seq)'"
                        " WHERE name = 'repeats_origin'");
    folder_expect(&folder, false, 1, "I9", "I9 key=- : integrity_check: ");
}

Test(checker_store, a_reference_to_nothing_is_i9)
{
    folder_strip(&folder);
    folder_sql(&folder, "UPDATE decisions SET batch = 9999 WHERE type = 6");
    folder_expect(&folder, false, 1, "I9", "a row of table decisions refers to a row that is not");
}

Test(checker_store, a_file_that_is_no_database_is_i9)
{
    char text[8192];

    folder_strip(&folder);
    snprintf(text, sizeof(text), "%8000s", "no database");
    folder_delete(&folder, "ledger.db");
    folder_append(&folder, "ledger.db", text);
    folder_expect(&folder, false, 1, "I9", "file is not a database");
    folder_expect(&folder, false, 1, "I9", "not all could be checked");
}
