#include "consumer/store_schema.h"

/* A key as text again, from its stored form (key_form.h). */
#define KEY_TEXT(form)                                                                             \
    "CASE substr(hex(" form "), 1, 2) WHEN '01' THEN"                                              \
    " lower(substr(hex(" form "), 3, 8) || '-' || substr(hex(" form "), 11, 4) || '-' ||"          \
    " substr(hex(" form "), 15, 4) || '-' || substr(hex(" form "), 19, 4) || '-' ||"               \
    " substr(hex(" form "), 23))"                                                                  \
    " ELSE CAST(substr(" form ", 2) AS TEXT) END"

#define TIME_TEXT(ms) "strftime('%Y-%m-%dT%H:%M:%fZ', " ms " / 1000.0, 'unixepoch')"

/* clang-format off */
const char *const store_schema_sql =
    /* Who this store is and what it has done: one row. */
    "CREATE TABLE store ("
    "  id INTEGER PRIMARY KEY CHECK (id = 1),"
    "  uuid TEXT NOT NULL,"
    "  log INTEGER NOT NULL DEFAULT 1," /* the current one of logs */
    "  incarnation INTEGER NOT NULL DEFAULT 0," /* how often it was opened to write */
    "  chunks INTEGER NOT NULL DEFAULT 0,"      /* committed so far */
    "  strict INTEGER NOT NULL DEFAULT 0 CHECK (strict IN (0, 1)),"
    "  published_seq INTEGER NOT NULL DEFAULT 0," /* outcomes up to it are in the outcomes topic */
    "  quarantine_bytes INTEGER NOT NULL DEFAULT 0," /* that the quarantine keeps of messages */
    "  reset_seq INTEGER NOT NULL DEFAULT 0," /* postings up to it do not count any more */
    /* of all decisions, see decision_hash.h */
    "  decisions_digest BLOB NOT NULL DEFAULT (zeroblob(16)) CHECK (length(decisions_digest) = 16),"
    "  segment_keys INTEGER NOT NULL CHECK (segment_keys > 0)" /* a key segment is full with them */
    ") STRICT;"

    /* The topics that it has read, one after the other. */
    "CREATE TABLE logs ("
    "  id INTEGER PRIMARY KEY,"
    "  cluster TEXT NOT NULL,"
    "  topic TEXT NOT NULL"
    ") STRICT;"

    /* The names of enum outcome and enum reason, for the views. */
    "CREATE TABLE outcome_names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE reason_names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"

    /* Every account that a command named; state is enum account_state. */
    "CREATE TABLE accounts ("
    "  id INTEGER PRIMARY KEY,"
    "  name TEXT NOT NULL UNIQUE,"
    "  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),"
    "  currency TEXT CHECK (currency IS NULL OR length(currency) = 3),"
    "  balance_minor INTEGER NOT NULL DEFAULT 0,"
    "  min_minor INTEGER," /* the lowest balance that a payment may leave; NULL = no limit */
    "  CHECK ((currency IS NULL) = (state = 0)),"
    "  CHECK (state IN (1, 2) OR balance_minor = 0)"
    ") STRICT;"

    /* A batch's id is bound to its content by the first row that arrives. */
    "CREATE TABLE batches ("
    "  id INTEGER PRIMARY KEY,"
    "  name TEXT NOT NULL UNIQUE,"
    "  rows INTEGER NOT NULL CHECK (rows > 0),"
    "  digest TEXT NOT NULL CHECK (length(digest) = 64),"
    "  forgotten INTEGER NOT NULL DEFAULT 0 CHECK (forgotten IN (0, 1))" /* by a purge */
    ") STRICT;"

    /*
     * Decisions, repeats and quarantine share one counter, seq: the order in which they were
     * decided, and in which outcomes are published. log, partition and offset say where the
     * message stood.
     */

    /* One row a key: the final answer and the payload that it belongs to. */
    "CREATE TABLE decisions ("
    "  seq INTEGER PRIMARY KEY,"
    "  key BLOB NOT NULL,"
    "  type INTEGER NOT NULL," /* enum command_type */
    "  src INTEGER REFERENCES accounts (id)," /* or the account of an account command */
    "  dest INTEGER REFERENCES accounts (id),"
    "  amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),"
    "  currency TEXT NOT NULL,"
    "  batch INTEGER REFERENCES batches (id),"
    "  min_minor INTEGER,"
    "  strict INTEGER,"
    "  outcome INTEGER NOT NULL CHECK (outcome IN (1, 2)),"
    "  reason INTEGER NOT NULL CHECK ((reason = 0) = (outcome = 1)),"
    "  digest BLOB NOT NULL," /* of the payload */
    "  log INTEGER NOT NULL,"
    "  partition INTEGER NOT NULL,"
    "  offset INTEGER NOT NULL,"
    "  decided_ms INTEGER NOT NULL,"
    "  rules INTEGER NOT NULL," /* version of the rules */
    "  CHECK (type <> 1 OR (src IS NOT NULL AND dest IS NOT NULL AND length(currency) = 3))"
    ") STRICT;"

    /*
     * The processed-key marker: this is what makes a payment happen once. New keys go into the last
     * segment, where the unique index decides; the others, which are listed below, are asked before.
     */
    "CREATE TABLE keys ("
    "  segment INTEGER NOT NULL,"
    "  key BLOB NOT NULL,"
    "  seq INTEGER NOT NULL,"
    "  PRIMARY KEY (segment, key)"
    ") STRICT, WITHOUT ROWID;"
    /* The sealed segments, numbered from 1 on without a gap: full, and never written again. */
    "CREATE TABLE segments ("
    "  id INTEGER PRIMARY KEY CHECK (id > 0),"
    "  keys INTEGER NOT NULL," /* how many */
    "  checksum BLOB NOT NULL," /* the sum of its keys' hashes, see key_hash.h */
    "  filter_checksum BLOB NOT NULL," /* over the other columns */
    "  filter BLOB NOT NULL" /* its bitmap, see key_filter.h */
    ") STRICT;"

    /* Duplicates and conflicts. payload is kept for a conflict. */
    "CREATE TABLE repeats ("
    "  seq INTEGER PRIMARY KEY,"
    "  key BLOB NOT NULL,"
    "  first_seq INTEGER," /* NULL: the key was not decided yet */
    "  outcome INTEGER NOT NULL CHECK (outcome IN (3, 4)),"
    "  reason INTEGER NOT NULL CHECK ((reason = 0) = (outcome = 3)),"
    "  fields TEXT," /* that differ from the first payload */
    "  payload BLOB,"
    "  digest BLOB NOT NULL,"
    "  log INTEGER NOT NULL,"
    "  partition INTEGER NOT NULL,"
    "  offset INTEGER NOT NULL,"
    "  decided_ms INTEGER NOT NULL,"
    "  kept INTEGER NOT NULL CHECK (kept IN (0, 1))" /* 0: only until it is published */
    ") STRICT;"
    "CREATE UNIQUE INDEX repeats_origin ON repeats (log, partition, offset);"
    "CREATE INDEX repeats_surplus ON repeats (seq) WHERE kept = 0;"
    /* How many a key has, also those that are not kept. */
    "CREATE TABLE repeat_counts ("
    "  key BLOB PRIMARY KEY,"
    "  count INTEGER NOT NULL CHECK (count > 0)"
    ") STRICT, WITHOUT ROWID;"

    /* Of a large message only the beginning is kept, and of one beyond the budget nothing. */
    "CREATE TABLE quarantine ("
    "  seq INTEGER PRIMARY KEY,"
    "  log INTEGER NOT NULL,"
    "  partition INTEGER NOT NULL,"
    "  offset INTEGER NOT NULL,"
    "  reason TEXT NOT NULL,"
    "  detail TEXT NOT NULL,"
    "  key BLOB,"
    "  value BLOB,"
    "  key_len INTEGER,"   /* of all of it; NULL: there was none */
    "  value_len INTEGER,"
    "  digest BLOB NOT NULL," /* SHA-256 of the whole value, first bytes */
    "  timestamp_ms INTEGER NOT NULL," /* the broker's */
    "  decided_ms INTEGER NOT NULL"
    ") STRICT;"
    "CREATE UNIQUE INDEX quarantine_origin ON quarantine (log, partition, offset);"
    "CREATE TABLE quarantine_headers ("
    "  seq INTEGER NOT NULL,"
    "  place INTEGER NOT NULL,"
    "  name BLOB NOT NULL,"
    "  value BLOB,"
    "  PRIMARY KEY (seq, place)"
    ") STRICT, WITHOUT ROWID;"

    /* The trace headers of messages whose outcome is not published yet. */
    "CREATE TABLE traces ("
    "  seq INTEGER PRIMARY KEY,"
    "  traceparent BLOB,"
    "  tracestate BLOB"
    ") STRICT;"

    /* Outcomes that the broker refused for good: they are not in the outcomes topic. */
    "CREATE TABLE outcomes_skipped ("
    "  seq INTEGER PRIMARY KEY,"
    "  why TEXT NOT NULL,"
    "  skipped_ms INTEGER NOT NULL"
    ") STRICT;"

    /* The next offset of each partition: authoritative, Kafka's committed offsets are not. */
    "CREATE TABLE positions ("
    "  partition INTEGER PRIMARY KEY CHECK (partition >= 0),"
    "  next_offset INTEGER NOT NULL CHECK (next_offset >= 0),"
    "  last_offset INTEGER," /* struct log_marks */
    "  last_print BLOB,"
    "  anchor_offset INTEGER,"
    "  anchor_print BLOB,"
    "  CHECK ((last_offset IS NULL) = (last_print IS NULL)),"
    "  CHECK ((anchor_offset IS NULL) = (anchor_print IS NULL))"
    ") STRICT;"
    /* Each time a position was moved by hand. */
    "CREATE TABLE position_changes ("
    "  id INTEGER PRIMARY KEY,"
    "  log INTEGER NOT NULL,"
    "  partition INTEGER NOT NULL,"
    "  from_offset INTEGER NOT NULL,"
    "  to_offset INTEGER," /* NULL: forgotten for a new log */
    "  changed_ms INTEGER NOT NULL"
    ") STRICT;"

    /*
     * What purges have forgotten: decisions with their keys, and what followed from them, so that
     * the books still prove. One row, then a row for each account, currency, key segment.
     */
    "CREATE TABLE forgotten ("
    "  id INTEGER PRIMARY KEY CHECK (id = 1),"
    "  floor_ms INTEGER NOT NULL DEFAULT 0," /* an older key that is not known is not run */
    "  applied INTEGER NOT NULL DEFAULT 0,"
    "  rejected INTEGER NOT NULL DEFAULT 0,"
    "  repeats INTEGER NOT NULL DEFAULT 0," /* that were counted */
    "  digest BLOB NOT NULL DEFAULT (zeroblob(16)) CHECK (length(digest) = 16)"
    ") STRICT;"
    "CREATE TABLE forgotten_postings ("
    "  account INTEGER PRIMARY KEY REFERENCES accounts (id),"
    "  high INTEGER NOT NULL," /* as in totals; of either sign */
    "  low INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE forgotten_totals ("
    "  currency TEXT PRIMARY KEY,"
    "  applied INTEGER NOT NULL,"
    "  high INTEGER NOT NULL,"
    "  low INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE forgotten_keys ("
    "  segment INTEGER PRIMARY KEY," /* a sealed one */
    "  keys INTEGER NOT NULL,"
    "  checksum BLOB NOT NULL CHECK (length(checksum) = 16)" /* as in segments */
    ") STRICT;"

    "CREATE TABLE counters ("
    "  outcome INTEGER PRIMARY KEY,"
    "  count INTEGER NOT NULL CHECK (count >= 0)"
    ") STRICT;"
    /* total = high * 10^16 + low: 64 bits would hold no more than 922 of the largest payments. */
    "CREATE TABLE totals ("
    "  currency TEXT PRIMARY KEY,"
    "  applied INTEGER NOT NULL,"
    "  high INTEGER NOT NULL,"
    "  low INTEGER NOT NULL CHECK (low BETWEEN 0 AND 9999999999999999)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE VIEW payments AS SELECT"
    "  d.seq, " KEY_TEXT("d.key") " AS key,"
    "  s.name AS src, t.name AS dest, d.amount_minor, d.currency,"
    "  o.name AS outcome, nullif(r.name, 'none') AS reason,"
    "  l.topic, d.partition, d.offset,"
    "  " TIME_TEXT("d.decided_ms") " AS applied_at"
    " FROM decisions d"
    "  JOIN accounts s ON s.id = d.src JOIN accounts t ON t.id = d.dest"
    "  JOIN outcome_names o ON o.id = d.outcome JOIN reason_names r ON r.id = d.reason"
    "  LEFT JOIN logs l ON l.id = d.log WHERE d.type = 1;"

    "CREATE VIEW balances AS SELECT name AS account, currency, balance_minor"
    " FROM accounts WHERE currency IS NOT NULL;"

    "CREATE VIEW account_list AS SELECT name AS account,"
    "  CASE state WHEN 1 THEN 'used' WHEN 2 THEN 'open' ELSE 'closed' END AS state,"
    "  currency, balance_minor, min_minor FROM accounts WHERE state > 0;"

    "CREATE VIEW postings AS"
    " SELECT d.seq, a.name AS account, -d.amount_minor AS amount_minor, d.currency"
    "  FROM decisions d JOIN accounts a ON a.id = d.src WHERE d.outcome = 1 AND d.type = 1"
    "  AND d.seq > (SELECT reset_seq FROM store)"
    " UNION ALL"
    " SELECT d.seq, a.name, d.amount_minor, d.currency"
    "  FROM decisions d JOIN accounts a ON a.id = d.dest WHERE d.outcome = 1 AND d.type = 1"
    "  AND d.seq > (SELECT reset_seq FROM store)"
    /* What was forgotten, brought forward. */
    " UNION ALL"
    " SELECT 0, a.name, f.high * 10000000000000000 + f.low, a.currency"
    "  FROM forgotten_postings f JOIN accounts a ON a.id = f.account;"

    "CREATE VIEW conflicts AS SELECT"
    "  l.topic, c.partition, c.offset, " KEY_TEXT("c.key") " AS key,"
    "  r.name AS reason, c.fields, CAST(c.payload AS TEXT) AS payload, c.first_seq,"
    "  " TIME_TEXT("c.decided_ms") " AS decided_at"
    " FROM repeats c JOIN reason_names r ON r.id = c.reason"
    "  LEFT JOIN logs l ON l.id = c.log WHERE c.outcome = 4;"

    "CREATE VIEW quarantined AS SELECT"
    "  l.topic, q.partition, q.offset, q.reason, q.detail, q.key, q.value, q.key_len,"
    "  q.value_len, lower(hex(q.digest)) AS digest,"
    "  " TIME_TEXT("q.decided_ms") " AS quarantined_at"
    " FROM quarantine q LEFT JOIN logs l ON l.id = q.log;";
/* clang-format on */
