/*
 * What the files of the SQLite store share. Nobody else includes this header.
 *
 *   store_sqlite.c           the helpers, begin, commit, rollback, close
 *   store_sqlite_open.c      opening and making a store
 *   store_sqlite_position.c  what it is bound to, and how far it has read
 *   store_sqlite_claim.c     claim, load
 *   store_sqlite_stale.c     claim: keys that may have been forgotten
 *   store_sqlite_keys.c      looking keys up
 *   store_sqlite_segments.c  key segments: sealing them, and their filters at opening
 *   store_sqlite_save.c      save: positions, accounts, keys, sums
 *   store_sqlite_record.c    save: one message
 *   store_sqlite_repeats.c   save: duplicates and conflicts
 *   store_sqlite_rows.c      a chunk as tables for SQL
 *   store_sqlite_columns.c   the rows and columns of these tables
 *   store_sqlite_outbox.c    outcomes to publish, show
 *   store_sqlite_read.c      rows into records
 *   store_sqlite_names.c     what the rows refer to by number
 *   store_sqlite_stats.c     stats
 *   store_sqlite_audit.c     what an audit asks
 *   store_sqlite_merge.c     all keys in their order, with a header of its own
 *   store_sqlite_diff.c      two stores beside each other
 *   store_sqlite_purge*.c    forgetting old keys; they share store_sqlite_purge.h too
 *   store_sqlite_statement.c, _quarantine.c, _backup.c, _reset.c: one command each
 *   store_sqlite_verify*.c   verify; they share store_sqlite_verify.h too
 */
#ifndef CONSUMER_STORE_SQLITE_INTERNAL_H
#define CONSUMER_STORE_SQLITE_INTERNAL_H

#include "consumer/decision_hash.h"
#include "consumer/key_filter.h"
#include "consumer/store.h"

#include <sqlite3.h>

enum statement {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_FIND_KEYS,
    STATEMENT_SAMPLE_KEY,
    STATEMENT_SEGMENT_KEYS,
    STATEMENT_FIND_SEGMENT,
    STATEMENT_ADD_SEGMENT,
    STATEMENT_REPLACE_SEGMENT,
    STATEMENT_FIND_DECISIONS,
    STATEMENT_HIGHEST_RECORDED,
    STATEMENT_FIND_RECORDED,
    STATEMENT_READ_RECORDED,
    STATEMENT_FIND_ACCOUNT,
    STATEMENT_FIND_BATCH,
    STATEMENT_FIND_FORGOTTEN,
    STATEMENT_FIND_STRICT,
    STATEMENT_MOVE_POSITION,
    STATEMENT_UPDATE_ACCOUNT,
    STATEMENT_ADD_ACCOUNT,
    STATEMENT_ADD_BATCH,
    STATEMENT_SET_STRICT,
    STATEMENT_ADD_DECISIONS,
    STATEMENT_ADD_PAYMENTS,
    STATEMENT_ADD_KEYS,
    STATEMENT_FIND_COUNTS,
    STATEMENT_COUNT_REPEATS,
    STATEMENT_ADD_REPEATS,
    STATEMENT_ADD_QUARANTINE,
    STATEMENT_ADD_HEADER,
    STATEMENT_ADD_TRACE,
    STATEMENT_COUNT_OUTCOME,
    STATEMENT_FIND_TOTAL,
    STATEMENT_SET_TOTAL,
    STATEMENT_COUNT_CHUNK,
    STATEMENT_SET_PUBLISHED,
    STATEMENT_TRIM_REPEATS,
    STATEMENT_TRIM_TRACES,
    STATEMENT_BEGIN_READING,
    STATEMENT_END_READING,
    STATEMENT_NEXT_DECISIONS,
    STATEMENT_NEXT_REPEATS,
    STATEMENT_NEXT_QUARANTINED,
    STATEMENT_NEXT_TRACES,
    STATEMENT_ACCOUNT_NAME,
    STATEMENT_BATCH_OF,
    STATEMENT_TOPIC_OF,
    STATEMENT_LAST_SEQ,
    STATEMENT_PUBLISHED,
    STATEMENT_COUNT,
};

