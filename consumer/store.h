/*
 * The store: outcomes, balances, keys, quarantine and positions, changed together or not at all.
 *
 * An interface of a few calls, each for a whole chunk, so that a store across a network needs a
 * fixed number of round trips a chunk:
 *
 *   begin -> claim -> load -> (ledger) -> save -> commit
 *
 * Every call but close may fail; after a failure between begin and commit call rollback. One thread
 * uses a store at a time.
 */
#ifndef CONSUMER_STORE_H
#define CONSUMER_STORE_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/money.h"
#include "common/outcome_record.h"
#include "consumer/chunk.h"
#include "consumer/key_hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum store_status {
    STORE_OK = 0,
    STORE_STALE,  /* save: a range does not begin at the stored position. Nothing is changed */
    STORE_BUSY,   /* someone else holds the store for a moment. Nothing is changed: try again */
    STORE_FULL,   /* no room on the disk. Nothing is changed: make room, try again */
    STORE_FAILED, /* stop: see the error. After commit, whether it was committed is not known */
};

/* What the store counted since it was made, and what it holds. */
struct store_currency {
    char currency[MONEY_CURRENCY_SIZE];
    int64_t applied;           /* payments */
    struct money_sum total;    /* of the applied payments' amounts */
    int64_t accounts;          /* that are kept in this currency */
    struct money_sum balances; /* the sum of their balances: zero, or the books are broken */
};

struct store_position {
    int32_t partition;
    int64_t next_offset;
};

/* What a store remembers, and how fast it grows. */
struct store_size {
    int64_t keys;      /* decisions that are there */
    int64_t bytes;     /* of its file, less what is free in it; 0 for a store in memory */
    int64_t day_rows;  /* decisions, repeats, quarantined: in the 24 h up to the last decision */
    int64_t day_bytes; /* their share of the bytes */
    int64_t floor_ms;  /* unknown keys that are older are refused; 0 = nothing was ever forgotten */
};

struct store_stats {
    int64_t counts[OUTCOME_COUNT];     /* by enum outcome */
    char *topic;                       /* NULL until the store is bound to one */
    struct store_currency *currencies; /* in the order of the codes */
    size_t currency_count;
    struct store_position *positions; /* in the order of the partitions */
    size_t position_count;
    bool strict;           /* accounts open only by command */
    int64_t last_seq;      /* of decisions, repeats and quarantine together */
    int64_t published_seq; /* their outcomes are in the outcomes topic up to this one, */
    int64_t skipped;       /* but as many, which the broker refused */
    int64_t quarantine_bytes;
    struct store_size size;
    unsigned char digest[KEY_HASH_SIZE]; /* of all decisions, see decision_hash.h */
};

/* Free what stats holds; a zeroed one is accepted. */
void store_stats_release(struct store_stats *stats);

#define STORE_UUID_SIZE 37 /* bytes of a UUID's text with its ending NUL */

/* Which ledger this is, and how far it has come. */
struct store_identity {
    char uuid[STORE_UUID_SIZE];    /* drawn when the store was made; copies share it */
    char opening[STORE_UUID_SIZE]; /* drawn at each opening to write, kept in memory only */
    int64_t incarnation;           /* how often it was opened to write, this time counted */
    int64_t chunks;                /* committed since it was made */
    int64_t filters_rebuilt;       /* key filters that were damaged at this opening, made anew */
};

struct store {
    const struct store_ops *ops;
};

/* Repeats of a key beyond these are counted, and kept only until their outcome is published. */
#define STORE_REPEATS_KEPT 16

/* Bytes that the quarantine keeps of one message: key, value, headers, in this order. */
#define STORE_QUARANTINE_MESSAGE_BYTES 65536

/* And of all messages together. Beyond it, a usable key, origin, reason, lengths and digest are
 * kept. */
#define STORE_QUARANTINE_BYTES (INT64_C(256) * 1024 * 1024)

