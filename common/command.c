#include "common/command.h"

#include <stdio.h>
#include <string.h>

/* Keeps these digests apart from every other use of SHA-256; hashed with its NUL. */
static const char domain[] = "pay command 1";

const char *command_type_name(enum command_type type)
{
    static const char *const names[COMMAND_TYPE_COUNT] = {
        [COMMAND_PAYMENT] = "payment",
        [COMMAND_ACCOUNT_OPEN] = "account_open",
        [COMMAND_ACCOUNT_LIMIT] = "account_limit",
        [COMMAND_ACCOUNT_CLOSE] = "account_close",
        [COMMAND_ACCOUNTS] = "accounts",
        [COMMAND_CANCEL] = "cancel",
    };
    return names[type];
}

void command_init(struct command *command, enum command_type type)
{
    memset(command, 0, sizeof(*command));
    command->type = type;
}

static unsigned limit_differs(const struct command *a, const struct command *b)
{
    unsigned fields = 0;

    if (strcmp(a->payment.src, b->payment.src) != 0) {
        fields |= COMMAND_FIELD_ACCOUNT;
    }
    if (strcmp(a->payment.currency, b->payment.currency) != 0) {
        fields |= PAYMENT_CURRENCY;
    }
    if (a->has_min != b->has_min || a->min_minor != b->min_minor) {
        fields |= COMMAND_FIELD_MIN_BALANCE;
    }
    return fields;
}

unsigned command_differs(const struct command *a, const struct command *b)
{
    if (a->type != b->type) {
        return COMMAND_FIELD_TYPE;
    }
    switch (a->type) {
    case COMMAND_PAYMENT:
        return payment_differs(&a->payment, &b->payment);
    case COMMAND_ACCOUNT_OPEN:
    case COMMAND_ACCOUNT_LIMIT:
    case COMMAND_ACCOUNT_CLOSE:
        return limit_differs(a, b);
    case COMMAND_ACCOUNTS:
        return a->strict != b->strict ? COMMAND_FIELD_MODE : 0;
    case COMMAND_CANCEL:
    case COMMAND_TYPE_COUNT:
    default:
        return 0;
    }
}

/* By bit number. */
static const char *const field_names[] = {"src",  "dest",    "amount",      "currency", "batch",
                                          "type", "account", "min_balance", "mode"};

#define FIELDS (sizeof(field_names) / sizeof(field_names[0]))

char *command_fields(char *buf, unsigned fields)
{
    size_t used = 0;

    buf[0] = '\0';
    for (unsigned i = 0; i < FIELDS; i++) {
        if (fields & 1U << i) {
            used += (size_t)snprintf(buf + used, COMMAND_FIELDS_SIZE - used, "%s%s",
                                     used > 0 ? "," : "", field_names[i]);
        }
    }
    return buf;
}

unsigned command_field_of(const char *name)
{
    for (unsigned i = 0; i < FIELDS; i++) {
        if (strcmp(field_names[i], name) == 0) {
            return 1U << i;
        }
    }
    return 0;
}

/* ---- the canonical form ---- */

static unsigned char *put_number(unsigned char *to, int64_t number)
{
    for (int shift = 56; shift >= 0; shift -= 8) {
        *to++ = (unsigned char)((uint64_t)number >> shift);
    }
    return to;
}

static unsigned char *put_text(unsigned char *to, const char *text)
{
    size_t len = strlen(text);

    *to++ = (unsigned char)(len >> 8);
    *to++ = (unsigned char)len;
    memcpy(to, text, len);
    return to + len;
}

static unsigned char *put_payment(unsigned char *to, const struct payment *payment)
{
    to = put_text(to, payment->src);
    to = put_text(to, payment->dest);
    to = put_text(to, payment->currency);
    to = put_number(to, payment->amount_minor);
    to = put_text(to, payment->batch.id);
    to = put_text(to, payment->batch.digest);
    return put_number(to, payment->batch.rows);
}

static unsigned char *put_limit(unsigned char *to, const struct command *command)
{
    to = put_text(to, command->payment.src);
    to = put_text(to, command->payment.currency);
    *to++ = command->has_min;
    return put_number(to, command->min_minor);
}

size_t command_canonical(const struct command *command, unsigned char buf[COMMAND_CANONICAL_SIZE])
{
    unsigned char *to = buf;

    memcpy(to, domain, sizeof(domain));
    to += sizeof(domain);
    *to++ = (unsigned char)command->type;
    switch (command->type) {
    case COMMAND_PAYMENT:
        to = put_payment(to, &command->payment);
        break;
    case COMMAND_ACCOUNT_OPEN:
    case COMMAND_ACCOUNT_LIMIT:
        to = put_limit(to, command);
        break;
    case COMMAND_ACCOUNT_CLOSE:
        to = put_text(to, command->payment.src);
        break;
    case COMMAND_ACCOUNTS:
        *to++ = command->strict;
        break;
    case COMMAND_CANCEL:
    case COMMAND_TYPE_COUNT:
    default:
        break;
    }
    return (size_t)(to - buf);
}
