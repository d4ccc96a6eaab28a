#include "tests/checker/order.h"

#include "tests/checker/memory.h"
#include "tests/checker/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCOUNT_MAX      128
#define BATCH_ID_MAX     244
#define BATCH_DIGEST_LEN 64
#define BATCH_ROWS_MAX   9999999999.0
#define AMOUNT_DIGITS    18 /* more than are ever paid: those are read, and rejected */
#define MIN_DIGITS       16

void words_init(struct words *words)
{
    words->keys = names_new();
    words->accounts = names_new();
    words->batches = names_new();
    words->contents = names_new();
    words->tree = memory_new(1, sizeof(*words->tree));
}

void words_release(struct words *words)
{
    names_free(words->keys);
    names_free(words->accounts);
    names_free(words->batches);
    names_free(words->contents);
    free(words->tree);
}

bool order_key_is_usable(const char *key, size_t len)
{
    return key && len > 0 && len <= ORDER_KEY_MAX && utf8_printable(key, len);
}

/* ---- fields; each function is false when its field is not of its form ---- */

static bool is_text(const struct strict_value *field)
{
    return field && field->type == STRICT_STRING;
}

static bool read_account(struct words *words, const struct strict_value *object, const char *name,
                         int32_t *ret)
{
    const struct strict_value *field = strict_field(object, name);

    if (!is_text(field) || field->text_len == 0 || field->text_len > ACCOUNT_MAX ||
        !utf8_printable(field->text, field->text_len) || field->text[0] == ' ' ||
        field->text[field->text_len - 1] == ' ') {
        return false;
    }
    *ret = names_add(words->accounts, field->text, field->text_len);
    return true;
}

/* Digits without a leading zero, at most so many. */
static bool read_digits(const char *text, size_t len, size_t max, int64_t *ret)
{
    if (len == 0 || len > max || strspn(text, "0123456789") != len || (text[0] == '0' && len > 1)) {
        return false;
    }
    *ret = strtoll(text, NULL, 10);
    return true;
}

