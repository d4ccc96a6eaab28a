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

static int read_value(struct redriving *this)
{
    const char *path = this->options->value_file;
    bool is_stdin = path && strcmp(path, "-") == 0;

    if (!path) {
        return 0;
    }
    FILE *in = is_stdin ? stdin : fopen(path, "re");
    if (!in) {
        return error_set(this->err, EX_NOINPUT, "--value %s: %s", path, strerror(errno));
    }
    errno = 0;
    size_t len = fread(this->value, 1, sizeof(this->value), in);
    int failure = ferror(in) ? errno : 0;
    if (!is_stdin) {
        fclose(in);
    }
    if (failure != 0) {
        return error_set(this->err, EX_IOERR, "--value %s: %s", path, strerror(failure));
    }
    if (len > COMMAND_JSON_MAX_BYTES) {
        return error_set(this->err, EX_DATAERR, "--value %s: longer than %d bytes", path,
                         COMMAND_JSON_MAX_BYTES);
    }
    this->is_mended = true;
    this->mended = (struct store_bytes){this->value, len, (int64_t)len};
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

static int print_one(const struct redriving *this, const struct redriven *redriven)
{
    if (this->options->json) {
        return redrive_print_json(stdout, redriven) == 0
                   ? 0
                   : error_set(this->err, EX_OSERR, "out of memory");
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
static int settle(struct redriving *this)
{
    int64_t given = this->given;
    int result = 0;

    wait_reports(this->publisher);
    for (size_t i = 0; i < this->count; i++) {
        struct redriven *redriven = &this->window[i];
        if (!redriven->is_reported) {
            redriven->delivery = DELIVERY_UNKNOWN;
            snprintf(redriven->reason, sizeof(redriven->reason), "the client gave no report");
        }
        this->acknowledged += redriven->delivery == DELIVERY_ACKNOWLEDGED;
        result = print_one(this, redriven) != 0 ? -1 : result;
    }
    fflush(stdout); /* main looks at errors */
    this->count = 0;
    if (result == 0 && this->acknowledged < given) {
        result = error_set(this->err, EX_TEMPFAIL, "not all was acknowledged");
    }
    return result;
}

/* ---- one message ---- */

static int make(struct redriving *this, const struct store_quarantined *message, bool *ret_refused,
                char why[REDRIVE_WHY_SIZE])
{
    const struct store_bytes *mended = this->is_mended ? &this->mended : NULL;

    redrive_message_begin(&this->message, message, mended);
    return store_sqlite_quarantine_headers(this->store, message->seq, redrive_message_header,
                                           &this->message, this->err) == STORE_OK
               ? redrive_message_end(&this->message, message, mended, ret_refused, why, this->err)
               : -1;
}

static int look(struct redriving *this, const struct store_quarantined *message)
{
    char why[REDRIVE_WHY_SIZE];
    bool is_refused;

    this->found++;
    if (make(this, message, &is_refused, why) != 0) {
        return -1;
    }
    if (is_refused && this->refused++ < REDRIVE_REFUSED_SHOWN) {
        fprintf(stderr, "%" PRId32 "@%" PRId64 ": %s\n", message->partition, message->offset, why);
    }
    return 0;
}

static int publish(struct redriving *this, const struct store_quarantined *message)
{
    const struct redrive_message *redrive = &this->message;
    char why[REDRIVE_WHY_SIZE];
    bool is_refused;

    if (this->count == REDRIVE_WINDOW && settle(this) != 0) {
        return -1;
    }
    if (make(this, message, &is_refused, why) != 0) {
        return -1;
    }
    struct redriven *redriven = &this->window[this->count];
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
    if (publisher_send(this->publisher, &sent, this->err) != 0) {
        return error_wrap(this->err, "%" PRId32 "@%" PRId64, message->partition, message->offset);
    }
    this->count++;
    this->given++;
    return 0;
}

static void on_message(void *user, const struct store_quarantined *message)
{
    struct redriving *this = user;

    if (!this->failed) {
        int result = this->pass == PASS_LOOK ? look(this, message) : publish(this, message);
        this->failed = result != 0;
    }
}

/* ---- the selection ---- */

static int visit(struct redriving *this, const struct store_quarantine_filter *filter)
{
    enum store_status status =
        store_sqlite_quarantine(this->store, filter, on_message, this, this->err);

    return status == STORE_OK && !this->failed ? 0 : -1;
}

static int visit_place(struct redriving *this, const char *place)
{
    struct store_quarantine_filter filter;
    int64_t before = this->found;

    if (quarantine_parse_place(place, &filter, this->err) != 0 || visit(this, &filter) != 0) {
        return -1;
    }
    if (this->pass == PASS_LOOK && this->found == before) {
        fprintf(stderr, "%s: is not in quarantine\n", place);
        this->places_unknown++;
    }
    if (this->is_mended && this->found > 1) {
        return error_set(this->err, EX_DATAERR,
                         "%s: is in quarantine of %" PRId64 " logs: --value mends one message",
                         place, this->found);
    }
    return 0;
}

static int pass_over(struct redriving *this, enum pass pass)
{
    const struct options *options = this->options;

    this->pass = pass;
    if (options->operand_count == 0) {
        const struct store_quarantine_filter filter = quarantine_filter(options);
        return visit(this, &filter);
    }
    for (int i = 0; i < options->operand_count; i++) {
        if (visit_place(this, options->operands[i]) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- the command ---- */

/* The ledger's topic, and no other of this name. */
static int check_topic(struct redriving *this)
{
    struct store *store = this->store;
    char *cluster = publisher_cluster(this->publisher, CLUSTER_MS, this->err);

    if (!cluster) {
        return -1;
    }
    enum store_status status =
        store->ops->bind(store, cluster, this->options->kafka.topic, this->err);
    free(cluster);
    return status == STORE_OK ? 0 : -1;
}

static int publish_all(struct redriving *this)
{
    int result = pass_over(this, PASS_PUBLISH);
    struct error why = *this->err;

    if (settle(this) != 0 && result == 0) { /* what was given is told of in any case */
        why = *this->err;
        result = -1;
    }
    return result == 0
               ? 0
               : error_set(this->err, why.code,
                           "%.512s: %" PRId64 " of %" PRId64 " messages were acknowledged; run it "
                           "again: the keys are the same, and pay once",
                           why.text, this->acknowledged, this->found);
}

static void print_summary(const struct redriving *this)
{
    if (this->options->json) {
        return;
    }
    if (this->found == 0) {
        puts("No message in quarantine is like that.");
        return;
    }
    printf("\n%" PRId64 " messages were redriven. payd run decides them; in quarantine they stay, "
           "as history.\n",
           this->acknowledged);
}

/* The selection as a whole: is all of it there, and may all of it be redriven? */
static int look_at_all(struct redriving *this)
{
    if (pass_over(this, PASS_LOOK) != 0) {
        return -1;
    }
    if (this->places_unknown > 0) {
        return error_set(this->err, QUARANTINE_UNKNOWN, "nothing was published");
    }
    return this->refused == 0
               ? 0
               : error_set(this->err, EX_DATAERR,
                           "%" PRId64 " of %" PRId64 " messages cannot be redriven: nothing was "
                           "published",
                           this->refused, this->found);
}

static int redrive_all(struct redriving *this)
{
    struct kafka_args args = this->options->kafka;

    args.client_id = "payd";
    if (kafka_conf_check(&args, this->err) != 0 || read_value(this) != 0 ||
        store_sqlite_open_moment(&this->store, this->options->db, this->err) != 0 ||
        look_at_all(this) != 0) {
        return -1;
    }
    if (this->found > 0 &&
        (publisher_open(&this->publisher, &args, on_report, this, this->err) != 0 ||
         check_topic(this) != 0 || publish_all(this) != 0)) {
        return -1;
    }
    print_summary(this);
    return 0;
}

int redrive(const struct options *options, struct error *err)
{
    struct redriving *this = calloc(1, sizeof(*this));

    if (!this) {
        error_set(err, EX_OSERR, "out of memory");
        return EX_OSERR;
    }
    this->options = options;
    this->err = err;
    int code = redrive_all(this) == 0 ? EX_OK : err->code;
    publisher_close(this->publisher);
    store_close(this->store);
    free(this);
    return code;
}
