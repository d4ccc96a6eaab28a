#include "consumer/rebuild.h"

#include "common/clock.h"
#include "common/text.h"
#include "consumer/findings.h"
#include "consumer/fingerprint.h"
#include "consumer/ledger.h"
#include "consumer/store_diff.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct rebuild {
    struct store *store;
    struct store *old;
    struct digest *digest; /* nothing in it between two uses */
    int64_t anew;          /* decisions that the old ledger has not */
    size_t batch_count;    /* of the chunk, as the old ledger has them */
    struct chunk_batch *batches;
    struct log_marks marks[CHUNK_PARTITIONS_MAX]; /* by partition: what was read */
    bool is_bound[CHUNK_MESSAGES_MAX];            /* by key of the chunk */
    struct binding bindings[CHUNK_MESSAGES_MAX];
};

int rebuild_open(struct rebuild **ret, struct store *store, struct store *old, struct error *err)
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
    rebuild->old = old;
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
        free(rebuild->batches);
        free(rebuild);
    }
}

/* What the old ledger knows of the chunk. The chunk is indexed anew then: the same order of keys.
 */
static enum store_status ask_old(struct rebuild *rebuild, struct chunk *chunk, struct error *err)
{
    struct store *old = rebuild->old;
    enum store_status status = old->ops->begin(old, err);

    if (status == STORE_OK) {
        status = old->ops->claim(old, chunk, err);
    }
    if (status == STORE_OK) {
        status = old->ops->load(old, chunk, err);
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
    return STORE_OK;
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
    enum store_status status = store->ops->begin(store, err);

    if (status == STORE_OK) {
        status = store->ops->claim(store, chunk, err);
    }
    if (status == STORE_OK) {
        status = store->ops->load(store, chunk, err);
    }
    if (status == STORE_OK) {
        if (rebuild->old) {
            bind_batches(rebuild, chunk);
        }
        ledger_decide(chunk);
        status = store->ops->save(store, chunk, err);
    }
    if (status == STORE_OK) {
        status = store->ops->commit(store, err);
    }
    if (status != STORE_OK) {
        store->ops->rollback(store);
    }
    return status;
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

static void on_key(void *user, const struct store_key_difference *difference)
{
    char key[TEXT_ESCAPED_SIZE];

    findings_add(user, "key %s%s",
                 text_escape(key, sizeof(key), difference->key, strlen(difference->key)),
                 difference->b ? "" : " (the log does not hold it any more)");
}

static void on_account(void *user, const struct store_account_difference *difference)
{
    const char *name = difference->a ? difference->a->name : difference->b->name;
    char account[TEXT_ESCAPED_SIZE];

    findings_add(user, "account %s", text_escape(account, sizeof(account), name, strlen(name)));
}

/* Nothing may differ; else the first difference is named. */
static int expect_same(struct rebuild *rebuild, const char *path, struct error *err)
{
    struct findings differences = {.count = 0};
    const struct store_diff_visitor visitor = {&differences, on_key, on_account};
    struct store_diff found;
    struct store *moment = NULL;
    int result = -1;

    if (store_sqlite_open_moment(&moment, path, err) != 0) {
        return -1;
    }
    if (store_sqlite_diff(rebuild->old, moment, &visitor, &found, err) == STORE_OK) {
        result = differences.count == 0
                     ? 0
                     : error_set(err, EX_SOFTWARE,
                                 "what the topic holds does not give the old ledger again: %" PRId64
                                 " keys and %" PRId64 " accounts differ, the first is %s",
                                 found.keys_differ, found.accounts_differ,
                                 differences.shown_count > 0 ? differences.shown[0] : "unknown");
    }
    findings_release(&differences);
    store_close(moment);
    return result;
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
    if (rebuild->anew > 0) {
        return error_set(err, EX_CONFIG,
                         "%" PRId64
                         " commands before the old ledger's positions were never decided "
                         "there: decide them first (payd replay --execute), then rebuild",
                         rebuild->anew);
    }
    return expect_same(rebuild, path, err) == 0 ? take_published(rebuild, err) : -1;
}
