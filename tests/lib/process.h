/*
 * Processes as test subjects: start, wait with a deadline, kill, read what they printed.
 *
 * Every process writes its standard output and error into files in the test's own folder, and is
 * killed when the test's process ends.
 */
#ifndef TESTS_LIB_PROCESS_H
#define TESTS_LIB_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROCESS_ARGS_MAX 48
#define PROCESS_PATH_MAX 512

struct process {
    pid_t pid; /* 0 when it has ended */
    char out[PROCESS_PATH_MAX];
    char err[PROCESS_PATH_MAX];
};

/* What process_wait() returns: an exit code, or one of these. */
#define PROCESS_KILLED (-1) /* by a signal */
#define PROCESS_LATE   (-2) /* still running at the deadline; it has been killed */

/*
 * Start args[0] with the arguments that follow it, ended by NULL, in dir. env is NULL or one
 * "NAME=value" to add. input is a file for standard input, or NULL for none. Returns when the
 * program runs: until then the child shares the test's sockets, and a port that the test frees is
 * not free.
 */
struct process process_start(const char *dir, const char *input, const char *env,
                             const char *const *args);

/* Wait until it ends. */
int process_wait(struct process *process, int timeout_ms);

/* True, with its exit code or PROCESS_KILLED, once it has ended. Does not wait. */
bool process_ended(struct process *process, int *ret_code);

/* Start and wait. */
int process_run(const char *dir, const char *env, struct process *process, const char *const *args);

void process_signal(const struct process *process, int signo);

/*
 * SIGCONT to one that stops itself, or was told to: waits until it has, for a signal that comes
 * first is lost.
 */
void process_continue(const struct process *process);

/* SIGKILL and reap; nothing happens to one that has ended. */
void process_kill(struct process *process);

void pause_ms(int ms);

/* The value of "name=" in what it printed, cut to size. */
void process_value(const struct process *process, const char *name, char *value, size_t size);

/* True once the file has the text in it, false when it has not within the time. */
bool file_comes_to_have(const char *path, const char *text, int timeout_ms);

/* The whole file as a string that the caller frees; "" when it is not there. */
char *file_text(const char *path);

/* The end of the file for a message, valid until the next call. */
const char *file_tail(const char *path);

bool file_has(const char *path, const char *text);

/* How often the text stands in the file. */
int file_count(const char *path, const char *text);

void file_write(const char *path, const char *text);

/* Returns false when from is not there. */
bool file_copy(const char *from, const char *to);

#endif
