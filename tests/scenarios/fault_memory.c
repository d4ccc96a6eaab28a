/*
 * Row 37: the n-th allocation fails. Each one in turn where a store is opened, in a chunk's way
 * through it, and in the codec of messages; drawn ones in payd on a broker.
 */
#include "common/command_json.h"
#include "tests/lib/fault.h"
#include "tests/lib/fault_malloc.h"
#include "tests/lib/fault_vfs.h"
#include "tests/lib/store_recover.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static struct fault fault;

static void open_folder(void)
{
    fault_open_bare(&fault);
}

static void open_scene(void)
{
    fault_open_embedded(&fault);
}

static void close_scene(void)
{
    fault_close(&fault);
}

TestSuite(row_37, .fini = close_scene);

/* ---- the store ---- */

static struct store_recover recover;
static struct store_load *const load = &recover.load;
static struct error err;

static void open_store(void)
{
    open_folder();
    store_recover_begin(&recover, fault.scene.dir, fault.scene.db);
    fault_vfs_install();
}

/* SQLite then asks for each piece of memory alone, not once for many. */
static void open_plain_store(void)
{
    sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
    open_store();
}

/* Makes the file as it is before a step, and returns its name. */
static const char *make_before(int step)
{
    static char before[PROCESS_PATH_MAX + 16];

    for (int i = 0; i < step; i++) {
        cr_assert_eq(store_load_step(load, i, &err), STORE_OK, "%s", err.text);
    }
    store_load_close(load);
    snprintf(before, sizeof(before), "%s.before", load->path);
    cr_assert(file_copy(load->path, before) || step == 0);
    unlink(load->path);
    return before;
}

/* After a failure the step is whole or absent, and is taken once. */
static void redo(int step, const char *when)
{
    cr_assert(err.code == EX_OSERR || err.code == EX_IOERR, "%s: %d: %s", when, err.code, err.text);
    cr_assert(strstr(err.text, "memory"), "%s: it says: %s", when, err.text);
    store_load_close(load);
    bool is_done = store_recover_steps(&recover, step, when) > step;
    if (step > 0) {
        cr_assert_eq(store_load_open(load, &err), STORE_OK, "%s: %s", when, err.text);
    }
    if (!is_done || store_load_is_chunk(step)) {
        cr_assert_eq(store_load_step(load, step, &err), is_done ? STORE_STALE : STORE_OK,
                     "%s: again: %s", when, err.text);
    }
}

/* Takes the step with the n-th allocation failing. False when there are no more. */
static bool run_step(int step, const char *before, long n)
{
    char when[96];

    snprintf(when, sizeof(when), "allocation %ld in \"%s\" fails", n, store_load_name(step));
    if (step > 0) {
        cr_assert(file_copy(before, load->path));
        cr_assert_eq(store_load_open(load, &err), STORE_OK, "%s", err.text);
    }
    fault_malloc_arm(n);
    enum store_status status = store_load_step(load, step, &err);
    bool struck = fault_malloc_disarm();
    if (status != STORE_OK) {
        cr_assert(struck, "%s: failed without a fault: %s", when, err.text);
        redo(step, when);
    }
    store_load_close(load);
    cr_assert_eq(store_load_state(load->path), recover.states[step], "%s: another end", when);
    unlink(load->path);
    return struck;
}

/* Every allocation of a step. */
static void sweep_step(int step, long at_least)
{
    const char *before = make_before(step);
    long n = 0;

    while (run_step(step, before, n)) {
        n++;
    }
    cr_assert_geq(n, at_least);
    fault_hit(&fault, n);
}

Test(row_37, a_chunk_is_whole_or_absent_whatever_allocation_fails, .init = open_plain_store)
{
    sweep_step(LOAD_PAYMENTS, 100);
    sweep_step(LOAD_MIXED, 100);
    sweep_step(LOAD_BATCH, 100);
    fault_report_only(&fault, STORE_LOAD_MESSAGES);
}

Test(row_37, positions_and_cursors_are_kept_or_refused_whatever_allocation_fails,
     .init = open_plain_store)
{
    sweep_step(LOAD_BIND, 10);
    sweep_step(LOAD_ADOPT_0, 10);
    sweep_step(LOAD_PUBLISHED, 1);
    sweep_step(LOAD_SKIPPED, 1);
    fault_report_only(&fault, STORE_LOAD_MESSAGES);
}

Test(row_37, duplicates_stay_duplicates_whatever_allocation_fails, .init = open_store)
{
    sweep_step(LOAD_AGAIN, 1);
    fault_report_only(&fault, STORE_LOAD_MESSAGES);
}

Test(row_37, a_store_is_made_and_opened_whatever_allocation_failed_before, .init = open_store)
{
    /* Thousands, most of them in SQLite's parser. */
    sweep_step(LOAD_OPEN, 1000);
    sweep_step(LOAD_OPEN_AGAIN, 1000);
    fault_report_only(&fault, STORE_LOAD_MESSAGES);
}

