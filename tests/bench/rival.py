#!/usr/bin/env python3
"""The same job in what a user would pick instead: confluent-kafka and sqlite3, tuned.

One process. Batches of up to 5,000 by consume(), each in one transaction: unique key and transfer
row, then the two balances of each transfer, added up so that an account is written once a batch.
Offsets are committed after the transaction. WAL and synchronous=FULL, as payd; pages of 8 KiB, a
cache of 256 MiB, checkpoints at 256 MiB of WAL.

What made it faster, and is therefore in it: orjson, executemany, keys sorted in each batch (a page
of the index is dirtied once), known keys looked up with one statement a batch, no cyclic garbage
collection, a deep prefetch queue. Tried and slower: keys as 16-byte blobs (converting costs more
than the smaller index saves), a table WITHOUT ROWID, json.

Prints one JSON object; the clock runs from the assignment of the partitions to the last commit.
"""

import argparse
import gc
import json
import sqlite3
import sys
import time

import confluent_kafka
import orjson

PRAGMAS = """
PRAGMA page_size = 8192;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA cache_size = -262144;
PRAGMA wal_autocheckpoint = 32768;
PRAGMA temp_store = MEMORY;
"""

SCHEMA = """
CREATE TABLE IF NOT EXISTS transfers (
    key TEXT PRIMARY KEY, src TEXT NOT NULL, dest TEXT NOT NULL, amount INTEGER NOT NULL,
    currency TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS balances (account TEXT PRIMARY KEY, amount INTEGER NOT NULL)
    WITHOUT ROWID;
"""

FIND = "SELECT key FROM transfers WHERE key IN (SELECT value FROM json_each(?))"
ADD = "INSERT INTO transfers VALUES (?, ?, ?, ?, ?)"
MOVE = """INSERT INTO balances VALUES (?, ?)
    ON CONFLICT (account) DO UPDATE SET amount = amount + excluded.amount"""


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--group", required=True)
    parser.add_argument("--db", required=True)
    parser.add_argument("--records", type=int, required=True, help="in the topic")
    parser.add_argument("--payments", type=int, required=True, help="different ones, to check")
    parser.add_argument("--batch", type=int, default=5000)
    return parser.parse_args()


def apply(db, messages):
    """One transaction."""
    loads = orjson.loads
    first = {}
    for message in messages:
        if message.error():
            raise confluent_kafka.KafkaException(message.error())
        first.setdefault(message.key(), message)
    keys = sorted(key.decode() for key in first)
    db.execute("BEGIN IMMEDIATE")
    known = {row[0] for row in db.execute(FIND, (orjson.dumps(keys).decode(),))}
    rows = []
    moves = {}
    for key in keys:
        if key in known:
            continue
        payment = loads(first[key.encode()].value())
        src = payment["src"]
        dest = payment["dest"]
        amount = int(payment["amount"])
        rows.append((key, src, dest, amount, payment["currency"]))
        moves[src] = moves.get(src, 0) - amount
        moves[dest] = moves.get(dest, 0) + amount
    db.executemany(ADD, rows)
    db.executemany(MOVE, moves.items())
    db.execute("COMMIT")


def consume(args, db):
    """All records of the topic. Returns seconds, and how many transactions it took."""
    started = []
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": args.brokers,
            "group.id": args.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "queued.min.messages": 1000000,
            "queued.max.messages.kbytes": 131072,
            "fetch.message.max.bytes": 8388608,
        }
    )
    consumer.subscribe([args.topic], on_assign=lambda *_: started.append(time.monotonic()))
    records = transactions = 0
    ended = 0.0
    deadline = time.monotonic() + 600
    while records < args.records and time.monotonic() < deadline:
        messages = consumer.consume(args.batch, 0.1)
        if messages:
            apply(db, messages)
            ended = time.monotonic()
            consumer.commit(asynchronous=True)
            records += len(messages)
            transactions += 1
    consumer.close()
    if records != args.records:
        sys.exit(f"rival: {records} records came, not {args.records}")
    return ended - started[0], transactions


def check(db, payments):
    transfers = db.execute("SELECT count(*) FROM transfers").fetchone()[0]
    balance = db.execute("SELECT sum(amount) FROM balances").fetchone()[0]
    if transfers != payments or balance != 0:
        sys.exit(f"rival: {transfers} transfers, not {payments}; balances sum to {balance}")


def main():
    args = parse()
    gc.disable()
    db = sqlite3.connect(args.db, isolation_level=None, cached_statements=16)
    db.executescript(PRAGMAS + SCHEMA)
    seconds, transactions = consume(args, db)
    check(db, args.payments)
    db.close()
    result = {
        "records": args.records,
        "seconds": round(seconds, 4),
        "rate": round(args.records / seconds),
        "transactions": transactions,
        "versions": {
            "python": sys.version.split()[0],
            "confluent-kafka": confluent_kafka.__version__,
            "librdkafka": confluent_kafka.libversion()[0],
            "sqlite": sqlite3.sqlite_version,
            "orjson": orjson.__version__,
        },
    }
    print(json.dumps(result))


main()
