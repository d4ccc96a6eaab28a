#include "tests/checker/snapshots.h"

#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sysexits.h>

/*
 * Each query gives the rows that are wrong; its first column says which. `main` is the later one of
 * the two stores, `old` the earlier one. A repeat that is not kept may go once it is published.
 */
static const struct {
    const char *what;
    const char *sql;
} checks[] = {
    {"a decision is gone or has changed: seq",
     "SELECT seq FROM (SELECT * FROM old.decisions EXCEPT SELECT * FROM main.decisions)"},
    {"a key's marker is gone or has changed: seq",
     "SELECT seq FROM (SELECT * FROM old.keys EXCEPT SELECT * FROM main.keys)"},
    {"a sealed key segment is gone or has changed: segment",
     "SELECT id FROM (SELECT * FROM old.segments EXCEPT SELECT * FROM main.segments)"},
    {"a kept repeat is gone or has changed: seq",
     "SELECT seq FROM (SELECT * FROM old.repeats WHERE kept = 1"
     " EXCEPT SELECT * FROM main.repeats)"},
    {"a repeat is gone before it was published: seq",
     "SELECT seq FROM (SELECT * FROM old.repeats WHERE kept = 0 AND seq >"
     " (SELECT published_seq FROM main.store) EXCEPT SELECT * FROM main.repeats)"},
    {"a quarantined message is gone or has changed: seq",
     "SELECT seq FROM (SELECT * FROM old.quarantine EXCEPT SELECT * FROM main.quarantine)"},
    {"an account or its name is gone: account",
     "SELECT name FROM (SELECT id, name FROM old.accounts"
     " EXCEPT SELECT id, name FROM main.accounts)"},
    {"a batch is gone or bound to other content: batch",
     "SELECT name FROM (SELECT * FROM old.batches EXCEPT SELECT * FROM main.batches)"},
    {"repeats of a key are counted no more: count",
     "SELECT o.count FROM old.repeat_counts o LEFT JOIN main.repeat_counts m ON m.key = o.key"
     " WHERE m.count IS NULL OR m.count < o.count"},
    {"a decision came in between later: seq",
     "SELECT seq FROM main.decisions WHERE seq <= (SELECT max(seq) FROM old.decisions)"
     " AND seq NOT IN (SELECT seq FROM old.decisions)"},
    {"a position lies behind the earlier one: partition",
     "SELECT o.partition FROM old.positions o LEFT JOIN main.positions m"
     " ON m.partition = o.partition WHERE (SELECT log FROM old.store) ="
     " (SELECT log FROM main.store) AND (m.next_offset IS NULL OR m.next_offset < o.next_offset)"},
    {"it is another ledger, or an earlier self: incarnation",
     "SELECT m.incarnation FROM main.store m JOIN old.store o WHERE m.uuid <> o.uuid"
     " OR m.incarnation < o.incarnation OR m.chunks < o.chunks OR m.log < o.log"
     " OR m.published_seq < o.published_seq"},
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static int run(struct evidence *evidence, const struct ledger *later, const char *earlier,
               size_t check, struct fault *fault)
{
    sqlite3_stmt *row = NULL;
    int result = ledger_query(later, checks[check].sql, &row, fault);

    while (result == 0 && (result = ledger_step(later, row, fault)) == 1) {
        const char *text = (const char *)sqlite3_column_text(row, 0);
        report_any(&evidence->report, I7_NOTHING_VANISHES, "from %s to %s %s %s",
                   base_name(earlier), base_name(later->path), checks[check].what,
                   text ? text : "?");
        result = 0;
    }
    sqlite3_finalize(row);
    return result;
}

static int attach(const struct ledger *later, const char *earlier, struct fault *fault)
{
    sqlite3_stmt *statement = NULL;
    int result = ledger_query(later, "ATTACH ? AS old", &statement, fault);

    if (result == 0) {
        sqlite3_bind_text(statement, 1, earlier, -1, SQLITE_STATIC);
        result = ledger_step(later, statement, fault);
    }
    sqlite3_finalize(statement);
    return result;
}

static int compare(struct evidence *evidence, const char *earlier, const char *later,
                   struct fault *fault)
{
    struct ledger ledger;
    int result = ledger_open(&ledger, later, fault);

    if (result == 0) {
        result = attach(&ledger, earlier, fault);
    }
    for (size_t i = 0; result == 0 && i < sizeof(checks) / sizeof(checks[0]); i++) {
        result = run(evidence, &ledger, earlier, i, fault);
    }
    ledger_close(&ledger);
    return result;
}

int snapshots_check(struct evidence *evidence, struct fault *fault)
{
    char pattern[PATH_MAX];
    glob_t files = {.gl_pathc = 0};
    int result = 0;

    snprintf(pattern, sizeof(pattern), "%s/snapshots/*.db", evidence->dir);
    if (glob(pattern, 0, NULL, &files) != 0) {
        return 0;
    }
    evidence->snapshots = files.gl_pathc;
    for (size_t i = 0; result == 0 && i < files.gl_pathc; i++) {
        const char *later = i + 1 < files.gl_pathc ? files.gl_pathv[i + 1] : evidence->ledger.path;
        result = compare(evidence, files.gl_pathv[i], later, fault);
    }
    globfree(&files);
    return result;
}