/* ---- the codec ---- */

/* A message that is read or refused without a fault must be so with one, or not at all. */
static long sweep_decode(const char *value)
{
    static const char key[] = "key";
    struct command wanted;
    struct command found;
    enum unreadable reason = READABLE;
    char detail[UNREADABLE_DETAIL_SIZE];
    long n = 0;

    memset(&wanted, 0, sizeof(wanted));
    cr_assert_eq(command_json_decode(key, 3, value, strlen(value), &wanted, &reason, detail), 0);
    const enum unreadable wanted_reason = reason;
    for (bool struck = true; struck; n++) {
        fault_malloc_arm(n);
        int result = command_json_decode(key, 3, value, strlen(value), &found, &reason, detail);
        struck = fault_malloc_disarm();
        cr_assert(result == 0 || struck, "%s", value);
        cr_assert(result != 0 || reason == wanted_reason, "%s: %s after allocation %ld failed",
                  value, unreadable_name(reason), n);
        cr_assert(result != 0 || reason != READABLE || command_differs(&wanted, &found) == 0, "%s",
                  value);
    }
    return n - 1;
}

/* To write one takes no memory, so that nothing can fail. */
static void encode_without_memory(const char *value)
{
    struct command command;
    enum unreadable reason;
    char detail[UNREADABLE_DETAIL_SIZE];
    char wanted[COMMAND_JSON_SIZE];
    char found[COMMAND_JSON_SIZE];

    cr_assert_eq(command_json_decode("key", 3, value, strlen(value), &command, &reason, detail), 0);
    if (reason != READABLE) {
        return;
    }
    cr_assert_gt(command_json_encode(&command, wanted), 0);
    fault_malloc_arm(0);
    size_t len = command_json_encode(&command, found);
    cr_assert_not(fault_malloc_disarm(), "%s", value);
    cr_assert_eq(len, strlen(wanted));
    cr_assert_str_eq(found, wanted);
}

/* A field whose tree is larger than what a thread keeps for trees. */
#define TEN     "0,0,0,0,0,0,0,0,0,0,"
#define FIFTY   TEN TEN TEN TEN TEN
#define LARGE   "{\"large\":[" FIFTY FIFTY FIFTY FIFTY "0],"
#define NODE    64 /* bytes of one of its numbers in cJSON's tree */
#define NUMBERS 201
_Static_assert(NUMBERS *NODE > STRICT_JSON_ARENA_BYTES, "it needs memory from the heap");

/* The usual message needs no memory; the same with a large field before all others does. */
static long sweep_message(const char *value)
{
    char large[COMMAND_JSON_MAX_BYTES];

    cr_assert_eq(sweep_decode(value), 0, "%s", value);
    encode_without_memory(value);
    if (value[0] != '{') {
        return 0;
    }
    snprintf(large, sizeof(large), "%s%s", LARGE, value + 1);
    long allocations = sweep_decode(large);
    cr_assert_gt(allocations, 10, "%s", value);
    return allocations;
}

Test(row_37, a_message_is_never_misread_whatever_allocation_fails, .init = open_folder)
{
    static const char *const values[] = {
        "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"1234\","
        "\"currency\":\"EUR\",\"more\":[1,{\"a\":null}],\"batch\":{\"id\":\"b\",\"rows\":2,"
        "\"digest\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}}",
        "{\"v\":1,\"type\":\"account_open\",\"account\":\"ann\",\"min_balance\":\"-5\"}",
        "{\"v\":1,\"type\":\"account_limit\",\"account\":\"a\\u00e9\",\"min_balance\":null}",
        "{\"v\":1,\"type\":\"account_close\",\"account\":\"ann\"}",
        "{\"v\":1,\"type\":\"accounts\",\"mode\":\"strict\"}",
        "{\"v\":1,\"type\":\"cancel\"}",
        "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"src\":\"bob\"}",
        "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\"} trailing",
        "{\"v\":2}",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
    };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        fault_hit(&fault, sweep_message(values[i]));
    }
    fprintf(stderr, "%lld allocations\n", (long long)fault.hits);
    fault_report_only(&fault, sizeof(values) / sizeof(values[0]));
}

/* ---- the programs ---- */

#define PRELOAD "LD_PRELOAD=" FAULT_MALLOC_LIBRARY

/* The environment of a program whose n-th allocation fails. */
static void tell(char env[64], long n)
{
    snprintf(env, 64, "PAY_MALLOC_FAIL=%ld", n);
}

struct whole_program {
    const char *args[16];
    int code; /* without a fault */
};

static int run_program(const struct whole_program *program, long n, struct process *process)
{
    const char *args[PROCESS_ARGS_MAX] = {"env", PRELOAD};
    char env[64];

    tell(env, n);
    memcpy(args + 2, program->args, sizeof(program->args));
    return process_run(fault.scene.dir, env, process, args);
}

