/*
 * Errors: the sentence, its exit code, and what becomes of words that do not fit.
 */
#include "common/error.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sysexits.h>

static char filler[2 * ERROR_TEXT_SIZE];

static void fill(size_t len)
{
    memset(filler, 'x', len);
    filler[len] = '\0';
}

Test(error, holds_code_and_sentence)
{
    struct error err = {EX_OK, ""};

    cr_expect_eq(error_set(&err, EX_DATAERR, "%s:%d: %s", "rows.csv", 3, "no amount"), -1);
    cr_expect_eq(err.code, EX_DATAERR);
    cr_expect_str_eq(err.text, "rows.csv:3: no amount");
}

Test(error, wrapping_puts_words_before_and_keeps_the_code)
{
    struct error err = {EX_OK, ""};

    error_set(&err, EX_IOERR, "disk gone");
    cr_expect_eq(error_wrap(&err, "chunk %d", 7), -1);
    cr_expect_eq(error_wrap(&err, "%s", "ledger.db"), -1);
    cr_expect_eq(err.code, EX_IOERR);
    cr_expect_str_eq(err.text, "ledger.db: chunk 7: disk gone");
}

Test(error, a_sentence_that_just_fits_is_whole)
{
    struct error err = {EX_OK, ""};

    fill(ERROR_TEXT_SIZE - 1);
    error_set(&err, EX_USAGE, "%s", filler);
    cr_expect_str_eq(err.text, filler);
    fill(ERROR_TEXT_SIZE - 1 - 3);
    error_set(&err, EX_USAGE, "%s", filler);
    error_wrap(&err, "a");
    cr_expect_eq(strlen(err.text), ERROR_TEXT_SIZE - 1);
    cr_expect(strncmp(err.text, "a: xxx", 6) == 0);
    cr_expect_str_eq(err.text + ERROR_TEXT_SIZE - 4, "xxx");
}

Test(error, a_sentence_that_does_not_fit_is_cut_and_says_so)
{
    struct error err = {EX_OK, ""};

    fill(ERROR_TEXT_SIZE);
    error_set(&err, EX_USAGE, "%s", filler);
    cr_expect_eq(strlen(err.text), ERROR_TEXT_SIZE - 1);
    cr_expect_str_eq(err.text + ERROR_TEXT_SIZE - 5, "x...");
}

Test(error, wrapping_that_does_not_fit_keeps_the_beginning)
{
    static const size_t lengths[] = {ERROR_TEXT_SIZE - 3, ERROR_TEXT_SIZE - 2, ERROR_TEXT_SIZE - 1,
                                     ERROR_TEXT_SIZE, 2 * ERROR_TEXT_SIZE - 1};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct error err = {EX_OK, ""};
        error_set(&err, EX_CONFIG, "inner");
        fill(lengths[i]);
        error_wrap(&err, "%s", filler);
        cr_expect_eq(err.code, EX_CONFIG);
        cr_expect_eq(strlen(err.text), ERROR_TEXT_SIZE - 1, "length %zu", lengths[i]);
        cr_expect_str_eq(err.text + ERROR_TEXT_SIZE - 5, "x...", "length %zu", lengths[i]);
    }
}
