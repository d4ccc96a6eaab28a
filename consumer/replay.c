/*
 * Replay reads records again that stand before the ledger's positions, and so were all read before:
 * it can only add what was never decided, such as records that a position was moved over by hand.
 * The forecast and its execution go the same way; they differ in the ledger that decides.
 */
#include "consumer/replay.h"

#include "common/clock.h"
#include "common/command_text.h"
#include "common/progress.h"
#include "common/stop.h"
#include "common/text.h"
#include "common/topic_reader.h"
#include "consumer/forecast.h"
#include "consumer/key_list.h"
#include "consumer/ledger.h"
#include "consumer/rebuild.h"
#include "consumer/replay_chunk.h"
#include "consumer/reread.h"
#include "consumer/store.h"
#include "consumer/store_reset.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

struct replaying {
    const struct options *options;
    struct store *store; /* a snapshot, or to write */
    struct forecast *forecast;
    struct rebuild *rebuild;
    struct store *old; /* a snapshot whose decisions hold, for a new ledger; NULL = none */
    struct reread *reread;
    struct key_list *keys; /* NULL = all */
    struct replay_report report;
    struct progress progress;
};

/* ---- which records ---- */

/* The offset that is meant in a partition which holds low <= offset < high. */
static int resolve(const struct replaying *replaying, const struct span *span, int32_t partition,
                   int64_t low, int64_t missing, int64_t *ret, struct error *err)
{
    switch (span->kind) {
    case SPAN_BEGINNING:
        *ret = low;
        return 0;
    case SPAN_OFFSET:
        *ret = span->value;
        return 0;
    case SPAN_TIME:
        return reread_offset_at(replaying->reread, partition, span->value, ret, err);
    case SPAN_NONE:
    default:
        *ret = missing;
        return 0;
    }
}

static int find_range(const struct replaying *replaying, int32_t partition,
                      struct reread_range *ret, struct error *err)
{
    struct store *store = replaying->store;
    struct log_marks marks;
    bool is_read = false;
    int64_t position = 0;
    int64_t low;
    int64_t high;

    *ret = (struct reread_range){partition, 0, 0};
    if (store->ops->position(store, partition, &is_read, &position, &marks, err) != STORE_OK) {
        return -1;
    }
    if (!is_read) {
        return 0;
    }
    if (reread_ends(replaying->reread, partition, &low, &high, err) != 0 ||
        resolve(replaying, &replaying->options->from, partition, low, low, &ret->from, err) != 0 ||
        resolve(replaying, &replaying->options->until, partition, low, position, &ret->to, err) !=
            0) {
        return -1;
    }
    if (ret->from < low) {
        return error_set(err, EX_CONFIG,
                         "%s[%" PRId32 "]@%" PRId64 " is not in the log any more, which begins at "
                         "%" PRId64,
                         replaying->report.topic, partition, ret->from, low);
    }
    ret->to = ret->to < position ? ret->to : position; /* what is behind it, payd run reads */
    ret->to = ret->to < high ? ret->to : high;
    ret->from = ret->from < ret->to ? ret->from : ret->to;
    return 0;
}

static bool needs_partition(const struct options *options, int partitions)
{
    bool by_offset = options->from.kind == SPAN_OFFSET || options->until.kind == SPAN_OFFSET;

    return by_offset && options->partition < 0 && partitions > 1;
}

static int start(struct replaying *replaying, struct error *err)
{
    const struct options *options = replaying->options;
    int partitions = reread_partitions(replaying->reread);
    struct reread_range *ranges = calloc((size_t)partitions, sizeof(*ranges));
    int result = 0;

    if (!ranges) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    if (options->partition >= partitions) {
        result =
            error_set(err, EX_USAGE, "topic \"%s\" has %d partitions, and no partition %" PRId32,
                      options->kafka.topic, partitions, options->partition);
    } else if (needs_partition(options, partitions)) {
        result = error_set(err, EX_USAGE,
                           "an offset is one of a partition, and the topic has %d: use --partition",
                           partitions);
    }
    for (int i = 0; result == 0 && i < partitions; i++) {
        if (options->partition < 0 || options->partition == i) {
            result = find_range(replaying, i, &ranges[i], err);
        }
    }
    if (result == 0) {
        result = reread_start(replaying->reread, ranges, (size_t)partitions, err);
    }
    free(ranges);
    return result;
}

