/* The spool: what was put in comes out, or an error does. */
#include "producer/batch_digest.h"
#include "producer/spool.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>

static struct payment make_payment(int number)
{
    struct payment payment = {.currency = "EUR", .amount_minor = MONEY_MAX_MINOR - number};

    snprintf(payment.key, sizeof(payment.key), "key-%d", number);
    snprintf(payment.src, sizeof(payment.src), "src-%d", number % 7);
    snprintf(payment.dest, sizeof(payment.dest), "dest-%d", number % 1000);
    return payment;
}

static void expect_equal(const struct payment *a, const struct payment *b)
{
    cr_expect_str_eq(a->key, b->key);
    cr_expect_eq(payment_differs(a, b), 0);
}

Test(spool, gives_back_what_was_put_in_and_again_after_a_rewind)
{
    enum { COUNT = 20000 };
    struct spool *spool;
    struct payment got = {.key = ""};
    struct error err;

    cr_assert_eq(spool_open(&spool, "/tmp", &err), 0);
    for (int i = 0; i < COUNT; i++) {
        struct payment payment = make_payment(i);
        cr_assert_eq(spool_append(spool, &payment, &err), 0);
    }
    for (int round = 0; round < 2; round++) {
        cr_assert_eq(spool_rewind(spool, &err), 0);
        for (int i = 0; i < COUNT; i++) {
            struct payment payment = make_payment(i);
            cr_assert_eq(spool_next(spool, &got, &err), 1);
            expect_equal(&got, &payment);
        }
        cr_expect_eq(spool_next(spool, &got, &err), 0);
        cr_expect_eq(spool_next(spool, &got, &err), 0);
    }
    spool_close(spool);
}

Test(spool, keeps_the_shortest_and_the_longest_texts)
{
    struct payment rows[2] = {{.key = "k", .src = "s", .dest = "d", .currency = "JPY"},
                              {.currency = "EUR", .amount_minor = 1}};
    struct spool *spool;
    struct payment got = {.key = ""};
    struct error err;

    memset(rows[1].key, 'k', PAYMENT_KEY_MAX);
    memset(rows[1].src, 's', PAYMENT_ACCOUNT_MAX);
    memset(rows[1].dest, 'd', PAYMENT_ACCOUNT_MAX);
    cr_assert_eq(spool_open(&spool, "/tmp", &err), 0);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(spool_append(spool, &rows[i], &err), 0);
    }
    cr_assert_eq(spool_rewind(spool, &err), 0);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(spool_next(spool, &got, &err), 1);
        expect_equal(&got, &rows[i]);
    }
    spool_close(spool);
}

Test(spool, reads_on_from_a_mark_as_often_as_it_is_told)
{
    enum { COUNT = 20000, MARKED = 9000 };
    struct spool_mark mark = {.rows = 0};
    struct spool *spool;
    struct payment got = {.key = ""};
    struct error err;

    cr_assert_eq(spool_open(&spool, "/tmp", &err), 0);
    for (int i = 0; i < COUNT; i++) {
        struct payment payment = make_payment(i);
        cr_assert_eq(spool_append(spool, &payment, &err), 0);
    }
    cr_assert_eq(spool_rewind(spool, &err), 0);
    for (int i = 0; i < MARKED; i++) {
        cr_assert_eq(spool_next(spool, &got, &err), 1);
    }
    for (int round = 0; round < 2; round++) {
        mark = spool_here(spool);
        for (int i = MARKED; i < COUNT; i++) {
            struct payment payment = make_payment(i);
            cr_assert_eq(spool_next(spool, &got, &err), 1);
            expect_equal(&got, &payment);
        }
        cr_expect_eq(spool_next(spool, &got, &err), 0);
        cr_assert_eq(spool_return(spool, mark, &err), 0);
    }
    spool_close(spool);
}

Test(spool, leaves_the_batch_as_it_is)
{
    struct payment payment = make_payment(1);
    struct payment got = {.batch = {.id = "c", .rows = 7}};
    struct spool *spool;
    struct error err;

    strcpy(payment.batch.id, "b");
    cr_assert_eq(spool_open(&spool, "/tmp", &err), 0);
    cr_assert_eq(spool_append(spool, &payment, &err), 0);
    cr_assert_eq(spool_rewind(spool, &err), 0);
    cr_assert_eq(spool_next(spool, &got, &err), 1);
    cr_expect_str_eq(got.key, payment.key);
    cr_expect_str_eq(got.batch.id, "c");
    cr_expect_eq(got.batch.rows, 7);
    spool_close(spool);
}

/* Over several of the blocks that it writes, of rows of any length. */
Test(spool, its_digest_is_that_of_its_rows_one_by_one)
{
    enum { COUNT = 20000 };
    struct batch_digest *digest;
    struct spool *spool;
    struct payment got;
    struct error err;
    char wanted[PAYMENT_DIGEST_LEN + 1];
    char told[PAYMENT_DIGEST_LEN + 1];

    cr_assert_eq(batch_digest_open(&digest, &err), 0);
    cr_assert_eq(spool_open(&spool, "/tmp", &err), 0);
    for (int i = 0; i < COUNT; i++) {
        struct payment payment = make_payment(i);
        memset(payment.dest, 'd', (size_t)(1 + i * 31 % PAYMENT_ACCOUNT_MAX));
        cr_assert_eq(batch_digest_add(digest, &payment, &err), 0);
        cr_assert_eq(spool_append(spool, &payment, &err), 0);
    }
    cr_assert_eq(batch_digest_finish(digest, wanted, &err), 0);
    cr_assert_eq(spool_finish(spool, told, &err), 0);
    cr_expect_str_eq(told, wanted);
    cr_assert_eq(spool_rewind(spool, &err), 0);
    for (int i = 0; i < COUNT; i++) {
        cr_assert_eq(spool_next(spool, &got, &err), 1);
        cr_assert_eq(got.amount_minor, make_payment(i).amount_minor);
        cr_assert_eq(strspn(got.dest, "d"), (size_t)(1 + i * 31 % PAYMENT_ACCOUNT_MAX));
    }
    batch_digest_close(digest);
    spool_close(spool);
}

Test(spool, a_folder_that_is_not_there_is_an_error)
{
    struct spool *spool;
    struct error err;

    cr_expect_eq(spool_open(&spool, "/nonexistent", &err), -1);
    cr_expect_eq(err.code, EX_IOERR);
    cr_expect_not_null(strstr(err.text, "TMPDIR"), "%s", err.text);
    spool_close(NULL);
}

/* A limit on the size of files behaves as a full disk does. */
Test(spool, a_full_disk_is_an_error_at_the_latest_when_it_is_read)
{
    const struct rlimit limit = {1000000, 1000000};
    struct spool *spool;
    struct error err;
    int result = 0;

    cr_assert_eq(spool_open(&spool, "/tmp", &err), 0);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (int i = 0; result == 0 && i < 100000; i++) {
        struct payment payment = make_payment(i);
        result = spool_append(spool, &payment, &err);
    }
    if (result == 0) {
        result = spool_rewind(spool, &err);
    }
    cr_expect_eq(result, -1);
    cr_expect_eq(err.code, EX_IOERR);
    cr_expect_not_null(strstr(err.text, "TMPDIR"), "%s", err.text);
    spool_close(spool);
}