/*
 * Keys in a segment of the SQLite store; the last chunk's may go beyond. So small that a chunk
 * writes more than one key to most pages that it changes, so large that the key filter reads one
 * cache line for all segments of 100 million keys.
 */
#define STORE_SEGMENT_KEYS 200000

/*
 * Of so many answers of the key filter that a key is surely new, one is checked. It costs reading a
 * page that is hardly ever in the cache.
 */
#define STORE_SAMPLE 1024

/* A trace header (W3C Trace Context) that is longer does not go along. */
#define STORE_TRACE_MAX 512

/* An outcome to publish. */
struct store_outcome {
    struct outcome_record record; /* key "": a message without a usable key, nothing to publish */
    char traceparent[STORE_TRACE_MAX]; /* of the message that is answered */
    size_t traceparent_len;            /* 0 = none */
    char tracestate[STORE_TRACE_MAX];
    size_t tracestate_len;
};

/* Called with each record that show finds; it is borrowed for the call. */
typedef void store_visit(void *user, const struct outcome_record *record);

struct store_ops {
    /*
     * Bind a new store to one topic of one cluster, or check that it is bound to this one:
     * STORE_FAILED with EX_CONFIG says which other one it belongs to.
     */
    enum store_status (*bind)(struct store *store, const char *cluster, const char *topic,
                              struct error *err);
    /* Fill *ret. */
    enum store_status (*identify)(struct store *store, struct store_identity *ret,
                                  struct error *err);
    /*
     * A new store: whether accounts open only by command. One that has decided something must have
     * this mode already: STORE_FAILED with EX_CONFIG says how to change it.
     */
    enum store_status (*set_mode)(struct store *store, bool strict, struct error *err);
    /* *ret: its accounts are strict or have limits, so that it needs a topic of one partition. */
    enum store_status (*ordered)(struct store *store, bool *ret, struct error *err);
    /*
     * The next offset of a partition, and the marks before it as far as known; *ret_found is false
     * when the store has none.
     */
    enum store_status (*position)(struct store *store, int32_t partition, bool *ret_found,
                                  int64_t *ret_offset, struct log_marks *ret_marks,
                                  struct error *err);
    /* Give a partition that has no position its first one. */
    enum store_status (*adopt)(struct store *store, int32_t partition, int64_t offset,
                               struct error *err);
    /*
     * By hand: go on at another offset, where the log is not compared with what was read before.
     * EX_USAGE for a partition without a position. Remembered with the time.
     */
    enum store_status (*move)(struct store *store, int32_t partition, int64_t offset,
                              int64_t now_ms, struct error *err);
    /* By hand: forget all positions and the log they belong to; the next bind begins a new one. */
    enum store_status (*new_log)(struct store *store, int64_t now_ms, struct error *err);

    enum store_status (*begin)(struct store *store, struct error *err);
    /* Fill in what is decided: keys (known, seq, origin, first) and items (recorded). */
    enum store_status (*claim)(struct store *store, struct chunk *chunk, struct error *err);
    /* Fill in accounts (id, state, currency, balance, limit), batches (id, content, bound), strict.
     */
    enum store_status (*load)(struct store *store, struct chunk *chunk, struct error *err);
    /*
     * Write everything that the ledger decided, move each range's position from -> to, and remember
     * that the outcomes up to chunk->published are published.
     */
    enum store_status (*save)(struct store *store, struct chunk *chunk, struct error *err);
    enum store_status (*commit)(struct store *store, struct error *err);
    void (*rollback)(struct store *store);

    /*
     * The next outcomes in the order of seq, from after_seq on: at most max, *ret_count of them
     * (0 = there are no more). Outside of a transaction.
     */
    enum store_status (*outcomes)(struct store *store, int64_t after_seq, struct store_outcome *ret,
                                  size_t max, size_t *ret_count, struct error *err);
    /* Up to which seq outcomes are published (unless NULL), and which was given last. */
    enum store_status (*outbox)(struct store *store, int64_t *ret_published, int64_t *ret_last,
                                struct error *err);
    /* Remember, in a transaction of its own, that the outcomes up to seq are published. */
    enum store_status (*published)(struct store *store, int64_t seq, struct error *err);
    /* Remember that the outcome seq will not be published, and why. */
    enum store_status (*skip)(struct store *store, int64_t seq, const char *why, int64_t now_ms,
                              struct error *err);
    /*
     * Visit a key's decision, if it has one, then its kept repeats, by seq; *ret_repeats counts
     * all.
     */
    enum store_status (*show)(struct store *store, const char *key, store_visit *visit, void *user,
                              int64_t *ret_repeats, struct error *err);

