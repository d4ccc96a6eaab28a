/*
 * What did not decide a key: repeats and quarantine. A duplicate has the payload that decided its
 * key, a conflict another one, which is kept and has the digest that its row says; so has what is
 * in quarantine.
 */
#include "consumer/store_sqlite_verify.h"

#include "common/command_digest.h"
#include "common/command_json.h"
#include "common/text.h"
#include "consumer/key_form.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

/* ---- digests ---- */

static bool is_digest(sqlite3_stmt *row, int column, const unsigned char digest[DIGEST_SHORT_SIZE])
{
    return sqlite3_column_bytes(row, column) == DIGEST_SHORT_SIZE &&
           memcmp(sqlite3_column_blob(row, column), digest, DIGEST_SHORT_SIZE) == 0;
}

static enum store_status digest_of(struct verify *verify, const struct command *command,
                                   unsigned char ret[DIGEST_SHORT_SIZE], struct error *err)
{
    return command_digest(verify->digest, command, ret, err) == 0 ? STORE_OK : STORE_FAILED;
}

/*
 * Whether a payload, in a column, is a command with the digest of another column. A key of any form
 * will do, since it is no part of the digest.
 */
static enum store_status has_command_digest(struct verify *verify, sqlite3_stmt *row, int payload,
                                            int digest, bool *ret, struct error *err)
{
    static const char key[] = "key";
    unsigned char expected[DIGEST_SHORT_SIZE];
    char detail[UNREADABLE_DETAIL_SIZE];
    enum unreadable unreadable;
    struct command command;

    if (command_json_decode(key, sizeof(key) - 1, sqlite3_column_blob(row, payload),
                            (size_t)sqlite3_column_bytes(row, payload), &command, &unreadable,
                            detail) != 0) {
        error_set(err, EX_OSERR, "out of memory");
        return STORE_FAILED;
    }
    *ret = false;
    enum store_status status =
        unreadable == READABLE ? digest_of(verify, &command, expected, err) : STORE_OK;
    if (status == STORE_OK && unreadable == READABLE) {
        *ret = is_digest(row, digest, expected);
    }
    return status;
}

/* The same for bytes that are no command. */
static enum store_status has_bytes_digest(struct verify *verify, sqlite3_stmt *row, int value,
                                          int digest, bool *ret, struct error *err)
{
    unsigned char expected[DIGEST_SIZE];

    if (digest_add(verify->digest, sqlite3_column_blob(row, value),
                   (size_t)sqlite3_column_bytes(row, value), err) != 0 ||
        digest_finish(verify->digest, expected, err) != 0) {
        return STORE_FAILED;
    }
    *ret = is_digest(row, digest, expected);
    return STORE_OK;
}

/* ---- repeats ---- */

enum repeat_column {
    REPEAT_SEQ,
    REPEAT_KEY,
    REPEAT_LOG,
    REPEAT_PARTITION,
    REPEAT_OFFSET,
    REPEAT_OUTCOME,
    REPEAT_REASON,
    REPEAT_PAYLOAD,
    REPEAT_DIGEST,
    REPEAT_HAS_FIRST,
    REPEAT_OF_OTHER_KEY,
    REPEAT_IS_ELSE,
    FIRST_TYPE,
    FIRST_DIGEST,
};

#define REPEATS_SQL                                                                                \
    "SELECT r.seq, r.key, r.log, r.partition, r.offset, r.outcome, r.reason, r.payload, r.digest," \
    " r.first_seq IS NOT NULL, r.first_seq IS NOT NULL AND d.key IS NOT r.key,"                    \
    " EXISTS (SELECT 1 FROM decisions WHERE seq = r.seq) OR"                                       \
    " EXISTS (SELECT 1 FROM quarantine WHERE seq = r.seq), d.type, d.digest"                       \
    " FROM repeats r LEFT JOIN decisions d ON d.seq = r.first_seq ORDER BY r.seq"

static void found_repeat(struct verify *verify, sqlite3_stmt *row, const char *what)
{
    char key[TEXT_ESCAPED_SIZE];

    verify_found(verify, STORE_CHECK_REPEATS, "%s: its repeat with seq %lld %s",
                 verify_key_text(key, row, REPEAT_KEY), sqlite3_column_int64(row, REPEAT_SEQ),
                 what);
}

