/*
 * What the files of verify share. Nobody else includes this header.
 *
 *   store_sqlite_verify.c           the file, positions
 *   store_sqlite_verify_keys.c      segments and keys
 *   store_sqlite_verify_books.c     decisions, accounts, currencies
 *   store_sqlite_verify_records.c   repeats, quarantine, counters
 */
#ifndef CONSUMER_STORE_SQLITE_VERIFY_H
#define CONSUMER_STORE_SQLITE_VERIFY_H

#include "consumer/store_sqlite_internal.h"
#include "consumer/store_verify.h"

/* An account, and what its postings say. */
struct verify_account {
    struct money_sum postings;
    int64_t balance_minor;
    char currency[MONEY_CURRENCY_SIZE]; /* "" = not opened */
};

/* More than ISO 4217 has. */
#define VERIFY_CURRENCIES_MAX 256

struct verify {
    struct store_sqlite *store;
    store_finding *found;
    void *user;
    struct store_proof *proof;
    struct digest *digest; /* nothing in it between two uses */
    /* The sums over each key with its seq: of the table of keys, and of the decisions. */
    struct key_hash keys;
    struct key_hash decisions;
    int64_t reset_seq;               /* postings up to it do not count */
    struct verify_account *accounts; /* by number, from 1 on */
    size_t account_count;
    struct store_currency currencies[VERIFY_CURRENCIES_MAX]; /* as the rows say */
    size_t currency_count;
    int64_t counts[OUTCOME_COUNT];         /* of rows that are there */
    int64_t highest[CHUNK_PARTITIONS_MAX]; /* the last offset of a partition of the current log */
};

/* Report what is wrong. */
__attribute__((format(printf, 3, 4))) void
verify_found(struct verify *verify, enum store_check check, const char *format, ...);

/* Called for each row. What it returns ends the query; damage becomes a finding. */
typedef enum store_status verify_row(struct verify *verify, sqlite3_stmt *row, struct error *err);

/*
 * Visit each row of a query, counting it for the check. A damaged file, and what the visitor says
 * is damaged, become findings. STORE_FAILED for anything else.
 */
enum store_status verify_rows(struct verify *verify, enum store_check check, const char *sql,
                              verify_row *visit, struct error *err);

/* As verify_rows() for findings in themselves: they are not counted as looked at. */
enum store_status verify_faults(struct verify *verify, enum store_check check, const char *sql,
                                verify_row *visit, struct error *err);

/* STORE_OK when *err was damage, which then is a finding; else STORE_FAILED. */
enum store_status verify_damage(struct verify *verify, enum store_check check,
                                const struct error *err);

/* Note that something of the log stood there. */
void verify_seen(struct verify *verify, int64_t log, int64_t partition, int64_t offset);

/* A key's hash with its decision's seq. */
struct key_hash verify_key_hash(const void *form, size_t form_len, int64_t seq);

/* A key for a sentence, from its stored form, escaped; buf holds TEXT_ESCAPED_SIZE. Returns a text.
 */
const char *verify_form_text(char *buf, const void *form, size_t form_len);

/* A key of a column for a sentence, escaped; buf holds TEXT_ESCAPED_SIZE. Returns buf. */
const char *verify_key_text(char *buf, sqlite3_stmt *row, int column);

enum store_status verify_segments(struct verify *verify, struct error *err);
enum store_status verify_books(struct verify *verify, struct error *err);

/* After the books: what did not decide a key. */
enum store_status verify_records(struct verify *verify, struct error *err);

/* After both: the keys are those of the decisions, or which are not. */
enum store_status verify_keys_of_decisions(struct verify *verify, struct error *err);

#endif