/* ---- what became of them ---- */

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

static void count_item(struct replay_report *report, const struct chunk_item *item, bool is_news)
{
    const struct payment *payment = &item->command.payment;
    enum outcome outcome = item->decision.outcome;

    report->records++;
    report->counts[outcome]++;
    if (is_news) {
        note_news(report, item);
    }
    if (item->unreadable != READABLE || item->command.type != COMMAND_PAYMENT) {
        return;
    }
    struct replay_currency *currency = currency_of(report, payment->currency);
    if (currency) {
        currency->payments[outcome]++;
        money_sum_add(&currency->amounts[outcome], payment->amount_minor);
    }
}

/* Through the ledger itself. */
static int execute(struct store *store, struct chunk *chunk, struct error *err)
{
    enum store_status status = store->ops->begin(store, err);

    if (status == STORE_OK) {
        status = store->ops->claim(store, chunk, err);
    }
    if (status == STORE_OK) {
        status = store->ops->load(store, chunk, err);
    }
    if (status != STORE_OK) {
        store->ops->rollback(store);
        return -1;
    }
    chunk->now_ms = clock_unix_ms();
    ledger_decide(chunk);
    return replay_chunk_save(store, chunk, err) == STORE_OK ? 0 : -1;
}

/* Waits until no more than --rate records a second were read since started_ms. */
static int keep_rate(const struct replaying *replaying, int64_t started_ms, struct error *err)
{
    int64_t rate = replaying->options->rate;
    int64_t due_ms = rate > 0 ? replaying->report.records * 1000 / rate : 0;
    int64_t left_ms = started_ms + due_ms - clock_monotonic_ms();

    if (rate > 0 && left_ms > 0 && stop_wait(left_ms < INT32_MAX ? (int)left_ms : INT32_MAX)) {
        return error_set(err, EX_TEMPFAIL, "stopped before the end: run it again");
    }
    return 0;
}

static int replay_records(struct replaying *replaying, struct error *err)
{
    struct replay_report *report = &replaying->report;
    int64_t started_ms = clock_monotonic_ms();
    struct chunk *chunk;
    int result;

    progress_begin(&replaying->progress, report->executed ? "replaying" : "forecasting",
                   reread_total(replaying->reread));
    while ((result = reread_next(replaying->reread, &chunk, err)) == 0 && chunk) {
        chunk->one_partition = reread_partitions(replaying->reread) == 1;
        result = report->executed ? execute(replaying->store, chunk, err)
                                  : forecast_decide(replaying->forecast, chunk, err);
        for (size_t i = 0; result == 0 && i < chunk->item_count; i++) {
            count_item(report, &chunk->items[i], true);
        }
        progress_update(&replaying->progress, reread_done(replaying->reread));
        if (result != 0 || keep_rate(replaying, started_ms, err) != 0) {
            result = -1;
            break;
        }
    }
    progress_clear(&replaying->progress);
    return result;
}

/* So small that a rate is kept within a tenth of a second or so. */
static size_t chunk_size(const struct options *options)
{
    int64_t wanted = options->rate / 10 + 1;

    return options->rate > 0 && wanted < CHUNK_MESSAGES_MAX ? (size_t)wanted : CHUNK_MESSAGES_MAX;
}

/* ---- into a new ledger ---- */

/* Gives the new ledger its positions, and finds what the log holds. */
static int find_log(const struct replaying *replaying, int32_t partition, struct reread_range *ret,
                    struct error *err)
{
    struct store *store = replaying->store;

    ret->partition = partition;
    return reread_ends(replaying->reread, partition, &ret->from, &ret->to, err) == 0 &&
                   store->ops->adopt(store, partition, ret->from, err) == STORE_OK
               ? 0
               : -1;
}

