#include "consumer/rebuild.h"

#include "common/clock.h"
#include "common/text.h"
#include "consumer/decode.h"
#include "consumer/fingerprint.h"
#include "consumer/ledger.h"
#include "consumer/store_audit.h"
#include "consumer/store_diff.h"
#include "consumer/store_quarantine.h"
#include "consumer/told.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct rebuild {
    struct store *store;
    struct store *old; /* NULL = none */
    bool is_told;
    struct digest *digest; /* nothing in it between two uses */
    struct findings differences;
    int64_t anew;        /* decisions that the old store has not */
    int64_t quarantined; /* messages that were told to be quarantined, and were met */
    int64_t gone;        /* decisions that were told, of messages that are not read */
    size_t batch_count;  /* of the chunk, as the old store has them */
    struct chunk_batch *batches;
    int64_t from[CHUNK_PARTITIONS_MAX];           /* by partition: where reading began */
    struct log_marks marks[CHUNK_PARTITIONS_MAX]; /* and what was read */
    bool is_bound[CHUNK_MESSAGES_MAX];            /* by key of the chunk */
    struct binding bindings[CHUNK_MESSAGES_MAX];
    enum unreadable kept[CHUNK_MESSAGES_MAX]; /* by item of the chunk: why it was quarantined */
};

int rebuild_open(struct rebuild **ret, struct store *store, const struct rebuild_old *old,
                 struct error *err)
{
    struct rebuild *rebuild = calloc(1, sizeof(*rebuild));

    if (rebuild) {
        rebuild->batches = calloc(CHUNK_MESSAGES_MAX, sizeof(*rebuild->batches));
    }
    if (!rebuild || !rebuild->batches) {
        rebuild_close(rebuild);
        return error_set(err, EX_OSERR, "out of memory");
    }
    rebuild->store = store;
    rebuild->old = old->store;
    rebuild->is_told = old->is_told;
    if (digest_open(&rebuild->digest, err) != 0) {
        rebuild_close(rebuild);
        return -1;
    }
    *ret = rebuild;
    return 0;
}

void rebuild_close(struct rebuild *rebuild)
{
    if (rebuild) {
        digest_close(rebuild->digest);
        findings_release(&rebuild->differences);
        free(rebuild->batches);
        free(rebuild);
    }
}

void rebuild_start(struct rebuild *rebuild, int32_t partition, int64_t from,
                   const struct log_marks *marks)
{
    rebuild->from[partition] = from;
    if (marks) {
        rebuild->marks[partition] = *marks;
    }
}

const struct findings *rebuild_findings(const struct rebuild *rebuild)
{
    return &rebuild->differences;
}

int64_t rebuild_gone(const struct rebuild *rebuild)
{
    return rebuild->gone;
}

/* Whether the quarantine has this very message: an answer belongs to key and digest. */
static int is_kept(const struct rebuild *rebuild, const struct chunk_item *item,
                   const struct store_kept *kept, bool *ret, struct error *err)
{
    struct chunk_item unread = {.unreadable = kept->reason, .raw = item->raw};
    const unsigned char *digest = item->digest;

    *ret = false;
    if (kept->reason == READABLE) {
        return 0;
    }
    if (kept->reason != UNREADABLE_STALE) {
        if (decode_digest(&unread, rebuild->digest, err) != 0) {
            return -1;
        }
        digest = unread.digest;
    }
    *ret = memcmp(digest, kept->digest, sizeof(kept->digest)) == 0;
    return 0;
}

static void add_quarantined(struct rebuild *rebuild, const struct chunk_item *item)
{
    const char *text = item->command.payment.key;
    char key[TEXT_ESCAPED_SIZE];

    findings_add(&rebuild->differences,
                 "key %s at [%" PRId32 "]@%" PRId64 " was quarantined, and can be read now",
                 text_escape(key, sizeof(key), text, strlen(text)), item->origin.partition,
                 item->origin.offset);
}

/*
 * What was quarantined though it can be read, as stale or by a payd that could not read it, is not
 * to be decided here either: notes why it was, in kept and the item's detail.
 */
static enum store_status find_kept_one(struct rebuild *rebuild, struct chunk_item *item,
                                       enum unreadable *ret, struct error *err)
{
    struct store_kept kept;
    bool is_same = false;
    enum store_status status = store_sqlite_kept(rebuild->old, item, &kept, err);

    if (status != STORE_OK || !kept.is_there) {
        return status;
    }
    if (is_kept(rebuild, item, &kept, &is_same, err) != 0) {
        return STORE_FAILED;
    }
    if (is_same) {
        *ret = kept.reason;
        snprintf(item->detail, sizeof(item->detail), "%s",
                 kept.detail[0] ? kept.detail : "it was quarantined before");
    } else {
        add_quarantined(rebuild, item);
    }
    return STORE_OK;
}

/* What was told to be quarantined must be so again: claim has marked it, and has no repeats. */
static enum store_status find_kept(struct rebuild *rebuild, struct chunk *chunk, struct error *err)
{
    enum store_status status = STORE_OK;

