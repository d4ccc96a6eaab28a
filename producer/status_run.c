/*
 * pay status as a command: scans the outcomes topic where the keys land.
 */
#include "common/stop.h"
#include "producer/outcomes.h"
#include "producer/scan.h"
#include "producer/status.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* The keys that are asked for. */
struct asked {
    struct status_key *keys;
    int count;
};

/* Most records are of other keys: they need not be read. */
static bool is_asked_for(const struct asked *asked, const struct topic_record *record)
{
    for (int i = 0; i < asked->count; i++) {
        if (record->key && strlen(asked->keys[i].key) == record->key_len &&
            memcmp(asked->keys[i].key, record->key, record->key_len) == 0) {
            return true;
        }
    }
    return false;
}

static int take(void *user, const struct topic_record *record, struct error *err)
{
    const struct asked *asked = user;
    struct outcome_record outcome;

    (void)err;
    if (is_asked_for(asked, record) && outcomes_read(record, &outcome)) {
        for (int i = 0; i < asked->count; i++) {
            status_take(&asked->keys[i], &outcome);
        }
    }
    return 0;
}

static int read_topic(const struct options *options, struct asked *asked, struct progress *progress,
                      struct error *err)
{
    struct scan *scan = NULL;
    int result = -1;

    if (scan_open(&scan, &options->kafka, options->outcomes_topic, err) == 0) {
        for (int i = 0; i < asked->count; i++) {
            scan_want(scan, asked->keys[i].key);
        }
        result = scan_read(scan, progress, take, asked, err);
    }
    scan_close(scan);
    progress_clear(progress);
    return result;
}

/* ---- the command ---- */

static int take_digest(const char *hex, unsigned char ret[DIGEST_SHORT_SIZE], struct error *err)
{
    return digest_from_hex(ret, DIGEST_SHORT_SIZE, hex)
               ? 0
               : error_set(err, EX_USAGE, "--digest takes %d lower-case hex digits",
                           2 * DIGEST_SHORT_SIZE);
}

static int take_keys(const struct options *options, const unsigned char *digest,
                     struct asked *asked, struct error *err)
{
    asked->keys = calloc((size_t)options->key_count, sizeof(*asked->keys));
    if (!asked->keys) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    asked->count = options->key_count;
    for (int i = 0; i < options->key_count; i++) {
        const char *problem = payment_key_problem(options->keys[i], strlen(options->keys[i]));
        if (problem) {
            return error_set(err, EX_USAGE, "key: %s", problem);
        }
        asked->keys[i].key = options->keys[i];
        asked->keys[i].digest = digest;
    }
    return 0;
}

static int print(const struct options *options, const struct asked *asked)
{
    if (options->json && status_json(asked->keys, asked->count, stdout) != 0) {
        fprintf(stderr, "pay: out of memory\n");
        return EX_OSERR;
    }
    for (int i = 0; !options->json && i < asked->count; i++) {
        status_print(&asked->keys[i], stdout);
    }
    return status_exit(asked->keys, asked->count);
}

int status_run(const struct options *options)
{
    unsigned char digest[DIGEST_SHORT_SIZE];
    struct asked asked = {.keys = NULL};
    struct progress progress;
    struct error err;
    int code;

    progress_init(&progress, isatty(STDERR_FILENO) && !options->json ? stderr : NULL);
    if ((!options->digest || take_digest(options->digest, digest, &err) == 0) &&
        take_keys(options, options->digest ? digest : NULL, &asked, &err) == 0 &&
        read_topic(options, &asked, &progress, &err) == 0) {
        code = print(options, &asked);
    } else {
        if (stop_requested() && err.code == EX_UNAVAILABLE) {
            error_set(&err, EX_TEMPFAIL, "stopped");
        }
        fprintf(stderr, "pay: %s\n", err.text);
        code = err.code;
    }
    free(asked.keys);
    return code;
}
