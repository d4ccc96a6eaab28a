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
    /* Who this store is and what it is bound to: one row. */
    "CREATE TABLE store ("
    "  id INTEGER PRIMARY KEY CHECK (id = 1),"
    "  uuid TEXT NOT NULL,"
    "  cluster TEXT," /* NULL until bound */
    "  topic TEXT,"
    "  incarnation INTEGER NOT NULL DEFAULT 0," /* how often it was opened to write */
    "  chunks INTEGER NOT NULL DEFAULT 0"       /* committed so far */
    ") STRICT;"

    /* The names of enum outcome and enum reason, for the views. */
    "CREATE TABLE outcome_names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE reason_names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"

    /* Every account that a payment named; its currency is NULL until the first one is applied. */
    "CREATE TABLE accounts ("
    "  id INTEGER PRIMARY KEY,"
    "  name TEXT NOT NULL UNIQUE,"
    "  currency TEXT CHECK (currency IS NULL OR length(currency) = 3),"
    "  balance_minor INTEGER NOT NULL DEFAULT 0,"
    "  CHECK (currency IS NOT NULL OR balance_minor = 0)"
    ") STRICT;"

    /* A batch's id is bound to its content by the first row that arrives. */
    "CREATE TABLE batches ("
    "  id INTEGER PRIMARY KEY,"
    "  name TEXT NOT NULL UNIQUE,"
    "  rows INTEGER NOT NULL CHECK (rows > 0),"
    "  digest TEXT NOT NULL CHECK (length(digest) = 64)"
    ") STRICT;"

    /* One row a key: the final answer and the payload that it belongs to. */
    "CREATE TABLE decisions ("
    "  seq INTEGER PRIMARY KEY,"
    "  key BLOB NOT NULL,"
    "  src INTEGER NOT NULL REFERENCES accounts (id),"
    "  dest INTEGER NOT NULL REFERENCES accounts (id),"
    "  amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0),"
    "  currency TEXT NOT NULL CHECK (length(currency) = 3),"
    "  batch INTEGER REFERENCES batches (id),"
    "  outcome INTEGER NOT NULL CHECK (outcome IN (1, 2)),"
    "  reason INTEGER NOT NULL CHECK ((reason = 0) = (outcome = 1)),"
    "  partition INTEGER NOT NULL,"
    "  offset INTEGER NOT NULL,"
    "  decided_ms INTEGER NOT NULL"
    ") STRICT;"

    /* The processed-key marker: this unique index is what makes a payment happen once. */
    "CREATE TABLE keys ("
    "  key BLOB PRIMARY KEY,"
    "  seq INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    /* Duplicates and conflicts. payload is kept for a conflict. */
    "CREATE TABLE repeats ("
    "  partition INTEGER NOT NULL,"
    "  offset INTEGER NOT NULL,"
    "  key BLOB NOT NULL,"
    "  first_seq INTEGER," /* NULL: the key is not decided yet */
    "  outcome INTEGER NOT NULL CHECK (outcome IN (3, 4)),"
    "  reason INTEGER NOT NULL CHECK ((reason = 0) = (outcome = 3)),"
    "  fields TEXT," /* that differ from the first payload */
    "  payload BLOB,"
    "  decided_ms INTEGER NOT NULL,"
    "  PRIMARY KEY (partition, offset)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE quarantine ("
    "  partition INTEGER NOT NULL,"
    "  offset INTEGER NOT NULL,"
    "  reason TEXT NOT NULL,"
    "  detail TEXT NOT NULL,"
    "  key BLOB,"
    "  value BLOB,"
    "  timestamp_ms INTEGER NOT NULL," /* the broker's */
    "  decided_ms INTEGER NOT NULL,"
    "  PRIMARY KEY (partition, offset)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE quarantine_headers ("
    "  partition INTEGER NOT NULL,"
    "  offset INTEGER NOT NULL,"
    "  place INTEGER NOT NULL,"
    "  name BLOB NOT NULL,"
    "  value BLOB,"
    "  PRIMARY KEY (partition, offset, place)"
    ") STRICT, WITHOUT ROWID;"

    /* The next offset of each partition: authoritative, Kafka's committed offsets are not. */
    "CREATE TABLE positions ("
    "  partition INTEGER PRIMARY KEY CHECK (partition >= 0),"
    "  next_offset INTEGER NOT NULL CHECK (next_offset >= 0)"
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
    "  (SELECT topic FROM store) AS topic, d.partition, d.offset,"
    "  " TIME_TEXT("d.decided_ms") " AS applied_at"
    " FROM decisions d"
    "  JOIN accounts s ON s.id = d.src JOIN accounts t ON t.id = d.dest"
    "  JOIN outcome_names o ON o.id = d.outcome JOIN reason_names r ON r.id = d.reason;"

    "CREATE VIEW balances AS SELECT name AS account, currency, balance_minor"
    " FROM accounts WHERE currency IS NOT NULL;"

    "CREATE VIEW postings AS"
    " SELECT d.seq, a.name AS account, -d.amount_minor AS amount_minor, d.currency"
    "  FROM decisions d JOIN accounts a ON a.id = d.src WHERE d.outcome = 1"
    " UNION ALL"
    " SELECT d.seq, a.name, d.amount_minor, d.currency"
    "  FROM decisions d JOIN accounts a ON a.id = d.dest WHERE d.outcome = 1;"

    "CREATE VIEW conflicts AS SELECT"
    "  (SELECT topic FROM store) AS topic, c.partition, c.offset, " KEY_TEXT("c.key") " AS key,"
    "  r.name AS reason, c.fields, CAST(c.payload AS TEXT) AS payload, c.first_seq,"
    "  " TIME_TEXT("c.decided_ms") " AS decided_at"
    " FROM repeats c JOIN reason_names r ON r.id = c.reason WHERE c.outcome = 4;"

    "CREATE VIEW quarantined AS SELECT"
    "  (SELECT topic FROM store) AS topic, partition, offset, reason, detail, key, value,"
    "  " TIME_TEXT("decided_ms") " AS quarantined_at"
    " FROM quarantine;";
/* clang-format on */
