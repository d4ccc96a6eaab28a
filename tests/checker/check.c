#include "tests/checker/check.h"

#include "tests/checker/answers.h"
#include "tests/checker/books.h"
#include "tests/checker/counts.h"
#include "tests/checker/coverage.h"
#include "tests/checker/evidence.h"
#include "tests/checker/fold.h"
#include "tests/checker/sent.h"
#include "tests/checker/settled.h"
#include "tests/checker/snapshots.h"
#include "tests/checker/whole.h"

#include <inttypes.h>
#include <limits.h>

/* All that needs the store to be readable. */
static int check_store(struct evidence *evidence, struct fault *fault)
{
    if (evidence_read_ledger(evidence, fault) != 0 || fold(evidence, fault) != 0) {
        return -1;
    }
    coverage_check(evidence);
    sent_check(evidence);
    if (books_check(evidence, fault) != 0 || counts_check(evidence, fault) != 0 ||
        answers_check(evidence, fault) != 0) {
        return -1;
    }
    if (evidence->is_settled) {
        settled_check(evidence);
    }
    return snapshots_check(evidence, fault);
}

static size_t count_keys(struct evidence *evidence)
{
    size_t count = 0;

    for (size_t i = 0; i < names_count(evidence->words.keys); i++) {
        const struct key *key = keys_at(&evidence->keys, (int32_t)i);
        count += key->invoked > 0 || key->records > 0;
    }
    return count;
}

int check(const struct check_options *options, FILE *out, uint64_t *ret_violations,
          struct fault *fault)
{
    struct evidence evidence = {.is_settled = options->is_settled, .report = {.out = out}};
    char db[PATH_MAX];

    snprintf(db, sizeof(db), "%s/ledger.db", options->dir);
    int result = evidence_read(&evidence, options->dir, options->db ? options->db : db, fault);
    if (result == 0) {
        whole_check(&evidence);
        bool is_damaged = evidence.report.counts[I9_DATABASE_IS_WHOLE] > 0;
        result = check_store(&evidence, fault);
        if (result != 0 && is_damaged) { /* that is the verdict, however little can be read */
            fprintf(out, "not all could be checked: %s\n", fault->text);
            result = 0;
        }
    }
    if (result == 0) {
        *ret_violations = report_end(&evidence.report);
        fprintf(out, "checked: messages=%zu keys=%zu snapshots=%zu violations=%" PRIu64 "\n",
                evidence.topic.count, count_keys(&evidence), evidence.snapshots, *ret_violations);
    }
    evidence_release(&evidence);
    return result;
}
