#include "consumer/store_sqlite_internal.h"

#include "common/uuid7.h"
#include "consumer/store_lock.h"
#include "consumer/store_schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define BUSY_TIMEOUT_MS 2000

/*
 * What is the same in all rows of a chunk is handed over once, and not asked for row by row: ?1 is
 * the log, ?2 when it is decided, ?3 the version of the rules.
 */
#define ADD_DECISIONS_SQL(type, min_minor, strict)                                                 \
    "INSERT OR ROLLBACK INTO decisions (" DECISION_FIELDS ") SELECT seq, key, " type               \
    ", src, dest, amount_minor, currency, batch, " min_minor ", " strict                           \
    ", outcome, reason, digest, ?1, partition, offset, ?2, ?3 FROM chunk_decisions"
_Static_assert(COMMAND_PAYMENT == 1, "the type in STATEMENT_ADD_PAYMENTS");

static const char *const statement_sql[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_SAMPLE_KEY] =
        "SELECT key FROM keys WHERE segment = ? AND key <= ? ORDER BY key DESC LIMIT 1",
    [STATEMENT_FIND_KEYS] = "SELECT c.place, k.seq FROM chunk_sought c CROSS JOIN keys k"
                            " ON k.segment = ? AND k.key = c.key",
    [STATEMENT_SEGMENT_KEYS] = "SELECT key FROM keys WHERE segment = ? ORDER BY key",
    [STATEMENT_FIND_SEGMENT] =
        "SELECT keys, checksum, filter_checksum, filter FROM segments WHERE id = ?",
    [STATEMENT_ADD_SEGMENT] = "INSERT INTO segments VALUES (?, ?, ?, ?, ?)",
    [STATEMENT_REPLACE_SEGMENT] = "REPLACE INTO segments VALUES (?, ?, ?, ?, ?)",
    [STATEMENT_FIND_DECISIONS] = "SELECT" DECISION_COLUMNS ", c.place FROM chunk_known c"
                                 " CROSS JOIN decisions d ON d.seq = c.seq",
    [STATEMENT_HIGHEST_RECORDED] =
        "SELECT max(ifnull((SELECT max(offset) FROM repeats WHERE log = ?2 AND partition = ?1),"
        " -1), ifnull((SELECT max(offset) FROM quarantine WHERE log = ?2 AND partition = ?1), -1))",
    [STATEMENT_FIND_RECORDED] =
        "SELECT 1 FROM repeats WHERE log = ?3 AND partition = ?1 AND offset = ?2 UNION ALL"
        " SELECT 1 FROM quarantine WHERE log = ?3 AND partition = ?1 AND offset = ?2",
    [STATEMENT_READ_RECORDED] =
        "SELECT outcome, reason, key, digest, payload, first_seq, fields, NULL, NULL, NULL"
        " FROM repeats WHERE log = ?3 AND partition = ?1 AND offset = ?2 UNION ALL"
        " SELECT 6, reason, key, digest, value, NULL, NULL, key_len, value_len, timestamp_ms"
        " FROM quarantine WHERE log = ?3 AND partition = ?1 AND offset = ?2",
    [STATEMENT_FIND_ACCOUNT] =
        "SELECT id, currency, balance_minor, state, min_minor FROM accounts WHERE name = ?",
    [STATEMENT_FIND_BATCH] = "SELECT id, rows, digest FROM batches WHERE name = ?",
    [STATEMENT_FIND_FORGOTTEN] = "SELECT rows FROM batches WHERE name = ? AND forgotten = 1",
    [STATEMENT_FIND_STRICT] = "SELECT strict FROM store",
    [STATEMENT_MOVE_POSITION] =
        "UPDATE positions SET next_offset = ?3, last_offset = ifnull(?4, last_offset),"
        " last_print = ifnull(?5, last_print), anchor_offset = ifnull(?6, anchor_offset),"
        " anchor_print = ifnull(?7, anchor_print) WHERE partition = ?1 AND next_offset = ?2",
    [STATEMENT_UPDATE_ACCOUNT] = "UPDATE accounts SET currency = ?2, balance_minor = ?3,"
                                 " state = ?4, min_minor = ?5 WHERE id = ?1",
    [STATEMENT_ADD_ACCOUNT] = "INSERT INTO accounts (name, currency, balance_minor, state,"
                              " min_minor) VALUES (?, ?, ?, ?, ?)",
    [STATEMENT_ADD_BATCH] = "INSERT INTO batches (name, rows, digest) VALUES (?, ?, ?)",
    [STATEMENT_SET_STRICT] = "UPDATE store SET strict = ?",
    /*
     * A failure ends the whole transaction anyway. Said so to SQLite, it keeps no copies of the
     * pages to take back the statement alone, which of random keys would be most of the pages.
     */
    [STATEMENT_ADD_DECISIONS] = ADD_DECISIONS_SQL("type", "min_minor", "strict"),
    [STATEMENT_ADD_PAYMENTS] = ADD_DECISIONS_SQL("1", "NULL", "NULL"),
    [STATEMENT_ADD_KEYS] = "INSERT OR ROLLBACK INTO keys (segment, key, seq)"
                           " SELECT ?, key, seq FROM chunk_keys",
    [STATEMENT_FIND_COUNTS] = "SELECT c.place, r.count FROM chunk_repeated c"
                              " CROSS JOIN repeat_counts r ON r.key = c.key",
    [STATEMENT_COUNT_REPEATS] = "INSERT OR ROLLBACK INTO repeat_counts"
                                " SELECT key, count FROM chunk_repeated WHERE true"
                                " ON CONFLICT (key) DO UPDATE SET count = excluded.count",
    [STATEMENT_ADD_REPEATS] = "INSERT OR ROLLBACK INTO repeats SELECT * FROM chunk_repeats",
    [STATEMENT_ADD_QUARANTINE] =
        "INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STATEMENT_ADD_HEADER] = "INSERT INTO quarantine_headers VALUES (?, ?, ?, ?)",
    [STATEMENT_ADD_TRACE] = "INSERT INTO traces VALUES (?, ?, ?)",
    [STATEMENT_COUNT_OUTCOME] = "UPDATE counters SET count = count + ?2 WHERE outcome = ?1",
    [STATEMENT_FIND_TOTAL] = "SELECT applied, high, low FROM totals WHERE currency = ?",
    [STATEMENT_SET_TOTAL] = "INSERT INTO totals VALUES (?1, ?2, ?3, ?4) ON CONFLICT (currency)"
                            " DO UPDATE SET applied = ?2, high = ?3, low = ?4",
    [STATEMENT_COUNT_CHUNK] = "UPDATE store SET chunks = chunks + 1, quarantine_bytes = ?,"
                              " decisions_digest = ?",
    [STATEMENT_SET_PUBLISHED] = "UPDATE store SET published_seq = ?1 WHERE published_seq < ?1",
    [STATEMENT_TRIM_REPEATS] = "DELETE FROM repeats WHERE kept = 0 AND seq <= ?",
    [STATEMENT_TRIM_TRACES] = "DELETE FROM traces WHERE seq <= ?",
    [STATEMENT_BEGIN_READING] = "BEGIN",
    [STATEMENT_END_READING] = "COMMIT",
    [STATEMENT_NEXT_DECISIONS] =
        "SELECT" DECISION_COLUMNS "FROM decisions d WHERE d.seq > ? ORDER BY d.seq LIMIT ?",
    [STATEMENT_NEXT_REPEATS] = "SELECT" REPEAT_COLUMNS "WHERE r.seq > ? ORDER BY r.seq LIMIT ?",
    [STATEMENT_NEXT_QUARANTINED] =
        "SELECT q.seq, q.key, q.reason, q.digest, q.partition, q.offset, q.decided_ms, q.log"
        " FROM quarantine q WHERE q.seq > ? ORDER BY q.seq"
        " LIMIT ?",
    [STATEMENT_NEXT_TRACES] =
        "SELECT seq, traceparent, tracestate FROM traces WHERE seq BETWEEN ? AND ? ORDER BY seq",
    [STATEMENT_ACCOUNT_NAME] = "SELECT name FROM accounts WHERE id = ?",
    [STATEMENT_BATCH_OF] = "SELECT name, rows, digest FROM batches WHERE id = ?",
    [STATEMENT_TOPIC_OF] = "SELECT topic FROM logs WHERE id = ?",
    [STATEMENT_LAST_SEQ] = "SELECT" LAST_SEQ_SQL "FROM store",
    [STATEMENT_PUBLISHED] = "SELECT published_seq FROM store",
};

