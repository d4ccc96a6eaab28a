/*
 * pay batch as a command: opens the input, checks it, publishes it, says what became of it.
 */
#include "common/clock.h"
#include "common/stop.h"
#include "producer/batch.h"
#include "producer/summary_json.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static int open_input(const char *file, FILE **ret, struct error *err)
{
    struct stat status;

    *ret = strcmp(file, "-") == 0 ? stdin : fopen(file, "re");
    if (!*ret && stop_requested()) { /* a pipe that nobody has opened to write */
        return error_set(err, EX_TEMPFAIL, "%s: stopped before it was read", file);
    }
    if (!*ret) {
        return error_set(err, EX_NOINPUT, "%s: %s", file, strerror(errno));
    }
    if (fstat(fileno(*ret), &status) == 0 && S_ISDIR(status.st_mode)) {
        return error_set(err, EX_NOINPUT, "%s: is a directory", file);
    }
    return 0;
}

static int check_file(const struct options *options, struct progress *progress, struct batch *ret,
                      struct error *err)
{
    bool is_stdin = strcmp(options->file, "-") == 0;
    const char *directory = getenv("TMPDIR");
    char bad_path[PATH_MAX];
    struct batch_input input = {
        .name = is_stdin ? "stdin" : options->file,
        .id = options->batch_id,
        .bad_path = options->skip_bad ? bad_path : NULL,
        .spool_dir = directory && directory[0] ? directory : "/tmp",
        .messages = stderr,
        .progress = progress,
    };
    int result = -1;

    if (snprintf(bad_path, sizeof(bad_path), "%s.bad", input.name) >= (int)sizeof(bad_path)) {
        return error_set(err, EX_NOINPUT, "%s: the name is too long", options->file);
    }
    if (open_input(options->file, &input.in, err) == 0) {
        progress_begin(progress, "checking", 0);
        result = batch_check(&input, ret, err);
    }
    if (input.in && !is_stdin) {
        fclose(input.in);
    }
    return result;
}

static void print_answers(const char *which, const struct verdict_counts *counts)
{
    printf("%s: %" PRId64 " applied, %" PRId64 " rejected, %" PRId64 " conflict, %" PRId64
           " quarantined",
           which, counts->applied, counts->rejected, counts->conflict, counts->quarantined);
}

/* Fails when memory ran out. */
static int print_summary(const struct options *options, const struct summary *summary)
{
    if (options->json) {
        if (summary_json_batch(summary, stdout) != 0) {
            fprintf(stderr, "pay: out of memory\n");
            return -1;
        }
        return 0;
    }
    printf("%s%s%" PRId64 " rows: ", summary->batch_id ? summary->batch_id : "",
           summary->batch_id ? ": " : "", summary->rows);
    if (summary->found) {
        printf("%" PRId64 " answered before, ", verdict_decided(summary->found));
    }
    printf("%" PRId64 " acknowledged, %" PRId64 " unknown, %" PRId64 " failed, %" PRId64
           " skipped\n",
           summary->acknowledged, summary->unknown, summary->failed, summary->skipped);
    if (summary->found) {
        print_answers("answered before", summary->found);
        putchar('\n');
    }
    if (summary->decided) {
        print_answers("decided", summary->decided);
        printf(", %" PRId64 " unknown\n", summary->decided->unknown);
    }
    printf("digest %s, %.3f s\n", summary->digest, (double)summary->elapsed_ms / 1000);
    return 0;
}

/* Say what to do about rows that are not paid yet. Returns the exit code. */
static int print_advice(const struct options *options, const struct summary *summary)
{
    bool is_open =
        summary->decided ? summary->decided->unknown > 0 : summary->unknown + summary->failed > 0;
    const struct verdict_counts *answers = summary->decided ? summary->decided : summary->found;
    int worst = answers ? verdict_worst(answers) : EX_OK;

    if (summary->skipped > 0) {
        fprintf(stderr,
                "pay: %" PRId64 " bad rows are in %s.bad: mend it, and send it as a batch of its "
                "own with another --batch-id\n",
                summary->skipped, strcmp(options->file, "-") == 0 ? "stdin" : options->file);
    }
    if (is_open) {
        fprintf(stderr,
                "pay: run the same command again with the same input: it sends the same keys, and "
                "what is there already is not paid twice\n");
        return EX_TEMPFAIL;
    }
    if (worst != EX_OK) {
        return worst;
    }
    return summary->skipped > 0 ? EX_DATAERR : EX_OK;
}