static bool has_payload_of_first(sqlite3_stmt *row)
{
    return sqlite3_column_bytes(row, FIRST_DIGEST) == DIGEST_SHORT_SIZE &&
           is_digest(row, REPEAT_DIGEST, sqlite3_column_blob(row, FIRST_DIGEST));
}

/* A cancel asks for the answer of a key, whatever the payload, and is asked for it by any. */
static enum store_status verify_duplicate(struct verify *verify, sqlite3_stmt *row,
                                          struct error *err)
{
    unsigned char of_cancel[DIGEST_SHORT_SIZE];
    struct command cancel;

    if (!sqlite3_column_int(row, REPEAT_HAS_FIRST)) {
        found_repeat(verify, row, "is a duplicate of nothing");
        return STORE_OK;
    }
    if (has_payload_of_first(row) || sqlite3_column_int(row, FIRST_TYPE) == COMMAND_CANCEL) {
        return STORE_OK;
    }
    command_init(&cancel, COMMAND_CANCEL);
    enum store_status status = digest_of(verify, &cancel, of_cancel, err);
    if (status == STORE_OK && !is_digest(row, REPEAT_DIGEST, of_cancel)) {
        found_repeat(verify, row, "is a duplicate, but has another payload");
    }
    return status;
}

static enum store_status verify_conflict(struct verify *verify, sqlite3_stmt *row,
                                         struct error *err)
{
    bool same = false;
    enum store_status status =
        has_command_digest(verify, row, REPEAT_PAYLOAD, REPEAT_DIGEST, &same, err);

    if (status == STORE_OK && !same) {
        found_repeat(verify, row, "has not the payload that its digest is of");
    } else if (status == STORE_OK && sqlite3_column_int(row, REPEAT_HAS_FIRST) &&
               sqlite3_column_int(row, REPEAT_REASON) == REASON_PAYLOAD_DIFFERS &&
               has_payload_of_first(row)) {
        found_repeat(verify, row, "is a conflict, but has the same payload");
    }
    return status;
}

static enum store_status on_repeat(struct verify *verify, sqlite3_stmt *row, struct error *err)
{
    verify_seen(verify, sqlite3_column_int64(row, REPEAT_LOG),
                sqlite3_column_int64(row, REPEAT_PARTITION),
                sqlite3_column_int64(row, REPEAT_OFFSET));
    if (sqlite3_column_int(row, REPEAT_IS_ELSE)) {
        found_repeat(verify, row, "is something else too");
    }
    if (sqlite3_column_int(row, REPEAT_OF_OTHER_KEY)) {
        found_repeat(verify, row, "belongs to the decision of another key");
        return STORE_OK;
    }
    return sqlite3_column_int(row, REPEAT_OUTCOME) == OUTCOME_DUPLICATE
               ? verify_duplicate(verify, row, err)
               : verify_conflict(verify, row, err);
}

static enum store_status on_uncounted_repeat(struct verify *verify, sqlite3_stmt *row,
                                             struct error *err)
{
    char key[TEXT_ESCAPED_SIZE];

    (void)err;
    verify_found(verify, STORE_CHECK_REPEATS, "%s: has %lld repeats, but %lld were counted",
                 verify_key_text(key, row, 0), sqlite3_column_int64(row, 1),
                 sqlite3_column_int64(row, 2));
    return STORE_OK;
}

/* ---- quarantine ---- */

enum quarantine_column {
    QUARANTINE_SEQ,
    QUARANTINE_LOG,
    QUARANTINE_PARTITION,
    QUARANTINE_OFFSET,
    QUARANTINE_IS_ELSE,
    QUARANTINE_IS_WHOLE,
    QUARANTINE_REASON,
    QUARANTINE_VALUE,
    QUARANTINE_DIGEST,
};

#define QUARANTINE_SQL                                                                             \
    "SELECT seq, log, partition, offset, EXISTS (SELECT 1 FROM decisions WHERE seq = q.seq),"      \
    " length(value) IS value_len, reason, value, digest FROM quarantine q ORDER BY seq"

