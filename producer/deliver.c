#include "producer/deliver.h"

#include "common/clock.h"
#include "common/command_json.h"
#include "common/command_text.h"
#include "common/progress.h"
#include "common/stop.h"
#include "common/text.h"
#include "producer/again.h"
#include "producer/answer.h"
#include "producer/summary_json.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define POLL_MS 100

struct delivering {
    const struct options *options;
    const struct command *command;
    bool is_reported;
    enum delivery delivery;
    char reason[256]; /* why it was not acknowledged */
    bool is_answered;
    struct outcome_record answer;
    char trouble[256]; /* why there is no answer, as far as it is known */
};

static void on_report(void *user, const struct publisher_receipt *receipt)
{
    struct delivering *this = user;

    this->is_reported = true;
    this->delivery = receipt->delivery;
    snprintf(this->reason, sizeof(this->reason), "%s", receipt->reason);
}

static void on_answer(void *user, const struct outcome_record *record, int64_t rows)
{
    struct delivering *this = user;

    (void)rows;
    this->is_answered = true;
    this->answer = *record;
}

static int show_key(const struct delivering *this, struct error *err)
{
    FILE *out = this->options->json ? stderr : stdout;

    fprintf(out, "%s\n", this->command->payment.key);
    if (fflush(out) != 0 || ferror(out)) {
        return error_set(err, EX_IOERR, "the new key cannot be printed: nothing was sent");
    }
    return 0;
}

void deliver_wait_reports(struct publisher *publisher, struct watch *watch)
{
    int64_t stopped_ms = 0;

    while (publisher_waiting(publisher) > 0) {
        publisher_poll(publisher, POLL_MS);
        watch_poll(watch, 0);
        if (!stop_requested()) {
            continue;
        }
        if (stopped_ms == 0) {
            stopped_ms = clock_monotonic_ms();
        } else if (clock_monotonic_ms() - stopped_ms >= DELIVER_STOP_MS) {
            publisher_abandon(publisher);
            return;
        }
    }
}

/* ---- on its way ---- */

static int open_watch(struct delivering *this, struct watch **ret, struct error *err)
{
    const struct watch_args args = {
        .kafka = &this->options->kafka,
        .topic = this->options->outcomes_topic,
        .key = this->command->payment.key,
        .rows = 1,
        .answer = on_answer,
        .user = this,
    };

    return this->options->wait_s > 0 ? watch_open(ret, &args, err) : 0;
}

static int send(struct delivering *this, struct publisher *publisher, struct watch *watch,
                struct error *err)
{
    char value[COMMAND_JSON_SIZE];
    size_t len = command_json_encode(this->command, value);
    const char *key = this->command->payment.key;
    const struct publisher_message message = {
        .key = key, .key_len = strlen(key), .value = value, .value_len = len};

    if (len == 0) {
        return error_set(err, EX_SOFTWARE, "the command is longer than %d bytes",
                         COMMAND_JSON_SIZE);
    }
    if (watch && watch_add(watch, this->command, value, len, err) != 0) {
        return -1;
    }
    return publisher_send(publisher, &message, err);
}

static void tell_acknowledged(const struct delivering *this)
{
    if (!this->options->json && this->delivery == DELIVERY_ACKNOWLEDGED) {
        char text[COMMAND_TEXT_SIZE];
        printf("acknowledged %s key=%s\n", command_text(text, this->command),
               this->command->payment.key);
        fflush(stdout); /* waiting may be long; main looks at errors */
    }
}

/* Wait for the report, and for the outcome unless the topic surely does not have the command. */
static void await(struct delivering *this, struct publisher *publisher, struct watch *watch)
{
    deliver_wait_reports(publisher, watch);
    if (!this->is_reported) {
        this->delivery = DELIVERY_UNKNOWN;
        snprintf(this->reason, sizeof(this->reason), "the client gave no report");
    }
    tell_acknowledged(this);
    if (watch && this->delivery != DELIVERY_FAILED) {
        watch_wait(watch, this->options->wait_s * INT64_C(1000), NULL);
        snprintf(this->trouble, sizeof(this->trouble), "%s", watch_trouble(watch));
    }
}

static int deliver(struct delivering *this, bool is_new_key, struct error *err)
{
    struct publisher *publisher = NULL;
    struct watch *watch = NULL;
    int result = -1;

    if (publisher_open(&publisher, &this->options->kafka, on_report, this, err) == 0 &&
        open_watch(this, &watch, err) == 0 && (!is_new_key || show_key(this, err) == 0) &&
        send(this, publisher, watch, err) == 0) {
        await(this, publisher, watch);
        result = 0;
    } else if (stop_requested() && err->code == EX_UNAVAILABLE) {
        error_set(err, EX_TEMPFAIL, "stopped; nothing was published");
    }
    watch_close(watch);
    publisher_close(publisher);
    return result;
}

/* ---- what became of it ---- */

/* Fails when memory ran out. */
static int print_result(const struct delivering *this)
{
    const struct command *command = this->command;

    if (this->options->json) {
        const struct summary_command summary = {
            .command = command,
            .delivery = this->delivery,
            .reason = this->delivery == DELIVERY_ACKNOWLEDGED ? NULL : this->reason,
            .waited = this->options->wait_s > 0,
            .answer = this->is_answered ? &this->answer : NULL,
        };
        if (summary_json_command(&summary, stdout) != 0) {
            fprintf(stderr, "pay: out of memory\n");
            return -1;
        }
        return 0;
    }
    if (this->is_answered) {
        (command->type == COMMAND_CANCEL ? answer_print_cancel : answer_print)(&this->answer,
                                                                               stdout);
    }
    return 0;
}

static void print_unknown(const struct delivering *this)
{
    const char *key = this->command->payment.key;
    char shown[TEXT_ESCAPED_SIZE];

    if (this->delivery != DELIVERY_ACKNOWLEDGED) {
        fprintf(stderr, "%s %s: %s\n", summary_delivery_name(this->delivery), key, this->reason);
    } else {
        fprintf(stderr, "unknown %s: %s%s%s\n", text_escape(shown, sizeof(shown), key, strlen(key)),
                stop_requested() ? "stopped before its outcome came" : "no outcome came in time",
                this->trouble[0] ? ": " : "", this->trouble);
    }
    fprintf(stderr, "pay: run this to send it again; the same key %s once:\n",
            this->command->type == COMMAND_PAYMENT ? "pays" : "is decided");
    again_print(this->options, this->command, stderr);
}

int deliver_run(const struct options *options, const struct command *command, bool is_new_key)
{
    struct delivering this = {.options = options, .command = command};
    struct error err;

    if (deliver(&this, is_new_key, &err) != 0) {
        fprintf(stderr, "pay: %s\n", err.text);
        return err.code;
    }
    int good = print_result(&this) == 0 ? EX_OK : EX_OSERR;
    if (this.is_answered) {
        enum outcome answer = outcome_answer(&this.answer);
        int code = command->type == COMMAND_CANCEL ? verdict_cancel(answer) : verdict_exit(answer);
        return code == EX_OK ? good : code;
    }
    if (this.delivery == DELIVERY_ACKNOWLEDGED && options->wait_s == 0) {
        return good;
    }
    print_unknown(&this);
    return EX_TEMPFAIL;
}