/*
 * WAL with synchronous=FULL: each COMMIT returns after one fdatasync of the WAL. 8 KiB pages and a
 * cache of 24 MiB suit random keys. The WAL is checkpointed by this connection at 64 MiB.
 * References are not checked at each row, which costs a tenth of a payment: its accounts and batch
 * were found or made in the same transaction, and no row of theirs is ever deleted.
 */
static const char pragmas[] = "PRAGMA page_size = 8192;"
                              "PRAGMA journal_mode = WAL;"
                              "PRAGMA synchronous = FULL;"
                              "PRAGMA foreign_keys = OFF;"
                              "PRAGMA trusted_schema = OFF;"
                              "PRAGMA cell_size_check = ON;"
                              "PRAGMA temp_store = MEMORY;"
                              "PRAGMA cache_size = -24576;"
                              "PRAGMA wal_autocheckpoint = 8192;"
                              "PRAGMA journal_size_limit = 67108864;";

const char *store_sqlite_library_version(void)
{
    return sqlite3_libversion();
}

static enum store_status add_names(struct store_sqlite *store, struct error *err)
{
    sqlite3_stmt *row;
    char sql[96];
    enum store_status status = STORE_OK;

    for (int i = 0; status == STORE_OK && i < OUTCOME_COUNT; i++) {
        sqlite3_snprintf(sizeof(sql), sql, "INSERT INTO outcome_names VALUES (%d, ?)", i);
        status = sqlite_ask(store, sql, outcome_name((enum outcome)i), NULL, &row, err);
        sqlite3_finalize(row);
        if (status == STORE_OK) {
            sqlite3_snprintf(sizeof(sql), sql, "INSERT INTO counters VALUES (%d, 0)", i);
            status = sqlite_exec(store, sql, "create", err);
        }
    }
    for (int i = 0; status == STORE_OK && i < REASON_COUNT; i++) {
        sqlite3_snprintf(sizeof(sql), sql, "INSERT INTO reason_names VALUES (%d, ?)", i);
        status = sqlite_ask(store, sql, reason_name((enum reason)i), NULL, &row, err);
        sqlite3_finalize(row);
    }
    return status;
}

