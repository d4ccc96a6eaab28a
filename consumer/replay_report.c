#include "common/command_text.h"
#include "common/text.h"
#include "consumer/replay_internal.h"

#include <inttypes.h>
#include <string.h>

static struct replay_currency *currency_of(struct replay_report *report, const char *code)
{
    for (size_t i = 0; i < report->currency_count; i++) {
        if (strcmp(report->currencies[i].currency, code) == 0) {
            return &report->currencies[i];
        }
    }
    if (report->currency_count == REPLAY_CURRENCIES_MAX) {
        return NULL;
    }
    struct replay_currency *currency = &report->currencies[report->currency_count++];
    memcpy(currency->currency, code, MONEY_CURRENCY_SIZE);
    return currency;
}

/* What is decided now is named. */
static void note_news(struct replay_report *report, const struct chunk_item *item)
{
    const struct decision *decision = &item->decision;
    const struct raw_message *raw = &item->raw;
    bool is_readable = item->unreadable == READABLE;
    char key[TEXT_ESCAPED_SIZE];
    char command[COMMAND_TEXT_SIZE];

    if (decision->outcome != OUTCOME_APPLIED && decision->outcome != OUTCOME_REJECTED &&
        decision->outcome != OUTCOME_QUARANTINED) {
        return;
    }
    findings_add(&report->news, "%s[%" PRId32 "]@%" PRId64 " %s: %s%s%s%s%s", report->topic,
                 item->origin.partition, item->origin.offset,
                 text_escape(key, sizeof(key), raw->key ? raw->key : "", raw->key_len),
                 outcome_name(decision->outcome), decision->reason != REASON_NONE ? " " : "",
                 decision->reason != REASON_NONE ? reason_name(decision->reason) : "",
                 is_readable ? ": " : " ",
                 is_readable ? command_text(command, &item->command)
                             : unreadable_name(item->unreadable));
}

void replay_count(struct replay_report *report, const struct chunk_item *item, bool is_news)
{
    const struct payment *payment = &item->command.payment;
    bool is_stale = item->unreadable == UNREADABLE_STALE; /* it could be read */
    int kind = is_stale ? REPLAY_STALE : (int)item->decision.outcome;

    report->records++;
    report->counts[kind]++;
    if (is_news) {
        note_news(report, item);
    }
    if ((item->unreadable != READABLE && !is_stale) || item->command.type != COMMAND_PAYMENT) {
        return;
    }
    struct replay_currency *currency = currency_of(report, payment->currency);
    if (currency) {
        currency->payments[kind]++;
        money_sum_add(&currency->amounts[kind], payment->amount_minor);
    }
}

const char *replay_kind_name(int kind)
{
    return kind == REPLAY_STALE ? unreadable_name(UNREADABLE_STALE)
                                : outcome_name((enum outcome)kind);
}

static void print_kind(FILE *out, const struct replay_report *report, int kind)
{
    char amount[MONEY_TEXT_SIZE];

    fprintf(out, "%-12s %15" PRId64, replay_kind_name(kind), report->counts[kind]);
    bool is_first = true;
    for (size_t i = 0; i < report->currency_count; i++) {
        const struct replay_currency *currency = &report->currencies[i];
        if (currency->payments[kind] > 0) {
            fprintf(out, "%*s  %-8s %20s", is_first ? 0 : 28, "", currency->currency,
                    money_sum_format(amount, &currency->amounts[kind], currency->currency));
            putc('\n', out);
            is_first = false;
        }
    }
    if (is_first) {
        putc('\n', out);
    }
}

void replay_print_table(FILE *out, const struct replay_report *report)
{
    static const int shown[] = {OUTCOME_REDELIVERED, OUTCOME_DUPLICATE, OUTCOME_CONFLICT,
                                OUTCOME_APPLIED,     OUTCOME_REJECTED,  REPLAY_STALE,
                                OUTCOME_QUARANTINED};

    fprintf(out, "%-12s         records  currency               amount\n",
            report->executed ? "was" : "would be");
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        print_kind(out, report, shown[i]);
    }
}

/* What is to be known of old decisions that were told. */
static void print_told(FILE *out, const struct replay_report *report)
{
    if (report->gone > 0) {
        fprintf(out,
                "\n%" PRId64 " decisions were told of messages that are not in the log any more: "
                "the new ledger\ndoes not have them.\n",
                report->gone);
    }
    if (report->ignored > 0) {
        fprintf(out, "\n%" PRId64 " records of the outcomes topic are no outcomes.\n",
                report->ignored);
    }
}

static void print_redecided(FILE *out, const struct replay_report *report)
{
    fprintf(out, "\n%" PRId64 " records were decided anew, %" PRId64 " keys and accounts %s.\n%s\n",
            report->records, report->changes, report->executed ? "changed" : "would change",
            report->executed ? "The new ledger is made."
                             : "Nothing was changed: --execute makes the new ledger.");
}

void replay_print(FILE *out, const struct replay_report *report)
{
    int64_t news = report->news.count;

    findings_print(out, &report->news);
    replay_print_table(out, report);
    print_told(out, report);
    if (report->redecided) {
        print_redecided(out, report);
        return;
    }
    fprintf(out, "\n%" PRId64 " records were read again, %" PRId64 " %s. ", report->records, news,
            report->executed ? "were decided" : "would be decided");
    if (!report->executed) {
        fputs("Nothing was changed: --execute does it.\n", out);
    } else {
        fputs(news > 0 ? "Run payd to publish their outcomes.\n" : "Nothing was new.\n", out);
    }
}
