/*
 * The payload decoder. Input: the key up to a line feed, a value, and behind a byte 0x1E another
 * value for the same key; without a line feed a message without a key.
 */
#include "common/command_digest.h"
#include "common/command_json.h"
#include "common/text.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static struct digest *digest;

static void digest_of(const struct command *command, unsigned char ret[DIGEST_SHORT_SIZE])
{
    struct error err;

    FUZZ_CHECK(digest || digest_open(&digest, &err) == 0);
    FUZZ_CHECK(command_digest(digest, command, ret, &err) == 0);
}

static bool is_account(const char *account)
{
    return payment_account_problem(account, strlen(account)) == NULL;
}

static void check_form(const struct command *command)
{
    const struct payment *payment = &command->payment;

    FUZZ_CHECK(command->type >= COMMAND_PAYMENT && command->type < COMMAND_TYPE_COUNT);
    FUZZ_CHECK(payment_key_problem(payment->key, strlen(payment->key)) == NULL);
    FUZZ_CHECK(command->has_min || command->min_minor == 0);
    FUZZ_CHECK(command->min_minor >= -MONEY_MAX_MINOR && command->min_minor <= MONEY_MAX_MINOR);
    if (command->type <= COMMAND_ACCOUNT_CLOSE) {
        FUZZ_CHECK(is_account(payment->src));
    }
    if (command->type <= COMMAND_ACCOUNT_LIMIT) {
        FUZZ_CHECK(money_is_currency_form(payment->currency, strlen(payment->currency)));
    }
    if (command->type == COMMAND_PAYMENT) {
        FUZZ_CHECK(is_account(payment->dest));
        FUZZ_CHECK(payment->amount_minor >= 0 &&
                   payment->amount_minor < INT64_C(1000000000000000000));
    }
    if (payment->batch.id[0] != '\0') {
        FUZZ_CHECK(command->type == COMMAND_PAYMENT);
        FUZZ_CHECK(payment->batch.rows >= 1 && payment->batch.rows <= PAYMENT_BATCH_ROWS_MAX);
        FUZZ_CHECK(payment_digest_problem(payment->batch.digest, PAYMENT_DIGEST_LEN) == NULL);
    }
}

/* What was read can be written, and is read again as the same command with the same digest. */
static void check_round_trip(const struct command *command)
{
    char text[COMMAND_JSON_SIZE];
    char text_again[COMMAND_JSON_SIZE];
    char detail[UNREADABLE_DETAIL_SIZE];
    unsigned char print[DIGEST_SHORT_SIZE];
    unsigned char print_again[DIGEST_SHORT_SIZE];
    struct command again;
    enum unreadable reason = UNREADABLE_KEY;
    const char *key = command->payment.key;
    size_t len = command_json_encode(command, text);

    FUZZ_CHECK(len > 0 && len < COMMAND_JSON_SIZE && len == strlen(text));
    FUZZ_CHECK(text_is_printable(text, len));
    FUZZ_CHECK(command_json_decode(key, strlen(key), text, len, &again, &reason, detail) == 0);
    FUZZ_CHECK(reason == READABLE);
    FUZZ_CHECK(command_differs(command, &again) == 0);
    FUZZ_CHECK(strcmp(again.payment.key, key) == 0);
    digest_of(command, print);
    digest_of(&again, print_again);
    FUZZ_CHECK(memcmp(print, print_again, sizeof(print)) == 0);
    FUZZ_CHECK(command_json_encode(&again, text_again) == len);
    FUZZ_CHECK(strcmp(text, text_again) == 0);
}

static bool decode(const struct fuzz_part *key, const struct fuzz_part *value, struct command *ret)
{
    char detail[UNREADABLE_DETAIL_SIZE];
    enum unreadable reason = READABLE;

    FUZZ_CHECK(command_json_decode(key->data, key->len, value->data, value->len, ret, &reason,
                                   detail) == 0);
    FUZZ_CHECK(unreadable_name(reason) != NULL);
    FUZZ_CHECK((reason == READABLE) == (detail[0] == '\0'));
    FUZZ_CHECK(text_is_printable(detail, strlen(detail)));
    if (reason != READABLE) {
        return false;
    }
    FUZZ_CHECK(strlen(ret->payment.key) == key->len &&
               memcmp(ret->payment.key, key->data, key->len) == 0);
    check_form(ret);
    check_round_trip(ret);
    return true;
}

/* Two payloads are the same exactly when their canonical bytes are. */
static void check_pair(const struct command *a, const struct command *b)
{
    unsigned char bytes_a[COMMAND_CANONICAL_SIZE];
    unsigned char bytes_b[COMMAND_CANONICAL_SIZE];
    char names[COMMAND_FIELDS_SIZE];
    size_t len_a = command_canonical(a, bytes_a);
    size_t len_b = command_canonical(b, bytes_b);
    unsigned fields = command_differs(a, b);
    bool equal = len_a == len_b && memcmp(bytes_a, bytes_b, len_a) == 0;

    FUZZ_CHECK(len_a <= COMMAND_CANONICAL_SIZE && len_b <= COMMAND_CANONICAL_SIZE);
    FUZZ_CHECK(equal == (fields == 0));
    FUZZ_CHECK(fields == command_differs(b, a));
    FUZZ_CHECK(strlen(command_fields(names, fields)) < COMMAND_FIELDS_SIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool has_key = size > 0 && memchr(data, '\n', size) != NULL;
    struct fuzz_part key = {NULL, 0};
    struct command first;
    struct command second;

    if (has_key) {
        key = fuzz_cut(&data, &size, '\n');
    }
    struct fuzz_part value = fuzz_cut(&data, &size, 0x1E);
    struct fuzz_part other = fuzz_rest(&data, &size);
    bool first_good = decode(&key, &value, &first);
    if (decode(&key, &other, &second) && first_good) {
        check_pair(&first, &second);
    }
    fuzz_release(&key);
    fuzz_release(&value);
    fuzz_release(&other);
    return 0;
}