static bool read_currency(const struct strict_value *object, char ret[ORDER_CURRENCY_SIZE])
{
    const struct strict_value *field = strict_field(object, "currency");

    if (!field) {
        memcpy(ret, "EUR", ORDER_CURRENCY_SIZE);
        return true;
    }
    if (!is_text(field) || field->text_len != 3 ||
        strspn(field->text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3) {
        return false;
    }
    memcpy(ret, field->text, ORDER_CURRENCY_SIZE);
    return true;
}

static bool read_batch(struct words *words, const struct strict_value *object, struct order *ret)
{
    const struct strict_value *batch = strict_field(object, "batch");

    if (!batch) {
        return true;
    }
    if (batch->type != STRICT_OBJECT) {
        return false;
    }
    const struct strict_value *id = strict_field(batch, "id");
    const struct strict_value *rows = strict_field(batch, "rows");
    const struct strict_value *digest = strict_field(batch, "digest");
    if (!is_text(id) || id->text_len == 0 || id->text_len > BATCH_ID_MAX ||
        !utf8_printable(id->text, id->text_len) || !is_text(digest) ||
        digest->text_len != BATCH_DIGEST_LEN ||
        strspn(digest->text, "0123456789abcdef") != BATCH_DIGEST_LEN) {
        return false;
    }
    if (!rows || rows->type != STRICT_NUMBER || !(rows->number >= 1) ||
        !(rows->number <= BATCH_ROWS_MAX) || rows->number != (double)(int64_t)rows->number) {
        return false;
    }
    order_set_batch(words, ret, id->text, id->text_len, (int64_t)rows->number, digest->text);
    return true;
}

static bool read_min_balance(const struct strict_value *object, struct order *ret)
{
    const struct strict_value *field = strict_field(object, "min_balance");
    int64_t minor;

    if (!field || (field->type == STRICT_WORD && strcmp(field->text, "null") == 0)) {
        return true;
    }
    if (!is_text(field)) {
        return false;
    }
    size_t sign = field->text[0] == '-';
    if (!read_digits(field->text + sign, field->text_len - sign, MIN_DIGITS, &minor) ||
        (sign && minor == 0)) {
        return false;
    }
    ret->has_min = true;
    ret->min_minor = sign ? -minor : minor;
    return true;
}

static bool read_mode(const struct strict_value *object, struct order *ret)
{
    const struct strict_value *field = strict_field(object, "mode");

    ret->strict = is_text(field) && strcmp(field->text, "strict") == 0;
    return ret->strict || (is_text(field) && strcmp(field->text, "open") == 0);
}

static bool read_payment(struct words *words, const struct strict_value *object, struct order *ret)
{
    const struct strict_value *amount = strict_field(object, "amount");

    return read_account(words, object, "src", &ret->src) &&
           read_account(words, object, "dest", &ret->dest) && is_text(amount) &&
           read_digits(amount->text, amount->text_len, AMOUNT_DIGITS, &ret->amount_minor) &&
           read_currency(object, ret->currency) && read_batch(words, object, ret);
}

/* ---- orders ---- */

static enum order_type read_type(const struct strict_value *object)
{
    static const char *const names[] = {
        [ORDER_PAYMENT] = "payment",     [ORDER_OPEN] = "account_open",
        [ORDER_LIMIT] = "account_limit", [ORDER_CLOSE] = "account_close",
        [ORDER_MODE] = "accounts",       [ORDER_CANCEL] = "cancel",
    };
    const struct strict_value *version = strict_field(object, "v");
    const struct strict_value *type = strict_field(object, "type");

    if (!version || version->type != STRICT_NUMBER || version->number != 1 || !is_text(type)) {
        return ORDER_UNREADABLE;
    }
    for (int i = ORDER_PAYMENT; i <= ORDER_CANCEL; i++) {
        if (strcmp(names[i], type->text) == 0) {
            return (enum order_type)i;
        }
    }
    return ORDER_UNREADABLE;
}

static bool read_fields(struct words *words, const struct strict_value *object, struct order *ret)
{
    switch (ret->type) {
    case ORDER_PAYMENT:
        return read_payment(words, object, ret);
    case ORDER_OPEN:
    case ORDER_LIMIT:
        return read_account(words, object, "account", &ret->src) &&
               read_currency(object, ret->currency) && read_min_balance(object, ret);
    case ORDER_CLOSE:
        return read_account(words, object, "account", &ret->src);
    case ORDER_MODE:
        return read_mode(object, ret);
    case ORDER_CANCEL:
        return true;
    case ORDER_UNREADABLE:
    default:
        return false;
    }
}

void order_read(struct words *words, const char *key, size_t key_len, const char *value,
                size_t value_len, struct order *ret)
{
    static const struct order empty = {
        .src = NAMES_NONE, .dest = NAMES_NONE, .batch = NAMES_NONE, .content = NAMES_NONE};
    const struct strict_value *object = order_key_is_usable(key, key_len) && value && value_len > 0
                                            ? strict_read(words->tree, value, value_len)
                                            : NULL;

    *ret = empty;
    ret->type = object ? read_type(object) : ORDER_UNREADABLE;
    if (object && read_fields(words, object, ret)) {
        order_set_digest(words, ret);
    } else {
        *ret = empty;
        sha_short(ret->digest, value, value_len);
    }
}

void order_set_batch(struct words *words, struct order *order, const char *id, size_t id_len,
                     int64_t rows, const char *digest)
{
    char content[BATCH_ID_MAX + BATCH_DIGEST_LEN + 32];
    int len = snprintf(content, sizeof(content), "%.*s\n%" PRId64 "\n%.*s",
                       id_len < BATCH_ID_MAX ? (int)id_len : BATCH_ID_MAX, id, rows,
                       BATCH_DIGEST_LEN, digest);

    order->batch = names_add(words->batches, id, id_len);
    order->content = names_add(words->contents, content, (size_t)len);
}

/* ---- the digest ---- */

#define CANONICAL_MAX 1024

static unsigned char *put_number(unsigned char *to, int64_t number)
{
    uint64_t rest = (uint64_t)number;

    for (int i = 7; i >= 0; i--) {
        to[i] = (unsigned char)(rest & 0xFF);
        rest >>= 8;
    }
    return to + 8;
}

static unsigned char *put_bytes(unsigned char *to, const char *bytes, size_t len)
{
    to[0] = (unsigned char)(len / 256);
    to[1] = (unsigned char)(len % 256);
    memcpy(to + 2, bytes, len);
    return to + 2 + len;
}

static unsigned char *put_name(unsigned char *to, const struct names *names, int32_t number)
{
    size_t len;
    const char *name = names_text(names, number, &len);

    return put_bytes(to, name, len);
}

/* Its content is "id\nrows\ndigest". */
static unsigned char *put_batch(unsigned char *to, const struct words *words,
                                const struct order *order)
{
    size_t len;

    if (order->batch == NAMES_NONE) {
        return put_number(put_bytes(put_bytes(to, "", 0), "", 0), 0);
    }
    const char *content = names_text(words->contents, order->content, &len);
    const char *digest = strrchr(content, '\n') + 1;
    const char *rows = content;
    for (const char *at = content; at < digest - 1; at++) {
        rows = *at == '\n' ? at + 1 : rows;
    }
    to = put_name(to, words->batches, order->batch);
    to = put_bytes(to, digest, strlen(digest));
    return put_number(to, strtoll(rows, NULL, 10));
}

void order_set_digest(const struct words *words, struct order *order)
{
    unsigned char bytes[CANONICAL_MAX] = "pay command 1";
    unsigned char *to = bytes + sizeof("pay command 1");

    *to++ = (unsigned char)order->type;
    if (order->src != NAMES_NONE) {
        to = put_name(to, words->accounts, order->src);
    }
    if (order->type == ORDER_PAYMENT) {
        to = put_name(to, words->accounts, order->dest);
        to = put_bytes(to, order->currency, strlen(order->currency));
        to = put_number(to, order->amount_minor);
        to = put_batch(to, words, order);
    } else if (order->type == ORDER_OPEN || order->type == ORDER_LIMIT) {
        to = put_bytes(to, order->currency, strlen(order->currency));
        *to++ = order->has_min;
        to = put_number(to, order->min_minor);
    } else if (order->type == ORDER_MODE) {
        *to++ = order->strict;
    }
    sha_short(order->digest, bytes, (size_t)(to - bytes));
}

/* ---- comparing ---- */

static void add_field(char *fields, bool differs, const char *name)
{
    if (differs) {
        size_t used = strlen(fields);
        snprintf(fields + used, ORDER_FIELDS_SIZE - used, "%s%s", used > 0 ? "," : "", name);
    }
}

char *order_differs(char fields[ORDER_FIELDS_SIZE], const struct order *a, const struct order *b)
{
    bool is_payment = a->type == ORDER_PAYMENT;
    bool is_mode = a->type == ORDER_MODE;

    fields[0] = '\0';
    if (a->type != b->type) {
        add_field(fields, true, "type");
        return fields;
    }
    add_field(fields, is_payment && a->src != b->src, "src");
    add_field(fields, is_payment && a->dest != b->dest, "dest");
    add_field(fields, is_payment && a->amount_minor != b->amount_minor, "amount");
    add_field(fields, strcmp(a->currency, b->currency) != 0, "currency");
    add_field(fields, is_payment && a->content != b->content, "batch");
    add_field(fields, !is_payment && a->src != b->src, "account");
    add_field(fields, a->has_min != b->has_min || a->min_minor != b->min_minor, "min_balance");
    add_field(fields, is_mode && a->strict != b->strict, "mode");
    return fields;
}
