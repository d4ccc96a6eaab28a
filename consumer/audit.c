/*
 * An audit goes both ways. From the log to the ledger: each record before the ledger's positions is
 * read again and must have exactly one outcome, the right one. From the ledger to the log: whatever
 * the ledger has of an offset that the log still holds must have been seen there. Three bits a
 * record tell: what it is in the log, and seen in the ledger.
 */
#include "consumer/audit.h"

#include "common/digest.h"
#include "common/progress.h"
#include "common/text.h"
#include "consumer/ledger.h"
#include "consumer/reread.h"
#include "consumer/stats.h"
#include "consumer/store_audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* A partition: what of it is audited, and the bits. */
struct part {
    struct reread_range range;
    int64_t end;              /* of the log */
    unsigned char *in_log;    /* enum has, two bits a record: what its outcome must be */
    unsigned char *in_ledger; /* the ledger has something of it */
};

struct auditing {
    const struct options *options;
    struct store *store;
    struct reread *reread;
    struct part *parts;
    struct audit_report report;
    struct progress progress;
};

/* What the ledger must have of a record, as the log says. */
enum has { HAS_NOTHING, HAS_DECISION, HAS_REPEAT, HAS_QUARANTINED };

/* ---- bits ---- */

static bool set_bit(unsigned char *bits, int64_t at)
{
    unsigned char bit = (unsigned char)(1U << at % 8);
    bool was_set = (bits[at / 8] & bit) != 0;

    bits[at / 8] |= bit;
    return was_set;
}

static void set_has(unsigned char *pairs, int64_t at, enum has has)
{
    unsigned bits = (unsigned)has << at % 4 * 2;

    pairs[at / 4] = (unsigned char)(pairs[at / 4] | bits);
}

static enum has get_has(const unsigned char *pairs, int64_t at)
{
    return (enum has)(pairs[at / 4] >> at % 4 * 2 & 3);
}

static enum has has_of(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_APPLIED:
    case OUTCOME_REJECTED:
        return HAS_DECISION;
    case OUTCOME_DUPLICATE:
    case OUTCOME_CONFLICT:
        return HAS_REPEAT;
    case OUTCOME_QUARANTINED:
        return HAS_QUARANTINED;
    case OUTCOME_NONE:
    case OUTCOME_REDELIVERED:
    case OUTCOME_COUNT:
    default:
        return HAS_NOTHING;
    }
}

/* ---- what is audited ---- */

static int open_part(struct auditing *auditing, int32_t partition, struct error *err)
{
    struct part *part = &auditing->parts[partition];
    struct store *store = auditing->store;
    struct log_marks marks;
    bool is_read = false;
    int64_t next = 0;
    int64_t low;
    int64_t high;

    if (reread_ends(auditing->reread, partition, &low, &high, err) != 0 ||
        store->ops->position(store, partition, &is_read, &next, &marks, err) != STORE_OK) {
        return -1;
    }
    if (is_read && next < low) {
        findings_add(&auditing->report.findings,
                     "%s[%" PRId32 "]: the position is %" PRId64 ", the log begins at %" PRId64
                     ": records are gone unread",
                     auditing->report.topic, partition, next, low);
    }
    if (is_read && next > high) {
        findings_add(&auditing->report.findings,
                     "%s[%" PRId32 "]: the position is %" PRId64 ", the log ends at %" PRId64,
                     auditing->report.topic, partition, next, high);
    }
    int64_t to = is_read && next < high ? next : high;
    to = is_read && to > low ? to : low;
    auditing->report.waiting += high - to;
    auditing->report.ranges[partition] = (struct audit_range){low, to};
    part->range = (struct reread_range){partition, low, to};
    part->end = high;
    part->in_log = calloc((size_t)(to - low) / 4 + 1, 1);
    part->in_ledger = calloc((size_t)(to - low) / 8 + 1, 1);
    return part->in_log && part->in_ledger
               ? 0
               : error_set(err, EX_OSERR, "out of memory for %" PRId64 " records", to - low);
}

