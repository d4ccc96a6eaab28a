/*
 * payd replay: reads a part of the topic again into the ledger that it was read into before.
 */
#ifndef CONSUMER_REPLAY_H
#define CONSUMER_REPLAY_H

#include "common/compiler.h"
#include "common/error.h"
#include "common/money.h"
#include "common/outcome.h"
#include "consumer/chunk.h"
#include "consumer/findings.h"
#include "consumer/options.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* ISO 4217 has fewer; what is in none is counted without its amount. */
#define REPLAY_CURRENCIES_MAX 256

/* What became of a message: enum outcome, and apart from the quarantined ones those that are stale.
 */
#define REPLAY_STALE OUTCOME_COUNT
#define REPLAY_KINDS (OUTCOME_COUNT + 1)

/* The payments of one currency, by kind. */
struct replay_currency {
    char currency[MONEY_CURRENCY_SIZE];
    int64_t payments[REPLAY_KINDS];
    struct money_sum amounts[REPLAY_KINDS];
};

struct replay_report {
    bool executed;
    const char *topic;            /* borrowed */
    int64_t records;              /* that were read again */
    int64_t counts[REPLAY_KINDS]; /* of them */
    struct replay_currency currencies[REPLAY_CURRENCIES_MAX];
    size_t currency_count;
    struct findings news; /* what is decided now, and was not before */
    bool redecided;       /* all was decided anew: */
    int64_t changes;      /* keys and accounts that came out in another way, printed before */
    int64_t gone;         /* decisions that were told, of messages that are not in the log */
    int64_t ignored;      /* records of the outcomes topic that are no outcomes */
};

/* The exit code when deciding anew would change something. */
#define REPLAY_CHANGES 1

/* Count what became of a message; what is decided only now is named. */
void replay_count(struct replay_report *report, const struct chunk_item *item, bool is_news);

/*
 * Replay options->kafka's topic into options->db: forecast it, or with options->execute do it, and
 * print what came of it. Returns the exit code, with *err set.
 */
MUST_CHECK int replay(const struct options *options, struct error *err);

/* The name of a kind: that of its outcome, or "stale"; a static string. */
const char *replay_kind_name(int kind);

/* Write what is new, then a table of at most 80 columns but for what is quoted. */
void replay_print(FILE *out, const struct replay_report *report);

/* The table alone: what became of the records, by outcome and currency. */
void replay_print_table(FILE *out, const struct replay_report *report);

/*
 * Write one line with one JSON object:
 *
 *   {"executed":false,"topic":"payments","records":1050000,
 *    "outcomes":{"redelivered":{"records":1000000,"amounts":{"EUR":"123456.00"}},…},
 *    "new":["payments[0]@17 k1: applied: ann -> bob 12.34 EUR"]}
 *
 * new has FINDINGS_SHOWN_MAX at the most; "changes" is there, a number, when all was decided anew.
 * Returns -1 when memory ran out.
 */
MUST_CHECK int replay_print_json(FILE *out, const struct replay_report *report);

#endif
