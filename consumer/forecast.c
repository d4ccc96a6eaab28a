#include "consumer/forecast.h"

#include "common/clock.h"
#include "consumer/ledger.h"
#include "consumer/replay_chunk.h"
#include "consumer/scratch.h"

#include <stdlib.h>
#include <sysexits.h>

/* What the snapshot said of a chunk, while the scratch ledger is asked. */
struct said {
    int64_t seqs[CHUNK_MESSAGES_MAX];  /* by key */
    bool recorded[CHUNK_MESSAGES_MAX]; /* by item */
};

struct forecast {
    struct store *snapshot;
    struct store *scratch;
    bool strict_changed; /* the scratch ledger knows better whether accounts are strict */
    struct scratch place;
    struct said said;
};

int forecast_open(struct forecast **ret, struct store *snapshot, const char *cluster,
                  const char *topic, struct error *err)
{
    struct forecast *forecast = calloc(1, sizeof(*forecast));

    if (!forecast) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    forecast->snapshot = snapshot;
    if (scratch_make(&forecast->place, err) != 0 ||
        store_sqlite_open(&forecast->scratch, forecast->place.path, NULL, err) != 0 ||
        forecast->scratch->ops->bind(forecast->scratch, cluster, topic, err) != STORE_OK) {
        forecast_close(forecast);
        return -1;
    }
    *ret = forecast;
    return 0;
}

void forecast_close(struct forecast *forecast)
{
    if (forecast) {
        store_close(forecast->scratch);
        scratch_remove(&forecast->place);
        free(forecast);
    }
}

/* A key is decided in one of the two at the most: the second is only asked for the rest. */
static enum store_status claim(struct forecast *forecast, struct chunk *chunk, struct error *err)
{
    struct said *said = &forecast->said;
    struct store *snapshot = forecast->snapshot;
    struct store *scratch = forecast->scratch;
    enum store_status status = snapshot->ops->begin(snapshot, err);

    if (status == STORE_OK) {
        status = snapshot->ops->claim(snapshot, chunk, err);
    }
    for (size_t i = 0; i < chunk->key_count; i++) {
        said->seqs[i] = chunk->keys[i].seq;
    }
    for (size_t i = 0; i < chunk->item_count; i++) {
        said->recorded[i] = chunk->items[i].recorded;
    }
    if (status == STORE_OK) {
        status = scratch->ops->begin(scratch, err);
    }
    if (status == STORE_OK) {
        status = scratch->ops->claim(scratch, chunk, err);
    }
    for (size_t i = 0; i < chunk->key_count; i++) {
        if (said->seqs[i] > 0) {
            chunk->keys[i].seq = said->seqs[i];
        }
    }
    for (size_t i = 0; i < chunk->item_count; i++) {
        chunk->items[i].recorded = chunk->items[i].recorded || said->recorded[i];
    }
    return status;
}

/* As the snapshot has them, unless the scratch ledger has them: there they are as of later. */
static enum store_status load(struct forecast *forecast, struct chunk *chunk, struct error *err)
{
    struct store *snapshot = forecast->snapshot;
    struct store *scratch = forecast->scratch;
    enum store_status status = snapshot->ops->load(snapshot, chunk, err);
    bool strict = chunk->strict;

    for (size_t i = 0; i < chunk->account_count; i++) {
        chunk->accounts[i].id = 0; /* the snapshot's number */
    }
    for (size_t i = 0; i < chunk->batch_count; i++) {
        chunk->batches[i].id = 0;
    }
    if (status == STORE_OK) {
        status = scratch->ops->load(scratch, chunk, err);
    }
    if (!forecast->strict_changed) {
        chunk->strict = strict;
    }
    return status;
}

int forecast_decide(struct forecast *forecast, struct chunk *chunk, struct error *err)
{
    struct store *scratch = forecast->scratch;
    enum store_status status = claim(forecast, chunk, err);

    if (status == STORE_OK) {
        status = load(forecast, chunk, err);
    }
    if (status == STORE_OK) {
        chunk->now_ms = clock_unix_ms();
        ledger_decide(chunk);
        forecast->strict_changed = forecast->strict_changed || chunk->strict_changed;
        status = replay_chunk_save(scratch, forecast->snapshot, chunk, err);
    }
    if (status != STORE_OK) {
        scratch->ops->rollback(scratch);
        return -1;
    }
    return 0;
}