static int start_all(const struct replaying *replaying, struct error *err)
{
    int partitions = reread_partitions(replaying->reread);
    struct reread_range *ranges = calloc((size_t)partitions, sizeof(*ranges));
    int result = 0;

    if (!ranges) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    for (int i = 0; result == 0 && i < partitions; i++) {
        result = find_log(replaying, i, &ranges[i], err);
    }
    if (result == 0) {
        result = reread_start(replaying->reread, ranges, (size_t)partitions, err);
    }
    free(ranges);
    return result;
}

static int rebuild_records(struct replaying *replaying, struct error *err)
{
    struct rebuild *rebuild = replaying->rebuild;
    int64_t started_ms = clock_monotonic_ms();
    struct chunk *chunk;
    int result;

    progress_begin(&replaying->progress, "rebuilding", reread_total(replaying->reread));
    while ((result = reread_next(replaying->reread, &chunk, err)) == 0 && chunk) {
        chunk->one_partition = reread_partitions(replaying->reread) == 1;
        result = rebuild_chunk(rebuild, chunk, err);
        for (size_t i = 0; result == 0 && i < chunk->item_count; i++) {
            const struct chunk_item *item = &chunk->items[i];
            count_item(&replaying->report, item, !rebuild_was_bound(rebuild, chunk, item));
        }
        progress_update(&replaying->progress, reread_done(replaying->reread));
        if (result != 0 || keep_rate(replaying, started_ms, err) != 0) {
            result = -1;
            break;
        }
    }
    progress_clear(&replaying->progress);
    return result == 0 ? rebuild_end(rebuild, err) : -1;
}

static int fill_new_ledger(struct replaying *replaying, struct error *err)
{
    const struct options *options = replaying->options;
    struct store *store = replaying->store;

    if (store->ops->bind(store, reread_cluster(replaying->reread), options->kafka.topic, err) !=
        STORE_OK) {
        return -1;
    }
    if (options->accounts != ACCOUNTS_AS_THEY_ARE &&
        store->ops->set_mode(store, options->accounts == ACCOUNTS_STRICT, err) != STORE_OK) {
        return -1;
    }
    return rebuild_open(&replaying->rebuild, store, replaying->old, err) == 0 &&
                   start_all(replaying, err) == 0
               ? rebuild_records(replaying, err)
               : -1;
}

/* A ledger that is not complete would forget decisions: it does not stay. */
static int make_new_ledger(struct replaying *replaying, struct error *err)
{
    const char *into = replaying->options->into;
    struct error ignored;

    if (access(into, F_OK) == 0) {
        return error_set(err, EX_CANTCREAT, "%s: is there already", into);
    }
    if (store_sqlite_open(&replaying->store, into, topic_reader_header, err) != 0) {
        return -1;
    }
    int result = fill_new_ledger(replaying, err);
    if (result != 0 && store_sqlite_remove(into, &ignored) != 0) {
        error_wrap(err, "the new ledger is not complete: remove it");
    }
    return result;
}

static int replay_into(struct replaying *replaying, struct error *err)
{
    const struct options *options = replaying->options;

    if (reread_open(&replaying->reread, &options->kafka, chunk_size(options), err) != 0) {
        return -1;
    }
    if (options->decisions &&
        (store_sqlite_open_snapshot(&replaying->old, options->decisions, err) != 0 ||
         replaying->old->ops->bind(replaying->old, reread_cluster(replaying->reread),
                                   options->kafka.topic, err) != STORE_OK)) {
        return -1;
    }
    return make_new_ledger(replaying, err);
}

/* ---- the command ---- */

static int open_ledger(struct replaying *replaying, struct error *err)
{
    const char *db = replaying->options->db;
    struct store *found = NULL;

    if (!replaying->options->execute) {
        return store_sqlite_open_snapshot(&replaying->store, db, err);
    }
    /* Opening to write would make a ledger where there is none. */
    if (store_sqlite_open_readonly(&found, db, err) != 0) {
        return -1;
    }
    store_close(found);
    return store_sqlite_open(&replaying->store, db, topic_reader_header, err);
}