static int open_parts(struct auditing *auditing, struct error *err)
{
    int count = reread_partitions(auditing->reread);
    struct reread_range *ranges = calloc((size_t)count, sizeof(*ranges));
    int result = 0;

    auditing->report.partitions = count;
    auditing->parts = calloc((size_t)count, sizeof(*auditing->parts));
    auditing->report.ranges = calloc((size_t)count, sizeof(*auditing->report.ranges));
    if (!ranges || !auditing->parts || !auditing->report.ranges) {
        free(ranges);
        return error_set(err, EX_OSERR, "out of memory");
    }
    for (int i = 0; result == 0 && i < count; i++) {
        result = open_part(auditing, i, err);
        ranges[i] = auditing->parts[i].range;
    }
    if (result == 0) {
        result = reread_start(auditing->reread, ranges, (size_t)count, err);
    }
    free(ranges);
    return result;
}

/* ---- from the log to the ledger ---- */

/* A finding about a record, with its key. */
static void add_finding(struct auditing *auditing, const struct chunk_item *item, const char *what)
{
    char key[TEXT_ESCAPED_SIZE];
    bool is_readable = item->unreadable == READABLE;
    const char *text = is_readable ? item->command.payment.key : "";

    findings_add(&auditing->report.findings, "%s[%" PRId32 "]@%" PRId64 " %s: %s",
                 auditing->report.topic, item->origin.partition, item->origin.offset,
                 is_readable ? text_escape(key, sizeof(key), text, strlen(text))
                             : unreadable_name(item->unreadable),
                 what);
}

static void check_first(struct auditing *auditing, const struct chunk *chunk,
                        const struct chunk_item *item)
{
    char fields[COMMAND_FIELDS_SIZE];
    char what[COMMAND_FIELDS_SIZE + 64];
    unsigned differs = command_differs(chunk->keys[item->key].first, &item->command);

    auditing->report.decided++;
    if (differs != 0) {
        snprintf(what, sizeof(what), "was decided with another payload, which differs in %s",
                 command_fields(fields, differs));
        add_finding(auditing, item, what);
    }
}

/* A record that has no row: right when its key has more repeats than are kept. */
static int check_unkept(struct auditing *auditing, const struct chunk_item *item, bool is_known,
                        struct error *err)
{
    int64_t repeats = 0;

    if (store_sqlite_repeats(auditing->store, item->command.payment.key, &repeats, err) !=
        STORE_OK) {
        return -1;
    }
    if (repeats > STORE_REPEATS_KEPT) {
        auditing->report.unkept++;
    } else {
        add_finding(auditing, item,
                    is_known ? "came again, and has no outcome of its own" : "has no outcome");
    }
    return 0;
}

/* What of a repeat the ledger has decided wrongly, as its key's decision says; NULL: nothing. */
static const char *wrong_decision(const struct chunk *chunk, const struct chunk_item *item,
                                  const struct store_recorded *recorded)
{
    const struct chunk_key *key = &chunk->keys[item->key];

    if (recorded->first_seq == 0) { /* the key was not decided yet */
        return recorded->outcome == OUTCOME_CONFLICT ? NULL : "outcome";
    }
    if (!key->known || recorded->first_seq != key->seq) {
        return "decision";
    }
    unsigned fields = ledger_differs(key->first, &item->command);
    enum reason reason = fields == 0 ? REASON_NONE : REASON_PAYLOAD_DIFFERS;
    if (recorded->reason != reason && recorded->reason != REASON_BATCH_CHANGED) {
        return "reason";
    }
    if (recorded->fields != fields) {
        return "list of fields";
    }
    return (recorded->outcome == OUTCOME_CONFLICT) == (recorded->reason != REASON_NONE) ? NULL
                                                                                        : "outcome";
}

/* What the ledger has recorded must be the record's. */
static int check_recorded(struct auditing *auditing, const struct chunk *chunk,
                          const struct chunk_item *item, struct store_recorded *ret,
                          struct error *err)
{
    char what[96];

    if (store_sqlite_recorded(auditing->store, chunk, item, ret, err) != STORE_OK) {
        return -1;
    }
    const char *wrong = ret->wrong;
    if (!wrong && ret->outcome != OUTCOME_QUARANTINED && item->unreadable == READABLE &&
        !chunk_is_stale(chunk, item)) {
        wrong = wrong_decision(chunk, item, ret);
    }
    if (wrong) {
        snprintf(what, sizeof(what), "is recorded as %s, with another %s",
                 outcome_name(ret->outcome), wrong);
        add_finding(auditing, item, what);
    }
    return 0;
}