/* Find out which rows need not be sent, when that is asked for. */
static int find_answered(const struct options *options, struct batch *batch,
                         struct progress *progress, struct error *err)
{
    const struct command same = batch_command(batch);
    const struct answered_args args = {
        .kafka = &options->kafka,
        .topic = options->outcomes_topic,
        .spool = batch->spool,
        .rows = batch->tag.rows,
        .same = &same,
        .window_rows = ANSWERED_WINDOW_ROWS,
        .messages = stderr,
        .progress = progress,
    };

    return options->only_missing ? answered_find(&batch->answered, &args, err) : 0;
}

static int open_watch(const struct options *options, const struct batch *batch,
                      struct batch_tally *tally, struct error *err)
{
    const struct watch_args args = {
        .kafka = &options->kafka,
        .topic = options->outcomes_topic,
        .rows = batch_to_send(batch),
        .answer = batch_answer,
        .user = tally,
    };

    if (options->wait_s == 0) {
        return 0;
    }
    progress_decided(tally->progress, 0);
    return watch_open(&tally->watch, &args, err);
}

/* Returns the exit code that stands before the summary's, or EX_OK. */
static int publish_and_wait(const struct options *options, struct batch *batch,
                            struct publisher *publisher, struct batch_tally *tally)
{
    struct error err = {.code = EX_OK};

    progress_begin(tally->progress, "publishing", batch_to_send(batch));
    if (batch_publish(batch, publisher, tally, &err) != 0) {
        fprintf(stderr, "pay: %s\n", err.text);
    }
    if (tally->watch) {
        batch_wait(batch, tally, options->wait_s * INT64_C(1000));
    }
    return err.code;
}

/* Print what became of all rows and what to do about them. Returns the exit code. */
static int print_end(const struct options *options, const struct batch *batch,
                     const struct batch_tally *tally, int64_t started_ms)
{
    const struct verdict_counts *found = batch->answered ? answered_counts(batch->answered) : NULL;
    struct verdict_counts decided = {0};

    if (tally->watch) {
        verdict_add(&decided, watch_counts(tally->watch));
    }
    if (found) {
        verdict_add(&decided, found);
    }
    const struct summary summary = {
        .batch_id = options->batch_id,
        .digest = batch->tag.digest,
        .rows = batch->tag.rows,
        .acknowledged = tally->acknowledged,
        .unknown = tally->unknown,
        .failed = tally->failed,
        .skipped = batch->skipped,
        .elapsed_ms = clock_monotonic_ms() - started_ms,
        .found = found,
        .decided = tally->watch ? &decided : NULL,
    };
    int printed = print_summary(options, &summary) == 0 ? EX_OK : EX_OSERR;
    int code = print_advice(options, &summary);
    return code == EX_OK ? printed : code;
}

static int publish_checked(const struct options *options, struct progress *progress,
                           struct batch *batch, int64_t started_ms)
{
    struct publisher *publisher = NULL;
    struct batch_tally tally = {.messages = stderr, .progress = progress};
    struct error err;
    int code;

    if (publisher_open(&publisher, &options->kafka, batch_report, &tally, &err) != 0 ||
        find_answered(options, batch, progress, &err) != 0 ||
        open_watch(options, batch, &tally, &err) != 0) {
        if (stop_requested() && err.code == EX_UNAVAILABLE) {
            error_set(&err, EX_TEMPFAIL, "stopped"); /* no broker is to blame for that */
        }
        fprintf(stderr, "pay: %s; nothing was published\n", err.text);
        publisher_close(publisher);
        return err.code;
    }
    code = publish_and_wait(options, batch, publisher, &tally);
    publisher_close(publisher);
    int advised = print_end(options, batch, &tally, started_ms);
    watch_close(tally.watch);
    return code != EX_OK ? code : advised;
}

int batch_run(const struct options *options)
{
    int64_t started_ms = clock_monotonic_ms();
    struct progress progress;
    struct batch batch = {.spool = NULL};
    struct error err;
    int code;

    progress_init(&progress, isatty(STDERR_FILENO) && !options->json ? stderr : NULL);
    if (check_file(options, &progress, &batch, &err) == 0) {
        code = publish_checked(options, &progress, &batch, started_ms);
    } else {
        progress_clear(&progress);
        fprintf(stderr, "pay: %s\n", err.text);
        code = err.code;
    }
    batch_release(&batch);
    return code;
}
