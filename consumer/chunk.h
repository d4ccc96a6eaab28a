/*
 * A chunk: what payd takes from Kafka at once and commits in one transaction.
 *
 * It goes through the parts in this order, and each part fills its share:
 *   worker  items (in the order of arrival) and ranges
 *   chunk   chunk_index(): each key, account and batch once
 *   store   claim and load: what is already known of them
 *   ledger  the decision of each item, the new balances
 *   store   save: writes what the ledger decided
 */
#ifndef CONSUMER_CHUNK_H
#define CONSUMER_CHUNK_H

#include "common/command.h"
#include "common/command_json.h"
#include "common/compiler.h"
#include "common/digest.h"
#include "common/outcome.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Messages in one chunk at the most: some 35 MiB, allocated once, and 20 MiB more when all keys are
 * known. */
#define CHUNK_MESSAGES_MAX 25000

/* How many items ahead chunk_prefetch() looks: about as long as memory takes. */
#define CHUNK_AHEAD 4

/* Partitions of the topic at the most. */
#define CHUNK_PARTITIONS_MAX 4096

/* Headers of a quarantined message that are kept at the most. */
#define CHUNK_HEADERS_MAX 64

/* Where a message stood in the topic. */
struct origin {
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms; /* the broker's append time, Unix milliseconds */
};

/* A message's own bytes. NULL means that there is no key or no value. */
struct raw_message {
    const char *key;
    size_t key_len;
    const char *value;
    size_t value_len;
    const void *headers; /* opaque; see inbox_header() */
};

struct decision {
    enum outcome outcome;
    enum reason reason;
    unsigned fields; /* conflict: the bits of the fields that differ from the first payload */
};

/* What every step looks at stands together, before the long fields. */
struct chunk_item {
    struct origin origin;
    enum unreadable unreadable;
    /* Set by the store's claim: this origin stands among the repeats or in the quarantine. */
    bool recorded;
    /* Set by the ledger. */
    struct decision decision;
    /* Set by the store's save. */
    int64_t seq; /* of its row */
    bool kept;   /* a repeat's row stays when it is published */
    /* Set by chunk_index(), for readable items; the numbers are indices into the chunk's tables. */
    bool as_first; /* the batch's content is that of its first row in the chunk */
    size_t key;
    size_t src;   /* the account of an account command; CHUNK_NONE when the command names none */
    size_t dest;  /* CHUNK_NONE in all but payments */
    size_t batch; /* CHUNK_NONE when the command belongs to none */
    /* Of the command; of the raw value (SHA-256, first bytes) when unreadable. */
    unsigned char digest[DIGEST_SHORT_SIZE];
    struct raw_message raw;              /* borrowed until the next inbox_poll() */
    struct command command;              /* undefined when unreadable */
    char detail[UNREADABLE_DETAIL_SIZE]; /* what is unreadable */
};

#define CHUNK_NONE SIZE_MAX

/* A decision that was recorded elsewhere, and holds here too. */
struct binding {
    struct command first; /* the payload that decided the key */
    enum outcome outcome; /* applied or rejected */
    enum reason reason;
};

/* One idempotency key of the chunk, with its first decision when the store knows one. */
struct chunk_key {
    const char *key;           /* borrowed from the first item that has it */
    const unsigned char *form; /* its stored form (key_form.h), borrowed from the chunk */
    size_t form_len;
    int64_t seq; /* of the key's decision; 0 until there is one */
    bool stale;  /* not known, and so old that it may have been forgotten; set by claim */
    bool known;  /* the store has a decision: seq, origin and first are set; see chunk_know() */
    struct origin origin;
    struct command *first; /* in the chunk */
    enum outcome outcome;  /* of the known decision */
    enum reason reason;
    /* While the store knows none: what must be decided, NULL = whatever the rules say. */
    const struct binding *bound;
    /* The store's, in save: the chunk has repeats of it, and how many it has with them. */
    bool repeated;
    int64_t repeats;
    /* The ledger's: which item decided the key, for a key that was not known. */
    const struct chunk_item *owner; /* NULL = none yet */
};

/* The numbers stand in the store, and never change. */
enum account_state {
    ACCOUNT_UNOPENED = 0, /* at most named by a command that was refused */
    ACCOUNT_USED = 1,     /* opened by the first payment */
    ACCOUNT_OPEN = 2,     /* opened by command */
    ACCOUNT_CLOSED = 3,   /* for good */
};

struct chunk_account {
    const char *name; /* borrowed from an item */
    int64_t id;       /* the store's number, 0 = not in the store */
    enum account_state state;
    char currency[MONEY_CURRENCY_SIZE]; /* "" while unopened */
    int64_t balance_minor;
    bool has_min;
    int64_t min_minor; /* the lowest balance that a payment may leave */
    bool changed;      /* by the ledger */
};