/* One transaction: after a crash in it the file is empty again. */
static enum store_status create(struct store_sqlite *store, struct error *err)
{
    char uuid[UUID7_TEXT_SIZE];
    char marks[96];
    char first_row[96];
    sqlite3_stmt *row;

    if (uuid7_new(uuid, err) != 0) {
        return STORE_FAILED;
    }
    sqlite3_snprintf(sizeof(marks), marks, "PRAGMA application_id = %d; PRAGMA user_version = %d",
                     STORE_APPLICATION_ID, STORE_SCHEMA_VERSION);
    sqlite3_snprintf(sizeof(first_row), first_row,
                     "INSERT INTO store (id, uuid, segment_keys) VALUES (1, ?, %lld)",
                     (long long)store->keys.segment_keys);
    enum store_status status = sqlite_exec(store, "BEGIN IMMEDIATE", "create", err);
    if (status == STORE_OK) {
        status = sqlite_exec(store, store_schema_sql, "create", err);
    }
    if (status == STORE_OK) {
        status = sqlite_exec(store, marks, "create", err);
    }
    if (status == STORE_OK) {
        status = sqlite_ask(store, first_row, uuid, NULL, &row, err);
        sqlite3_finalize(row);
    }
    if (status == STORE_OK) {
        status = sqlite_exec(store, "INSERT INTO forgotten (id) VALUES (1)", "create", err);
    }
    if (status == STORE_OK) {
        status = add_names(store, err);
    }
    return status == STORE_OK ? sqlite_exec(store, "COMMIT", "create", err) : status;
}

/* Sets *ret_empty for a database without anything in it. */
static enum store_status check_version(struct store_sqlite *store, bool *ret_empty,
                                       struct error *err)
{
    int64_t application = 0;
    int64_t version = 0;
    int64_t tables = 0;
    enum store_status status = sqlite_ask_int(store, "PRAGMA application_id", &application, err);

    if (status == STORE_OK) {
        status = sqlite_ask_int(store, "PRAGMA user_version", &version, err);
    }
    if (status == STORE_OK) {
        status = sqlite_ask_int(store, "SELECT count(*) FROM sqlite_schema", &tables, err);
    }
    if (status != STORE_OK) {
        return status;
    }
    *ret_empty = application == 0 && version == 0 && tables == 0;
    if (*ret_empty) {
        return STORE_OK;
    }
    if (application != STORE_APPLICATION_ID) {
        error_set(err, EX_CONFIG, "%s: is a database of another program", store->path);
        return STORE_FAILED;
    }
    if (version != STORE_SCHEMA_VERSION) {
        error_set(err, EX_CONFIG,
                  "%s: the store has schema version %lld, this payd reads and writes version %d: "
                  "use the payd that made it",
                  store->path, (long long)version, STORE_SCHEMA_VERSION);
        return STORE_FAILED;
    }
    return STORE_OK;
}

