/*
 * A fault scenario: a scene whose submitters keep a history, a fault that is counted each time it
 * strikes, and the checker's verdict at the end.
 *
 * A scenario is a Criterion test in the suite row_NN, where NN is its row of the fault matrix
 * (tests/scenarios/README.md). It begins with fault_open_...() and ends with fault_judge(). All
 * that is drawn comes from the seed: PAY_SEED, or one that is drawn and printed.
 *
 * The scene's folder is the evidence: history.jsonl, snapshots/, and what the checker collects. It
 * is removed when the verdict is good, and stays when the scenario fails.
 */
#ifndef TESTS_LIB_FAULT_H
#define TESTS_LIB_FAULT_H

#include "tests/lib/scene.h"

#include <stdint.h>
#include <stdio.h>

struct fault {
    struct scene scene;
    char pay_brokers[128]; /* where pay connects, if not where the scene does: through a proxy */
    unsigned seed;
    unsigned drawing; /* the state of fault_draw() */
    int64_t hits;     /* how often the fault struck */
    FILE *history;
    int fates[3]; /* of the last noted run: ok, unknown, fail */
    int snapshots;
    int64_t started_ms;
    bool is_judged;
};

/* A file of payments, and how it is sent. */
struct fault_batch {
    char id[40];
    char file[PROCESS_PATH_MAX];
    int rows;
};

/* As scene_open_embedded(), scene_open_kafka(). */
void fault_open_embedded(struct fault *fault);
void fault_open_kafka(struct fault *fault, const char *const *advertised, int *proxied);

/* A folder without a broker: for faults below a part of the programs that the test runs itself. */
void fault_open_bare(struct fault *fault);

/* For a scene that a test opens in its own way. */
void fault_begin(struct fault *fault);

/* A number from 0 to below - 1, from the seed. */
int fault_draw(struct fault *fault, int below);

/* The fault struck so many times (more). */
void fault_hit(struct fault *fault, int64_t times);

/* ---- the submitters' history ---- */

/* Write a CSV file of rows payments between some 40 accounts, drawn from the seed. */
void fault_make_batch(struct fault *fault, struct fault_batch *batch, const char *id, int rows);

/*
 * Start `pay batch` on it with more arguments (NULL-ended, or NULL), and note each key as invoked.
 * env as scene_start_pay().
 */
struct process fault_start_pay(struct fault *fault, const struct fault_batch *batch,
                               const char *env, const char *const *more);

/*
 * Note what it said of each key: of one that ended with code (see process_wait()). Those of a
 * killed one are unknown.
 */
void fault_note_pay(struct fault *fault, const struct fault_batch *batch, const struct process *pay,
                    int code);

/* How many rows the last noted run left at an event: "ok", "unknown", "fail". */
int fault_fates(const struct fault *fault, const char *event);

/* Start, wait, note; returns the exit code. */
int fault_pay(struct fault *fault, const struct fault_batch *batch, const char *env,
              const char *const *more);

/* fault_pay() again and again, with the same keys, until all is acknowledged: 90 s at the most. */
void fault_pay_until_done(struct fault *fault, const struct fault_batch *batch,
                          const char *const *more);

/* Note that a message of any bytes is sent now; then how that ended: "ok", "unknown", "fail". */
void fault_note_invoked(struct fault *fault, const char *key, const void *value, size_t value_len);
void fault_note_end(struct fault *fault, const char *key, const char *event);

/* Publish one message of any bytes as another client would, acknowledged. key may be NULL. */
void fault_produce(struct fault *fault, const char *key, const void *value, size_t value_len);

/* As it, text. */
void fault_produce_text(struct fault *fault, const char *key, const char *value);

/* ---- payd ---- */

/* Copy the ledger, so that the checker can tell that nothing vanishes. Nothing without a ledger. */
void fault_snapshot(struct fault *fault);

/* SIGTERM to payd; asserts that it ends with 0 within its deadline. */
void fault_stop_payd(struct process *payd);

/* Assert that payd, ended with code, was killed at a failpoint; counts a hit. */
void fault_expect_failpoint(struct fault *fault, const struct process *process);

/* payd to the end of the topic; asserts that it gets there. */
void fault_drain(struct fault *fault);

/*
 * Assert that payd ends by itself with the exit code, and says which ledger and why; counts a hit.
 */
void fault_expect_stop(struct fault *fault, struct process *payd, int code, const char *why);

/* The same of a payd that is started now. */
void fault_expect_refusal(struct fault *fault, int code, const char *why);

/*
 * Hold the ledger's write lock as another process would (the locks are the same), and let it go.
 */
struct sqlite3;
struct sqlite3 *fault_lock_ledger(const struct fault *fault);
void fault_unlock_ledger(struct sqlite3 *db);

/* ---- the verdict ---- */

/*
 * payd to the end of the topic, then the checker and payd audit over all of it. Asserts that the
 * fault struck and that nothing is violated, appends a line to the file PAY_FAULTS_REPORT if the
 * environment names one, ends the scene and removes its folder.
 */
void fault_judge(struct fault *fault);

/* The same without running payd: the scenario has done so. */
void fault_judge_as_it_is(struct fault *fault);

/*
 * The end of a scenario that judged by itself, with as many messages as it took: asserts that the
 * fault struck, appends the line, ends the scene and removes its folder.
 */
void fault_report_only(struct fault *fault, int64_t messages);

/*
 * The checker over what is there now, before the end: nothing may be violated at any time. Asserts
 * that nothing is.
 */
void fault_check(struct fault *fault);

/*
 * The end of a scenario whose log is not all there any more, so that no checker can read it: the
 * invariants that need only the ledger, and the rest of what fault_judge_as_it_is() does.
 */
void fault_report(struct fault *fault);

/* For .fini: ends what a scenario that failed has left running. Its folder stays. */
void fault_close(struct fault *fault);

#endif
