/*
 * payd verify: a ledger that is whole passes, also while it is written, and whatever is changed in
 * its file is found and named.
 */
#include "consumer/verify.h"
#include "tests/lib/segments_kit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static struct store_proof proof;
static char findings[8192]; /* "check: sentence" a line */

static void note(void *user, enum store_check check, const char *text)
{
    size_t len = strlen(findings);

    (void)user;
    snprintf(findings + len, sizeof(findings) - len, "%s: %s\n", store_check_name(check), text);
}

static void verify_now(void)
{
    struct error err = {EX_OK, ""};

    findings[0] = '\0';
    cr_assert_eq(store_sqlite_verify(segments_path, note, NULL, &proof, &err), 0, "%s", err.text);
}

/* Of all there is: payments, refusals, repeats, a batch, account commands, an unreadable message.
 */
static void make_ledger(void)
{
    static const struct payment_batch batch = {
        .id = "payroll",
        .rows = 2,
        .digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"};
    static const struct kit_row rows[] = {
        {"b1", "ann", "carl", 500, "EUR", &batch, "applied"},
        {"b2", "ann", "dora", 700, "EUR", &batch, "applied"},
        {"y1", "emi", "fumi", 12, "JPY", NULL, "applied"},
        {"r1", "ann", "ann", 100, "EUR", NULL, "rejected same_account"},
        {"k001", "ann", "bob", 100, "EUR", NULL, "duplicate"},
        {"k001", "ann", "bob", 100, "EUR", NULL, "duplicate"},
        {"k002", "ann", "bob", 999, "EUR", NULL, "conflict payload_differs amount"},
        {NULL, NULL, NULL, 0, NULL, NULL, "quarantined"},
        {"018f3c6e-7d1a-7b1c-8e65-0123456789ab", "ann", "bob", 100, "EUR", NULL, "applied"},
    };

    segments_make();
    segments_pay(0, 17, 5, "applied");
    kit_run(segments_store, 1, rows, sizeof(rows) / sizeof(rows[0]));
}

TestSuite(verify, .init = make_ledger, .fini = segments_remove);

Test(verify, a_whole_ledger_is_looked_at_in_all_its_parts)
{
    static const int64_t looked_at[STORE_CHECK_COUNT] = {
        [STORE_CHECK_FILE] = 1,       [STORE_CHECK_SEGMENTS] = 4,   [STORE_CHECK_KEYS] = 22,
        [STORE_CHECK_DECISIONS] = 22, [STORE_CHECK_REPEATS] = 3,    [STORE_CHECK_QUARANTINE] = 1,
        [STORE_CHECK_ACCOUNTS] = 6,   [STORE_CHECK_CURRENCIES] = 2, [STORE_CHECK_POSITIONS] = 2,
    };

    verify_now();
    cr_expect_str_empty(findings);
    cr_expect_eq(store_proof_found(&proof), 0);
    for (int i = 0; i < STORE_CHECK_COUNT; i++) {
        cr_expect_eq(proof.looked_at[i], looked_at[i], "%s: %lld",
                     store_check_name((enum store_check)i), (long long)proof.looked_at[i]);
    }
}

Test(verify, the_digest_is_the_one_that_the_store_has_kept)
{
    struct store_stats stats;

    verify_now();
    cr_assert_eq(segments_store->ops->stats(segments_store, &stats, &segments_err), STORE_OK);
    cr_expect_arr_eq(proof.digest, stats.digest, KEY_HASH_SIZE);
    store_stats_release(&stats);
}

Test(verify, a_ledger_is_verified_in_the_middle_of_a_transaction)
{
    struct chunk *chunk = segments_chunk(100, 10);

    cr_assert_eq(segments_save(chunk), STORE_OK);
    verify_now();
    cr_expect_str_empty(findings);
    cr_expect_eq(proof.looked_at[STORE_CHECK_KEYS], 22);
    segments_store->ops->rollback(segments_store);
    chunk_free(chunk);
}

Test(verify, a_position_that_was_set_back_by_hand_is_honest)
{
    cr_assert_eq(segments_store->ops->move(segments_store, 0, 3, 1, &segments_err), STORE_OK);
    verify_now();
    cr_expect_str_empty(findings);
}

Test(verify, a_file_that_is_no_ledger_is_refused)
{
    struct error err = {EX_OK, ""};

    cr_expect_eq(store_sqlite_verify("/nonexistent/ledger.db", note, NULL, &proof, &err), -1);
    cr_expect_eq(err.code, EX_IOERR);
}

/* ---- damage ---- */

static char kept[sizeof(segments_path) + 8];

static void keep_file(void)
{
    char command[3 * sizeof(segments_path)];

    segments_close();
    snprintf(kept, sizeof(kept), "%s.kept", segments_path);
    snprintf(command, sizeof(command), "VACUUM INTO '%s'", kept);
    segments_change(command);
}

static void bring_file_back(void)
{
    char command[3 * sizeof(segments_path)];

    unlink(segments_path);
    snprintf(command, sizeof(command), "cp '%s' '%s'", kept, segments_path);
    cr_assert_eq(system(command), 0);
}

Test(verify, whatever_is_changed_is_found_and_named)
{
    static const struct {
        const char *damage;
        const char *says;
    } damages[] = {
        {"UPDATE decisions SET amount_minor = 101 WHERE seq = 3",
         "decisions: k002: its payload is not the one that was decided (seq 3)"},
        {"UPDATE decisions SET amount_minor = 101 WHERE seq = 3",
         "accounts: account bob: its balance is 18.00, its postings sum to 18.01 EUR"},
        {"UPDATE decisions SET amount_minor = 101 WHERE seq = 3", "currencies: EUR: the total is"},
        {"UPDATE decisions SET src = 2, dest = 1 WHERE seq = 3", "decisions: k002: its payload"},
        {"UPDATE decisions SET dest = 3 WHERE seq = 3", "decisions: k002: its payload"},
        {"UPDATE decisions SET batch = NULL WHERE key = x'026231'", "decisions: b1: its payload"},
        {"UPDATE batches SET digest = replace(digest, '0', '1')", "decisions: b1: its payload"},
        {"UPDATE batches SET rows = 3", "decisions: b2: its payload"},
        {"UPDATE batches SET name = 'other'", "decisions: b2: its payload"},
        {"UPDATE decisions SET currency = 'USD' WHERE seq = 3",
         "accounts: k002: paid in USD, but account ann is not"},
        {"UPDATE decisions SET digest = zeroblob(16) WHERE seq = 3",
         "decisions: k002: its payload"},
        {"UPDATE decisions SET digest = x'00' WHERE seq = 3",
         "the store is damaged: a decision that cannot be read"},
        {"UPDATE decisions SET outcome = 2, reason = 9 WHERE seq = 3",
         "decisions: all decisions together are not those that were made"},
        {"UPDATE decisions SET outcome = 2, reason = 9 WHERE seq = 3",
         "decisions: 20 are there as applied, but 21 were counted"},
        {"UPDATE decisions SET reason = 9 WHERE outcome = 2",
         "decisions: all decisions together are not those that were made"},
        {"DELETE FROM decisions WHERE seq = 3", "keys: k002: its decision, seq 3, is not there"},
        {"DELETE FROM decisions WHERE seq = 3",
         "repeats: k002: its repeat with seq 24 belongs to the decision of another key"},
        {"DELETE FROM decisions WHERE seq = 3; DELETE FROM keys WHERE seq = 3",
         "decisions: all decisions together are not those that were made"},
        {"DELETE FROM keys WHERE seq = 3", "keys: k002: has a decision, seq 3, that its key does "
                                           "not lead to: it could be paid again"},
        {"DELETE FROM keys WHERE seq = 3",
         "segments: segment 1 has not the keys that it was sealed with"},
        {"UPDATE keys SET seq = 4 WHERE seq = 3",
         "keys: k002: its decision, seq 4, is that of another key"},
        {"INSERT INTO keys SELECT 4, key, seq + 100 FROM keys WHERE seq = 3",
         "keys: k002: stands in segments 1 and 4"},
        {"UPDATE segments SET filter = zeroblob(length(filter)) WHERE id = 2",
         "segments: segment 2: its filter is not as it was written"},
        {"DELETE FROM segments WHERE id = 4", "segments: segment 4 is full, but not sealed"},
        {"DELETE FROM segments WHERE id = 3", "segments: segment 4 cannot be: 3 are sealed"},
        {"UPDATE keys SET segment = 7 WHERE segment = 4",
         "segments: keys stand in segment 7, but only 4 are sealed"},
        {"UPDATE accounts SET balance_minor = balance_minor + 1 WHERE name = 'bob'",
         "currencies: EUR: all balances sum to 0.01, not to zero"},
        {"UPDATE accounts SET balance_minor = balance_minor + 1 WHERE name = 'bob';"
         "UPDATE accounts SET balance_minor = balance_minor - 1 WHERE name = 'ann'",
         "accounts: account ann: its balance is -30.01, its postings sum to -30.00 EUR"},
        {"UPDATE accounts SET name = 'eve' WHERE name = 'bob'", "decisions: k000: its payload"},
        {"UPDATE accounts SET currency = 'USD' WHERE name = 'bob'",
         "accounts: k000: paid in EUR, but account bob is not"},
        {"DELETE FROM accounts WHERE name = 'bob'", "accounts: account number 6 is none of 5"},
        {"UPDATE totals SET low = low + 1 WHERE currency = 'JPY'",
         "currencies: JPY: the total is 13 of 1 payments, the payments sum to 12 of 1"},
        {"DELETE FROM totals WHERE currency = 'JPY'",
         "currencies: JPY: was paid, but has no total"},
        {"UPDATE counters SET count = 20 WHERE outcome = 1",
         "decisions: 21 are there as applied, but 20 were counted"},
        {"UPDATE counters SET count = 2 WHERE outcome = 6",
         "quarantine: 1 are there as quarantined, but 2 were counted"},
        {"UPDATE counters SET count = 9 WHERE outcome = 3",
         "repeats: 10 were counted, but by key 3"},
        {"UPDATE repeat_counts SET count = 1 WHERE count = 2",
         "repeats: k001: has 2 repeats, but 1 were counted"},
        {"UPDATE repeats SET first_seq = 5 WHERE outcome = 4",
         "repeats: k002: its repeat with seq 24 belongs to the decision of another key"},
        {"UPDATE repeats SET first_seq = NULL WHERE outcome = 3",
         "repeats: k001: its repeat with seq 22 is a duplicate of nothing"},
        {"UPDATE repeats SET digest = zeroblob(16) WHERE outcome = 3",
         "repeats: k001: its repeat with seq 22 is a duplicate, but has another payload"},
        {"UPDATE repeats SET digest = x'' WHERE outcome = 3;"
         "UPDATE decisions SET digest = x'' WHERE seq = 2",
         "repeats: k001: its repeat with seq 22 is a duplicate, but has another payload"},
        {"UPDATE repeats SET outcome = 3, reason = 0 WHERE outcome = 4",
         "repeats: k002: its repeat with seq 24 is a duplicate, but has another payload"},
        {"UPDATE repeats SET payload = CAST(replace(payload, '999', '998') AS BLOB)"
         " WHERE outcome = 4",
         "repeats: k002: its repeat with seq 24 has not the payload that its digest is of"},
        {"UPDATE repeats SET payload = NULL WHERE outcome = 4",
         "repeats: k002: its repeat with seq 24 has not the payload that its digest is of"},
        {"UPDATE repeats SET digest = (SELECT digest FROM repeats WHERE outcome = 4),"
         " payload = (SELECT payload FROM repeats WHERE outcome = 4), outcome = 4, reason = 6;"
         "UPDATE decisions SET digest = (SELECT digest FROM repeats) WHERE seq = 3",
         "repeats: k002: its repeat with seq 24 is a conflict, but has the same payload"},
        {"UPDATE quarantine SET value = x'00', value_len = 1",
         "quarantine: seq 25 has not the value that its digest is of"},
        {"UPDATE quarantine SET digest = zeroblob(16)",
         "quarantine: seq 25 has not the value that its digest is of"},
        {"DELETE FROM quarantine", "quarantine: 0 are there as quarantined, but 1 were counted"},
        {"UPDATE positions SET next_offset = 16 WHERE partition = 0",
         "positions: partition 0: the next offset is 16, but 16 was read already"},
        {"DELETE FROM positions WHERE partition = 1",
         "positions: partition 1 was read, but has no position"},
        {"DROP VIEW postings; CREATE VIEW postings AS SELECT 1",
         "file: postings is not defined as payd defines it"},
        {"DROP INDEX repeats_origin", "file: repeats_origin is not defined as payd defines it"},
        {"UPDATE store SET decisions_digest = zeroblob(16)",
         "decisions: all decisions together are not those that were made"},
    };

    keep_file();
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        segments_change(damages[i].damage);
        verify_now();
        cr_expect_not_null(strstr(findings, damages[i].says), "%s:\n%s", damages[i].damage,
                           findings);
        bring_file_back();
    }
    verify_now();
    cr_expect_str_empty(findings);
}