static enum store_status sync_wal(struct store_sqlite *store, struct error *err)
{
    sqlite3_file *wal = NULL;
    int code = sqlite3_file_control(store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);

    if (code == SQLITE_OK && wal && wal->pMethods) {
        code = wal->pMethods->xSync(wal, SQLITE_SYNC_FULL);
    }
    if (code == SQLITE_OK) {
        return STORE_OK;
    }
    error_set(err, EX_IOERR, "%s-wal: sync at open: %s", store->path, sqlite3_errstr(code));
    return STORE_FAILED;
}

/*
 * What the WAL shows may not be on the disk yet (a crash between write and sync). Nothing may be
 * answered from it before it is.
 */
static enum store_status checkpoint(struct store_sqlite *store, struct error *err)
{
    int code = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

    if (code == SQLITE_BUSY) { /* somebody reads what would be written over: the WAL stays */
        return sync_wal(store, err);
    }
    return code == SQLITE_OK ? STORE_OK : sqlite_failed(store, "checkpoint at open", err);
}

int sqlite_prepare(struct store_sqlite *store, enum statement id)
{
    return sqlite3_prepare_v3(store->db, statement_sql[id], -1, SQLITE_PREPARE_PERSISTENT,
                              &store->statements[id], NULL);
}

/* A store that writes needs nearly all, and nothing of the kind shall fail later. */
static enum store_status prepare_all(struct store_sqlite *store, struct error *err)
{
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        if (sqlite_prepare(store, (enum statement)i) != SQLITE_OK) {
            return sqlite_failed(store, "prepare", err);
        }
    }
    return STORE_OK;
}

static enum store_status read_uuid(struct store_sqlite *store, struct error *err)
{
    sqlite3_stmt *row;
    enum store_status status = sqlite_ask(store, "SELECT uuid FROM store", NULL, NULL, &row, err);

    if (status == STORE_OK && !sqlite_copy_text(row, 0, store->uuid, sizeof(store->uuid))) {
        status = sqlite_damaged(store, "its own row is missing", err);
    }
    sqlite3_finalize(row);
    return status;
}

/* Where the store goes on. */
static enum store_status resume(struct store_sqlite *store, struct error *err)
{
    sqlite3_stmt *row;
    enum store_status status = sqlite_ask(
        store, "SELECT log, quarantine_bytes, decisions_digest," LAST_SEQ_SQL "FROM store", NULL,
        NULL, &row, err);

    if (status == STORE_OK && sqlite3_column_bytes(row, 2) != KEY_HASH_SIZE) {
        status = sqlite_damaged(store, "its own row cannot be read", err);
    }
    if (status == STORE_OK) {
        store->log = sqlite3_column_int64(row, 0);
        store->committed = (struct sqlite_sums){
            .quarantine_bytes = sqlite3_column_int64(row, 1),
            .decided = key_hash_load(sqlite3_column_blob(row, 2)),
            .last_seq = sqlite3_column_int64(row, 3),
        };
    }
    sqlite3_finalize(row);
    if (status == STORE_OK) {
        status = sqlite_read_forgotten(store, err);
    }
    return status == STORE_OK ? read_uuid(store, err) : status;
}

static enum store_status open_to_write(struct store_sqlite *store, struct error *err)
{
    bool empty = false;
    enum store_status status = check_version(store, &empty, err);

    /* Only now is it known that the file may be changed. */
    if (status == STORE_OK) {
        status = sqlite_exec(store, pragmas, "settings", err);
    }
    if (status == STORE_OK && empty) {
        status = create(store, err);
    }
    if (status == STORE_OK) {
        status = sqlite_exec(store, "UPDATE store SET incarnation = incarnation + 1", "open", err);
    }
    if (status == STORE_OK) {
        status = checkpoint(store, err);
    }
    if (status == STORE_OK) {
        status = resume(store, err);
    }
    if (status == STORE_OK) {
        status = prepare_all(store, err);
    }
    return status == STORE_OK ? sqlite_keys_open(store, err) : status;
}

