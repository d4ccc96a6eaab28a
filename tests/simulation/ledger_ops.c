#include "tests/simulation/ledger_internal.h"

#include "tests/simulation/books.h"
#include "tests/simulation/world.h"

#include <stdio.h>
#include <sysexits.h>

/* ---- around each call ---- */

/* The steps and faults before a call. Those of a read, which has no room to ask for. */
static enum store_status before(const char *place, struct error *err)
{
    world_step(place);
    if (world_strikes(EVENT_STORE_FAILED, 2)) {
        world_event(EVENT_STORE_FAILED, 0, 0);
        world_must_end("the store failed");
        error_set(err, EX_IOERR, "the store failed");
        return STORE_FAILED;
    }
    return STORE_OK;
}

static enum store_status before_write(const char *place, struct error *err)
{
    enum store_status status = before(place, err);

    if (status == STORE_OK && world_strikes(EVENT_STORE_BUSY, 20)) {
        status = STORE_BUSY;
    } else if (status == STORE_OK && world_strikes(EVENT_STORE_FULL, 20)) {
        status = STORE_FULL;
    } else {
        return status;
    }
    world_event(status == STORE_BUSY ? EVENT_STORE_BUSY : EVENT_STORE_FULL, 0, 0);
    world_excuse("the store is busy or full");
    error_set(err, EX_IOERR, "the store is busy or full");
    return status;
}

/* ---- the calls ---- */

static enum store_status ledger_bind(struct store *base, const char *cluster, const char *topic,
                                     struct error *err)
{
    (void)base;
    return ledger_after("store_bind", ledger.inner->ops->bind(ledger.inner, cluster, topic, err));
}

static enum store_status ledger_identify(struct store *base, struct store_identity *ret,
                                         struct error *err)
{
    (void)base;
    world_step("store_identify");
    enum store_status status =
        ledger_after("store_identify", ledger.inner->ops->identify(ledger.inner, ret, err));
    if (status == STORE_OK && ledger.kind == LEDGER_MEMORY) {
        /* Nothing outlives this store, so it does not know that it was opened again. */
        ret->incarnation = ledger.openings;
        snprintf(ret->opening, sizeof(ret->opening), "opening-%lld", (long long)ledger.openings);
    }
    return status;
}

static enum store_status ledger_set_mode(struct store *base, bool strict, struct error *err)
{
    (void)base;
    return ledger_after("store_set_mode", ledger.inner->ops->set_mode(ledger.inner, strict, err));
}

static enum store_status ledger_ordered(struct store *base, bool *ret, struct error *err)
{
    enum store_status status = before("store_ordered", err);

    (void)base;
    return status == STORE_OK
               ? ledger_after("store_ordered", ledger.inner->ops->ordered(ledger.inner, ret, err))
               : status;
}

static enum store_status ledger_position(struct store *base, int32_t partition, bool *ret_found,
                                         int64_t *ret_offset, struct log_marks *ret_marks,
                                         struct error *err)
{
    enum store_status status = before("store_position", err);

    (void)base;
    return status == STORE_OK
               ? ledger_after("store_position",
                              ledger.inner->ops->position(ledger.inner, partition, ret_found,
                                                          ret_offset, ret_marks, err))
               : status;
}

static enum store_status ledger_adopt(struct store *base, int32_t partition, int64_t offset,
                                      struct error *err)
{
    enum store_status status = before("store_adopt", err);

    (void)base;
    if (status != STORE_OK) {
        return status;
    }
    books_adopting(partition, offset);
    books_uncertain();
    status =
        ledger_after("store_adopt", ledger.inner->ops->adopt(ledger.inner, partition, offset, err));
    if (status == STORE_OK) {
        books_committed(ledger_last_seq());
        world_step("store_adopted");
    }
    return status;
}

static enum store_status ledger_begin_transaction(struct store *base, struct error *err)
{
    enum store_status status = before_write("store_begin", err);

    (void)base;
    if (status == STORE_OK && world_strikes(EVENT_OTHER_HAND, 25)) {
        world_excuse("another hand in the store");
        status = ledger_set_back(EVENT_OTHER_HAND, err);
    }
    return status == STORE_OK
               ? ledger_after("store_begin", ledger.inner->ops->begin(ledger.inner, err))
               : status;
}

static enum store_status ledger_claim(struct store *base, struct chunk *chunk, struct error *err)
{
    enum store_status status = before("store_claim", err);

    (void)base;
    return status == STORE_OK
               ? ledger_after("store_claim", ledger.inner->ops->claim(ledger.inner, chunk, err))
               : status;
}

static enum store_status ledger_load(struct store *base, struct chunk *chunk, struct error *err)
{
    enum store_status status = before("store_load", err);

    (void)base;
    return status == STORE_OK
               ? ledger_after("store_load", ledger.inner->ops->load(ledger.inner, chunk, err))
               : status;
}