/* How many of them are remembered: by the end of their number, one in the place of another. */
#define ACCOUNT_NAMES_KEPT 4096 /* some 600 KiB, as far as they are used */
#define BATCHES_KEPT       64

/* What decisions refer to by number, as it was read; id 0 = nothing yet. */
struct sqlite_names {
    struct account_name {
        int64_t id;
        char name[PAYMENT_ACCOUNT_MAX + 1];
    } accounts[ACCOUNT_NAMES_KEPT];
    struct batch_name {
        int64_t id;
        struct payment_batch batch;
    } batches[BATCHES_KEPT];
    struct log_name {
        int64_t id;
        char topic[OUTCOME_TOPIC_SIZE];
    } log; /* nearly all are of the current one */
};

/*
 * The keys stand in one table, whose rows begin with the number of a segment: 1, 2, ... New keys go
 * into the last one, the current segment, whose pages stay in the cache. When it is full it is
 * sealed: never written again, and covered by the filter. So the cost of a key does not grow with
 * their number. count and current are as in the open transaction.
 */
struct sqlite_keys {
    int64_t segment_keys; /* a segment that has as many is full */
    int64_t current;      /* all below it are sealed */
    int64_t count;        /* keys in the current one */
    int64_t committed_current;
    int64_t committed_count;
    struct key_filter *filter; /* segment n is number n - 1 in it; NULL when opened to read only */
    size_t bitmap_bytes;       /* of a segment in the filter */
    unsigned char *newest;     /* the current segment's bitmap, as the filter will get it or more */
    int64_t newest_of;         /* the segment all of whose keys it has, 0 = none */
    int64_t rebuilt;           /* filters that were damaged when the store was opened */
    uint64_t surely_new;       /* answers, of which one in STORE_SAMPLE is checked */
    uint64_t samples;
};

/* A key of the chunk that is looked up, by its place in it: in a segment, or a decision by seq. */
struct sqlite_sought {
    int64_t order; /* the segment, or the seq */
    uint32_t place;
};

/* So many at once. */
#define SQLITE_SOUGHT_MAX ((size_t)2 * CHUNK_MESSAGES_MAX)

/* What grows with each chunk, kept in memory too. */
struct sqlite_sums {
    int64_t last_seq;         /* the last one given */
    int64_t quarantine_bytes; /* that the quarantine keeps of messages */
    struct key_hash decided;  /* the sum of all decisions' hashes, see decision_hash.h */
};

/* What purges have forgotten, as it is committed. */
struct sqlite_forgotten {
    int64_t floor_ms; /* a key that is older in itself, and not known, is stale; 0 = none is */
    int64_t batches;  /* so many are forgotten */
};

struct store_sqlite {
    struct store base;
    sqlite3 *db;
    char uuid[STORE_UUID_SIZE];
    char opening[STORE_UUID_SIZE];
    int lock_fd;      /* -1 when opened to read only */
    bool is_snapshot; /* one read transaction is open until it is closed */
    char *path;
    store_header_reader *headers;
    int64_t log;
    struct sqlite_sums now; /* with the open transaction */
    struct sqlite_sums committed;
    struct sqlite_keys keys;
    struct sqlite_forgotten forgotten;
    const struct chunk *shown;    /* by the tables of store_sqlite_rows.c; NULL = none, */
    struct sqlite_sought *sought; /* and of these those from place sought_from to sought_to */
    size_t sought_count;
    size_t sought_from;
    size_t sought_to;
    int bind_code;                             /* the first failure of a bind since the last run */
    sqlite3_stmt *statements[STATEMENT_COUNT]; /* opened to read only: NULL before its first use */
    struct sqlite_names names;
};

static inline struct store_sqlite *sqlite_of(struct store *base)
{
    return (struct store_sqlite *)base; /* base is its first member */
}

/* The status and the error for what the database answered last. doing: "PATH: doing: why". */
enum store_status sqlite_failed(struct store_sqlite *store, const char *doing, struct error *err);

