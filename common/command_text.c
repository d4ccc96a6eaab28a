#include "common/command_text.h"

#include "common/text.h"

#include <stdio.h>
#include <string.h>

static const char *escape(char *buf, const char *name)
{
    return text_escape(buf, TEXT_ESCAPED_SIZE, name, strlen(name));
}

static void payment_text(char *buf, const struct payment *payment)
{
    char src[TEXT_ESCAPED_SIZE];
    char dest[TEXT_ESCAPED_SIZE];
    char batch[TEXT_ESCAPED_SIZE];
    char amount[MONEY_TEXT_SIZE];
    bool in_batch = payment->batch.id[0] != '\0';

    snprintf(buf, COMMAND_TEXT_SIZE, "%s -> %s %s %s%s%s", escape(src, payment->src),
             escape(dest, payment->dest),
             money_format(amount, payment->amount_minor, payment->currency), payment->currency,
             in_batch ? ", batch " : "", in_batch ? escape(batch, payment->batch.id) : "");
}

static void limit_text(char *buf, const struct command *command, const char *verb)
{
    char account[TEXT_ESCAPED_SIZE];
    char min[MONEY_TEXT_SIZE] = "none";
    const char *currency = command->payment.currency;

    if (command->has_min) {
        money_format(min, command->min_minor, currency);
    }
    snprintf(buf, COMMAND_TEXT_SIZE, "%s account %s in %s, lowest balance %s", verb,
             escape(account, command->payment.src), currency, min);
}

char *command_text(char buf[COMMAND_TEXT_SIZE], const struct command *command)
{
    char account[TEXT_ESCAPED_SIZE];

    switch (command->type) {
    case COMMAND_PAYMENT:
        payment_text(buf, &command->payment);
        break;
    case COMMAND_ACCOUNT_OPEN:
        limit_text(buf, command, "open");
        break;
    case COMMAND_ACCOUNT_LIMIT:
        limit_text(buf, command, "limit");
        break;
    case COMMAND_ACCOUNT_CLOSE:
        snprintf(buf, COMMAND_TEXT_SIZE, "close account %s", escape(account, command->payment.src));
        break;
    case COMMAND_ACCOUNTS:
        snprintf(buf, COMMAND_TEXT_SIZE, "accounts %s", command->strict ? "strict" : "open");
        break;
    case COMMAND_CANCEL:
    case COMMAND_TYPE_COUNT:
    default:
        snprintf(buf, COMMAND_TEXT_SIZE, "cancel");
        break;
    }
    return buf;
}