static struct store_sqlite *sqlite_new(const char *path, struct error *err)
{
    struct store_sqlite *store = calloc(1, sizeof(*store));

    if (store) {
        store->base.ops = &sqlite_ops;
        store->lock_fd = -1;
        store->path = strdup(path);
    }
    if (!store || !store->path) {
        error_set(err, EX_OSERR, "out of memory");
        free(store);
        return NULL;
    }
    return store;
}

/*
 * Nobody asks SQLite how much memory it uses, and counting it takes a lock at each allocation that
 * writer and reader share. Refused, and nothing else, after the first opening of a process.
 */
static void leave_memory_uncounted(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static enum store_status connect(struct store_sqlite *store, int flags, struct error *err)
{
    /* An absolute path: SQLite gives names such as ":memory:" a meaning of their own. */
    char *path = realpath(store->path, NULL);

    if (!path) {
        error_set(err, EX_IOERR, "%s: %s", store->path, strerror(errno));
        return STORE_FAILED;
    }
    leave_memory_uncounted();
    int code = sqlite3_open_v2(path, &store->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    free(path);
    if (code != SQLITE_OK) {
        return sqlite_failed(store, "open", err);
    }
    sqlite3_extended_result_codes(store->db, 1);
    sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    return sqlite_register_rows(store) == SQLITE_OK ? STORE_OK : sqlite_failed(store, "open", err);
}

int store_sqlite_open(struct store **ret, const char *path, store_header_reader *headers,
                      struct error *err)
{
    return store_sqlite_open_segments(ret, path, headers, STORE_SEGMENT_KEYS, err);
}

int store_sqlite_open_segments(struct store **ret, const char *path, store_header_reader *headers,
                               int64_t segment_keys, struct error *err)
{
    struct store_sqlite *store = sqlite_new(path, err);

    if (!store) {
        return -1;
    }
    store->headers = headers;
    store->keys.segment_keys = segment_keys;
    if (uuid7_new(store->opening, err) != 0 || store_lock_take(path, &store->lock_fd, err) != 0 ||
        connect(store, SQLITE_OPEN_READWRITE, err) != STORE_OK ||
        open_to_write(store, err) != STORE_OK) {
        sqlite_close(&store->base);
        return -1;
    }
    *ret = &store->base;
    return 0;
}

int store_sqlite_open_readonly(struct store **ret, const char *path, struct error *err)
{
    struct store_sqlite *store = sqlite_new(path, err);
    bool empty = false;

    if (!store) {
        return -1;
    }
    struct stat file;
    if (stat(path, &file) != 0 || access(path, R_OK) != 0) {
        error_set(err, EX_IOERR, "%s: cannot be read, or is not there: %s", path, strerror(errno));
    } else if (!S_ISREG(file.st_mode)) {
        error_set(err, EX_IOERR, "%s: is not a regular file", path);
    } else if (connect(store, SQLITE_OPEN_READONLY, err) == STORE_OK &&
               check_version(store, &empty, err) == STORE_OK) {
        if (empty) {
            error_set(err, EX_CONFIG, "%s: is empty, not a store", path);
        } else if (read_uuid(store, err) == STORE_OK) {
            *ret = &store->base;
            return 0;
        }
    }
    sqlite_close(&store->base);
    return -1;
}

int store_sqlite_open_existing(struct store **ret, const char *path, struct error *err)
{
    struct store *found = NULL;

    if (store_sqlite_open_readonly(&found, path, err) != 0) {
        return -1;
    }
    store_close(found);
    return store_sqlite_open(ret, path, NULL, err);
}

int store_sqlite_open_moment(struct store **ret, const char *path, struct error *err)
{
    struct store *base = NULL;

    if (store_sqlite_open_readonly(&base, path, err) != 0) {
        return -1;
    }
    struct store_sqlite *store = sqlite_of(base);
    if (sqlite_exec(store, "PRAGMA cache_size = -24576; BEGIN", "open", err) != STORE_OK ||
        resume(store, err) != STORE_OK) {
        store_close(base);
        return -1;
    }
    store->is_snapshot = true;
    *ret = base;
    return 0;
}

int store_sqlite_open_snapshot(struct store **ret, const char *path, struct error *err)
{
    struct store *base = NULL;

    if (store_sqlite_open_moment(&base, path, err) != 0) {
        return -1;
    }
    if (sqlite_keys_open(sqlite_of(base), err) != STORE_OK) {
        store_close(base);
        return -1;
    }
    *ret = base;
    return 0;
}