/* A decision's columns, in the order of its table; read from d. */
enum decision_field {
    DECISION_SEQ,
    DECISION_KEY,
    DECISION_TYPE,
    DECISION_SRC,
    DECISION_DEST,
    DECISION_AMOUNT,
    DECISION_CURRENCY,
    DECISION_BATCH,
    DECISION_MIN,
    DECISION_STRICT,
    DECISION_OUTCOME,
    DECISION_REASON,
    DECISION_DIGEST,
    DECISION_LOG,
    DECISION_PARTITION,
    DECISION_OFFSET,
    DECISION_DECIDED_MS,
    DECISION_RULES,
    DECISION_PLACE, /* of STATEMENT_FIND_DECISIONS: the key's place in the chunk */
};
#define DECISION_FIELDS                                                                            \
    "seq, key, type, src, dest, amount_minor, currency, batch, min_minor, strict, outcome,"        \
    " reason, digest, log, partition, offset, decided_ms, rules"
#define DECISION_COLUMNS                                                                           \
    " d.seq, d.key, d.type, d.src, d.dest, d.amount_minor, d.currency, d.batch, d.min_minor,"      \
    " d.strict, d.outcome, d.reason, d.digest, d.log, d.partition, d.offset, d.decided_ms,"        \
    " d.rules "

/* The decision of a key, which any segment may have. */
#define FIND_KEY_SQL                                                                               \
    "SELECT" DECISION_COLUMNS "FROM (SELECT id FROM segments UNION ALL"                            \
    " SELECT ifnull(max(id), 0) + 1 FROM segments) g CROSS JOIN keys k ON k.segment = g.id"        \
    " JOIN decisions d ON d.seq = k.seq WHERE k.key = ?"

/* The last seq that was given. The last repeats may be trimmed already, so published_seq counts. */
#define LAST_SEQ_SQL                                                                               \
    " max(published_seq, ifnull((SELECT max(seq) FROM decisions), 0),"                             \
    " ifnull((SELECT max(seq) FROM repeats), 0), ifnull((SELECT max(seq) FROM quarantine), 0)) "

/* A repeat with its first decision, whose columns begin at REPEAT_FIRST. */
#define REPEAT_COLUMNS                                                                             \
    " r.seq, r.key, r.outcome, r.reason, r.fields, r.digest, r.partition, r.offset, r.decided_ms," \
    " r.log," DECISION_COLUMNS "FROM repeats r LEFT JOIN decisions d ON d.seq = r.first_seq "
#define REPEAT_FIRST 10

/*
 * Read DECISION_COLUMNS that begin at column base; also sets the command's key. STORE_FAILED for a
 * text that is too long or a number that is none of ours, which is damage.
 */
enum store_status sqlite_read_first(struct store_sqlite *store, sqlite3_stmt *row, int base,
                                    struct outcome_first *ret, struct error *err);

/* Read a row of a table of outcomes: all of the record but the ledger's UUID. */
typedef enum store_status sqlite_reader(struct store_sqlite *store, sqlite3_stmt *row,
                                        struct outcome_record *record, struct error *err);
sqlite_reader sqlite_read_decision;    /* DECISION_COLUMNS */
sqlite_reader sqlite_read_repeat;      /* REPEAT_COLUMNS */
sqlite_reader sqlite_read_quarantined; /* as STATEMENT_NEXT_QUARANTINED gives them */

/* What decisions refer to by number: the name of an account, a batch, the topic of a log. */
enum store_status sqlite_account_name(struct store_sqlite *store, int64_t id,
                                      char ret[PAYMENT_ACCOUNT_MAX + 1], struct error *err);
enum store_status sqlite_batch(struct store_sqlite *store, int64_t id, struct payment_batch *ret,
                               struct error *err);
enum store_status sqlite_topic(struct store_sqlite *store, int64_t log,
                               char ret[OUTCOME_TOPIC_SIZE], struct error *err);

/* Prepare a statement, once. Returns SQLite's code. */
int sqlite_prepare(struct store_sqlite *store, enum statement id);

/* Values for a prepared statement. Text and blobs are borrowed until the statement was run. */
void sqlite_bind_int(struct store_sqlite *store, enum statement id, int place, int64_t value);
void sqlite_bind_text(struct store_sqlite *store, enum statement id, int place, const char *text);
void sqlite_bind_blob(struct store_sqlite *store, enum statement id, int place, const void *data,
                      size_t len);

