#include "tests/checker/whole.h"

#include <string.h>

static void run(struct evidence *evidence, const char *sql, bool says_ok)
{
    struct fault fault;
    sqlite3_stmt *row = NULL;
    int result = ledger_query(&evidence->ledger, sql, &row, &fault);

    while (result == 0 && (result = ledger_step(&evidence->ledger, row, &fault)) == 1) {
        const char *text = (const char *)sqlite3_column_text(row, 0);
        if (!says_ok) {
            report_any(&evidence->report, I9_DATABASE_IS_WHOLE,
                       "a row of table %s refers to a row that is not there", text ? text : "?");
        } else if (!text || strcmp(text, "ok") != 0) {
            report_any(&evidence->report, I9_DATABASE_IS_WHOLE, "integrity_check: %s",
                       text ? text : "?");
        }
        result = 0;
    }
    if (result != 0) {
        report_any(&evidence->report, I9_DATABASE_IS_WHOLE, "%s", fault.text);
    }
    sqlite3_finalize(row);
}

void whole_check(struct evidence *evidence)
{
    run(evidence, "PRAGMA integrity_check", true);
    run(evidence, "PRAGMA foreign_key_check", false);
}
