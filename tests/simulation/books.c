#include "tests/simulation/books_internal.h"

#include "tests/simulation/world.h"

#include <inttypes.h>
#include <string.h>

struct books books;

void books_begin(void)
{
    memset(&books, 0, sizeof(books));
    for (size_t i = 0; i < TOPIC_PARTITIONS_MAX; i++) {
        books.positions[i] = books.highest[i] = books.saving[i] = books.reached[i] = BOOKS_NONE;
        books.last_offset[i] = BOOKS_NONE;
    }
    model_begin(&books.model, topic_partitions() == 1);
}

/* ---- what the store is asked to do ---- */

static void set_position(int32_t partition, int64_t offset)
{
    books.positions[partition] = offset;
    if (offset > books.highest[partition]) {
        books.highest[partition] = offset;
    }
    if (offset > books.reached[partition]) {
        books.reached[partition] = offset;
    }
    world_event(EVENT_SAVED, partition, offset);
}

static void begin_save(void)
{
    for (size_t i = 0; i < TOPIC_PARTITIONS_MAX; i++) {
        books.saving[i] = BOOKS_NONE;
    }
    books.save = SAVE_OPEN;
}

void books_saving(const struct chunk *chunk)
{
    begin_save();
    for (size_t i = 0; i < chunk->range_count; i++) {
        books.saving[chunk->ranges[i].partition] = chunk->ranges[i].to;
    }
}

void books_adopting(int32_t partition, int64_t offset)
{
    begin_save();
    books.saving[partition] = offset;
}

static void save_positions(void)
{
    for (int32_t i = 0; i < TOPIC_PARTITIONS_MAX; i++) {
        if (books.saving[i] != BOOKS_NONE) {
            set_position(i, books.saving[i]);
        }
    }
    books.save = SAVE_NONE;
}

void books_committed(int64_t last_seq)
{
    books.durable_seq = last_seq;
    if (books.save != SAVE_NONE) {
        save_positions();
    }
}

void books_uncertain(void)
{
    if (books.save == SAVE_OPEN) {
        books.save = SAVE_UNCERTAIN;
    }
}

void books_forget(void)
{
    books.save = SAVE_NONE;
}

void books_rolled_back(void)
{
    if (books.save == SAVE_OPEN) {
        books.save = SAVE_NONE;
    }
}

bool books_is_stale(const struct chunk *chunk)
{
    bool stale = false;

    for (size_t i = 0; i < chunk->range_count; i++) {
        stale = stale || chunk->ranges[i].from != books.positions[chunk->ranges[i].partition];
    }
    return stale;
}

int64_t books_position(int32_t partition)
{
    return books.save == SAVE_UNCERTAIN ? BOOKS_NONE : books.positions[partition];
}

/* ---- what payd tells the world ---- */

void books_starting(int32_t partition, int64_t offset)
{
    if (offset != books.positions[partition]) {
        world_violated("partition %d: payd starts at offset %" PRId64
                       ", its durable position is %" PRId64,
                       (int)partition, offset, books.positions[partition]);
    }
    books.reached[partition] = offset;
}

void books_offset(int32_t partition, int64_t next_offset)
{
    if (world_has_to_end() || next_offset > books.reached[partition]) {
        world_violated("partition %d: offset %" PRId64 " is given to the group, durable is %" PRId64
                       "%s",
                       (int)partition, next_offset, books.reached[partition],
                       world_has_to_end() ? ", and the store has failed" : "");
    }
}

void books_publishing(int64_t seq)
{
    if (world_has_to_end()) {
        world_violated("outcome %" PRId64 " is published after %s", seq, world_excused());
    }
    if (seq > books.durable_seq) {
        world_violated("outcome %" PRId64 " is published, durable is %" PRId64, seq,
                       books.durable_seq);
    }
}

/* The broker refuses what is sent together with it too, but only that one may be passed over. */
void books_skipping(int64_t seq)
{
    const struct published *published = outcomes_find(seq);

    if (!published) {
        world_violated("outcome %" PRId64 " is passed over, but was never tried", seq);
    }
    books.skipped[seq] = true;
}

/* ---- positions ---- */

static int64_t read_position(struct store *store, int32_t partition)
{
    struct log_marks marks;
    struct error err = {0, ""};
    bool found = false;
    int64_t offset = 0;

    if (store->ops->position(store, partition, &found, &offset, &marks, &err) != STORE_OK) {
        world_violated("partition %d: its position cannot be read: %s", (int)partition, err.text);
    }
    return found ? offset : BOOKS_NONE;
}

/* A transaction whose end nobody saw happened as a whole, or not at all. */
static bool uncertain_happened(const int64_t *found)
{
    bool happened = false;

    if (books.save != SAVE_UNCERTAIN) {
        return false;
    }
    for (int32_t i = 0; i < topic_partitions(); i++) {
        happened = happened || (books.saving[i] != BOOKS_NONE && found[i] == books.saving[i] &&
                                found[i] != books.positions[i]);
    }
    return happened;
}

void books_compare_positions(struct store *store)
{
    int64_t found[TOPIC_PARTITIONS_MAX];

    for (int32_t i = 0; i < topic_partitions(); i++) {
        found[i] = read_position(store, i);
    }
    if (uncertain_happened(found)) {
        save_positions();
    }
    books.save = SAVE_NONE;
    for (int32_t i = 0; i < topic_partitions(); i++) {
        if (found[i] != books.positions[i]) {
            world_violated("partition %d: the position is %" PRId64 ", durable was %" PRId64,
                           (int)i, found[i], books.positions[i]);
        }
        if (found[i] > topic_high(i)) {
            world_violated("partition %d: the position %" PRId64 " lies behind the log's end",
                           (int)i, found[i]);
        }
    }
}
