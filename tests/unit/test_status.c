/* pay status: what many records say of one key. */
#include "producer/status.h"
#include "producer/verdict.h"

#include <criterion/criterion.h>
#include <string.h>

#define TEXT_SIZE 4096

static const unsigned char mine[DIGEST_SHORT_SIZE] = {1};
static const unsigned char other[DIGEST_SHORT_SIZE] = {2};

static struct outcome_record record_of(enum outcome verdict, int64_t seq,
                                       const unsigned char *digest)
{
    struct outcome_record record = {
        .key = "k",
        .verdict = verdict,
        .seq = seq,
        .origin = {.topic = "payments", .partition = 2, .offset = 10 + seq},
        .decided_ms = INT64_C(1795608000000),
        .store = "0193a1b2-0000-7000-8000-000000000001",
        .rules = OUTCOME_RULES,
    };

    memcpy(record.digest, digest, sizeof(record.digest));
    if (verdict == OUTCOME_CONFLICT) {
        strcpy(record.reason, "payload_differs");
        record.fields = PAYMENT_AMOUNT;
    } else if (verdict == OUTCOME_QUARANTINED) {
        strcpy(record.reason, "bad_field");
    } else if (verdict == OUTCOME_REJECTED) {
        strcpy(record.reason, "insufficient_funds");
    }
    return record;
}

/* A record that carries the key's decision: number 1, by the payload "mine". */
static struct outcome_record with_first(struct outcome_record record, enum outcome first)
{
    record.has_first = true;
    record.first = (struct outcome_first){
        .outcome = first,
        .reason = first == OUTCOME_REJECTED ? REASON_INSUFFICIENT_FUNDS : REASON_NONE,
        .seq = 1,
        .origin = {.topic = "payments", .partition = 2, .offset = 11},
        .decided_ms = INT64_C(1795608000000),
    };
    memcpy(record.first.digest, mine, sizeof(mine));
    command_init(&record.first.command, COMMAND_PAYMENT);
    strcpy(record.first.command.payment.src, "ann");
    strcpy(record.first.command.payment.dest, "bob");
    strcpy(record.first.command.payment.currency, "EUR");
    record.first.command.payment.amount_minor = 1234;
    return record;
}

static struct outcome_record decided(enum outcome verdict, int64_t seq, const unsigned char *digest,
                                     enum outcome first)
{
    return with_first(record_of(verdict, seq, digest), first);
}

static void take(struct status_key *status, struct outcome_record record)
{
    status_take(status, &record);
}

static const char *text_of(const struct status_key *status)
{
    static char text[TEXT_SIZE];
    FILE *out = fmemopen(text, sizeof(text), "w");

    status_print(status, out);
    fclose(out);
    return text;
}

Test(status, a_key_without_a_record_is_unknown_not_unpaid)
{
    struct status_key status = {.key = "k"};
    struct outcome_record foreign = decided(OUTCOME_APPLIED, 1, mine, OUTCOME_APPLIED);

    strcpy(foreign.key, "another");
    status_take(&status, &foreign);
    cr_expect_eq(status_answer(&status), OUTCOME_NONE);
    cr_expect_eq(status_exit(&status, 1), VERDICT_NOT_FOUND);
    cr_expect_str_eq(text_of(&status), "k: unknown, may still be paid; resend with the same key\n");
}

Test(status, the_decision_stays_and_what_came_after_is_counted)
{
    struct status_key status = {.key = "k"};

    take(&status, decided(OUTCOME_APPLIED, 1, mine, OUTCOME_APPLIED));
    take(&status, decided(OUTCOME_DUPLICATE, 4, mine, OUTCOME_APPLIED));
    take(&status, decided(OUTCOME_DUPLICATE, 5, mine, OUTCOME_APPLIED));
    take(&status, decided(OUTCOME_CONFLICT, 6, other, OUTCOME_APPLIED));
    take(&status, record_of(OUTCOME_QUARANTINED, 7, other));
    cr_expect_eq(status_answer(&status), OUTCOME_APPLIED);
    cr_expect_eq(status_exit(&status, 1), 0);
    cr_expect_str_eq(text_of(&status),
                     "k: applied (ann -> bob 12.34 EUR; payments[2]@11, decided "
                     "2026-11-25T12:00:00.000Z)\n"
                     "  digest 01000000000000000000000000000000; repeats 2, conflicts 1, "
                     "quarantined 1\n");
}

Test(status, what_was_published_twice_counts_once)
{
    struct status_key status = {.key = "k"};

    for (int64_t seq = 1; seq <= 3; seq++) {
        take(&status, decided(OUTCOME_DUPLICATE, seq, mine, OUTCOME_APPLIED));
    }
    for (int64_t seq = 2; seq <= 4; seq++) {
        take(&status, decided(OUTCOME_DUPLICATE, seq, mine, OUTCOME_APPLIED));
    }
    cr_expect_eq(status.repeats, 4);
}

