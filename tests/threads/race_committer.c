/*
 * Chunks go through the committer into a SQLite store while this thread makes the next ones and
 * reads outcomes through a connection of its own, as payd does. Built with the thread sanitizer it
 * finds what two threads share by mistake. A plain program: the test framework's own memory does
 * not work under that sanitizer.
 */
#include "consumer/worker_internal.h"
#include "tests/lib/ledger_kit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNKS    150
#define ROWS      100
#define READ_MAX  64
#define WAIT_MS   10000
#define PARTITION 0

static struct error err = {.text = "an unexpected answer"};

static void expect(bool is_so, const char *what)
{
    if (!is_so) {
        printf("race_committer: %s: %s\n", what, err.text);
        exit(1);
    }
}

/* The next messages; every tenth repeats an earlier key. */
static void fill(struct chunk *chunk, int64_t number)
{
    char key[32];

    chunk_clear(chunk);
    for (int64_t i = 0; i < ROWS; i++) {
        int64_t offset = number * ROWS + i;
        snprintf(key, sizeof(key), "key %" PRId64, i % 10 == 9 ? offset / 2 : offset);
        const struct kit_row row = {key, "ann", "bob", 1, "EUR", NULL, NULL};
        kit_add(chunk, &row, PARTITION, offset);
    }
    chunk_index(chunk);
}

static size_t take(struct committer *committer, int timeout_ms)
{
    enum store_status status = STORE_FAILED;
    const struct chunk *chunk = committer_take(committer, timeout_ms, &status, &err);

    if (!chunk) {
        return 0;
    }
    expect(status == STORE_OK, "a chunk was not committed");
    for (size_t i = 0; i < chunk->item_count; i++) {
        expect(chunk->items[i].decision.outcome != OUTCOME_NONE, "an item was not decided");
    }
    return 1;
}

/* Some of the outcomes that are committed. Returns the last one's seq. */
static int64_t read_outcomes(struct store *reader, int64_t after_seq)
{
    static struct store_outcome outcomes[READ_MAX];
    size_t count = 0;

    expect(reader->ops->outcomes(reader, after_seq, outcomes, READ_MAX, &count, &err) == STORE_OK,
           "outcomes cannot be read");
    for (size_t i = 0; i < count; i++) {
        expect(outcomes[i].record.seq == after_seq + 1, "an outcome is missing");
        after_seq++;
    }
    return after_seq;
}

static void open_stores(const char *path, struct store **store, struct store **reader)
{
    expect(store_sqlite_open(store, path, NULL, &err) == 0, "open");
    expect((*store)->ops->bind(*store, "cluster", "payments", &err) == STORE_OK, "bind");
    expect((*store)->ops->adopt(*store, PARTITION, 0, &err) == STORE_OK, "adopt");
    expect(store_sqlite_open_readonly(reader, path, &err) == 0, "open to read");
}

static void run(const char *path)
{
    struct chunk *chunks[COMMITTER_CHUNKS];
    struct committer *committer;
    struct store *store;
    struct store *reader;
    int64_t seq = 0;
    size_t taken = 0;

    open_stores(path, &store, &reader);
    struct worker_committing committing = {.store = store};
    expect(committer_open(&committer, worker_commit, &committing, &err) == 0, "start");
    for (size_t i = 0; i < COMMITTER_CHUNKS; i++) {
        chunks[i] = chunk_new(ROWS);
        expect(chunks[i], "memory");
    }
    for (int64_t i = 0; i < CHUNKS; i++) {
        /* Read without a pause: a commit falls between any two statements of a reading. */
        while (committer_given(committer) == COMMITTER_CHUNKS) {
            taken += take(committer, 0);
            seq = read_outcomes(reader, seq);
        }
        fill(chunks[i % COMMITTER_CHUNKS], i);
        committer_give(committer, chunks[i % COMMITTER_CHUNKS]);
    }
    while (committer_given(committer) > 0) {
        taken += take(committer, WAIT_MS);
    }
    for (int64_t before = -1; before != seq;) {
        before = seq;
        seq = read_outcomes(reader, seq);
    }
    expect(taken == CHUNKS, "a chunk came not back");
    expect(seq == CHUNKS * ROWS, "outcomes are missing at the end");
    committer_close(committer);
    for (size_t i = 0; i < COMMITTER_CHUNKS; i++) {
        chunk_free(chunks[i]);
    }
    store_close(reader);
    store_close(store);
}

int main(void)
{
    char folder[] = "/tmp/pay-race-XXXXXX";
    char path[64];

    expect(mkdtemp(folder), "a folder");
    snprintf(path, sizeof(path), "%s/ledger.db", folder);
    run(path);
    unlink(path);
    rmdir(folder);
    printf("race_committer: %d chunks of %d\n", CHUNKS, ROWS);
    return 0;
}