/* Counts what is recorded of an item that can be read, and is stale now or not. */
static enum has count_recorded(struct audit_report *report, const struct store_recorded *recorded,
                               bool is_stale)
{
    bool is_kept = recorded->outcome == OUTCOME_QUARANTINED;

    report->quarantined += is_kept;
    report->readable += is_kept && !(is_stale && recorded->is_stale);
    report->repeats += !is_kept;
    return is_kept ? HAS_QUARANTINED : HAS_REPEAT;
}

/* A key that was forgotten, or came too late; before that it may have been a conflict. */
static int check_stale(struct auditing *auditing, const struct chunk *chunk,
                       const struct chunk_item *item, enum has *ret, struct error *err)
{
    struct store_recorded recorded;

    if (!item->recorded) {
        auditing->report.forgotten++;
        *ret = HAS_NOTHING;
        return 0;
    }
    if (check_recorded(auditing, chunk, item, &recorded, err) != 0) {
        return -1;
    }
    *ret = count_recorded(&auditing->report, &recorded, true);
    return 0;
}

static int check_item(struct auditing *auditing, const struct chunk *chunk,
                      const struct chunk_item *item, struct error *err)
{
    struct part *part = &auditing->parts[item->origin.partition];
    struct store_recorded recorded = {.outcome = OUTCOME_NONE};
    enum has has = HAS_NOTHING;
    int result = 0;

    auditing->report.records++;
    if (item->unreadable != READABLE) {
        auditing->report.quarantined++;
        has = HAS_QUARANTINED;
        if (!item->recorded) {
            add_finding(auditing, item, "cannot be read as a command, and is not in quarantine");
        } else {
            result = check_recorded(auditing, chunk, item, &recorded, err);
        }
    } else if (chunk_is_first(chunk, item)) {
        check_first(auditing, chunk, item);
        has = HAS_DECISION;
    } else if (chunk_is_stale(chunk, item)) {
        result = check_stale(auditing, chunk, item, &has, err);
    } else if (item->recorded) {
        result = check_recorded(auditing, chunk, item, &recorded, err);
        has = count_recorded(&auditing->report, &recorded, false);
    } else {
        result = check_unkept(auditing, item, chunk->keys[item->key].known, err);
    }
    set_has(part->in_log, item->origin.offset - part->range.from, has);
    return result;
}

static int check_chunk(struct auditing *auditing, struct chunk *chunk, struct error *err)
{
    const struct store_ops *ops = auditing->store->ops;

    if (ops->begin(auditing->store, err) != STORE_OK ||
        ops->claim(auditing->store, chunk, err) != STORE_OK) {
        return -1;
    }
    for (size_t i = 0; i < chunk->item_count; i++) {
        chunk_prefetch(chunk, i);
        if (check_item(auditing, chunk, &chunk->items[i], err) != 0) {
            return -1;
        }
    }
    return 0;
}

static int read_log(struct auditing *auditing, struct error *err)
{
    struct chunk *chunk;
    int result;

    progress_begin(&auditing->progress, "reading", reread_total(auditing->reread));
    while ((result = reread_next(auditing->reread, &chunk, err)) == 0 && chunk) {
        result = check_chunk(auditing, chunk, err);
        if (result != 0) {
            break;
        }
        progress_update(&auditing->progress, reread_done(auditing->reread));
    }
    progress_clear(&auditing->progress);
    return result;
}

/* ---- from the ledger to the log ---- */

static void on_place(void *user, const struct store_place *place)
{
    struct auditing *auditing = user;
    const struct part *part =
        place->partition >= 0 && place->partition < auditing->report.partitions
            ? &auditing->parts[place->partition]
            : NULL;
    const char *what = NULL;
    char key[TEXT_ESCAPED_SIZE];

    if (part && place->offset < part->range.from) {
        auditing->report.removed++;
        return;
    }
    if (part && place->offset >= part->range.to && place->offset < part->end) {
        return; /* the position was set back; whether it was by hand, verify says */
    }
    if (!part || place->offset >= part->end) {
        what = "but the log has no such place";
    } else if (get_has(part->in_log, place->offset - part->range.from) != has_of(place->outcome)) {
        what = "which the record that the log has there is not";
    } else if (set_bit(part->in_ledger, place->offset - part->range.from)) {
        what = "beside another outcome of the same record";
    }
    if (what) {
        findings_add(&auditing->report.findings,
                     "%s[%" PRId32 "]@%" PRId64 " %s: the ledger has it as %s, %s",
                     auditing->report.topic, place->partition, place->offset,
                     text_escape(key, sizeof(key), place->key, strlen(place->key)),
                     outcome_name(place->outcome), what);
    }
}