Test(status, another_ledger_numbers_anew)
{
    struct status_key status = {.key = "k"};
    struct outcome_record record = decided(OUTCOME_DUPLICATE, 1, mine, OUTCOME_APPLIED);

    take(&status, decided(OUTCOME_DUPLICATE, 9, mine, OUTCOME_APPLIED));
    record.store[0] = '9';
    status_take(&status, &record);
    cr_expect_eq(status.repeats, 2);
}

Test(status, a_decision_comes_before_anything_else)
{
    static const struct {
        enum outcome verdict;
        enum outcome first; /* OUTCOME_NONE: the key is not decided */
        enum outcome answer;
        int code;
    } rows[] = {
        {OUTCOME_CONFLICT, OUTCOME_NONE, OUTCOME_CONFLICT, VERDICT_CONFLICT},
        {OUTCOME_QUARANTINED, OUTCOME_NONE, OUTCOME_QUARANTINED, VERDICT_QUARANTINED},
        {OUTCOME_CONFLICT, OUTCOME_REJECTED, OUTCOME_REJECTED, VERDICT_REJECTED},
        {OUTCOME_CONFLICT, OUTCOME_NONE, OUTCOME_REJECTED, VERDICT_REJECTED}, /* a later one */
    };
    struct status_key status = {.key = "k"};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct outcome_record record = record_of(rows[i].verdict, (int64_t)i + 1, other);
        if (rows[i].first != OUTCOME_NONE) {
            record = with_first(record, rows[i].first);
        }
        status_take(&status, &record);
        cr_expect_eq(status_answer(&status), rows[i].answer, "row %zu", i);
        cr_expect_eq(status_exit(&status, 1), rows[i].code, "row %zu", i);
    }
}

Test(status, with_a_digest_only_answers_to_that_payload_count)
{
    struct status_key first = {.key = "k", .digest = mine};
    struct status_key second = {.key = "k", .digest = other};

    take(&second, decided(OUTCOME_APPLIED, 1, mine, OUTCOME_APPLIED));
    cr_expect_eq(status_exit(&second, 1), VERDICT_NOT_FOUND);

    struct outcome_record records[] = {decided(OUTCOME_APPLIED, 1, mine, OUTCOME_APPLIED),
                                       decided(OUTCOME_CONFLICT, 2, other, OUTCOME_APPLIED)};
    for (size_t i = 0; i < 2; i++) {
        status_take(&first, &records[i]);
        status_take(&second, &records[i]);
    }
    cr_expect_eq(status_answer(&first), OUTCOME_APPLIED);
    cr_expect_eq(first.conflicts, 0);
    cr_expect_eq(status_answer(&second), OUTCOME_CONFLICT);
    cr_expect_eq(status_exit(&second, 1), VERDICT_CONFLICT);
    cr_expect_eq(strncmp(text_of(&second), "conflict k: amount differs", 26), 0, "%s",
                 text_of(&second));
}

Test(status, the_exit_code_is_the_worst_of_all_keys)
{
    static const struct {
        enum outcome firsts[3];
        int code;
    } rows[] = {
        {{OUTCOME_APPLIED, OUTCOME_APPLIED, OUTCOME_APPLIED}, 0},
        {{OUTCOME_APPLIED, OUTCOME_REJECTED, OUTCOME_APPLIED}, VERDICT_REJECTED},
        {{OUTCOME_APPLIED, OUTCOME_REJECTED, OUTCOME_NONE}, VERDICT_NOT_FOUND},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct status_key keys[3] = {{.key = "k"}, {.key = "k"}, {.key = "k"}};
        for (int k = 0; k < 3; k++) {
            if (rows[i].firsts[k] != OUTCOME_NONE) {
                take(&keys[k], decided(rows[i].firsts[k], 1, mine, rows[i].firsts[k]));
            }
        }
        cr_expect_eq(status_exit(keys, 3), rows[i].code, "row %zu", i);
    }
}

Test(status, json_has_the_record_or_null)
{
    struct status_key keys[2] = {{.key = "k"}, {.key = "nobody's"}};
    static char text[TEXT_SIZE];
    FILE *out = fmemopen(text, sizeof(text), "w");

    take(&keys[0], decided(OUTCOME_APPLIED, 1, mine, OUTCOME_APPLIED));
    cr_assert_eq(status_json(keys, 2, out), 0);
    fclose(out);
    cr_expect_eq(strncmp(text,
                         "{\"keys\":[{\"key\":\"k\",\"found\":true,\"outcome\":\"applied\","
                         "\"repeats\":0,\"conflicts\":0,\"quarantined\":0,\"record\":{\"v\":1,",
                         strlen("{\"keys\":[{\"key\":\"k\",\"found\":true")),
                 0, "%s", text);
    cr_expect_not_null(strstr(text, "\"command\":{\"type\":\"payment\",\"src\":\"ann\""), "%s",
                       text);
    cr_expect_not_null(strstr(text, "{\"key\":\"nobody's\",\"found\":false,\"outcome\":\"unknown\","
                                    "\"repeats\":0,\"conflicts\":0,\"quarantined\":0,"
                                    "\"record\":null}]}\n"),
                       "%s", text);
}
