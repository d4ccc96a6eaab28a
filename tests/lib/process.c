#include "tests/lib/process.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 10

void pause_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

static void redirect(const char *path, int flags, int fd)
{
    int opened = open(path, flags, 0600);

    if (opened < 0 || dup2(opened, fd) < 0) {
        _exit(126);
    }
    close(opened);
}

static void become(const struct process *process, const char *dir, const char *input,
                   const char *env, const char *const *args)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    redirect(input ? input : "/dev/null", O_RDONLY, STDIN_FILENO);
    redirect(process->out, O_WRONLY | O_CREAT | O_APPEND, STDOUT_FILENO);
    redirect(process->err, O_WRONLY | O_CREAT | O_APPEND, STDERR_FILENO);
    if (chdir(dir) != 0 || (env && putenv(strdup(env)) != 0)) {
        _exit(126);
    }
    execvp(args[0], (char *const *)args);
    _exit(127);
}

/* Returns when the other end, which nobody else has and exec closes, is gone. */
static void wait_for_exec(const int ends[2])
{
    char nothing;

    close(ends[1]);
    while (read(ends[0], &nothing, 1) < 0 && errno == EINTR) {
    }
    close(ends[0]);
}

struct process process_start(const char *dir, const char *input, const char *env,
                             const char *const *args)
{
    static int number;
    struct process process = {.pid = 0};
    int ends[2];

    number++;
    snprintf(process.out, sizeof(process.out), "%s/%d-%d.out", dir, (int)getpid(), number);
    snprintf(process.err, sizeof(process.err), "%s/%d-%d.err", dir, (int)getpid(), number);
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    process.pid = fork();
    cr_assert_geq(process.pid, 0, "fork failed");
    if (process.pid == 0) {
        become(&process, dir, input, env, args);
    }
    wait_for_exec(ends);
    return process;
}

bool process_ended(struct process *process, int *ret_code)
{
    int status;

    if (waitpid(process->pid, &status, WNOHANG) != process->pid) {
        return false;
    }
    process->pid = 0;
    *ret_code = WIFEXITED(status) ? WEXITSTATUS(status) : PROCESS_KILLED;
    return true;
}

int process_wait(struct process *process, int timeout_ms)
{
    int code;

    for (int waited = 0; waited <= timeout_ms; waited += LOOK_MS) {
        if (process_ended(process, &code)) {
            return code;
        }
        pause_ms(LOOK_MS);
    }
    process_kill(process);
    return PROCESS_LATE;
}

#define RUN_TIMEOUT_MS 120000

int process_run(const char *dir, const char *env, struct process *process, const char *const *args)
{
    *process = process_start(dir, NULL, env, args);
    return process_wait(process, RUN_TIMEOUT_MS);
}

void process_signal(const struct process *process, int signo)
{
    if (process->pid > 0) {
        kill(process->pid, signo);
    }
}

#define STOP_TIMEOUT_MS 60000

static bool is_stopped(const struct process *process)
{
    siginfo_t info = {.si_pid = 0};

    return waitid(P_PID, (id_t)process->pid, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == process->pid;
}

void process_continue(const struct process *process)
{
    int waited = 0;

    while (!is_stopped(process)) {
        cr_assert_lt(waited, STOP_TIMEOUT_MS, "it does not stop");
        pause_ms(LOOK_MS);
        waited += LOOK_MS;
    }
    process_signal(process, SIGCONT);
}

void process_kill(struct process *process)
{
    if (process->pid > 0) {
        kill(process->pid, SIGKILL);
        waitpid(process->pid, NULL, 0);
        process->pid = 0;
    }
}

void process_value(const struct process *process, const char *name, char *value, size_t size)
{
    char wanted[64];
    char *text = file_text(process->out);

    snprintf(wanted, sizeof(wanted), "%s=", name);
    const char *at = strstr(text, wanted);
    cr_assert(at, "no %s in what was printed", wanted);
    at += strlen(wanted);
    snprintf(value, size, "%.*s", (int)strcspn(at, "\n"), at);
    free(text);
}

char *file_text(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;

    if (!file || getdelim(&text, &size, '\0', file) < 0) {
        free(text);
        text = strdup("");
    }
    if (file) {
        fclose(file);
    }
    return text;
}

const char *file_tail(const char *path)
{
    static char tail[2048];
    char *text = file_text(path);
    size_t len = strlen(text);

    snprintf(tail, sizeof(tail), "%s", len < sizeof(tail) ? text : text + len - sizeof(tail) + 1);
    free(text);
    return tail;
}

int file_count(const char *path, const char *text)
{
    char *all = file_text(path);
    int count = 0;

    for (const char *at = all; (at = strstr(at, text)); at += strlen(text)) {
        count++;
    }
    free(all);
    return count;
}

bool file_has(const char *path, const char *text)
{
    return file_count(path, text) > 0;
}

bool file_comes_to_have(const char *path, const char *text, int timeout_ms)
{
    for (int waited = 0; waited <= timeout_ms; waited += LOOK_MS) {
        if (file_has(path, text)) {
            return true;
        }
        pause_ms(LOOK_MS);
    }
    return false;
}

void file_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    cr_assert(file, "%s cannot be written", path);
    fputs(text, file);
    fclose(file);
}

bool file_copy(const char *from, const char *to)
{
    FILE *in = fopen(from, "re");
    char block[8192];
    size_t len;

    if (!in) {
        return false;
    }
    FILE *out = fopen(to, "we");
    cr_assert(out, "%s cannot be written", to);
    while ((len = fread(block, 1, sizeof(block), in)) > 0) {
        cr_assert_eq(fwrite(block, 1, len, out), len, "%s cannot be written", to);
    }
    fclose(in);
    cr_assert_eq(fclose(out), 0, "%s cannot be written", to);
    return true;
}
