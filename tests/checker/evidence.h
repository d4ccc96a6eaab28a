/*
 * All the evidence of one folder, as far as it stays in memory: some 500 bytes a message, so that
 * 1,000,000 messages need about 500 MB. The outcomes topic and the snapshots are read as streams.
 */
#ifndef TESTS_CHECKER_EVIDENCE_H
#define TESTS_CHECKER_EVIDENCE_H

#include "tests/checker/keys.h"
#include "tests/checker/ledger.h"
#include "tests/checker/model.h"
#include "tests/checker/order.h"
#include "tests/checker/report.h"
#include "tests/checker/topic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVIDENCE_NO_OFFSET (-1)

/* What the group has committed for a partition. */
struct commit {
    bool is_known;      /* the collection has a line about it */
    int64_t offset;     /* EVIDENCE_NO_OFFSET: nothing */
    char metadata[256]; /* "" for none */
};

/* A payment that was applied. */
struct transfer {
    int64_t seq;
    int64_t amount_minor;
    int32_t key;
    int postings; /* counted */
    __int128 sum; /* of their amounts */
};

/* An order that stands in the store only, its message being gone from the topic. */
struct kept_order {
    struct kept_order *next;
    struct order order;
};

struct evidence {
    const char *dir; /* borrowed */
    bool is_settled; /* all is over: nothing may be left to do */
    struct report report;
    struct words words;
    struct keys keys;
    struct topic topic;
    struct commit *commits; /* by partition of the topic */
    int64_t *positions;     /* the same; EVIDENCE_NO_OFFSET: none */
    struct ledger ledger;
    struct model model;
    size_t events; /* of the history */
    size_t snapshots;
    /* By the fold. */
    struct transfer *transfers; /* by seq */
    size_t transfer_count;
    size_t transfer_room;
    struct kept_order *kept;
    int64_t row_counts[OUTCOME_END]; /* of the store */
    int64_t
        passed_counts[OUTCOME_END]; /* of records without a row, by what the model makes of them */
    int64_t last_seq;
    int64_t gaps;    /* numbers below last_seq that no row has */
    bool is_partial; /* rows whose messages are gone: an earlier log, or retention */
};

/* Read history, topic and commits, open the store. Release the evidence also after a failure. */
int evidence_read(struct evidence *evidence, const char *dir, const char *db, struct fault *fault);
void evidence_release(struct evidence *evidence);

/* Read what the store says of itself and its positions. */
int evidence_read_ledger(struct evidence *evidence, struct fault *fault);

/* Report about a key by its number, NAMES_NONE being none. */
#define report_of(evidence, invariant, number, ...)                                                \
    do {                                                                                           \
        size_t report_len = 0;                                                                     \
        int32_t report_number = (number);                                                          \
        const char *report_text =                                                                  \
            report_number == NAMES_NONE                                                            \
                ? NULL                                                                             \
                : names_text((evidence)->words.keys, report_number, &report_len);                  \
        report_key(&(evidence)->report, (invariant), report_text, report_len, __VA_ARGS__);        \
    } while (0)

#endif