/* ---- what is printed ---- */

static char *text;

static void print(const struct verify_report *report, bool json)
{
    size_t size;
    FILE *out = open_memstream(&text, &size);

    cr_assert_not_null(out);
    if (json) {
        cr_assert_eq(verify_print_json(out, report), 0);
    } else {
        verify_print(out, report);
    }
    fclose(out);
}

static char sentence[] = "k\"1: is wrong";
static const struct verify_report wrong = {
    .proof = {.looked_at = {1, 4, INT64_C(100000000), 100000000, 3, 1, 6, 2, 2},
              .found = {[STORE_CHECK_KEYS] = 3},
              .digest = {0xab, 0xcd}},
    .shown = {{STORE_CHECK_KEYS, sentence}},
    .shown_count = 1,
};

Test(verify_report, the_table_shows_what_is_wrong_and_counts_the_rest)
{
    print(&wrong, false);
    cr_expect_str_eq(text, "keys: k\"1: is wrong\n"
                           "and 2 more\n"
                           "\n"
                           "check              looked at           wrong\n"
                           "file                       1               0\n"
                           "segments                   4               0\n"
                           "keys               100000000               3\n"
                           "decisions          100000000               0\n"
                           "repeats                    3               0\n"
                           "quarantine                 1               0\n"
                           "accounts                   6               0\n"
                           "currencies                 2               0\n"
                           "positions                  2               0\n"
                           "\n"
                           "digest       abcd0000000000000000000000000000\n"
                           "the ledger   is NOT whole\n");
    free(text);
}

Test(verify_report, json_says_the_same)
{
    print(&wrong, true);
    cr_expect_str_eq(text, "{\"whole\":false,\"digest\":\"abcd0000000000000000000000000000\","
                           "\"checks\":{\"file\":{\"looked_at\":1,\"found\":0},"
                           "\"segments\":{\"looked_at\":4,\"found\":0},"
                           "\"keys\":{\"looked_at\":100000000,\"found\":3},"
                           "\"decisions\":{\"looked_at\":100000000,\"found\":0},"
                           "\"repeats\":{\"looked_at\":3,\"found\":0},"
                           "\"quarantine\":{\"looked_at\":1,\"found\":0},"
                           "\"accounts\":{\"looked_at\":6,\"found\":0},"
                           "\"currencies\":{\"looked_at\":2,\"found\":0},"
                           "\"positions\":{\"looked_at\":2,\"found\":0}},"
                           "\"findings\":[{\"check\":\"keys\",\"text\":\"k\\\"1: is wrong\"}]}\n");
    free(text);
}