/* A command that says it was done must have said the same as without a fault. */
static void sweep_program(const struct whole_program *program)
{
    struct process process;
    char failed[64];
    long hits = 0;

    cr_assert_eq(run_program(program, 0, &process), program->code, "%s %s: %s", program->args[0],
                 program->args[1], file_tail(process.err));
    char *wanted = file_text(process.out);
    for (bool struck = true; struck; hits += struck) {
        long n = hits + 1;
        int code = run_program(program, n, &process);
        snprintf(failed, sizeof(failed), "allocation %ld failed", n);
        struck = file_has(process.err, failed);
        char *found = file_text(process.out);
        cr_assert(code >= 0 && code < 126, "%s %s: %s: exit code %d: %s", program->args[0],
                  program->args[1], failed, code, file_tail(process.err));
        cr_assert(code != program->code || strcmp(found, wanted) == 0, "%s %s: %s: it says %s",
                  program->args[0], program->args[1], failed, found);
        cr_assert(code == program->code || struck, "%s", file_tail(process.err));
        free(found);
        unlink(process.out);
        unlink(process.err);
    }
    free(wanted);
    fprintf(stderr, "%s %s: %ld allocations\n", program->args[0], program->args[1], hits);
    fault_hit(&fault, hits);
}

Test(row_37, a_command_says_the_truth_or_fails_whatever_allocation_fails, .init = open_folder)
{
    char bad[PROCESS_PATH_MAX + 16];

    fault_vfs_install();
    *load = (struct store_load){fault.scene.db, NULL};
    for (int step = 0; step < LOAD_STEPS; step++) {
        cr_assert_eq(store_load_step(load, step, &err), STORE_OK, "%s", err.text);
    }
    store_load_close(load);
    snprintf(bad, sizeof(bad), "%s/bad.csv", fault.scene.dir);
    file_write(bad, "src,dest,amount\nann,bob,1.00\nann,bob,no amount\nann,,3.00\n");
    const struct whole_program programs[] = {
        {{PAY_BIN_DIR "/payd", "show", "--db", fault.scene.db, "--json", "payment 003"}, 0},
        {{PAY_BIN_DIR "/payd", "stats", "--db", fault.scene.db, "--json"}, 0},
        {{PAY_BIN_DIR "/payd", "run", "--db", fault.scene.db, "-X", "no.such=1"}, 64},
        {{PAY_BIN_DIR "/pay", "send", "ann", "bob", "1.00", "--key", "k", "-X", "no.such=1"}, 64},
        {{PAY_BIN_DIR "/pay", "batch", "--batch-id", "bad", bad}, 65},
    };
    for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
        sweep_program(&programs[i]);
    }
    fault_report_only(&fault, STORE_LOAD_MESSAGES);
}

/* ---- payd on a broker ---- */

#define LIVES   2
#define WAIT_MS 60000

static int start_and_wait(long n, struct process *payd)
{
    char env[64];

    tell(env, n);
    *payd = scene_start_payd_under(&fault.scene, (const char *const[]){"env", PRELOAD, NULL}, env,
                                   (const char *const[]){"--until-end", NULL});
    return process_wait(payd, WAIT_MS);
}

/* How many payd makes to take a batch; the next start may make somewhat fewer. */
static int count_allocations(const char *id)
{
    struct fault_batch batch;
    struct process payd;

    fault_make_batch(&fault, &batch, id, 50);
    cr_assert_eq(fault_pay(&fault, &batch, NULL, NULL), 0);
    cr_assert_eq(start_and_wait(0, &payd), 0, "%s", file_tail(payd.err));
    char *said = file_text(payd.err);
    const char *count = strstr(said, "allocations: ");
    int allocations = count ? atoi(strchr(count, ' ')) : 0;
    free(said);
    cr_assert_gt(allocations, 100);
    return allocations - allocations / 10;
}

Test(row_37, payd_without_memory_ends_and_the_next_start_goes_on, .init = open_scene)
{
    struct fault_batch batch;
    struct process payd;
    char id[32];
    char failed[64];
    int allocations = 0;

    /* The first start makes the ledger, which those that follow do not. */
    for (int i = 0; i < 2; i++) {
        snprintf(id, sizeof(id), "counted-%d", i);
        allocations = count_allocations(id);
    }
    for (int i = 0; i < LIVES; i++) {
        snprintf(id, sizeof(id), "lives-%d", i);
        fault_make_batch(&fault, &batch, id, 50);
        cr_assert_eq(fault_pay(&fault, &batch, NULL, NULL), 0);
        fault_snapshot(&fault);
        int n = 1 + fault_draw(&fault, allocations);
        int code = start_and_wait(n, &payd);
        snprintf(failed, sizeof(failed), "allocation %d failed", n);
        bool struck = file_has(payd.err, failed);
        cr_assert(code >= 0 && (code == 0 || struck), "%s: exit code %d: %s", failed, code,
                  file_tail(payd.err));
        fprintf(stderr, "%s of %d: exit code %d\n", failed, allocations, code);
        fault_hit(&fault, struck);
        fault_check(&fault);
    }
    fault_judge(&fault);
}
