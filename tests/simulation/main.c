/*
 * pay-simulate: plays histories of payd that go wrong in every way, one a seed.
 */
#include "consumer/store.h"
#include "tests/simulation/books.h"
#include "tests/simulation/history.h"
#include "tests/simulation/world.h"

#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define MANY 3000 /* in a run of so many histories every injected event must have struck */

/* Larger blocks come from the system each time, and so cost only the pages that are touched. */
#define MAP_FROM_BYTES (512 * 1024)
#define KEEP_BYTES     (64 * 1024 * 1024)

struct arguments {
    uint64_t seed;
    uint64_t histories; /* 0 = no limit */
    double seconds;     /* 0 = no limit */
    bool verbose;
};

static const char usage[] =
    "Usage: pay-simulate [--seed N] [--histories N | --seconds S | --minutes M] [--verbose]\n"
    "\n"
    "Plays histories of payd that go wrong in every way: crashes, redeliveries, rebalances,\n"
    "failures of disk, store and broker. Each comes from a seed alone, and is compared with a\n"
    "model of its own.\n"
    "\n"
    "  --seed N       the seeds N, N+1, ... (default: 1)\n"
    "  --histories N  so many (default: 1000)\n"
    "  --seconds S, --minutes M\n"
    "                 as many as can be played in that time\n"
    "  --verbose      print all that happens\n"
    "  --help         this text\n"
    "\n"
    "Exit codes: 0 nothing is violated, 1 something is, or a fault never struck in 1000 "
    "histories,\n"
    "64 wrong usage.\n";

static bool parse_number(const char *text, uint64_t *ret)
{
    char *end;

    *ret = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

/* Returns false for wrong usage. */
static bool parse(int argc, char **argv, struct arguments *ret)
{
    static const struct option options[] = {
        {"seed", required_argument, NULL, 's'},    {"histories", required_argument, NULL, 'n'},
        {"seconds", required_argument, NULL, 't'}, {"minutes", required_argument, NULL, 'm'},
        {"verbose", no_argument, NULL, 'v'},       {NULL, 0, NULL, 0}};
    uint64_t number = 0;
    bool limited = false;
    int option;

    *ret = (struct arguments){.seed = 1};
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?' || (option != 'v' && !parse_number(optarg, &number)) ||
            (option != 'v' && option != 's' && number == 0)) {
            return false;
        }
        ret->verbose = ret->verbose || option == 'v';
        ret->seed = option == 's' ? number : ret->seed;
        ret->histories = option == 'n' ? number : ret->histories;
        ret->seconds = option == 't' ? (double)number : ret->seconds;
        ret->seconds = option == 'm' ? 60.0 * (double)number : ret->seconds;
        limited = limited || option == 'n' || option == 't' || option == 'm';
    }
    if (!limited) {
        ret->histories = MANY;
    }
    return optind == argc && (ret->histories == 0 || ret->seconds <= 0);
}

/* ---- time ---- */

static double seconds_since(const struct timespec *begin)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - begin->tv_sec) + (double)(now.tv_nsec - begin->tv_nsec) / 1e9;
}

static void show_progress(uint64_t histories, double seconds)
{
    static double shown;

    if (isatty(STDERR_FILENO) && seconds - shown >= 1) {
        fprintf(stderr, "\r%" PRIu64 " histories, %.0f/s ", histories, (double)histories / seconds);
        shown = seconds;
    }
}

/* ---- what came out ---- */

static uint64_t missing;

static void judge_place(const char *place, uint64_t steps, uint64_t crashes)
{
    if (crashes == 0) {
        printf("never: a crash at %s, in %" PRIu64 " steps there\n", place, steps);
        missing++;
    }
}

/* A fault that never struck proves nothing. */
static bool all_struck(void)
{
    for (int event = EVENT_FIRST_INJECTED; event < EVENT_COUNT; event++) {
        if (world_count((enum event)event) == 0) {
            printf("never: %s\n", event_name((enum event)event));
            missing++;
        }
    }
    world_each_place(judge_place);
    return missing == 0;
}

static void show_counts(void)
{
    for (int event = EVENT_FIRST_INJECTED; event < EVENT_COUNT; event++) {
        printf("%s=%" PRIu64 "%s", event_name((enum event)event), world_count((enum event)event),
               event + 1 < EVENT_COUNT ? " " : "\n");
    }
}

static void show_result(uint64_t seed, uint64_t histories, double seconds, int violations)
{
    printf("%" PRIu64 " histories\n", histories);
    printf("simulated: seeds=%" PRIu64 "..%" PRIu64 " histories=%" PRIu64 " crashes=%" PRIu64
           " redelivered=%" PRId64 " rebalances=%" PRIu64 " failed_commits=%" PRIu64
           " duplicates=%" PRId64 " conflicts=%" PRId64 " violations=%d rate=%.0f/s\n",
           seed, seed + histories - 1, histories, world_count(EVENT_CRASH),
           books_total(OUTCOME_REDELIVERED), world_count(EVENT_REVOKED),
           world_count(EVENT_COMMIT_FAILED) + world_count(EVENT_COMMIT_LOST),
           books_total(OUTCOME_DUPLICATE), books_total(OUTCOME_CONFLICT), violations,
           (double)histories / (seconds > 0 ? seconds : 1));
}

/* The seed once more, with its trace; the same seed must go the same way. */
static void show_violation(uint64_t seed, bool verbose)
{
    char first[512];
    uint64_t hash = world_hash();

    snprintf(first, sizeof(first), "%s", world_violation());
    const char *again = verbose ? first : history_play(seed, stdout);
    if (!again || strcmp(again, first) != 0 || world_hash() != hash) {
        printf("and it did not go the same way again: %s\n", again ? again : "nothing was wrong");
    }
    printf("VIOLATED in seed %" PRIu64 ": %s\n"
           "repeat: pay-simulate --seed %" PRIu64 " --histories 1 --verbose\n",
           seed, first, seed);
}

static int simulate(const struct arguments *arguments)
{
    struct timespec begin;
    uint64_t done = 0;
    double seconds = 0;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    while ((arguments->histories == 0 || done < arguments->histories) &&
           (arguments->seconds <= 0 || seconds < arguments->seconds)) {
        uint64_t seed = arguments->seed + done++;
        if (arguments->verbose) {
            printf("seed %" PRIu64 "\n", seed);
        }
        if (history_play(seed, arguments->verbose ? stdout : NULL)) {
            show_violation(seed, arguments->verbose);
            show_result(arguments->seed, done, seconds_since(&begin), 1);
            return EXIT_FAILURE;
        }
        seconds = seconds_since(&begin);
        show_progress(done, seconds);
    }
    if (arguments->verbose) {
        return EXIT_SUCCESS; /* nothing that depends on the machine's speed */
    }
    show_counts();
    bool good = done < MANY || all_struck();
    show_result(arguments->seed, done, seconds, 0);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct arguments arguments;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return EX_OK;
    }
    if (!parse(argc, argv, &arguments)) {
        fprintf(stderr, "pay-simulate: wrong usage, see pay-simulate --help\n");
        return EX_USAGE;
    }
    mallopt(M_MMAP_THRESHOLD, MAP_FROM_BYTES);
    mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
    if (!history_prepare()) {
        perror("pay-simulate");
        return EX_CANTCREAT;
    }
    int code = simulate(&arguments);
    history_clean_up();
    return code;
}