    /* *ret: a key that is not decided is so old that it may have been forgotten, and is not run. */
    enum store_status (*is_stale)(struct store *store, const char *key, bool *ret,
                                  struct error *err);

    /* On success the caller releases *ret. */
    enum store_status (*stats)(struct store *store, struct store_stats *ret, struct error *err);
    /* NULL is not accepted; store_close() takes it. */
    void (*close)(struct store *store);
};

/* Close; NULL is accepted. */
void store_close(struct store *store);

/*
 * The two halves of a chunk's transaction around its decisions. The first is begin, claim and load,
 * up to one that fails. The second, with the status so far, is save and commit, or a rollback after
 * whatever failed; it returns what did.
 */
MUST_CHECK enum store_status store_begin_chunk(struct store *store, struct chunk *chunk,
                                               struct error *err);
MUST_CHECK enum store_status store_end_chunk(struct store *store, enum store_status status,
                                             struct chunk *chunk, struct error *err);

/* How a store reads the headers of a quarantined message; see inbox_header(). */
typedef bool store_header_reader(const void *headers, size_t index, const char **ret_name,
                                 const void **ret_value, size_t *ret_value_len);

/*
 * Open the SQLite store in the file at path, making it (mode 0600) when it is not there. Takes the
 * lock that makes this process its only writer, checks whose file it is and its version, then
 * brings all that its WAL shows durably into the database. headers may be NULL. Errors:
 * EX_IOERR for the file, its lock, its medium; EX_CONFIG for a file of another program or version.
 * On success the caller closes *ret.
 */
MUST_CHECK int store_sqlite_open(struct store **ret, const char *path, store_header_reader *headers,
                                 struct error *err);

/*
 * As store_sqlite_open(), but a store that it makes has segments of so many keys, from 1 to
 * STORE_SEGMENT_KEYS: with small ones a test seals many.
 */
MUST_CHECK int store_sqlite_open_segments(struct store **ret, const char *path,
                                          store_header_reader *headers, int64_t segment_keys,
                                          struct error *err);

/*
 * As store_sqlite_open(), to read only, also while payd writes: takes no lock, changes nothing,
 * never makes the file. Only operations that read may be called; bind then only compares.
 */
MUST_CHECK int store_sqlite_open_readonly(struct store **ret, const char *path, struct error *err);

/*
 * As store_sqlite_open_readonly(), and all that is read is of one moment. While it is open, the WAL
 * of a payd that writes grows.
 */
MUST_CHECK int store_sqlite_open_moment(struct store **ret, const char *path, struct error *err);

/*
 * As store_sqlite_open_moment(); begin, claim, load and rollback may be called too. Takes the
 * memory of the key filter (key_filter.h).
 */
MUST_CHECK int store_sqlite_open_snapshot(struct store **ret, const char *path, struct error *err);

/*
 * As store_sqlite_open(), but a file that is not there is not made: fails as
 * store_sqlite_open_readonly().
 */
MUST_CHECK int store_sqlite_open_existing(struct store **ret, const char *path, struct error *err);

/* The stats of the store in a file, by store_sqlite_open_readonly(). The caller releases *ret. */
MUST_CHECK int store_sqlite_read_stats(const char *path, struct store_stats *ret,
                                       struct error *err);

/* The SQLite library's version, a static string. */
const char *store_sqlite_library_version(void);

/* A store in memory, for tests: nothing outlives it. NULL when memory ran out. */
struct store *store_memory_new(void);

#endif
