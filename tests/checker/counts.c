#include "tests/checker/counts.h"

#include <inttypes.h>

#define PIECE      INT64_C(1000000000)        /* sums of amounts are taken in two pieces */
#define TOTAL_BASE INT64_C(10000000000000000) /* of the store's own pieces */

static void check_total(struct evidence *evidence, sqlite3_stmt *row)
{
    const char *currency = (const char *)sqlite3_column_text(row, 0);
    __int128 stored =
        (__int128)sqlite3_column_int64(row, 2) * TOTAL_BASE + sqlite3_column_int64(row, 3);
    __int128 summed = (__int128)sqlite3_column_int64(row, 5) * PIECE + sqlite3_column_int64(row, 6);

    if (stored != summed || sqlite3_column_int64(row, 1) != sqlite3_column_int64(row, 4)) {
        report_any(&evidence->report, I4_MONEY_ADDS_UP,
                   "the total of %s is not that of its applied payments",
                   currency ? currency : "?");
    }
}

static int check_totals(struct evidence *evidence, struct fault *fault)
{
    static const char sql[] =
        "SELECT ifnull(t.currency, d.currency), t.applied, t.high, t.low, d.applied, d.large,"
        " d.small FROM totals t FULL JOIN (SELECT currency, count(*) AS applied,"
        " sum(amount_minor / 1000000000) AS large, sum(amount_minor % 1000000000) AS small"
        " FROM decisions WHERE type = 1 AND outcome = 1 GROUP BY currency) d"
        " ON d.currency = t.currency";
    sqlite3_stmt *row = NULL;
    int result = ledger_query(&evidence->ledger, sql, &row, fault);

    while (result == 0 && (result = ledger_step(&evidence->ledger, row, fault)) == 1) {
        check_total(evidence, row);
        result = 0;
    }
    sqlite3_finalize(row);
    return result;
}

static void check_counter(struct evidence *evidence, int outcome, int64_t wanted)
{
    if (evidence->ledger.counts[outcome] != wanted) {
        report_any(&evidence->report, I5_MODEL_AGREES,
                   "the store counts %" PRId64 " %s, there are "
                   "%" PRId64,
                   evidence->ledger.counts[outcome], outcome_text(outcome), wanted);
    }
}

static void check_counters(struct evidence *evidence)
{
    const int64_t *rows = evidence->row_counts;
    const int64_t *passed = evidence->passed_counts;
    /* Repeats that are only counted can be told apart while each was counted once. */
    bool is_exact = !evidence->is_partial && evidence->ledger.counts[OUTCOME_REDELIVERED] == 0;

    check_counter(evidence, OUTCOME_APPLIED, rows[OUTCOME_APPLIED]);
    check_counter(evidence, OUTCOME_REJECTED, rows[OUTCOME_REJECTED]);
    check_counter(evidence, OUTCOME_QUARANTINED, rows[OUTCOME_QUARANTINED]);
    if (is_exact) {
        check_counter(evidence, OUTCOME_DUPLICATE,
                      rows[OUTCOME_DUPLICATE] + passed[OUTCOME_DUPLICATE]);
        check_counter(evidence, OUTCOME_CONFLICT,
                      rows[OUTCOME_CONFLICT] + passed[OUTCOME_CONFLICT]);
    }
}

int counts_check(struct evidence *evidence, struct fault *fault)
{
    if (evidence->model.is_strict != evidence->ledger.strict) {
        report_any(&evidence->report, I5_MODEL_AGREES,
                   "the accounts are %s, the commands make them %s",
                   evidence->ledger.strict ? "strict" : "open",
                   evidence->model.is_strict ? "strict" : "open");
    }
    check_counters(evidence);
    return check_totals(evidence, fault);
}
