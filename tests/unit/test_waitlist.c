/* The waitlist: an answer belongs to key and payload, and each command gets one. */
#include "producer/waitlist.h"

#include "common/command_digest.h"
#include "common/command_json.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static struct command payment(const char *key, int64_t amount_minor)
{
    struct command command;

    command_init(&command, COMMAND_PAYMENT);
    strcpy(command.payment.key, key);
    strcpy(command.payment.src, "ann");
    strcpy(command.payment.dest, "bob");
    strcpy(command.payment.currency, "EUR");
    command.payment.amount_minor = amount_minor;
    return command;
}

static struct waitlist *open_list(int64_t rows)
{
    struct waitlist *list = NULL;
    struct error err;

    cr_assert_eq(waitlist_open(&list, rows, &err), 0);
    return list;
}

static void add(struct waitlist *list, struct command command)
{
    char value[COMMAND_JSON_SIZE];
    size_t len = command_json_encode(&command, value);
    struct error err;

    cr_assert_eq(waitlist_add(list, &command, value, len, &err), 0);
}

/* The record that payd would send for this command. */
static struct outcome_record record_of(struct command command, enum outcome verdict)
{
    struct outcome_record record = {.verdict = verdict};
    unsigned char whole[DIGEST_SIZE];
    char value[COMMAND_JSON_SIZE];
    struct digest *digest;
    struct error err;

    strcpy(record.key, command.payment.key);
    cr_assert_eq(digest_open(&digest, &err), 0);
    if (verdict == OUTCOME_QUARANTINED) {
        cr_assert_eq(digest_add(digest, value, command_json_encode(&command, value), &err), 0);
        cr_assert_eq(digest_finish(digest, whole, &err), 0);
        memcpy(record.digest, whole, sizeof(record.digest));
    } else {
        cr_assert_eq(command_digest(digest, &command, record.digest, &err), 0);
    }
    digest_close(digest);
    return record;
}

static int64_t answer(struct waitlist *list, struct command command, enum outcome verdict)
{
    struct outcome_record record = record_of(command, verdict);
    struct error err;
    int64_t rows = -1;

    cr_assert_eq(waitlist_answer(list, &record, &rows, &err), 0);
    return rows;
}

static enum outcome look(struct waitlist *list, struct command command)
{
    enum outcome answer = OUTCOME_COUNT;
    struct error err;

    cr_assert_eq(waitlist_look(list, &command, &answer, &err), 0);
    return answer;
}

Test(waitlist, an_answer_belongs_to_key_and_payload)
{
    struct waitlist *list = open_list(2);

    add(list, payment("k1", 100));
    add(list, payment("k2", 100));
    cr_expect_eq(answer(list, payment("k1", 101), OUTCOME_APPLIED), 0, "another payload");
    cr_expect_eq(answer(list, payment("k3", 100), OUTCOME_APPLIED), 0, "another key");
    cr_expect_eq(waitlist_counts(list)->unknown, 2);

    cr_expect_eq(answer(list, payment("k1", 100), OUTCOME_REJECTED), 1);
    cr_expect_eq(answer(list, payment("k1", 100), OUTCOME_APPLIED), 0, "it was answered");
    cr_expect_eq(look(list, payment("k1", 100)), OUTCOME_REJECTED);
    cr_expect_eq(look(list, payment("k2", 100)), OUTCOME_NONE);
    cr_expect_eq(waitlist_counts(list)->rejected, 1);
    cr_expect_eq(waitlist_counts(list)->unknown, 1);
    waitlist_close(list);
}

Test(waitlist, the_payload_is_all_of_it_with_the_batch)
{
    struct waitlist *list = open_list(1);
    struct command tagged = payment("k", 100);

    strcpy(tagged.payment.batch.id, "b");
    tagged.payment.batch.rows = 1;
    memset(tagged.payment.batch.digest, '0', PAYMENT_DIGEST_LEN);
    add(list, tagged);
    cr_expect_eq(answer(list, payment("k", 100), OUTCOME_APPLIED), 0);
    cr_expect_eq(answer(list, tagged, OUTCOME_APPLIED), 1);
    waitlist_close(list);
}

Test(waitlist, a_stale_command_could_be_read_and_is_known_by_its_digest)
{
    struct waitlist *list = open_list(1);
    struct outcome_record record = record_of(payment("k", 100), OUTCOME_APPLIED);
    struct error err;
    int64_t rows;

    add(list, payment("k", 100));
    record.verdict = OUTCOME_QUARANTINED;
    strcpy(record.reason, "stale");
    cr_assert_eq(waitlist_answer(list, &record, &rows, &err), 0);
    cr_expect_eq(rows, 1);
    cr_expect_eq(waitlist_counts(list)->quarantined, 1);
    waitlist_close(list);
}

