/*
 * bench-measure: runs a program and prints what it cost: time, CPU, memory, bytes written. Of a
 * payd it also tells when the records of its ledger were committed.
 *
 * When, without changing payd:
 *
 *   assigned   payd logged that it has its partitions: from now on it polls
 *   committed  the ledger's counters show all records. A read-only connection asks for
 *              PRAGMA data_version each millisecond, which reads the header of the WAL's index in
 *              shared memory, and for the counters (one page) only after another commit. It
 *              closes when all are there, so that payd's own close finds no reader. A commit is
 *              visible only after its fdatasync.
 *
 * When the last outcome was published, the broker's append time of it tells, which bench-count
 * --last reads afterwards: the ledger's published_seq is up to a second late, and payd's own end
 * waits for the end of each partition, up to fetch.wait.max.ms.
 */
#include "tests/bench/timer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#define WATCH_MS  1
#define LINE_SIZE 8192
#define PATH_SIZE 4096

static const char usage[] =
    "Usage: bench-measure --out FILE --log FILE [--db FILE --records N] -- PROGRAM [ARGUMENT]...\n"
    "\n"
    "Runs PROGRAM and writes a JSON object to --out. Its standard error goes to --log, its "
    "standard\n"
    "output is kept. With --db it is a payd run --until-end, which commits N records into FILE.\n"
    "Exits as PROGRAM does, or with 65 when the records did not come.\n";

struct watch {
    const char *path; /* NULL = no ledger is watched */
    int64_t wanted;   /* records */
    int64_t base;     /* that were in the ledger before */
    sqlite3 *db;      /* NULL while there is nothing to see yet, and after all was seen */
    sqlite3_stmt *version;
    sqlite3_stmt *counters;
    int64_t seen_version;
    int64_t seen; /* records */
    int64_t commits;
    int64_t assigned_ns; /* the last time of these; 0 = not yet */
    int64_t first_ns;
    int64_t committed_ns;
    int64_t ended_ns;
    double assigned_unix_s;
};

struct measure {
    const char *out;
    const char *log_path;
    struct watch watch;
    FILE *log;
    pid_t pid;
    int from_child; /* its standard error */
    char line[LINE_SIZE];
    size_t line_len;
    int64_t started_ns;
    int64_t ended_ns;
    struct rusage usage;
    int64_t write_bytes;
    int status;
};

static int complain(const char *what, const char *why)
{
    fprintf(stderr, "bench-measure: %s: %s\n", what, why);
    return -1;
}

/* ---- the ledger ---- */

static void watch_close(struct watch *watch)
{
    sqlite3_finalize(watch->version);
    sqlite3_finalize(watch->counters);
    sqlite3_close(watch->db);
    watch->version = watch->counters = NULL;
    watch->db = NULL;
}