    for (size_t i = 0; status == STORE_OK && i < chunk->item_count; i++) {
        struct chunk_item *item = &chunk->items[i];
        rebuild->kept[i] = READABLE;
        rebuild->quarantined += rebuild->is_told && item->recorded;
        if (item->recorded && item->unreadable == READABLE) {
            status = find_kept_one(rebuild, item, &rebuild->kept[i], err);
        }
    }
    return status;
}

static int refuse_kept(const struct rebuild *rebuild, struct chunk *chunk, struct error *err)
{
    for (size_t i = 0; i < chunk->item_count; i++) {
        struct chunk_item *item = &chunk->items[i];
        if (rebuild->kept[i] == UNREADABLE_STALE) {
            chunk_refuse_stale(item);
        } else if (rebuild->kept[i] != READABLE) {
            item->unreadable = rebuild->kept[i];
            if (decode_digest(item, rebuild->digest, err) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

/* What the old store knows of the chunk. The chunk is indexed anew then: the same order of keys. */
static enum store_status ask_old(struct rebuild *rebuild, struct chunk *chunk, struct error *err)
{
    struct store *old = rebuild->old;
    enum store_status status = store_begin_chunk(old, chunk, err);

    if (status == STORE_OK) {
        status = find_kept(rebuild, chunk, err);
    }
    if (status != STORE_OK) {
        return status;
    }
    for (size_t i = 0; i < chunk->key_count; i++) {
        const struct chunk_key *key = &chunk->keys[i];
        rebuild->is_bound[i] = key->known;
        if (key->known) {
            rebuild->bindings[i] = (struct binding){*key->first, key->outcome, key->reason};
        }
    }
    rebuild->batch_count = chunk->batch_count;
    memcpy(rebuild->batches, chunk->batches, chunk->batch_count * sizeof(*chunk->batches));
    chunk_index(chunk);
    for (size_t i = 0; i < chunk->key_count; i++) {
        chunk->keys[i].bound = rebuild->is_bound[i] ? &rebuild->bindings[i] : NULL;
    }
    return refuse_kept(rebuild, chunk, err) == 0 ? STORE_OK : STORE_FAILED;
}

/* A batch's id is bound to what it was bound to there, whichever row comes first here. */
static void bind_batches(const struct rebuild *rebuild, struct chunk *chunk)
{
    for (size_t i = 0; i < rebuild->batch_count && i < chunk->batch_count; i++) {
        if (!chunk->batches[i].bound && rebuild->batches[i].bound) {
            chunk->batches[i].content = rebuild->batches[i].content;
            chunk->batches[i].bound = true;
        }
    }
}

static enum store_status transact(struct rebuild *rebuild, struct chunk *chunk, struct error *err)
{
    struct store *store = rebuild->store;
    enum store_status status = store_begin_chunk(store, chunk, err);

    if (status == STORE_OK) {
        if (rebuild->old) {
            bind_batches(rebuild, chunk);
        }
        ledger_decide(chunk);
    }
    return store_end_chunk(store, status, chunk, err);
}

bool rebuild_was_bound(const struct rebuild *rebuild, const struct chunk *chunk,
                       const struct chunk_item *item)
{
    return rebuild->old && item->unreadable == READABLE && item->key < chunk->key_count &&
           rebuild->is_bound[item->key];
}

int rebuild_chunk(struct rebuild *rebuild, struct chunk *chunk, struct error *err)
{
    chunk->now_ms = clock_unix_ms();
    if (fingerprint_ranges(rebuild->digest, chunk, rebuild->marks, err) != 0 ||
        (rebuild->old && ask_old(rebuild, chunk, err) != STORE_OK)) {
        return -1;
    }
    enum store_status status = transact(rebuild, chunk, err);
    if (status == STORE_STALE) {
        return error_set(err, EX_SOFTWARE, "the new ledger is not where the topic was read");
    }
    for (size_t i = 0; status == STORE_OK && i < chunk->item_count; i++) {
        const struct chunk_item *item = &chunk->items[i];
        enum outcome outcome = item->decision.outcome;
        bool is_decision = outcome == OUTCOME_APPLIED || outcome == OUTCOME_REJECTED;
        rebuild->anew += is_decision && !rebuild_was_bound(rebuild, chunk, item);
    }
    return status == STORE_OK ? 0 : -1;
}

/* ---- the end ---- */

/* True for what reading did not come by: before its beginning, or in another topic. */
static bool is_gone(const struct rebuild *rebuild, const struct outcome_record *record)
{
    const struct outcome_origin *origin = &record->first.origin;

    return origin->partition == TOLD_ELSEWHERE || origin->partition >= CHUNK_PARTITIONS_MAX ||
           origin->offset < rebuild->from[origin->partition];
}

static void add_key(struct rebuild *rebuild, const struct store_key_difference *difference)
{
    const struct outcome_record *a = difference->a;
    const struct outcome_record *b = difference->b;
    char key[TEXT_ESCAPED_SIZE];

    findings_add(&rebuild->differences, "key %s: was %s%s%s, is %s%s%s%s",
                 text_escape(key, sizeof(key), difference->key, strlen(difference->key)),
                 a ? outcome_name(a->verdict) : "not decided", a && a->reason[0] ? " " : "",
                 a ? a->reason : "", b ? outcome_name(b->verdict) : "not decided",
                 b && b->reason[0] ? " " : "", b ? b->reason : "",
                 b ? "" : " (the log does not hold it any more)");
}

static void on_key(void *user, const struct store_key_difference *difference)
{
    struct rebuild *rebuild = user;

    if (rebuild->is_told && !difference->a) {
        return; /* what was never told is decided by the rules */
    }
    if (rebuild->is_told && !difference->b && is_gone(rebuild, difference->a)) {
        rebuild->gone++;
    } else {
        add_key(rebuild, difference);
    }
}

static void on_account(void *user, const struct store_account_difference *difference)
{
    struct rebuild *rebuild = user;
    const char *name = difference->a ? difference->a->name : difference->b->name;
    char account[TEXT_ESCAPED_SIZE];

    if (!rebuild->is_told) { /* nothing is told of accounts */
        findings_add(&rebuild->differences, "account %s",
                     text_escape(account, sizeof(account), name, strlen(name)));
    }
}

static void on_quarantined(void *user, const struct store_quarantined *message)
{
    struct rebuild *rebuild = user;

    rebuild->quarantined -= message->offset >= rebuild->from[message->partition];
}

/* What was told to be quarantined, and was not met. */
static int expect_quarantined(struct rebuild *rebuild, struct error *err)
{
    static const struct store_quarantine_filter all = {.partition = -1, .offset = -1};

    if (store_sqlite_quarantine(rebuild->old, &all, on_quarantined, rebuild, err) != STORE_OK) {
        return -1;
    }
    if (rebuild->quarantined < 0) {
        findings_add(&rebuild->differences,
                     "%" PRId64 " messages that were quarantined are not in the log",
                     -rebuild->quarantined);
    }
    return 0;
}

/* All that differs is named. */
static int compare(struct rebuild *rebuild, const char *path, struct store_diff *ret,
                   struct error *err)
{
    const struct store_diff_visitor visitor = {rebuild, on_key, on_account};
    struct store *moment = NULL;

    if (store_sqlite_open_moment(&moment, path, err) != 0) {
        return -1;
    }
    enum store_status status = store_sqlite_diff(rebuild->old, moment, &visitor, ret, err);
    store_close(moment);
    if (status != STORE_OK) {
        return -1;
    }
    return rebuild->is_told ? expect_quarantined(rebuild, err) : 0;
}

/* Nothing may differ. */
static int expect_same(struct rebuild *rebuild, const char *path, struct error *err)
{
    struct store_diff found;

    if (compare(rebuild, path, &found, err) != 0) {
        return -1;
    }
    const struct findings *differences = &rebuild->differences;
    const char *first = differences->shown_count > 0 ? differences->shown[0] : "unknown";
    if (differences->count == 0) {
        return 0;
    }
    return rebuild->is_told
               ? error_set(err, EX_SOFTWARE,
                           "what the topic holds does not give what the outcomes topic tells: "
                           "%" PRId64 " decisions differ, the first is %s",
                           differences->count, first)
               : error_set(err, EX_SOFTWARE,
                           "what the topic holds does not give the old ledger again: %" PRId64
                           " keys and %" PRId64 " accounts differ, the first is %s",
                           found.keys_differ, found.accounts_differ, first);
}

/* What the old ledger has published needs not be published again. */
static int take_published(struct rebuild *rebuild, struct error *err)
{
    struct store *store = rebuild->store;
    int64_t published = 0;
    int64_t last = 0;
    int64_t own_last = 0;

    if (rebuild->old->ops->outbox(rebuild->old, &published, &last, err) != STORE_OK ||
        store->ops->outbox(store, NULL, &own_last, err) != STORE_OK) {
        return -1;
    }
    if (published < last) {
        return 0; /* some are still to come: all of them again, which at least once allows */
    }
    return store->ops->published(store, own_last, err) == STORE_OK ? 0 : -1;
}

int rebuild_end(struct rebuild *rebuild, const char *path, struct error *err)
{
    if (!rebuild->old) {
        return 0;
    }
    if (rebuild->is_told) {
        return expect_same(rebuild, path, err);
    }
    if (rebuild->anew > 0 && rebuild->differences.count == 0) {
        return error_set(err, EX_CONFIG,
                         "%" PRId64
                         " commands before the old ledger's positions were never decided "
                         "there: decide them first (payd replay --execute), then rebuild",
                         rebuild->anew);
    }
    return expect_same(rebuild, path, err) == 0 ? take_published(rebuild, err) : -1;
}
