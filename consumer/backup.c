#include "consumer/backup.h"

#include "common/progress.h"
#include "common/stop.h"
#include "common/text.h"
#include "consumer/ledger_json.h"
#include "consumer/store.h"
#include "consumer/store_backup.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static int on_step(void *user, int64_t done, int64_t total, struct error *err)
{
    struct progress *progress = user;

    progress->total = total;
    progress_update(progress, done);
    return stop_requested() ? error_set(err, EX_TEMPFAIL, "stopped: there is no copy") : 0;
}

static void print_text(const char *copy, int64_t bytes, const struct store_stats *stats)
{
    char escaped[TEXT_ESCAPED_SIZE];

    printf("%s: %" PRId64 " bytes, %" PRId64 " decisions\n",
           text_escape(escaped, sizeof(escaped), copy, strlen(copy)), bytes,
           stats->counts[OUTCOME_APPLIED] + stats->counts[OUTCOME_REJECTED]);
    for (size_t i = 0; i < stats->position_count; i++) {
        printf("partition %" PRId32 ": next offset %" PRId64 "\n", stats->positions[i].partition,
               stats->positions[i].next_offset);
    }
}

/* What stands in the copy, read from it. */
static int print_copy(const char *copy, int64_t bytes, bool json, struct error *err)
{
    struct store_stats stats;
    int code = EX_OK;

    if (store_sqlite_read_stats(copy, &stats, err) != 0) {
        return err->code;
    }
    if (!json) {
        print_text(copy, bytes, &stats);
    } else if (ledger_json_print(stdout, copy, bytes, &stats) != 0) {
        error_set(err, EX_OSERR, "out of memory");
        code = EX_OSERR;
    }
    store_stats_release(&stats);
    return code;
}

int backup(const struct options *options, struct error *err)
{
    const char *copy = options->operands[0];
    struct progress progress;
    int64_t bytes = 0;

    progress_init(&progress, isatty(STDERR_FILENO) ? stderr : NULL);
    progress_begin(&progress, "copying", 0);
    int result = store_sqlite_backup(options->db, copy, on_step, &progress, &bytes, err);
    progress_clear(&progress);
    return result == 0 ? print_copy(copy, bytes, options->json, err) : err->code;
}
