/*
 * bench-growth: how fast does payd's store take new keys, and how does that change with the keys
 * that it remembers? Drives the store itself, a chunk at a time as payd's worker does, with chunks
 * made in memory: no Kafka, no JSON.
 *
 * Prints a line for each interval. Only what the worker does with a chunk is timed: its index, the
 * transaction, the ledger's decisions; making the chunk is not.
 */
#include "common/clock.h"
#include "consumer/ledger.h"
#include "consumer/store.h"
#include "tests/bench/load.h"
#include "tests/bench/timer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define EVERY_DEFAULT 1000000
#define PARTITIONS    4
#define PATH_SIZE     4096

static const char usage[] =
    "Usage: bench-growth --db FILE [--payments N] [--every N] [--chunk N] [LOAD]\n"
    "       bench-growth --db FILE --reopen [--cold]\n"
    "\n"
    "Writes N payments into a new ledger, and prints every so many payments, separated by tabs:\n"
    "keys remembered, inserts a second of store time in this interval, CPU seconds a million in\n"
    "it, memory now and at its highest (MiB), bytes of the ledger's files a payment, and bytes "
    "that\n"
    "were written to the disk a payment in this interval.\n"
    "\n"
    "  --every N      (default: 1000000)\n"
    "  --chunk N      messages in a transaction (default: payd's)\n"
    "  --reopen       only open it again, as a restart does, and print how long that took and the\n"
    "                 memory it needs\n"
    "  --cold         ... after the kernel has dropped what it keeps of the file\n" LOAD_USAGE;

struct growth {
    struct load load;
    const char *path;
    int64_t every;
    int64_t chunk_rows;
    bool reopen;
    bool cold;
    struct store *store;
    struct chunk *chunk;
    struct load_cursor cursor;
    int64_t offsets[PARTITIONS];
    int64_t payments; /* written */
    int64_t store_ns; /* in this interval */
    int64_t interval_payments;
    double interval_cpu_s; /* at its beginning */
    int64_t interval_written;
};

/* ---- what the process has used ---- */

/* A number out of a file of /proc/self; -1 when it is not there. */
static int64_t proc_number(const char *path, const char *name)
{
    char line[256];
    int64_t value = -1;
    FILE *file = fopen(path, "re");

    while (file && value < 0 && fgets(line, sizeof(line), file)) {
        if (strncmp(line, name, strlen(name)) == 0) {
            value = strtoll(line + strlen(name), NULL, 10);
        }
    }
    if (file) {
        fclose(file);
    }
    return value;
}

static double cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int64_t file_bytes(const char *path)
{
    static const char *const suffixes[] = {"", "-wal"};
    char name[PATH_SIZE];
    struct stat status;
    int64_t bytes = 0;

    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
        bytes += stat(name, &status) == 0 ? status.st_size : 0;
    }
    return bytes;
}

/* ---- one chunk ---- */

static void add_payment(struct growth *growth, int64_t payment)
{
    const uint64_t number = (uint64_t)payment;
    int32_t partition = (int32_t)(load_random(0, number) % PARTITIONS);
    int64_t offset = growth->offsets[partition]++;
    struct chunk_range *range = chunk_range(growth->chunk, partition, offset);
    struct chunk_item *item = chunk_add(growth->chunk);
    const uint64_t digest[] = {load_random(1, number), load_random(2, number)};

    item->origin = (struct origin){partition, offset, clock_unix_ms()};
    command_init(&item->command, COMMAND_PAYMENT);
    load_payment(&growth->load, payment, &item->command.payment);
    item->raw = (struct raw_message){.key = item->command.payment.key,
                                     .key_len = strlen(item->command.payment.key)};
    memcpy(item->digest, digest, sizeof(item->digest));
    range->to = offset + 1;
}

/* Returns how many are new payments. */
static int64_t fill(struct growth *growth)
{
    int64_t before = growth->cursor.payments;
    int64_t payment;

    chunk_clear(growth->chunk);
    while ((int64_t)growth->chunk->item_count < growth->chunk_rows &&
           (payment = load_next(&growth->cursor)) >= 0) {
        add_payment(growth, payment);
    }
    return growth->cursor.payments - before;
}

/* As transact() of the worker. Outcomes count as published a chunk later. */
static enum store_status transact(struct growth *growth, struct error *err)
{
    struct store *store = growth->store;
    struct chunk *chunk = growth->chunk;
    enum store_status status = store->ops->outbox(store, NULL, &chunk->published, err);

    chunk->now_ms = clock_unix_ms();
    chunk_index(chunk);
    if (status == STORE_OK) {
        status = store_begin_chunk(store, chunk, err);
    }
    if (status == STORE_OK) {
        ledger_decide(chunk);
    }
    return store_end_chunk(store, status, chunk, err);
}

static void begin_interval(struct growth *growth)
{
    growth->store_ns = 0;
    growth->interval_payments = growth->payments;
    growth->interval_cpu_s = cpu_seconds();
    growth->interval_written = proc_number("/proc/self/io", "write_bytes:");
}

static void end_interval(struct growth *growth)
{
    struct rusage used;
    double payments = (double)(growth->payments - growth->interval_payments);
    int64_t written = proc_number("/proc/self/io", "write_bytes:") - growth->interval_written;

    getrusage(RUSAGE_SELF, &used);
    printf("%" PRId64 "\t%.0f\t%.2f\t%.0f\t%.0f\t%.1f\t%.0f\n", growth->payments,
           payments / timer_seconds(growth->store_ns),
           (cpu_seconds() - growth->interval_cpu_s) * 1e6 / payments,
           (double)proc_number("/proc/self/status", "VmRSS:") / 1024, (double)used.ru_maxrss / 1024,
           (double)file_bytes(growth->path) / (double)growth->payments, (double)written / payments);
    fflush(stdout);
    begin_interval(growth);
}

