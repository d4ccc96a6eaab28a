/*
 * The selection is passed over twice, in one moment of the ledger: first to look whether each of
 * its messages may be redriven, then to publish them. So either all of it is published or nothing,
 * as far as the broker takes it, and no more of it is in memory than one message and what the
 * client holds.
 */
#include "consumer/redrive.h"

#include "common/clock.h"
#include "common/stop.h"
#include "common/text.h"
#include "consumer/quarantine.h"
#include "consumer/redrive_message.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define CLUSTER_MS 10000
#define POLL_MS    100
#define STOP_MS    5000 /* after a stop was requested, what reports are waited for */

enum pass { PASS_LOOK, PASS_PUBLISH };

struct redriving {
    const struct options *options;
    struct store *store;
    struct publisher *publisher;
    struct error *err;
    bool failed; /* with *err set */
    enum pass pass;

    char value[COMMAND_JSON_MAX_BYTES + 1]; /* of --value */
    struct store_bytes mended;
    bool is_mended;

    int64_t found; /* in the first pass */
    int64_t refused;
    int64_t places_unknown;

    int64_t acknowledged; /* in the second */
    int64_t given;
    struct redriven window[REDRIVE_WINDOW];
    size_t count;
    struct redrive_message message;
};

const char *redrive_delivery_name(enum delivery delivery)
{
    static const char *const names[] = {
        [DELIVERY_ACKNOWLEDGED] = "acknowledged",
        [DELIVERY_UNKNOWN] = "unknown",
        [DELIVERY_FAILED] = "failed",
    };
    return names[delivery];
}

/* ---- the mended bytes ---- */

static int read_value(struct redriving *redriving)
{
    const char *path = redriving->options->value_file;
    bool is_stdin = path && strcmp(path, "-") == 0;

    if (!path) {
        return 0;
    }
    FILE *in = is_stdin ? stdin : fopen(path, "re");
    if (!in) {
        return error_set(redriving->err, EX_NOINPUT, "--value %s: %s", path, strerror(errno));
    }
    errno = 0;
    size_t len = fread(redriving->value, 1, sizeof(redriving->value), in);
    int failure = ferror(in) ? errno : 0;
    if (!is_stdin) {
        fclose(in);
    }
    if (failure != 0) {
        return error_set(redriving->err, EX_IOERR, "--value %s: %s", path, strerror(failure));
    }
    if (len > COMMAND_JSON_MAX_BYTES) {
        return error_set(redriving->err, EX_DATAERR, "--value %s: longer than %d bytes", path,
                         COMMAND_JSON_MAX_BYTES);
    }
    redriving->is_mended = true;
    redriving->mended = (struct store_bytes){redriving->value, len, (int64_t)len};
    return 0;
}

/* ---- what became of what was published ---- */

static void on_report(void *user, const struct publisher_receipt *receipt)
{
    struct redriven *redriven = receipt->tag;

    (void)user;
    redriven->is_reported = true;
    redriven->delivery = receipt->delivery;
    redriven->to_partition = receipt->partition;
    redriven->to_offset = receipt->offset;
    snprintf(redriven->reason, sizeof(redriven->reason), "%s", receipt->reason);
}

static void wait_reports(struct publisher *publisher)
{
    int64_t stopped_ms = 0;

    while (publisher_waiting(publisher) > 0) {
        publisher_poll(publisher, POLL_MS);
        if (!stop_requested()) {
            continue;
        }
        if (stopped_ms == 0) {
            stopped_ms = clock_monotonic_ms();
        } else if (clock_monotonic_ms() - stopped_ms >= STOP_MS) {
            publisher_abandon(publisher);
            return;
        }
    }
}

static int print_one(const struct redriving *redriving, const struct redriven *redriven)
{
    if (redriving->options->json) {
        return redrive_print_json(stdout, redriven) == 0
                   ? 0
                   : error_set(redriving->err, EX_OSERR, "out of memory");
    }
    printf("redriven %" PRId32 "@%" PRId64 " -> key=%s", redriven->partition, redriven->offset,
           redriven->key);
    if (redriven->delivery != DELIVERY_ACKNOWLEDGED) {
        printf(" %s: %s\n", redrive_delivery_name(redriven->delivery), redriven->reason);
    } else if (redriven->to_offset < 0) {
        printf(" acknowledged\n");
    } else {
        printf(" %" PRId32 "@%" PRId64 " acknowledged\n", redriven->to_partition,
               redriven->to_offset);
    }
    return 0;
}