/* Run a statement that returns no row, and make it ready for the next time. */
enum store_status sqlite_run(struct store_sqlite *store, enum statement id, const char *doing,
                             struct error *err);

/*
 * Step a statement that returns at most one row: *ret_row is NULL when there is none. The row is
 * valid until sqlite_done(), which must be called in any case but failure.
 */
enum store_status sqlite_row(struct store_sqlite *store, enum statement id, const char *doing,
                             sqlite3_stmt **ret_row, struct error *err);
void sqlite_done(struct store_sqlite *store, enum statement id);

/* Copy a text column into a field of size bytes; false when it does not fit, which is damage. */
bool sqlite_copy_text(sqlite3_stmt *row, int column, char *field, size_t size);

/* Prepare, bind up to two texts, and step once. The caller finalizes *ret, also on failure. */
enum store_status sqlite_ask(struct store_sqlite *store, const char *sql, const char *first,
                             const char *second, sqlite3_stmt **ret, struct error *err);

/* A row that this program cannot have written. */
enum store_status sqlite_damaged(struct store_sqlite *store, const char *what, struct error *err);

extern const struct store_ops sqlite_ops;

/* Close what is open of it and free it. */
void sqlite_close(struct store *base);

/* Run SQL without values or rows. */
enum store_status sqlite_exec(struct store_sqlite *store, const char *sql, const char *doing,
                              struct error *err);

/* One number out of a query that gives one row. */
enum store_status sqlite_ask_int(struct store_sqlite *store, const char *sql, int64_t *ret,
                                 struct error *err);

/* End a transaction: commit when status is STORE_OK, else roll back. Returns what came of it. */
enum store_status sqlite_end(struct store *base, enum store_status status, struct error *err);

/* Looks up all that is sought, and leaves nothing of it. */
typedef enum store_status sqlite_look(struct store_sqlite *store, struct chunk *chunk,
                                      struct error *err);

/* Note what is to be looked up; looks, when no more can be noted. */
enum store_status sqlite_seek(struct store_sqlite *store, struct chunk *chunk,
                              struct sqlite_sought sought, sqlite_look *look, struct error *err);

/* Sort what is sought, and show all of it to SQL. */
void sqlite_sort_sought(struct store_sqlite *store);

/* Set the seq of each of the chunk's keys that is decided. In the chunk's transaction. */
enum store_status sqlite_find_keys(struct store_sqlite *store, struct chunk *chunk,
                                   struct error *err);

/*
 * Whether a key is so old that it may be forgotten, or was: a UUIDv7 older than the floor, or a row
 * of a batch that is forgotten.
 */
enum store_status sqlite_is_old_key(struct store_sqlite *store, const unsigned char *form,
                                    size_t len, bool *ret, struct error *err);

/* Mark what is not known of the chunk's keys and batches, and may have been forgotten. */
enum store_status sqlite_mark_stale(struct store_sqlite *store, struct chunk *chunk,
                                    struct error *err);

/* Read the floor, and whether batches are forgotten. */
enum store_status sqlite_read_forgotten(struct store_sqlite *store, struct error *err);

/* What was forgotten of a sealed segment is added to what is still there of it. */
enum store_status sqlite_add_forgotten_keys(struct store_sqlite *store, int64_t segment,
                                            int64_t *keys, struct key_hash *sum, struct error *err);

/* The chunk's new keys, so many, were added to the current segment: seals it when it is full. */
enum store_status sqlite_keys_added(struct store_sqlite *store, const struct chunk *chunk,
                                    int64_t added, struct error *err);

/* Make the current segment's bitmap complete, unless it is. */
enum store_status sqlite_mark_newest(struct store_sqlite *store, struct error *err);

/* Seal the current segment in the open transaction, and begin the next one. */
enum store_status sqlite_seal(struct store_sqlite *store, struct error *err);

/* Find the current segment and load the filter of the sealed ones. Statements must be prepared. */
enum store_status sqlite_keys_open(struct store_sqlite *store, struct error *err);

/* How many repeats a key has, by its stored form. */
enum store_status sqlite_count_repeats(struct store_sqlite *store, const unsigned char *form,
                                       size_t len, int64_t *ret, struct error *err);

/* Read how many keys its segments have, and so how large their filters are. */
enum store_status sqlite_segment_size(struct store_sqlite *store, struct error *err);