static int replay_all(struct replaying *replaying, struct error *err)
{
    const struct options *options = replaying->options;

    if (options->into) {
        return replay_into(replaying, err);
    }
    if (options->key_file && key_list_read(&replaying->keys, options->key_file, err) != 0) {
        return -1;
    }
    if (open_ledger(replaying, err) != 0 ||
        reread_open(&replaying->reread, &options->kafka, chunk_size(options), err) != 0) {
        return -1;
    }
    const char *cluster = reread_cluster(replaying->reread);
    if (replaying->store->ops->bind(replaying->store, cluster, options->kafka.topic, err) !=
            STORE_OK ||
        (!options->execute && forecast_open(&replaying->forecast, replaying->store, cluster,
                                            options->kafka.topic, err) != 0)) {
        return -1;
    }
    if (replaying->keys) {
        reread_filter(replaying->reread, key_list_has, replaying->keys);
    }
    return start(replaying, err) == 0 ? replay_records(replaying, err) : -1;
}

static void print_outcome(FILE *out, const struct replay_report *report, enum outcome outcome)
{
    char amount[MONEY_TEXT_SIZE];

    fprintf(out, "%-12s %15" PRId64, outcome_name(outcome), report->counts[outcome]);
    bool is_first = true;
    for (size_t i = 0; i < report->currency_count; i++) {
        const struct replay_currency *currency = &report->currencies[i];
        if (currency->payments[outcome] > 0) {
            fprintf(out, "%*s  %-8s %20s", is_first ? 0 : 28, "", currency->currency,
                    money_sum_format(amount, &currency->amounts[outcome], currency->currency));
            putc('\n', out);
            is_first = false;
        }
    }
    if (is_first) {
        putc('\n', out);
    }
}

void replay_print(FILE *out, const struct replay_report *report)
{
    static const enum outcome shown[] = {OUTCOME_REDELIVERED, OUTCOME_DUPLICATE,
                                         OUTCOME_CONFLICT,    OUTCOME_APPLIED,
                                         OUTCOME_REJECTED,    OUTCOME_QUARANTINED};
    int64_t news = report->news.count;

    findings_print(out, &report->news);
    fprintf(out, "%-12s         records  currency               amount\n",
            report->executed ? "was" : "would be");
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        print_outcome(out, report, shown[i]);
    }
    fprintf(out, "\n%" PRId64 " records were read again, %" PRId64 " %s. ", report->records, news,
            report->executed ? "were decided" : "would be decided");
    fputs(report->executed ? "Run payd to publish their outcomes.\n"
                           : "Nothing was changed: --execute does it.\n",
          out);
}

static int print(const struct replay_report *report, bool json, struct error *err)
{
    if (!json) {
        replay_print(stdout, report);
    } else if (replay_print_json(stdout, report) != 0) {
        error_set(err, EX_OSERR, "out of memory");
        return EX_OSERR;
    }
    return EX_OK;
}

int replay(const struct options *options, struct error *err)
{
    struct replaying *replaying = calloc(1, sizeof(*replaying));

    if (!replaying) {
        error_set(err, EX_OSERR, "out of memory");
        return EX_OSERR;
    }
    replaying->options = options;
    replaying->report.topic = options->kafka.topic;
    replaying->report.executed = options->execute || options->into;
    progress_init(&replaying->progress, !options->json && isatty(STDERR_FILENO) ? stderr : NULL);
    int code =
        replay_all(replaying, err) == 0 ? print(&replaying->report, options->json, err) : err->code;
    findings_release(&replaying->report.news);
    forecast_close(replaying->forecast);
    rebuild_close(replaying->rebuild);
    store_close(replaying->old);
    reread_close(replaying->reread);
    store_close(replaying->store);
    key_list_free(replaying->keys);
    free(replaying);
    return code;
}
