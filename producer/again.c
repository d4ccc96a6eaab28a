#include "producer/again.h"

#include <string.h>

static void print_quoted(const char *text, FILE *out)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789_@%+=:,./-";

    if (text[0] && text[strspn(text, safe)] == '\0') {
        fputs(text, out);
        return;
    }
    putc('\'', out);
    for (; *text; text++) {
        if (*text == '\'') {
            fputs("'\\''", out);
        } else {
            putc(*text, out);
        }
    }
    putc('\'', out);
}

static void print_option(const char *option, const char *value, FILE *out)
{
    if (value) {
        fprintf(out, " %s ", option);
        print_quoted(value, out);
    }
}

static void print_property(const char *property, FILE *out)
{
    static const char *const secrets[] = {"password", "secret", "key.pem", "jaas", "sasl.oauth"};
    const char *equals = strchr(property, '=');

    for (size_t i = 0; equals && i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        const char *found = strstr(property, secrets[i]);
        if (found && found < equals) {
            fprintf(out, " -X %.*s=...", (int)(equals - property), property);
            return;
        }
    }
    print_option("-X", property, out);
}

static void print_wait(const struct options *options, FILE *out)
{
    print_option("--outcomes", options->outcomes, out);
    if (options->wait_s > 0) {
        fprintf(out, " --wait=%d", options->wait_s);
    } else if (options->command != SUBCOMMAND_SEND) {
        fputs(" --no-wait", out);
    }
}

static void print_limit(const struct command *command, FILE *out)
{
    char amount[MONEY_TEXT_SIZE];

    print_option("--currency", command->payment.currency, out);
    print_option("--min-balance",
                 command->has_min
                     ? money_format(amount, command->min_minor, command->payment.currency)
                     : "none",
                 out);
}

static void print_operands(const struct command *command, FILE *out)
{
    const struct payment *payment = &command->payment;
    char amount[MONEY_TEXT_SIZE];

    switch (command->type) {
    case COMMAND_PAYMENT:
        print_quoted(payment->src, out);
        putc(' ', out);
        print_quoted(payment->dest, out);
        fprintf(out, " %s %s", money_format(amount, payment->amount_minor, payment->currency),
                payment->currency);
        break;
    case COMMAND_ACCOUNT_OPEN:
    case COMMAND_ACCOUNT_LIMIT:
    case COMMAND_ACCOUNT_CLOSE:
        print_quoted(payment->src, out);
        break;
    case COMMAND_ACCOUNTS:
        fputs(command->strict ? "strict" : "open", out);
        break;
    case COMMAND_CANCEL:
        print_quoted(payment->key, out);
        break;
    case COMMAND_TYPE_COUNT:
    default:
        break;
    }
}

void again_print(const struct options *options, const struct command *command, FILE *out)
{
    const struct subcommand_form *form = subcommand_form(options->command);

    fprintf(out, "pay %s%s%s", form->name, form->verb[0] ? " " : "", form->verb);
    print_option("-b", options->kafka.brokers, out);
    print_option("-t", options->kafka.topic, out);
    print_option("-F", options->kafka.file, out);
    for (size_t i = 0; i < options->kafka.property_count; i++) {
        print_property(options->kafka.properties[i], out);
    }
    fputs(options->kafka.skip_topic_check ? " --skip-topic-check" : "", out);
    fputs(options->json ? " --json" : "", out);
    print_wait(options, out);
    if (command->type == COMMAND_ACCOUNT_OPEN || command->type == COMMAND_ACCOUNT_LIMIT) {
        print_limit(command, out);
    }
    if (command->type != COMMAND_CANCEL) {
        print_option("--key", command->payment.key, out);
    }
    fputs(" -- ", out); /* an account may begin with '-' */
    print_operands(command, out);
    putc('\n', out);
}
