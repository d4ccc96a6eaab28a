/*
 * I2 and I4: one outcome and one transfer a key, and the money adds up.
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

TestSuite(checker_money, .init = make, .fini = clear);

Test(checker_money, a_key_that_is_decided_twice_is_i2)
{
    folder_sql(&folder,
               "INSERT INTO decisions SELECT (SELECT max(seq) FROM decisions) + 1, key, type, src,"
               " dest, amount_minor, currency, batch, min_minor, strict, outcome, reason, digest,"
               " log, partition, offset, decided_ms, rules FROM decisions WHERE seq = 4;"
               "UPDATE accounts SET balance_minor = balance_minor + 200 WHERE name = 'cid';"
               "UPDATE accounts SET balance_minor = balance_minor - 200 WHERE name = 'bob';"
               "UPDATE totals SET applied = applied + 1, low = low + 200;"
               "UPDATE counters SET count = count + 1 WHERE outcome = 1;"
               "UPDATE store SET published_seq = published_seq + 1");
    folder_expect(&folder, false, 1, "I2 I5", "I2 key=k2 : the key is decided a second time");
}

Test(checker_money, a_marker_that_names_another_decision_is_i2)
{
    folder_sql(&folder, "UPDATE keys SET seq = 1 WHERE seq = 4");
    folder_expect(&folder, false, 1, "I2", "I2 key=k2 : the key's decision is seq 4");
}

Test(checker_money, a_missing_marker_is_i2)
{
    folder_sql(&folder, "DELETE FROM keys WHERE seq = 4");
    folder_expect(&folder, false, 1, "I2", "I2 key=k2 : the key's decision is seq 4");
}

Test(checker_money, a_key_in_two_segments_is_i2)
{
    folder_sql(&folder, "INSERT INTO keys SELECT segment + 1, key, seq FROM keys WHERE seq = 4");
    folder_expect(&folder, false, 1, "I2", "I2 key=k2 : the key's decision is seq 4");
    folder_expect(&folder, false, 1, "I2", "key segment 2 was sealed with 0 keys and has 1\n");
}

Test(checker_money, a_sealed_segment_that_has_lost_or_got_a_key_is_i2)
{
    folder_sql(&folder, "INSERT INTO segments SELECT 1, count(*) + 1, x'', x'', x'' FROM keys");
    folder_expect(&folder, false, 1, "I2", "I2 key=- : key segment 1 was sealed with ");
}

Test(checker_money, a_payment_with_one_posting_is_i2)
{
    folder_sql(&folder, "CREATE TABLE kept AS SELECT * FROM postings; DROP VIEW postings;"
                        "DELETE FROM kept WHERE seq = 4 AND account = 'cid';"
                        "CREATE VIEW postings AS SELECT * FROM kept");
    folder_expect(&folder, false, 1, "I2 I4", "I2 key=k2 : seq 4 has 1 postings, not 2");
}

Test(checker_money, postings_that_do_not_sum_to_zero_are_i4)
{
    folder_sql(&folder, "CREATE TABLE kept AS SELECT * FROM postings; DROP VIEW postings;"
                        "UPDATE kept SET amount_minor = 201 WHERE seq = 4 AND account = 'cid';"
                        "UPDATE accounts SET balance_minor = balance_minor + 1 WHERE name = 'cid';"
                        "CREATE VIEW postings AS SELECT * FROM kept");
    folder_expect(&folder, false, 1, "I4", "I4 key=k2 : the postings of seq 4 sum to 1");
}

Test(checker_money, a_posting_of_a_rejected_payment_is_i2)
{
    folder_sql(&folder, "CREATE TABLE kept AS SELECT * FROM postings; DROP VIEW postings;"
                        "INSERT INTO kept VALUES (5, 'ann', 5, 'EUR'), (5, 'ann', -5, 'EUR');"
                        "CREATE VIEW postings AS SELECT * FROM kept");
    folder_expect(&folder, false, 1, "I2", "belongs to seq 5, which moved no money");
}

Test(checker_money, a_balance_that_is_not_the_sum_of_its_postings_is_i4)
{
    folder_sql(&folder, "UPDATE accounts SET balance_minor = balance_minor + 1"
                        " WHERE name = 'bob'");
    folder_expect(&folder, false, 1, "I4",
                  "account \"bob\" has a balance of 311, its postings sum "
                  "to 310");
}

Test(checker_money, an_account_that_is_gone_is_i4)
{
    folder_sql(&folder, "UPDATE accounts SET state = 0, currency = NULL, balance_minor = 0"
                        " WHERE name = 'cid'");
    folder_expect(&folder, false, 1, "I4", "account \"cid\" was used and the store does not list");
}

Test(checker_money, a_total_that_is_not_that_of_its_payments_is_i4)
{
    folder_sql(&folder, "UPDATE totals SET low = low + 1");
    folder_expect(&folder, false, 1, "I4", "the total of EUR is not that of its applied payments");
}