/* Waits for all that is in the window, tells of it, and empties it. */
static int settle(struct redriving *redriving)
{
    int64_t given = redriving->given;
    int result = 0;

    wait_reports(redriving->publisher);
    for (size_t i = 0; i < redriving->count; i++) {
        struct redriven *redriven = &redriving->window[i];
        if (!redriven->is_reported) {
            redriven->delivery = DELIVERY_UNKNOWN;
            snprintf(redriven->reason, sizeof(redriven->reason), "the client gave no report");
        }
        redriving->acknowledged += redriven->delivery == DELIVERY_ACKNOWLEDGED;
        result = print_one(redriving, redriven) != 0 ? -1 : result;
    }
    fflush(stdout); /* main looks at errors */
    redriving->count = 0;
    if (result == 0 && redriving->acknowledged < given) {
        result = error_set(redriving->err, EX_TEMPFAIL, "not all was acknowledged");
    }
    return result;
}

/* ---- one message ---- */

static int make(struct redriving *redriving, const struct store_quarantined *message,
                bool *ret_refused, char why[REDRIVE_WHY_SIZE])
{
    const struct store_bytes *mended = redriving->is_mended ? &redriving->mended : NULL;

    redrive_message_begin(&redriving->message, message, mended);
    return store_sqlite_quarantine_headers(redriving->store, message->seq, redrive_message_header,
                                           &redriving->message, redriving->err) == STORE_OK
               ? redrive_message_end(&redriving->message, message, mended, ret_refused, why,
                                     redriving->err)
               : -1;
}

static int look(struct redriving *redriving, const struct store_quarantined *message)
{
    char why[REDRIVE_WHY_SIZE];
    bool is_refused;

    redriving->found++;
    if (make(redriving, message, &is_refused, why) != 0) {
        return -1;
    }
    if (is_refused && redriving->refused++ < REDRIVE_REFUSED_SHOWN) {
        fprintf(stderr, "%" PRId32 "@%" PRId64 ": %s\n", message->partition, message->offset, why);
    }
    return 0;
}

static int publish(struct redriving *redriving, const struct store_quarantined *message)
{
    const struct redrive_message *redrive = &redriving->message;
    char why[REDRIVE_WHY_SIZE];
    bool is_refused;

    if (redriving->count == REDRIVE_WINDOW && settle(redriving) != 0) {
        return -1;
    }
    if (make(redriving, message, &is_refused, why) != 0) {
        return -1;
    }
    struct redriven *redriven = &redriving->window[redriving->count];
    *redriven = (struct redriven){.partition = message->partition, .offset = message->offset};
    snprintf(redriven->key, sizeof(redriven->key), "%s", redrive->key);
    const struct publisher_message sent = {
        .key = redrive->key,
        .key_len = strlen(redrive->key),
        .value = redrive->value,
        .value_len = redrive->value_len,
        .headers = redrive->headers.list,
        .header_count = redrive->headers.count,
        .tag = redriven,
    };
    if (publisher_send(redriving->publisher, &sent, redriving->err) != 0) {
        return error_wrap(redriving->err, "%" PRId32 "@%" PRId64, message->partition,
                          message->offset);
    }
    redriving->count++;
    redriving->given++;
    return 0;
}

static void on_message(void *user, const struct store_quarantined *message)
{
    struct redriving *redriving = user;

    if (!redriving->failed) {
        int result =
            redriving->pass == PASS_LOOK ? look(redriving, message) : publish(redriving, message);
        redriving->failed = result != 0;
    }
}

/* ---- the selection ---- */

static int visit(struct redriving *redriving, const struct store_quarantine_filter *filter)
{
    enum store_status status =
        store_sqlite_quarantine(redriving->store, filter, on_message, redriving, redriving->err);

    return status == STORE_OK && !redriving->failed ? 0 : -1;
}

