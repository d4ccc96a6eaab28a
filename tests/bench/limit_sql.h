/*
 * All that the limit program says to SQLite, in one place: it must write what payd writes
 * (consumer/store_sqlite_*.c), so a change of the schema or of the pragmas changes this file too.
 * The tables themselves come from the store, see open_ledger().
 */
#ifndef TESTS_BENCH_LIMIT_SQL_H
#define TESTS_BENCH_LIMIT_SQL_H

enum limit_statement {
    LIMIT_BEGIN,
    LIMIT_COMMIT,
    LIMIT_MOVE_POSITION,
    LIMIT_ADD_ACCOUNT,
    LIMIT_UPDATE_ACCOUNT,
    LIMIT_ADD_BATCH,
    LIMIT_ADD_KEY,
    LIMIT_FIND_KEY,
    LIMIT_SEAL,
    LIMIT_ADD_DECISION,
    LIMIT_COUNT_REPEAT,
    LIMIT_ADD_REPEAT,
    LIMIT_SET_TOTAL,
    LIMIT_COUNT_OUTCOME,
    LIMIT_COUNT_CHUNK,
    LIMIT_STATEMENTS,
};

/* The pragmas of payd that a file does not keep by itself. */
static const char limit_pragmas[] = "PRAGMA journal_mode = WAL;"
                                    "PRAGMA synchronous = FULL;"
                                    "PRAGMA foreign_keys = OFF;"
                                    "PRAGMA trusted_schema = OFF;"
                                    "PRAGMA cell_size_check = ON;"
                                    "PRAGMA temp_store = MEMORY;"
                                    "PRAGMA cache_size = -24576;"
                                    "PRAGMA wal_autocheckpoint = 8192;"
                                    "PRAGMA journal_size_limit = 67108864;";

static const char *const limit_sql[LIMIT_STATEMENTS] = {
    [LIMIT_BEGIN] = "BEGIN IMMEDIATE",
    [LIMIT_COMMIT] = "COMMIT",
    [LIMIT_MOVE_POSITION] = "UPDATE positions SET next_offset = ?2 WHERE partition = ?1",
    [LIMIT_ADD_ACCOUNT] = "INSERT INTO accounts (id, name, currency, balance_minor, state)"
                          " VALUES (?1, ?2, 'EUR', 0, 1)",
    [LIMIT_UPDATE_ACCOUNT] = "UPDATE accounts SET balance_minor = ?2 WHERE id = ?1",
    [LIMIT_ADD_BATCH] = "INSERT INTO batches (id, name, rows, digest) VALUES (1, ?, ?, ?)",
    /* Look-up and insert in one: a key that is there already changes nothing. */
    [LIMIT_ADD_KEY] = "INSERT INTO keys (segment, key, seq) VALUES (?1, ?2, ?3)"
                      " ON CONFLICT DO NOTHING",
    [LIMIT_FIND_KEY] = "SELECT d.seq, d.digest FROM keys k JOIN decisions d ON d.seq = k.seq"
                       " WHERE k.segment = ?1 AND k.key = ?2",
    /* As many bytes as payd's filter has, but no filter. */
    [LIMIT_SEAL] = "INSERT INTO segments (id, keys, checksum, filter_checksum, filter)"
                   " VALUES (?1, ?2, zeroblob(16), zeroblob(16), zeroblob(?3))",
    [LIMIT_ADD_DECISION] =
        "INSERT INTO decisions (seq, key, type, src, dest, amount_minor, currency, batch, outcome,"
        " reason, digest, log, partition, offset, decided_ms, rules)"
        " VALUES (?1, ?2, 1, ?3, ?4, ?5, 'EUR', ?6, 1, 0, ?7, 1, ?8, ?9, ?10, 1)",
    [LIMIT_COUNT_REPEAT] = "INSERT INTO repeat_counts (key, count) VALUES (?1, 1)"
                           " ON CONFLICT (key) DO UPDATE SET count = count + 1",
    [LIMIT_ADD_REPEAT] =
        "INSERT INTO repeats (seq, key, first_seq, outcome, reason, digest, log, partition, offset,"
        " decided_ms, kept) VALUES (?1, ?2, ?3, 3, 0, ?4, 1, ?5, ?6, ?7, 1)",
    [LIMIT_SET_TOTAL] = "INSERT INTO totals (currency, applied, high, low)"
                        " VALUES ('EUR', ?1, ?2, ?3) ON CONFLICT (currency)"
                        " DO UPDATE SET applied = ?1, high = ?2, low = ?3",
    [LIMIT_COUNT_OUTCOME] = "UPDATE counters SET count = count + ?2 WHERE outcome = ?1",
    [LIMIT_COUNT_CHUNK] = "UPDATE store SET chunks = chunks + 1",
};

/* What must come out: each of these is 0. :payments and :repeats are bound where they are named. */
static const char *const limit_checks[] = {
    "SELECT count(*) - :payments FROM decisions",
    "SELECT count(*) - :payments FROM keys",
    "SELECT count(*) - :repeats FROM repeats",
    "SELECT sum(count) - :repeats FROM repeat_counts",
    "SELECT count(*) FROM keys k LEFT JOIN decisions d ON d.seq = k.seq WHERE d.key IS NOT k.key",
    "SELECT sum(balance_minor) FROM accounts",
    "SELECT sum(next_offset) - :payments - :repeats FROM positions",
};

#endif