/* What is stale is a command, all else is bytes. */
static enum store_status verify_quarantined_digest(struct verify *verify, sqlite3_stmt *row,
                                                   struct error *err)
{
    const char *reason = (const char *)sqlite3_column_text(row, QUARANTINE_REASON);
    bool is_stale = reason && strcmp(reason, unreadable_name(UNREADABLE_STALE)) == 0;
    bool same = false;
    enum store_status status =
        is_stale ? has_command_digest(verify, row, QUARANTINE_VALUE, QUARANTINE_DIGEST, &same, err)
                 : has_bytes_digest(verify, row, QUARANTINE_VALUE, QUARANTINE_DIGEST, &same, err);

    if (status == STORE_OK && !same) {
        verify_found(verify, STORE_CHECK_QUARANTINE,
                     "seq %lld has not the value that its digest is of",
                     sqlite3_column_int64(row, QUARANTINE_SEQ));
    }
    return status;
}

static enum store_status on_quarantined(struct verify *verify, sqlite3_stmt *row, struct error *err)
{
    verify_seen(verify, sqlite3_column_int64(row, QUARANTINE_LOG),
                sqlite3_column_int64(row, QUARANTINE_PARTITION),
                sqlite3_column_int64(row, QUARANTINE_OFFSET));
    if (sqlite3_column_int(row, QUARANTINE_IS_ELSE)) {
        verify_found(verify, STORE_CHECK_QUARANTINE, "seq %lld is also that of a decision",
                     sqlite3_column_int64(row, QUARANTINE_SEQ));
    }
    verify->counts[OUTCOME_QUARANTINED]++;
    return sqlite3_column_int(row, QUARANTINE_IS_WHOLE)
               ? verify_quarantined_digest(verify, row, err)
               : STORE_OK;
}

/* ---- counters ---- */

static enum store_status on_counter(struct verify *verify, sqlite3_stmt *row, struct error *err)
{
    enum outcome outcome = (enum outcome)sqlite3_column_int(row, 0);
    int64_t counted = sqlite3_column_int64(row, 1);

    (void)err;
    if (counted != verify->counts[outcome]) {
        verify_found(
            verify, outcome == OUTCOME_QUARANTINED ? STORE_CHECK_QUARANTINE : STORE_CHECK_DECISIONS,
            "%" PRId64 " are there as %s, but %" PRId64 " were counted", verify->counts[outcome],
            outcome_name(outcome), counted);
    }
    return STORE_OK;
}

static enum store_status on_repeats_counted(struct verify *verify, sqlite3_stmt *row,
                                            struct error *err)
{
    (void)err;
    verify_found(verify, STORE_CHECK_REPEATS, "%lld were counted, but by key %lld",
                 sqlite3_column_int64(row, 0), sqlite3_column_int64(row, 1));
    return STORE_OK;
}

/* ---- all of it ---- */

enum store_status verify_records(struct verify *verify, struct error *err)
{
    enum store_status status =
        verify_rows(verify, STORE_CHECK_REPEATS, REPEATS_SQL, on_repeat, err);

    if (status == STORE_OK) {
        status = verify_faults(verify, STORE_CHECK_REPEATS,
                               "SELECT r.key, count(*) AS here, ifnull(c.count, 0) FROM repeats r"
                               " LEFT JOIN repeat_counts c ON c.key = r.key GROUP BY r.key"
                               " HAVING here > ifnull(c.count, 0)",
                               on_uncounted_repeat, err);
    }
    if (status == STORE_OK) {
        status = verify_rows(verify, STORE_CHECK_QUARANTINE, QUARANTINE_SQL, on_quarantined, err);
    }
    if (status == STORE_OK) {
        status = verify_faults(verify, STORE_CHECK_DECISIONS,
                               "SELECT outcome, count FROM counters WHERE outcome IN (1, 2, 6)",
                               on_counter, err);
    }
    /* Which of a key's repeats that were not kept were duplicates, nobody knows any more. */
    return status == STORE_OK
               ? verify_faults(verify, STORE_CHECK_REPEATS,
                               "SELECT counted, of_keys FROM (SELECT"
                               " (SELECT sum(count) FROM counters WHERE outcome IN (3, 4)) counted,"
                               " (SELECT ifnull(sum(count), 0) FROM repeat_counts) +"
                               " (SELECT repeats FROM forgotten) of_keys)"
                               " WHERE counted IS NOT of_keys",
                               on_repeats_counted, err)
               : status;
}