static int read_ledger(struct auditing *auditing, struct error *err)
{
    return store_sqlite_places(auditing->store, on_place, auditing, err) == STORE_OK ? 0 : -1;
}

/* ---- all of it ---- */

static void on_finding(void *user, enum store_check check, const char *text)
{
    findings_add(user, "%s: %s", store_check_name(check), text);
}

static int audit_all(struct auditing *auditing, struct error *err)
{
    const struct options *options = auditing->options;
    struct audit_report *report = &auditing->report;

    /* The snapshot first: what comes later is behind its positions. */
    if (store_sqlite_open_snapshot(&auditing->store, options->db, err) != 0 ||
        reread_open(&auditing->reread, &options->kafka, CHUNK_MESSAGES_MAX, err) != 0 ||
        auditing->store->ops->bind(auditing->store, reread_cluster(auditing->reread),
                                   options->kafka.topic, err) != STORE_OK ||
        open_parts(auditing, err) != 0 || read_log(auditing, err) != 0 ||
        read_ledger(auditing, err) != 0 ||
        auditing->store->ops->stats(auditing->store, &report->stats, err) != STORE_OK) {
        return -1;
    }
    return store_sqlite_verify_moment(auditing->store, on_finding, &report->findings,
                                      &report->proof, err);
}

void audit_print(FILE *out, const struct audit_report *report)
{
    const struct {
        const char *name;
        int64_t count;
        const char *what;
    } rows[] = {
        {"records", report->records, "of the log, before the ledger's positions"},
        {"decided", report->decided, "of them decided their keys"},
        {"repeats", report->repeats, "came again"},
        {"unkept", report->unkept, "came again so often that they were only counted"},
        {"quarantined", report->quarantined, "cannot be read as a command, or are stale"},
        {"readable", report->readable, "of these could be decided now, but stay there"},
        {"forgotten", report->forgotten, "came again, and a purge has forgotten their keys"},
        {"waiting", report->waiting, "in the log, but behind the ledger's positions"},
        {"removed", report->removed, "in the ledger, but not in the log any more"},
        {"keys", report->proof.looked_at[STORE_CHECK_KEYS], "in the ledger, each once"},
        {"accounts", report->proof.looked_at[STORE_CHECK_ACCOUNTS], "the sums of their postings"},
    };
    char digest[2 * KEY_HASH_SIZE + 1];

    findings_print(out, &report->findings);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fprintf(out, "%-11s %15" PRId64 "  %s\n", rows[i].name, rows[i].count, rows[i].what);
    }
    fprintf(out, "\npartition            from              to  of topic %s\n", report->topic);
    for (int i = 0; i < report->partitions; i++) {
        fprintf(out, "%9d %15" PRId64 " %15" PRId64 "\n", i, report->ranges[i].from,
                report->ranges[i].to);
    }
    stats_print_currencies(out, &report->stats);
    fprintf(out, "\ndigest       %s\n",
            digest_hex(digest, report->proof.digest, sizeof(report->proof.digest)));
    if (report->findings.count == 0) {
        fprintf(out, "the ledger   is what the log says\n");
    } else {
        fprintf(out, "the ledger   is NOT what the log says: %" PRId64 " findings\n",
                report->findings.count);
    }
}

static int print(const struct audit_report *report, bool json, struct error *err)
{
    if (!json) {
        audit_print(stdout, report);
    } else if (audit_print_json(stdout, report) != 0) {
        error_set(err, EX_OSERR, "out of memory");
        return EX_OSERR;
    }
    return report->findings.count == 0 ? EX_OK : AUDIT_WRONG;
}

int audit(const struct options *options, struct error *err)
{
    struct auditing auditing = {.options = options, .report = {.topic = options->kafka.topic}};
    bool has_bar = !options->json && isatty(STDERR_FILENO);

    progress_init(&auditing.progress, has_bar ? stderr : NULL);
    int code =
        audit_all(&auditing, err) == 0 ? print(&auditing.report, options->json, err) : err->code;
    for (int i = 0; auditing.parts && i < auditing.report.partitions; i++) {
        free(auditing.parts[i].in_log);
        free(auditing.parts[i].in_ledger);
    }
    free(auditing.parts);
    free(auditing.report.ranges);
    store_stats_release(&auditing.report.stats);
    findings_release(&auditing.report.findings);
    reread_close(auditing.reread);
    store_close(auditing.store);
    return code;
}
