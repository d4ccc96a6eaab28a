/*
 * Row 39 in this process: bytes of the store's file are flipped at drawn places, then it is opened
 * and takes a chunk. It may refuse, stop, or go on where the damage is out of its way; it never
 * crashes, and it names the file.
 */
#include "common/clock.h"
#include "tests/lib/fault.h"
#include "tests/lib/fault_vfs.h"
#include "tests/lib/store_recover.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DAMAGE_MS  8000
#define RUNS_MIN   200 /* of which some are refused, some stop and some do no harm */
#define FLIPS_MAX  8
#define PAGE_BYTES 8192
#define HEAD_BYTES 12 /* of a page: its kind, and where its cells are */
#define DEADLINE_S 20

enum end { REFUSED, STOPPED, WENT_ON, SAID_NOTHING, END_COUNT };

static struct fault fault;
static struct store_recover recover;
static struct store_load *const load = &recover.load;
static char good[PROCESS_PATH_MAX + 16];

static void open_folder(void)
{
    struct error err;

    fault_open_bare(&fault);
    store_recover_begin(&recover, fault.scene.dir, fault.scene.db);
    fault_vfs_install();
    for (int step = 0; step < LOAD_AGAIN; step++) {
        cr_assert_eq(store_load_step(load, step, &err), STORE_OK, "%s", err.text);
    }
    store_load_close(load);
    snprintf(good, sizeof(good), "%s.good", load->path);
    cr_assert(file_copy(load->path, good));
}

static void close_folder(void)
{
    fault_close(&fault);
}

TestSuite(row_39, .init = open_folder, .fini = close_folder);

/* Flips a bit each of up to FLIPS_MAX bytes: anywhere, or in the heads of pages. */
static void flip(void)
{
    bool in_heads = fault_draw(&fault, 2) == 0;
    int flips = 1 + fault_draw(&fault, FLIPS_MAX);
    FILE *file = fopen(load->path, "r+be");

    cr_assert(file && fseek(file, 0, SEEK_END) == 0);
    int pages = (int)(ftell(file) / PAGE_BYTES);
    for (int i = 0; i < flips; i++) {
        long at = (long)fault_draw(&fault, pages) * PAGE_BYTES +
                  fault_draw(&fault, in_heads ? HEAD_BYTES : PAGE_BYTES);
        cr_assert_eq(fseek(file, at, SEEK_SET), 0);
        int byte = fgetc(file);
        cr_assert(byte != EOF && fseek(file, at, SEEK_SET) == 0);
        fputc(byte ^ (1 << fault_draw(&fault, 8)), file);
    }
    cr_assert_eq(fclose(file), 0);
}

/* In the child: how it ends. */
static enum end use_damaged(void)
{
    struct error err = {0, ""};

    alarm(DEADLINE_S);
    enum store_status opened = store_load_open(load, &err);
    enum store_status taken =
        opened == STORE_OK ? store_load_step(load, LOAD_AGAIN, &err) : STORE_FAILED;
    store_load_close(load);
    /* STORE_STALE is an answer, not an error: the worker says that the position moved. */
    if (taken != STORE_OK && taken != STORE_STALE && !strstr(err.text, load->path)) {
        fprintf(stderr, "%s\n", err.text);
        return SAID_NOTHING;
    }
    return opened != STORE_OK ? REFUSED : taken != STORE_OK ? STOPPED : WENT_ON;
}

Test(row_39, flipped_bytes_never_crash_it_and_what_is_noticed_is_said)
{
    int64_t until_ms = clock_monotonic_ms() + DAMAGE_MS;
    int ends[END_COUNT] = {0};
    int harmless = 0;
    int found = 0;

    for (int run = 0; run < RUNS_MIN || clock_monotonic_ms() < until_ms; run++) {
        int status;
        cr_assert(file_copy(good, load->path));
        flip();
        pid_t child = fork();
        if (child == 0) {
            _exit(use_damaged());
        }
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_assert(WIFEXITED(status) && WEXITSTATUS(status) < SAID_NOTHING,
                  "run %d: ended with status %x", run, status);
        ends[WEXITSTATUS(status)]++;
        if (WEXITSTATUS(status) == WENT_ON) {
            uint64_t state = store_load_state(load->path);
            harmless += state == recover.states[LOAD_AGAIN];
            found += state == STORE_LOAD_DAMAGED;
        }
        fault_hit(&fault, 1);
    }
    fprintf(stderr,
            "%lld damaged files: %d refused, %d stopped, %d went on: %d of them unharmed, %d that "
            "integrity_check finds, %d with other data\n",
            (long long)fault.hits, ends[REFUSED], ends[STOPPED], ends[WENT_ON], harmless, found,
            ends[WENT_ON] - harmless - found);
    cr_assert(ends[REFUSED] > 0 && ends[STOPPED] > 0 && harmless > 0);
    cr_assert(file_copy(good, load->path));
    store_recover_finish(&recover, LOAD_AGAIN, "the restored copy");
    fault_report_only(&fault, STORE_LOAD_MESSAGES);
}