Test(waitlist, a_quarantined_command_is_known_by_its_raw_value)
{
    struct waitlist *list = open_list(1);
    struct outcome_record record = record_of(payment("k", 100), OUTCOME_APPLIED);
    struct error err;
    int64_t rows;

    add(list, payment("k", 100));
    record.verdict = OUTCOME_QUARANTINED; /* with the digest of the command: not this value */
    cr_assert_eq(waitlist_answer(list, &record, &rows, &err), 0);
    cr_expect_eq(rows, 0);
    record = record_of(payment("k", 100), OUTCOME_QUARANTINED);
    record.verdict = OUTCOME_APPLIED; /* with the digest of the value: not this command */
    cr_assert_eq(waitlist_answer(list, &record, &rows, &err), 0);
    cr_expect_eq(rows, 0);
    cr_expect_eq(answer(list, payment("k", 100), OUTCOME_QUARANTINED), 1);
    cr_expect_eq(waitlist_counts(list)->quarantined, 1);
    waitlist_close(list);
}

Test(waitlist, a_duplicate_answers_as_the_first_decision)
{
    struct waitlist *list = open_list(1);
    struct outcome_record record = record_of(payment("k", 100), OUTCOME_DUPLICATE);
    struct error err;
    int64_t rows;

    add(list, payment("k", 100));
    record.has_first = true;
    record.first.outcome = OUTCOME_REJECTED;
    cr_assert_eq(waitlist_answer(list, &record, &rows, &err), 0);
    cr_expect_eq(rows, 1);
    cr_expect_eq(waitlist_counts(list)->rejected, 1);
    waitlist_close(list);
}

Test(waitlist, one_key_with_several_payloads_gets_an_answer_for_each)
{
    struct waitlist *list = open_list(4);

    add(list, payment("k", 100));
    add(list, payment("k", 200));
    add(list, payment("k", 100));
    cr_expect_eq(answer(list, payment("k", 200), OUTCOME_CONFLICT), 1);
    cr_expect_eq(answer(list, payment("k", 100), OUTCOME_APPLIED), 2, "both rows");
    add(list, payment("k", 100)); /* sent after its answer has come */
    cr_expect_eq(waitlist_counts(list)->applied, 3);
    cr_expect_eq(waitlist_counts(list)->conflict, 1);
    cr_expect_eq(waitlist_counts(list)->unknown, 0);
    waitlist_close(list);
}

Test(waitlist, a_decision_takes_the_place_of_what_came_before_it)
{
    static const struct {
        enum outcome answers[2]; /* one after the other */
        enum outcome stays;
    } rows[] = {
        {{OUTCOME_CONFLICT, OUTCOME_APPLIED}, OUTCOME_APPLIED},
        {{OUTCOME_QUARANTINED, OUTCOME_REJECTED}, OUTCOME_REJECTED},
        {{OUTCOME_APPLIED, OUTCOME_CONFLICT}, OUTCOME_APPLIED},
        {{OUTCOME_APPLIED, OUTCOME_REJECTED}, OUTCOME_APPLIED},
        {{OUTCOME_CONFLICT, OUTCOME_QUARANTINED}, OUTCOME_CONFLICT},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct waitlist *list = open_list(2);
        struct verdict_counts wanted = {0};
        add(list, payment("k", 100));
        add(list, payment("k", 100));
        cr_expect_eq(answer(list, payment("k", 100), rows[i].answers[0]), 2, "row %zu", i);
        cr_expect_eq(answer(list, payment("k", 100), rows[i].answers[1]),
                     rows[i].stays == rows[i].answers[1] ? 2 : 0, "row %zu", i);
        cr_expect_eq(look(list, payment("k", 100)), rows[i].stays, "row %zu", i);
        verdict_count(&wanted, rows[i].stays);
        verdict_count(&wanted, rows[i].stays);
        cr_expect_eq(memcmp(waitlist_counts(list), &wanted, sizeof(wanted)), 0, "row %zu", i);
        waitlist_close(list);
    }
}

Test(waitlist, finds_each_of_many_rows)
{
    enum { ROWS = 20000 };
    struct waitlist *list = open_list(ROWS);
    char key[32];

    for (int i = 0; i < ROWS; i++) {
        snprintf(key, sizeof(key), "key-%d", i / 2);
        add(list, payment(key, 100 + i % 2));
    }
    for (int i = 0; i < ROWS; i += 3) {
        snprintf(key, sizeof(key), "key-%d", i / 2);
        cr_assert_eq(answer(list, payment(key, 100 + i % 2), OUTCOME_APPLIED), 1, "%d", i);
    }
    for (int i = 0; i < ROWS; i++) {
        snprintf(key, sizeof(key), "key-%d", i / 2);
        cr_assert_eq(look(list, payment(key, 100 + i % 2)),
                     i % 3 == 0 ? OUTCOME_APPLIED : OUTCOME_NONE, "%d", i);
    }
    cr_expect_eq(waitlist_counts(list)->unknown, ROWS - (ROWS + 2) / 3);
    waitlist_close(list);
}

Test(waitlist, has_a_limit_and_takes_nothing_too)
{
    struct waitlist *list = NULL;
    struct error err;

    cr_expect_eq(waitlist_open(&list, WAITLIST_ROWS_MAX + INT64_C(1), &err), -1);
    cr_expect_eq(err.code, EX_USAGE);
    cr_expect_not_null(strstr(err.text, "without --wait"), "%s", err.text);
    cr_expect_null(list);
    list = open_list(0);
    cr_expect_eq(look(list, payment("k", 100)), OUTCOME_NONE);
    cr_expect_eq(waitlist_counts(list)->unknown, 0);
    waitlist_close(list);
    waitlist_close(NULL);
}
