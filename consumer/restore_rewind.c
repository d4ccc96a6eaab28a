/*
 * Reading the difference again: as a rebuild (rebuild.h) that begins at the backup's positions. It
 * goes to where the group has read, and to what the outcomes topic tells of, if that is further: a
 * lost ledger may have answered before it told its group.
 */
#include "consumer/restore_internal.h"

#include "consumer/log_guard.h"
#include "consumer/worker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* ---- what was told ---- */

static int open_told(struct restoring *restoring, struct error *err)
{
    const struct options *options = restoring->options;
    const struct told_source source = {&options->kafka, options->outcomes,
                                       reread_cluster(restoring->reread), restoring->self.uuid};

    if (options->redecide) {
        return 0;
    }
    if (told_open(&restoring->told, &source, &restoring->progress, err) == 0) {
        return 0;
    }
    return err->code == EX_UNAVAILABLE
               ? error_wrap(err, "without its outcomes the lost ledger's decisions are not known "
                                 "(--redecide decides anew)")
               : -1;
}

/* ---- which records ---- */

/* Is all there that is to be read, and does it fit the backup? As payd run judges it. */
static int find_part(struct restoring *restoring, int32_t partition, struct error *err)
{
    struct restore_part *part = &restoring->parts[partition];
    struct store *store = restoring->store;
    const char *topic = restoring->report.topic;
    const struct options *options = restoring->options;
    const struct worker_place place = {.db = options->operands[0],
                                       .partition = partition,
                                       .found = part->is_read,
                                       .stored = part->next,
                                       .low = part->low,
                                       .high = part->high,
                                       .from_log_start = options->from_log_start};
    int64_t told = restoring->told ? told_end(restoring->told, partition) : 0;

    if (worker_start(&place, &part->next, err) != 0) {
        return error_wrap(err, "%s[%" PRId32 "]", topic, partition);
    }
    part->to = told > part->to ? told : part->to;
    if (part->to > part->high) {
        return error_set(err, EX_CONFIG,
                         "%s[%" PRId32 "] ends at %" PRId64 ", and the lost ledger has read to "
                         "%" PRId64 ": the topic was truncated or made anew",
                         topic, partition, part->high, part->to);
    }
    rebuild_start(restoring->rebuild, partition, part->next, &restoring->marks[partition]);
    return part->is_read || store->ops->adopt(store, partition, part->next, err) == STORE_OK ? 0
                                                                                             : -1;
}

static int check_order(const struct restoring *restoring, struct error *err)
{
    struct store *store = restoring->store;
    bool ordered = false;

    if (restoring->partitions == 1) {
        return 0;
    }
    if (store->ops->ordered(store, &ordered, err) != STORE_OK) {
        return -1;
    }
    return ordered ? error_set(err, EX_CONFIG,
                               "topic \"%s\" has more than one partition, and the ledger has "
                               "strict accounts or limits, which need one order of all commands",
                               restoring->report.topic)
                   : 0;
}

static int start(struct restoring *restoring, struct error *err)
{
    struct reread_range *ranges = calloc((size_t)restoring->partitions, sizeof(*ranges));
    int result = 0;

    if (!ranges) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    for (int32_t i = 0; result == 0 && i < restoring->partitions; i++) {
        result = find_part(restoring, i, err);
        ranges[i] = (struct reread_range){i, restoring->parts[i].next, restoring->parts[i].to};
    }
    if (result == 0) {
        result = reread_start(restoring->reread, ranges, (size_t)restoring->partitions, err);
    }
    free(ranges);
    return result;
}

/* ---- their way through the ledger ---- */

static void count(struct restoring *restoring, const struct chunk *chunk)
{
    for (size_t i = 0; i < chunk->item_count; i++) {
        const struct chunk_item *item = &chunk->items[i];
        enum outcome outcome = item->decision.outcome;
        bool is_decision = outcome == OUTCOME_APPLIED || outcome == OUTCOME_REJECTED;
        bool is_bound = rebuild_was_bound(restoring->rebuild, chunk, item);
        replay_count(&restoring->report, item, !is_bound);
        restoring->bound += is_decision && is_bound;
    }
}

static int read_again(struct restoring *restoring, struct error *err)
{
    struct reread *reread = restoring->reread;
    struct chunk *chunk;
    int result;

    progress_begin(&restoring->progress, "reading again", reread_total(reread));
    while ((result = reread_next(reread, &chunk, err)) == 0 && chunk) {
        chunk->one_partition = restoring->partitions == 1;
        result = rebuild_chunk(restoring->rebuild, chunk, err);
        if (result != 0) {
            break;
        }
        count(restoring, chunk);
        progress_update(&restoring->progress, reread_done(reread));
    }
    progress_clear(&restoring->progress);
    return result;
}

static int end(struct restoring *restoring, struct error *err)
{
    int result = rebuild_end(restoring->rebuild, restoring->path, err);

    if (result != 0) {
        findings_print(stderr, rebuild_findings(restoring->rebuild));
    }
    return result;
}

static void print_rewound(const struct restoring *restoring, int64_t gone)
{
    const struct replay_report *report = &restoring->report;

    findings_print(stdout, &report->news);
    replay_print_table(stdout, report);
    printf("\n%" PRId64 " records were read again, %" PRId64 " decided, %" PRId64
           " of them as the outcomes topic tells.\n",
           report->records, report->counts[OUTCOME_APPLIED] + report->counts[OUTCOME_REJECTED],
           restoring->bound);
    if (gone > 0) {
        printf("%" PRId64 " decisions were told of messages before the backup's positions, which "
               "it does not\nhave: payd replay --from beginning tells of them.\n",
               gone);
    }
}

int restore_rewind(struct restoring *restoring, struct error *err)
{
    if (check_order(restoring, err) != 0 ||
        log_guard_check(&restoring->options->kafka, restoring->marks, restoring->partitions, err) !=
            0 ||
        open_told(restoring, err) != 0) {
        return -1;
    }
    const struct rebuild_old old = {restoring->told ? told_store(restoring->told) : NULL, true};
    if (rebuild_open(&restoring->rebuild, restoring->store, &old, err) != 0 ||
        start(restoring, err) != 0 || read_again(restoring, err) != 0 || end(restoring, err) != 0) {
        return -1;
    }
    int64_t gone = rebuild_gone(restoring->rebuild);
    if (!restoring->options->json) {
        print_rewound(restoring, gone);
    } else if (restore_print_rewound_json(stdout, restoring, gone) != 0) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    return 0;
}