/* True when a row of segment id (keys, checksum, filter_checksum, filter) is as it was written. */
bool sqlite_segment_is_whole(const struct store_sqlite *store, sqlite3_stmt *row, int64_t id);

/* What a transaction did to the segments is kept, or forgotten. */
void sqlite_keys_committed(struct store_sqlite *store);
void sqlite_keys_rolled_back(struct store_sqlite *store);

/* Make the tables of store_sqlite_rows.c known to the connection. Returns SQLite's code. */
int sqlite_register_rows(struct store_sqlite *store);

/* One of these tables, whose rows are some of the places 0, 1, 2 … count - 1. */
struct sqlite_rows {
    const char *name;
    const char *declaration;
    size_t (*count)(const struct store_sqlite *store);
    bool (*has)(const struct store_sqlite *store, size_t at);
    void (*column)(const struct store_sqlite *store, size_t at, int column, sqlite3_context *ret);
};

#define SQLITE_ROWS_KINDS 6
extern const struct sqlite_rows *const sqlite_rows_kinds[SQLITE_ROWS_KINDS];

/* True for what gets a row among the decisions: a final answer, not a repeat. */
static inline bool sqlite_is_decision(const struct chunk_item *item)
{
    return item->decision.outcome == OUTCOME_APPLIED || item->decision.outcome == OUTCOME_REJECTED;
}

/* And for a repeat. */
static inline bool sqlite_is_repeat(const struct chunk_item *item)
{
    return item->decision.outcome == OUTCOME_DUPLICATE ||
           item->decision.outcome == OUTCOME_CONFLICT;
}

/* Save one decided item; of a decision and a repeat all but its own row: see sqlite_save(). */
enum store_status sqlite_save_item(struct store_sqlite *store, struct chunk *chunk,
                                   struct chunk_item *item, struct error *err);

/* Save the rows of the chunk's repeats, and how many each key has. The items have their seq. */
enum store_status sqlite_save_repeats(struct store_sqlite *store, struct chunk *chunk,
                                      struct error *err);

/* Remember in the open transaction what is published, and drop what was kept until then. */
enum store_status sqlite_set_published(struct store_sqlite *store, int64_t seq, struct error *err);

/* The operations that stand in files of their own. */
enum store_status sqlite_bind(struct store *base, const char *cluster, const char *topic,
                              struct error *err);
enum store_status sqlite_set_mode(struct store *base, bool strict, struct error *err);
enum store_status sqlite_ordered(struct store *base, bool *ret, struct error *err);
enum store_status sqlite_position(struct store *base, int32_t partition, bool *ret_found,
                                  int64_t *ret_offset, struct log_marks *ret_marks,
                                  struct error *err);
enum store_status sqlite_adopt(struct store *base, int32_t partition, int64_t offset,
                               struct error *err);
enum store_status sqlite_move(struct store *base, int32_t partition, int64_t offset, int64_t now_ms,
                              struct error *err);
enum store_status sqlite_new_log(struct store *base, int64_t now_ms, struct error *err);
enum store_status sqlite_claim(struct store *base, struct chunk *chunk, struct error *err);
enum store_status sqlite_load(struct store *base, struct chunk *chunk, struct error *err);
enum store_status sqlite_save(struct store *base, struct chunk *chunk, struct error *err);
enum store_status sqlite_outcomes(struct store *base, int64_t after_seq, struct store_outcome *ret,
                                  size_t max, size_t *ret_count, struct error *err);
enum store_status sqlite_outbox(struct store *base, int64_t *ret_published, int64_t *ret_last,
                                struct error *err);
enum store_status sqlite_published(struct store *base, int64_t seq, struct error *err);
enum store_status sqlite_skip(struct store *base, int64_t seq, const char *why, int64_t now_ms,
                              struct error *err);
enum store_status sqlite_show(struct store *base, const char *key, store_visit *visit, void *user,
                              int64_t *ret_repeats, struct error *err);
enum store_status sqlite_is_stale(struct store *base, const char *key, bool *ret,
                                  struct error *err);
enum store_status sqlite_stats(struct store *base, struct store_stats *ret, struct error *err);

#endif