static int visit_place(struct redriving *redriving, const char *place)
{
    struct store_quarantine_filter filter;
    int64_t before = redriving->found;

    if (quarantine_parse_place(place, &filter, redriving->err) != 0 ||
        visit(redriving, &filter) != 0) {
        return -1;
    }
    if (redriving->pass == PASS_LOOK && redriving->found == before) {
        fprintf(stderr, "%s: is not in quarantine\n", place);
        redriving->places_unknown++;
    }
    if (redriving->is_mended && redriving->found > 1) {
        return error_set(redriving->err, EX_DATAERR,
                         "%s: is in quarantine of %" PRId64 " logs: --value mends one message",
                         place, redriving->found);
    }
    return 0;
}

static int pass_over(struct redriving *redriving, enum pass pass)
{
    const struct options *options = redriving->options;

    redriving->pass = pass;
    if (options->operand_count == 0) {
        const struct store_quarantine_filter filter = quarantine_filter(options);
        return visit(redriving, &filter);
    }
    for (int i = 0; i < options->operand_count; i++) {
        if (visit_place(redriving, options->operands[i]) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- the command ---- */

/* The ledger's topic, and no other of this name. */
static int check_topic(struct redriving *redriving)
{
    struct store *store = redriving->store;
    char *cluster = publisher_cluster(redriving->publisher, CLUSTER_MS, redriving->err);

    if (!cluster) {
        return -1;
    }
    enum store_status status =
        store->ops->bind(store, cluster, redriving->options->kafka.topic, redriving->err);
    free(cluster);
    return status == STORE_OK ? 0 : -1;
}

static int publish_all(struct redriving *redriving)
{
    int result = pass_over(redriving, PASS_PUBLISH);
    struct error why = *redriving->err;

    if (settle(redriving) != 0 && result == 0) { /* what was given is told of in any case */
        why = *redriving->err;
        result = -1;
    }
    return result == 0
               ? 0
               : error_set(redriving->err, why.code,
                           "%.512s: %" PRId64 " of %" PRId64 " messages were acknowledged; run it "
                           "again: the keys are the same, and pay once",
                           why.text, redriving->acknowledged, redriving->found);
}

static void print_summary(const struct redriving *redriving)
{
    if (redriving->options->json) {
        return;
    }
    if (redriving->found == 0) {
        puts("No message in quarantine is like that.");
        return;
    }
    printf("\n%" PRId64 " messages were redriven. payd run decides them; in quarantine they stay, "
           "as history.\n",
           redriving->acknowledged);
}

/* The selection as a whole: is all of it there, and may all of it be redriven? */
static int look_at_all(struct redriving *redriving)
{
    if (pass_over(redriving, PASS_LOOK) != 0) {
        return -1;
    }
    if (redriving->places_unknown > 0) {
        return error_set(redriving->err, QUARANTINE_UNKNOWN, "nothing was published");
    }
    return redriving->refused == 0
               ? 0
               : error_set(redriving->err, EX_DATAERR,
                           "%" PRId64 " of %" PRId64 " messages cannot be redriven: nothing was "
                           "published",
                           redriving->refused, redriving->found);
}

static int redrive_all(struct redriving *redriving)
{
    struct kafka_args args = redriving->options->kafka;

    args.client_id = "payd";
    if (kafka_conf_check(&args, redriving->err) != 0 || read_value(redriving) != 0 ||
        store_sqlite_open_moment(&redriving->store, redriving->options->db, redriving->err) != 0 ||
        look_at_all(redriving) != 0) {
        return -1;
    }
    if (redriving->found > 0 &&
        (publisher_open(&redriving->publisher, &args, on_report, redriving, redriving->err) != 0 ||
         check_topic(redriving) != 0)) {
        return stop_requested() && redriving->err->code == EX_UNAVAILABLE
                   ? error_set(redriving->err, EX_TEMPFAIL, "stopped; nothing was published")
                   : -1;
    }
    if (redriving->found > 0 && publish_all(redriving) != 0) {
        return -1;
    }
    print_summary(redriving);
    return 0;
}

int redrive(const struct options *options, struct error *err)
{
    struct redriving *redriving = calloc(1, sizeof(*redriving));

    if (!redriving) {
        error_set(err, EX_OSERR, "out of memory");
        return EX_OSERR;
    }
    redriving->options = options;
    redriving->err = err;
    int code = redrive_all(redriving) == 0 ? EX_OK : err->code;
    publisher_close(redriving->publisher);
    store_close(redriving->store);
    free(redriving);
    return code;
}