struct chunk_batch {
    struct payment_batch content; /* its id, and once bound its rows and digest */
    int64_t id;                   /* the store's number, 0 = not in the store */
    bool bound;
    const struct payment_batch *first; /* of its first row in the chunk, borrowed from the item */
    bool forgotten; /* set by claim: what is not known of its rows may have been forgotten */
};

/* The fingerprint of a record: its offset, and a digest of it; see fingerprint_make(). */
struct fingerprint {
    bool known;
    int64_t offset;
    unsigned char print[DIGEST_SHORT_SIZE];
};

/*
 * Two records that tell whether a log is still the one that was read. The last one alone would not:
 * of a log that was replaced between two looks it may be from the new one already.
 */
struct log_marks {
    struct fingerprint last;   /* the last record before the position */
    struct fingerprint anchor; /* one that was last at an earlier look, and is looked at again */
};

/* The messages of one partition that the chunk covers: offsets from <= offset < to. */
struct chunk_range {
    int32_t partition;
    int64_t from;
    int64_t to;
    struct log_marks marks; /* last is the range's own, and not known when it has no record */
};

struct chunk {
    struct chunk_item *items;
    size_t item_count;
    size_t capacity;
    struct chunk_range *ranges;
    size_t range_count;
    struct chunk_key *keys; /* in byte order of their stored forms */
    size_t key_count;
    struct command *firsts; /* of the known keys; apart, for most chunks have few */
    size_t first_count;
    struct chunk_account *accounts; /* in the order in which they are first named, as batches are */
    size_t account_count;
    struct chunk_batch *batches;
    size_t batch_count;
    bool only_payments;  /* set by chunk_index(): no readable item is another command */
    bool one_partition;  /* the topic has one, and so one order of all commands */
    bool strict;         /* accounts open only by command: the store's at load, then the ledger's */
    bool strict_changed; /* by the ledger */
    int64_t published;   /* the store is to remember outcomes up to this seq as published */
    int64_t redelivered; /* messages below the position, dropped before they became items */
    int64_t now_ms;      /* when the chunk is decided, Unix milliseconds; for people only */
    struct chunk_index *index; /* what chunk_index() works with */
};

/* A chunk of capacity items, or NULL when memory ran out. The caller frees it. */
struct chunk *chunk_new(size_t capacity);

/* Free; NULL is accepted. */
void chunk_free(struct chunk *chunk);

/* Empty the chunk for the next use. */
void chunk_clear(struct chunk *chunk);

/* The next item, readable and undecided, its payment undefined. The chunk must not be full. */
struct chunk_item *chunk_add(struct chunk *chunk);

/* The range of a partition, made as [from, from) when there is none yet. */
struct chunk_range *chunk_range(struct chunk *chunk, int32_t partition, int64_t from);

/*
 * The store knows a decision of the key: its seq, where the message stood that was decided, and
 * what was decided. Returns the place for that message's command, which is the chunk's. Once a key,
 * after chunk_index().
 */
struct command *chunk_know(struct chunk *chunk, struct chunk_key *key, int64_t seq,
                           const struct origin *origin, struct decision decision);

/* True for the very message that decided its key, seen again. The item's key was claimed. */
bool chunk_is_first(const struct chunk *chunk, const struct chunk_item *item);

/*
 * The first row of a batch binds its id to its content. False for a row of other content. The item
 * is readable, and its batch was loaded.
 */
bool chunk_bind_batch(struct chunk *chunk, const struct chunk_item *item);

/*
 * True for a readable item whose key is not decided, but may have been once: a purge has forgotten
 * keys as old as it, or its batch. It is never run. The item was claimed.
 */
bool chunk_is_stale(const struct chunk *chunk, const struct chunk_item *item);

/* Such an item is unreadable from now on, although it could be read. */
void chunk_refuse_stale(struct chunk_item *item);

/*
 * For loops over all items, which are large and lie far apart: asks for the memory of one that
 * comes soon after place `at`.
 */
static inline void chunk_prefetch(const struct chunk *chunk, size_t at)
{
    if (at + CHUNK_AHEAD < chunk->item_count) {
        const struct chunk_item *ahead = &chunk->items[at + CHUNK_AHEAD];
        PREFETCH(ahead);
        PREFETCH(ahead->digest);
        PREFETCH(&ahead->command.type);
        PREFETCH(&ahead->command.payment.amount_minor);
    }
}

/*
 * Fill keys, accounts and batches with each that the readable items name, once, with nothing known
 * of them yet, and set the indices in the items. May be called again: it starts over.
 */
void chunk_index(struct chunk *chunk);

#endif
