#include "producer/send.h"

#include "common/command_json.h"
#include "common/stop.h"
#include "common/uuid7.h"
#include "producer/progress.h"
#include "producer/source.h"
#include "producer/summary_json.h"

#include <string.h>
#include <sysexits.h>

#define POLL_MS 100

/* ---- the command that sends it again ---- */

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

/* Messages end up in logs, where a password must not. */
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

void send_print_again(const struct options *options, const struct payment *payment, FILE *out)
{
    char amount[MONEY_TEXT_SIZE];

    fputs("pay send", out);
    print_option("-b", options->kafka.brokers, out);
    print_option("-t", options->kafka.topic, out);
    print_option("-F", options->kafka.file, out);
    for (size_t i = 0; i < options->kafka.property_count; i++) {
        print_property(options->kafka.properties[i], out);
    }
    fputs(options->kafka.skip_topic_check ? " --skip-topic-check" : "", out);
    fputs(options->json ? " --json" : "", out);
    print_option("--key", payment->key, out);
    fputs(" -- ", out); /* an account may begin with '-' */
    print_quoted(payment->src, out);
    putc(' ', out);
    print_quoted(payment->dest, out);
    fprintf(out, " %s %s\n", money_format(amount, payment->amount_minor, payment->currency),
            payment->currency);
}

/* ---- sending ---- */

struct sending {
    bool reported;
    enum delivery delivery;
    char reason[256];
};

static void on_report(void *user, const struct publisher_receipt *receipt)
{
    struct sending *sending = user;

    sending->reported = true;
    sending->delivery = receipt->delivery;
    snprintf(sending->reason, sizeof(sending->reason), "%s", receipt->reason);
}

static struct source_text text_of(const char *argument)
{
    return (struct source_text){argument, argument ? strlen(argument) : 0};
}

static int make_payment(const struct options *options, struct payment *ret, struct error *err)
{
    char problem[SOURCE_PROBLEM_SIZE];
    struct source_text fields[SOURCE_COLUMNS] = {
        [SOURCE_SRC] = text_of(options->src),           [SOURCE_DEST] = text_of(options->dest),
        [SOURCE_CURRENCY] = text_of(options->currency), [SOURCE_AMOUNT] = text_of(options->amount),
        [SOURCE_KEY] = text_of(options->key),
    };

    if (!source_payment(fields, ret, problem)) {
        return error_set(err, EX_DATAERR, "%s", problem);
    }
    return options->new_key ? uuid7_new(ret->key, err) : 0;
}

/* A new key is shown before it is used: who does not see it could not send the payment again. */
static int show_key(const struct options *options, const struct payment *payment, struct error *err)
{
    FILE *out = options->json ? stderr : stdout;

    if (!options->new_key) {
        return 0;
    }
    fprintf(out, "%s\n", payment->key);
    if (fflush(out) != 0 || ferror(out)) {
        return error_set(err, EX_IOERR, "the new key cannot be printed: nothing was sent");
    }
    return 0;
}

void send_wait(struct publisher *publisher)
{
    int64_t stopped_ms = 0;

    while (publisher_waiting(publisher) > 0) {
        publisher_poll(publisher, POLL_MS);
        if (!stop_requested()) {
            continue;
        }
        if (stopped_ms == 0) {
            stopped_ms = progress_now_ms();
        } else if (progress_now_ms() - stopped_ms >= SEND_STOP_MS) {
            publisher_abandon(publisher);
            return;
        }
    }
}

static int publish(const struct options *options, const struct payment *payment,
                   struct sending *sending, struct error *err)
{
    struct publisher *publisher = NULL;
    const struct command command = {.type = COMMAND_PAYMENT, .payment = *payment};
    char value[COMMAND_JSON_SIZE];
    size_t len = command_json_encode(&command, value);
    const struct publisher_message message = {
        .key = payment->key, .key_len = strlen(payment->key), .value = value, .value_len = len};
    int result = -1;

    if (len == 0) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    if (publisher_open(&publisher, &options->kafka, on_report, sending, err) != 0) {
        return -1;
    }
    if (show_key(options, payment, err) == 0 && publisher_send(publisher, &message, err) == 0) {
        send_wait(publisher);
        result = 0;
    }
    publisher_close(publisher);
    if (result == 0 && !sending->reported) {
        sending->delivery = DELIVERY_UNKNOWN;
        snprintf(sending->reason, sizeof(sending->reason), "the client gave no report");
    }
    return result;
}

static int print_result(const struct options *options, const struct payment *payment,
                        const struct sending *sending)
{
    char amount[MONEY_TEXT_SIZE];
    bool acknowledged = sending->delivery == DELIVERY_ACKNOWLEDGED;

    if (options->json) {
        if (summary_json_send(payment, sending->delivery, acknowledged ? NULL : sending->reason,
                              stdout) != 0) {
            fprintf(stderr, "pay: out of memory\n");
        }
    } else if (acknowledged) {
        printf("acknowledged %s -> %s %s %s key=%s\n", payment->src, payment->dest,
               money_format(amount, payment->amount_minor, payment->currency), payment->currency,
               payment->key);
    }
    if (acknowledged) {
        return EX_OK;
    }
    fprintf(stderr, "%s %s: %s\n", summary_delivery_name(sending->delivery), payment->key,
            sending->reason);
    fprintf(stderr, "pay: run this to send it again; the same key pays once:\n");
    send_print_again(options, payment, stderr);
    return EX_TEMPFAIL;
}

int send_run(const struct options *options)
{
    struct sending sending = {0};
    struct payment payment;
    struct error err;

    if (make_payment(options, &payment, &err) != 0 ||
        publish(options, &payment, &sending, &err) != 0) {
        fprintf(stderr, "pay: %s\n", err.text);
        return err.code;
    }
    return print_result(options, &payment, &sending);
}

int send_print_key(void)
{
    char key[UUID7_TEXT_SIZE];
    struct error err;

    if (uuid7_new(key, &err) != 0) {
        fprintf(stderr, "pay: %s\n", err.text);
        return err.code;
    }
    puts(key);
    return EX_OK;
}
