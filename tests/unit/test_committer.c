#include "consumer/committer.h"

#include "common/clock.h"
#include "consumer/worker_internal.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sysexits.h>

#define WAIT_MS 10000

/* The work of a test: each chunk waits at the gate, and the chunk that is to fail fails. */
struct plan {
    pthread_t giver;
    atomic_bool open;
    atomic_int begun;
    atomic_int ended;
    struct chunk *fails;
    bool on_the_givers_thread;
};

static struct plan plan;
static struct chunk chunks[4];
static struct committer *committer;
static struct error err;
static enum store_status status;

static enum store_status work(void *user, struct chunk *chunk, struct error *ret_err)
{
    struct plan *to = user;

    to->on_the_givers_thread |= pthread_equal(pthread_self(), to->giver) != 0;
    atomic_fetch_add(&to->begun, 1);
    while (!atomic_load(&to->open)) {
        sched_yield();
    }
    atomic_fetch_add(&to->ended, 1);
    if (chunk == to->fails) {
        error_set(ret_err, EX_IOERR, "no luck");
        return STORE_FAILED;
    }
    chunk->redelivered++;
    return STORE_OK;
}

static void open_committer(void)
{
    memset(&plan, 0, sizeof(plan));
    plan.giver = pthread_self();
    cr_assert_eq(committer_open(&committer, work, &plan, &err), 0);
}

static void close_committer(void)
{
    atomic_store(&plan.open, true);
    committer_close(committer);
}

TestSuite(committer, .init = open_committer, .fini = close_committer, .timeout = 60);

static void wait_for(atomic_int *count, int wanted)
{
    while (atomic_load(count) < wanted) {
        sched_yield();
    }
}

static struct chunk *take(void)
{
    return committer_take(committer, WAIT_MS, &status, &err);
}

Test(committer, works_on_its_own_thread_while_the_giver_goes_on)
{
    committer_give(committer, &chunks[0]);
    wait_for(&plan.begun, 1);
    committer_give(committer, &chunks[1]);
    cr_expect_eq(committer_given(committer), 2);
    cr_expect_null(committer_take(committer, 0, &status, &err));
    atomic_store(&plan.open, true);
    cr_expect_eq(take(), &chunks[0]);
    cr_expect_eq(status, STORE_OK);
    cr_expect_eq(take(), &chunks[1]);
    cr_expect_eq(committer_given(committer), 0);
    cr_expect_not(plan.on_the_givers_thread);
}

Test(committer, gives_chunks_back_in_the_order_in_which_they_were_given)
{
    atomic_store(&plan.open, true);
    for (int round = 0; round < 1000; round++) {
        committer_give(committer, &chunks[0]);
        committer_give(committer, &chunks[1]);
        cr_assert_eq(take(), &chunks[0]);
        committer_give(committer, &chunks[2]);
        cr_assert_eq(take(), &chunks[1]);
        cr_assert_eq(take(), &chunks[2]);
    }
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(chunks[i].redelivered, 1000, "chunk %d went through %d times", i,
                     (int)chunks[i].redelivered);
    }
}

Test(committer, waits_no_longer_than_it_was_told)
{
    committer_give(committer, &chunks[0]);
    int64_t begin_ms = clock_monotonic_ms();
    cr_expect_null(committer_take(committer, 50, &status, &err));
    cr_expect_geq(clock_monotonic_ms() - begin_ms, 49);
}

Test(committer, has_nothing_to_give_back_when_nothing_was_given)
{
    cr_expect_null(take(), "and does not wait for it");
}

Test(committer, begins_nothing_after_one_that_failed)
{
    plan.fails = &chunks[0];
    atomic_store(&plan.open, true);
    committer_give(committer, &chunks[0]);
    committer_give(committer, &chunks[1]);
    cr_expect_eq(take(), &chunks[0]);
    cr_expect_eq(status, STORE_FAILED);
    cr_expect_str_eq(err.text, "no luck");
    cr_expect_eq(take(), &chunks[1]);
    cr_expect_eq(status, STORE_FAILED);
    committer_give(committer, &chunks[2]);
    cr_expect_eq(take(), &chunks[2]);
    cr_expect_eq(status, STORE_FAILED);
    cr_expect_eq(atomic_load(&plan.begun), 1);
}

Test(committer, that_is_abandoned_tells_of_a_failure_that_nobody_has_heard_of)
{
    plan.fails = &chunks[0];
    committer_give(committer, &chunks[0]);
    wait_for(&plan.begun, 1);
    atomic_store(&plan.open, true);
    cr_expect_eq(committer_abandon(committer, &err), STORE_FAILED);
    cr_expect_str_eq(err.text, "no luck");
}

Test(committer, that_is_abandoned_ends_what_it_has_begun_and_begins_nothing)
{
    committer_give(committer, &chunks[0]);
    committer_give(committer, &chunks[1]);
    wait_for(&plan.begun, 1);
    atomic_store(&plan.open, true);
    cr_expect_eq(committer_abandon(committer, &err), STORE_OK);
    cr_expect_eq(committer_given(committer), 0);
    cr_expect_eq(atomic_load(&plan.begun), atomic_load(&plan.ended));
    cr_expect_geq(atomic_load(&plan.ended), 1);
}

static enum store_status begin_on_a_full_disk(struct store *store, struct error *ret_err)
{
    (void)store;
    error_set(ret_err, EX_IOERR, "the disk is full");
    return STORE_FULL;
}

static void roll_back(struct store *store)
{
    (void)store;
}

/* Else a payd that met an error of another kind meanwhile would never say so. */
Test(committer, whoever_ends_does_not_wait_for_room_on_a_full_disk)
{
    static const struct store_ops ops = {.begin = begin_on_a_full_disk, .rollback = roll_back};
    struct store store = {.ops = &ops};
    struct worker_committing committing = {.store = &store};
    struct committer *writer;
    struct chunk *chunk = chunk_new(1);

    cr_assert_eq(committer_open(&writer, worker_commit, &committing, &err), 0);
    chunk_index(chunk);
    committer_give(writer, chunk);
    cr_expect_null(committer_take(writer, 100, &status, &err), "it waits");
    atomic_store(&committing.is_ending, true);
    cr_expect_eq(committer_abandon(writer, &err), STORE_FULL);
    cr_expect_str_eq(err.text, "the disk is full");
    committer_close(writer);
    chunk_free(chunk);
}