static enum store_status ledger_save(struct store *base, struct chunk *chunk, struct error *err)
{
    enum store_status status = before_write("store_save", err);
    bool stale = books_is_stale(chunk);

    (void)base;
    if (status != STORE_OK) {
        return status;
    }
    books_saving(chunk);
    status = ledger_after("store_save", ledger.inner->ops->save(ledger.inner, chunk, err));
    if (status == (stale ? STORE_OK : STORE_STALE)) {
        world_violated(stale ? "a chunk that begins elsewhere than the position was saved"
                             : "a chunk that begins at the position was refused");
    }
    if (stale) {
        world_must_end("a chunk that another hand made stale");
    }
    return status;
}

/* The commit says that it failed; it may have happened or not. */
static enum store_status commit_unknown(struct error *err)
{
    bool happened = world_chance(500);

    books_uncertain();
    world_event(EVENT_COMMIT_UNKNOWN, happened, 0);
    if (happened && ledger.inner->ops->commit(ledger.inner, err) != STORE_OK) {
        (void)ledger_after("store_commit", STORE_FAILED);
    }
    world_must_end("a commit that failed");
    error_set(err, EX_IOERR, "the commit failed");
    return STORE_FAILED;
}

static enum store_status ledger_commit(struct store *base, struct error *err)
{
    enum store_status status = before_write("store_commit", err);

    (void)base;
    if (status != STORE_OK) {
        return status;
    }
    if (world_strikes(EVENT_COMMIT_UNKNOWN, 15)) {
        return commit_unknown(err);
    }
    books_uncertain();
    status = ledger_after("store_commit", ledger.inner->ops->commit(ledger.inner, err));
    if (status == STORE_OK) {
        books_committed(ledger_last_seq());
        world_step("store_committed");
    } else if (status != STORE_FAILED) {
        books_forget(); /* busy or full: it surely did not happen */
    }
    return status;
}

static void ledger_rollback(struct store *base)
{
    (void)base;
    ledger.inner->ops->rollback(ledger.inner);
    books_rolled_back();
    (void)ledger_after("store_rollback", STORE_OK);
}

static enum store_status ledger_outcomes(struct store *base, int64_t after_seq,
                                         struct store_outcome *ret, size_t max, size_t *ret_count,
                                         struct error *err)
{
    enum store_status status = before_write("store_outcomes", err);

    (void)base;
    return status == STORE_OK ? ledger_after("store_outcomes",
                                             ledger.inner->ops->outcomes(ledger.inner, after_seq,
                                                                         ret, max, ret_count, err))
                              : status;
}

static enum store_status ledger_outbox(struct store *base, int64_t *ret_published,
                                       int64_t *ret_last, struct error *err)
{
    enum store_status status = before("store_outbox", err);

    (void)base;
    return status == STORE_OK
               ? ledger_after("store_outbox",
                              ledger.inner->ops->outbox(ledger.inner, ret_published, ret_last, err))
               : status;
}

static enum store_status ledger_published(struct store *base, int64_t seq, struct error *err)
{
    enum store_status status = before_write("store_published", err);

    (void)base;
    return status == STORE_OK ? ledger_after("store_published",
                                             ledger.inner->ops->published(ledger.inner, seq, err))
                              : status;
}

static enum store_status ledger_skip(struct store *base, int64_t seq, const char *why,
                                     int64_t now_ms, struct error *err)
{
    enum store_status status = before_write("store_skip", err);

    (void)base;
    if (status == STORE_OK) {
        status = ledger_after("store_skip",
                              ledger.inner->ops->skip(ledger.inner, seq, why, now_ms, err));
    }
    if (status == STORE_OK) {
        books_skipping(seq);
        world_step("store_skipped");
    }
    return status;
}

static void ledger_close_store(struct store *base)
{
    struct store *inner = ledger.inner;

    (void)base;
    world_step("store_close");
    if (ledger.kind == LEDGER_SQLITE) {
        ledger.inner = NULL;
        store_close(inner);
    }
    (void)ledger_after("store_close", STORE_OK);
}

const struct store_ops ledger_ops = {
    .bind = ledger_bind,
    .identify = ledger_identify,
    .set_mode = ledger_set_mode,
    .ordered = ledger_ordered,
    .position = ledger_position,
    .adopt = ledger_adopt,
    .begin = ledger_begin_transaction,
    .claim = ledger_claim,
    .load = ledger_load,
    .save = ledger_save,
    .commit = ledger_commit,
    .rollback = ledger_rollback,
    .outcomes = ledger_outcomes,
    .outbox = ledger_outbox,
    .published = ledger_published,
    .skip = ledger_skip,
    .close = ledger_close_store,
};

static void ledger_close_reader(struct store *base)
{
    (void)base;
    world_step("reader_close");
}

const struct store_ops ledger_reader_ops = {
    .outcomes = ledger_outcomes,
    .outbox = ledger_outbox,
    .close = ledger_close_reader,
};