static bool watch_open(struct watch *watch)
{
    if (sqlite3_open_v2(watch->path, &watch->db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(watch->db, "PRAGMA data_version", -1, &watch->version, NULL) ==
            SQLITE_OK &&
        sqlite3_prepare_v2(watch->db, "SELECT sum(count) FROM counters", -1, &watch->counters,
                           NULL) == SQLITE_OK) {
        return true;
    }
    watch_close(watch);
    return false;
}

/* -1 when it cannot be read just now. */
static int64_t ask(sqlite3_stmt *statement)
{
    int64_t value = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;

    sqlite3_reset(statement);
    return value;
}

/* What is there before the program runs. */
static void watch_begin(struct watch *watch)
{
    if (watch->path && access(watch->path, R_OK) == 0 && watch_open(watch)) {
        int64_t count = ask(watch->counters);
        watch->base = watch->seen = count > 0 ? count : 0;
        watch_close(watch);
    }
}

static void watch_step(struct watch *watch)
{
    if (watch->assigned_ns == 0 || watch->seen - watch->base >= watch->wanted ||
        (!watch->db && !watch_open(watch))) {
        return;
    }
    int64_t version = ask(watch->version);
    if (version == watch->seen_version && watch->commits > 0) {
        return;
    }
    int64_t count = ask(watch->counters);
    if (count > watch->seen) {
        watch->committed_ns = timer_now_ns();
        watch->first_ns = watch->first_ns ? watch->first_ns : watch->committed_ns;
        watch->seen = count;
        watch->commits++;
        watch->seen_version = version;
    }
    if (watch->seen - watch->base >= watch->wanted) {
        watch_close(watch);
    }
}

/* ---- its log ---- */

static double unix_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void take_line(struct measure *measure)
{
    measure->line[measure->line_len] = '\0';
    measure->line_len = 0;
    if (!measure->watch.path) {
        return;
    }
    if (strstr(measure->line, " event=assigned ")) {
        measure->watch.assigned_ns = timer_now_ns();
        measure->watch.assigned_unix_s = unix_seconds();
    } else if (strstr(measure->line, " event=end ")) {
        watch_step(&measure->watch); /* a last look, then nobody is in the way of its close */
        watch_close(&measure->watch);
        measure->watch.ended_ns = timer_now_ns();
    }
}

/* False at its end. */
static bool read_log(struct measure *measure)
{
    char bytes[LINE_SIZE];
    ssize_t count = read(measure->from_child, bytes, sizeof(bytes));

    if (count < 0 && errno == EINTR) {
        return true;
    }
    if (count <= 0) {
        return false;
    }
    fwrite(bytes, 1, (size_t)count, measure->log);
    for (ssize_t i = 0; i < count; i++) {
        if (bytes[i] == '\n') {
            take_line(measure);
        } else if (measure->line_len < LINE_SIZE - 1) {
            measure->line[measure->line_len++] = bytes[i];
        }
    }
    return true;
}

/* ---- the program ---- */

static int start(struct measure *measure, char **argv)
{
    int fds[2];

    measure->log = fopen(measure->log_path, "we");
    if (!measure->log || pipe2(fds, O_CLOEXEC) != 0) {
        return complain(measure->log_path, strerror(errno));
    }
    measure->started_ns = timer_now_ns();
    measure->pid = fork();
    if (measure->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(fds[1], STDERR_FILENO);
        execvp(argv[0], argv);
        fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    close(fds[1]);
    measure->from_child = fds[0];
    return measure->pid > 0 ? 0 : complain("fork", strerror(errno));
}

/* What it wrote to the disk, as the kernel counts it: readable until the process is reaped. */
static int64_t read_write_bytes(pid_t pid)
{
    char path[64];
    char line[128];
    long long bytes = -1;

    snprintf(path, sizeof(path), "/proc/%d/io", (int)pid);
    FILE *file = fopen(path, "re");
    while (file && bytes < 0 && fgets(line, sizeof(line), file)) {
        if (strncmp(line, "write_bytes: ", 13) == 0) {
            bytes = strtoll(line + 13, NULL, 10);
        }
    }
    if (file) {
        fclose(file);
    }
    return bytes;
}

static void follow(struct measure *measure)
{
    struct pollfd input = {.fd = measure->from_child, .events = POLLIN};
    siginfo_t info;

    for (bool open = true; open;) {
        int timeout_ms = measure->watch.path ? WATCH_MS : -1;
        int ready = poll(&input, 1, timeout_ms);
        if (ready > 0) {
            open = read_log(measure);
        }
        watch_step(&measure->watch);
    }
    while (waitid(P_PID, (id_t)measure->pid, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
    }
    measure->ended_ns = timer_now_ns();
    measure->write_bytes = read_write_bytes(measure->pid);
    wait4(measure->pid, &measure->status, 0, &measure->usage);
    watch_close(&measure->watch);
    fclose(measure->log);
}

/* ---- the result ---- */

static int64_t file_size(const char *path, const char *suffix)
{
    char name[PATH_SIZE];
    struct stat status;

    snprintf(name, sizeof(name), "%s%s", path, suffix);
    return stat(name, &status) == 0 ? status.st_size : 0;
}

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double since_assigned(const struct watch *watch, int64_t ns)
{
    return ns > 0 ? timer_seconds(ns - watch->assigned_ns) : -1;
}

static int exit_code(const struct measure *measure)
{
    const struct watch *watch = &measure->watch;

    if (!WIFEXITED(measure->status)) {
        return EX_SOFTWARE;
    }
    if (WEXITSTATUS(measure->status) == 0 && watch->path &&
        (watch->seen - watch->base != watch->wanted || watch->ended_ns == 0)) {
        fprintf(stderr, "bench-measure: %" PRId64 " records came, not %" PRId64 "\n",
                watch->seen - watch->base, watch->wanted);
        return EX_DATAERR;
    }
    return WEXITSTATUS(measure->status);
}

static int write_result(const struct measure *measure)
{
    const struct watch *watch = &measure->watch;
    FILE *out = fopen(measure->out, "we");

    if (!out) {
        return complain(measure->out, strerror(errno));
    }
    fprintf(out,
            "{\"exit\": %d, \"wall_s\": %.4f, \"user_s\": %.4f, \"system_s\": %.4f, "
            "\"max_rss_kib\": %ld, \"write_bytes\": %" PRId64,
            WIFEXITED(measure->status) ? WEXITSTATUS(measure->status) : -1,
            timer_seconds(measure->ended_ns - measure->started_ns),
            seconds_of(measure->usage.ru_utime), seconds_of(measure->usage.ru_stime),
            measure->usage.ru_maxrss, measure->write_bytes);
    if (watch->path) {
        fprintf(out,
                ", \"records\": %" PRId64 ", \"commits_seen\": %" PRId64
                ", \"first_commit_s\": %.4f, \"committed_s\": %.4f, \"ended_s\": %.4f, "
                "\"assigned_unix_s\": %.4f"
                ", \"ledger_bytes\": %" PRId64 ", \"wal_bytes\": %" PRId64,
                watch->seen - watch->base, watch->commits, since_assigned(watch, watch->first_ns),
                since_assigned(watch, watch->committed_ns), since_assigned(watch, watch->ended_ns),
                watch->assigned_unix_s, file_size(watch->path, ""), file_size(watch->path, "-wal"));
    }
    fprintf(out, "}\n");
    return fclose(out) == 0 ? 0 : complain(measure->out, strerror(errno));
}

/* Sets the options; returns the place of the program's name, or 0. */
static int parse(int argc, char **argv, struct measure *ret)
{
    int i = 1;

    for (; i + 1 < argc && strcmp(argv[i], "--") != 0; i += 2) {
        if (strcmp(argv[i], "--out") == 0) {
            ret->out = argv[i + 1];
        } else if (strcmp(argv[i], "--log") == 0) {
            ret->log_path = argv[i + 1];
        } else if (strcmp(argv[i], "--db") == 0) {
            ret->watch.path = argv[i + 1];
        } else if (strcmp(argv[i], "--records") == 0) {
            ret->watch.wanted = strtoll(argv[i + 1], NULL, 10);
        } else {
            return 0;
        }
    }
    return ret->out && ret->log_path && i + 1 < argc ? i + 1 : 0;
}

int main(int argc, char **argv)
{
    static struct measure measure;
    int program = parse(argc, argv, &measure);

    if (program == 0) {
        fputs(usage, stderr);
        return EX_USAGE;
    }
    prctl(PR_SET_TIMERSLACK, 1);
    watch_begin(&measure.watch);
    if (start(&measure, argv + program) != 0) {
        return EX_OSERR;
    }
    follow(&measure);
    return write_result(&measure) == 0 ? exit_code(&measure) : EX_CANTCREAT;
}
