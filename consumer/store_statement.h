/*
 * An account as a bank shows it: its postings one after the other, with the balance after each.
 */
#ifndef CONSUMER_STORE_STATEMENT_H
#define CONSUMER_STORE_STATEMENT_H

#include "consumer/store.h"

#include <stdint.h>

/* One posting; borrowed for the call. */
struct store_posting {
    int64_t seq;
    int64_t decided_ms;
    const char *key;
    const char *other;     /* the other account */
    const char *batch;     /* its id; "" = none */
    int64_t amount_minor;  /* below 0: it left the account */
    int64_t balance_minor; /* after it */
};

typedef void store_visit_posting(void *user, const struct store_posting *posting);

/* Before the first posting that is visited, and after all. */
struct store_statement {
    char currency[MONEY_CURRENCY_SIZE]; /* "" = the account was never opened */
    int64_t opening_minor;
    int64_t closing_minor;
    int64_t postings; /* that were visited */
};

/*
 * Visit an account's postings in the order in which they were decided, from since_ms on (Unix
 * milliseconds, by the clock of payd; 0 = all). All decisions are looked through. Fails with
 * EX_NOINPUT when there is no such account, with EX_IOERR when the postings do not give its
 * balance.
 */
MUST_CHECK enum store_status store_sqlite_statement(struct store *store, const char *account,
                                                    int64_t since_ms, store_visit_posting *visit,
                                                    void *user, struct store_statement *ret,
                                                    struct error *err);

#endif