static int grow(struct growth *growth, struct error *err)
{
    int64_t added;

    printf("# keys\tinserts/s\tcpu s/M\trss MiB\tpeak MiB\tbytes/payment\twritten/payment\n");
    begin_interval(growth);
    while ((added = fill(growth)) > 0 || growth->chunk->item_count > 0) {
        int64_t started_ns = timer_now_ns();
        if (transact(growth, err) != STORE_OK) {
            return -1;
        }
        growth->store_ns += timer_now_ns() - started_ns;
        growth->payments += added;
        if (growth->payments - growth->interval_payments >= growth->every ||
            (growth->payments == growth->load.payments && added > 0)) {
            end_interval(growth);
        }
    }
    return 0;
}

static int check(struct growth *growth, struct error *err)
{
    struct store_stats stats;

    if (growth->store->ops->stats(growth->store, &stats, err) != STORE_OK) {
        return -1;
    }
    bool right = stats.counts[OUTCOME_APPLIED] == growth->load.payments &&
                 stats.last_seq == load_records(&growth->load) && stats.currency_count == 1 &&
                 stats.currencies[0].balances.high == 0 && stats.currencies[0].balances.low == 0;
    store_stats_release(&stats);
    return right ? 0 : error_set(err, EX_DATAERR, "%s: wrong result", growth->path);
}

static int write_ledger(struct growth *growth, struct error *err)
{
    remove(growth->path);
    growth->chunk = chunk_new((size_t)growth->chunk_rows);
    if (!growth->chunk) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    if (growth->load.keys == KEYS_BATCH && load_bind_batch(&growth->load, err) != 0) {
        return -1;
    }
    if (store_sqlite_open(&growth->store, growth->path, NULL, err) != 0) {
        return -1;
    }
    enum store_status status = growth->store->ops->bind(growth->store, "bench", "bench", err);
    for (int32_t i = 0; status == STORE_OK && i < PARTITIONS; i++) {
        status = growth->store->ops->adopt(growth->store, i, 0, err);
    }
    growth->cursor = (struct load_cursor){&growth->load, 0, 0};
    return status == STORE_OK && grow(growth, err) == 0 ? check(growth, err) : -1;
}

/* ---- a restart ---- */

static int drop_cache(const char *path, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fdatasync(fd) != 0 || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0) {
        return error_set(err, EX_NOINPUT, "%s: cannot be opened and dropped from the cache", path);
    }
    close(fd);
    return 0;
}

static int reopen(struct growth *growth, struct error *err)
{
    struct rusage used;

    if (growth->cold && drop_cache(growth->path, err) != 0) {
        return -1;
    }
    int64_t started_ns = timer_now_ns();
    if (store_sqlite_open(&growth->store, growth->path, NULL, err) != 0) {
        return -1;
    }
    double seconds = timer_seconds(timer_now_ns() - started_ns);
    getrusage(RUSAGE_SELF, &used);
    printf("# reopened %s: %.3f s, %.0f MiB\n", growth->cold ? "cold" : "warm", seconds,
           (double)used.ru_maxrss / 1024);
    return 0;
}

static int parse(int argc, char **argv, struct growth *ret, struct error *err)
{
    enum { OPTION_DB = 256, OPTION_EVERY, OPTION_CHUNK, OPTION_REOPEN, OPTION_COLD };
    static const struct option table[] = {{"db", required_argument, NULL, OPTION_DB},
                                          {"every", required_argument, NULL, OPTION_EVERY},
                                          {"chunk", required_argument, NULL, OPTION_CHUNK},
                                          {"reopen", no_argument, NULL, OPTION_REOPEN},
                                          {"cold", no_argument, NULL, OPTION_COLD},
                                          LOAD_OPTIONS,
                                          {0}};
    int option;
    int result = 0;

    while (result == 0 && (option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (option == OPTION_DB) {
            ret->path = optarg;
        } else if (option == OPTION_EVERY) {
            result = load_take_number("--every", optarg, 1, INT64_MAX, &ret->every, err);
        } else if (option == OPTION_CHUNK) {
            result = load_take_number("--chunk", optarg, 1, 1000000, &ret->chunk_rows, err);
        } else if (option == OPTION_REOPEN) {
            ret->reopen = true;
        } else if (option == OPTION_COLD) {
            ret->cold = true;
        } else {
            result = load_take_option(&ret->load, option, optarg, err);
        }
    }
    if (result == 0 && (optind < argc || !ret->path)) {
        result = error_set(err, EX_USAGE, "wrong usage: see --help");
    }
    return result;
}

int main(int argc, char **argv)
{
    struct growth growth = {
        .load = load_default(), .every = EVERY_DEFAULT, .chunk_rows = CHUNK_MESSAGES_MAX};
    struct error err = {.code = EX_SOFTWARE, .text = ""};

    growth.load.repeat_percent = 0;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    int result = parse(argc, argv, &growth, &err);
    if (result == 0) {
        result = growth.reopen ? reopen(&growth, &err) : write_ledger(&growth, &err);
    }
    store_close(growth.store);
    chunk_free(growth.chunk);
    if (result != 0) {
        fprintf(stderr, "bench-growth: %s\n", err.text);
        return err.code;
    }
    return 0;
}
