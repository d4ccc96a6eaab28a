#include "tests/lib/fault_malloc.h"

#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RANGES_MAX 8

/* The C library's own, which its malloc() and so on stand for. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

/* ---- in a program that arms it ---- */

static _Thread_local long until_fault = -1; /* -1 = none fails */

void fault_malloc_arm(long calls_before)
{
    until_fault = calls_before;
}

bool fault_malloc_disarm(void)
{
    bool struck = until_fault < 0;

    until_fault = -1;
    return struck;
}

/* ---- in a program that is told by the environment ---- */

static struct {
    uintptr_t from;
    uintptr_t to;
} ranges[RANGES_MAX];
static size_t range_count;
static bool is_counting;
static long failing; /* this one; 0 = none */
static atomic_long counted;

/* Code of the program itself, of SQLite and of cJSON. */
static int add_ranges(struct dl_phdr_info *object, size_t size, void *user)
{
    (void)size;
    (void)user;
    bool is_ours = object->dlpi_name[0] == '\0' || strstr(object->dlpi_name, "libsqlite3") ||
                   strstr(object->dlpi_name, "libcjson");

    for (int i = 0; is_ours && i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_X) && range_count < RANGES_MAX) {
            ranges[range_count].from = object->dlpi_addr + segment->p_vaddr;
            ranges[range_count].to = ranges[range_count].from + segment->p_memsz;
            range_count++;
        }
    }
    return 0;
}

__attribute__((constructor)) static void begin(void)
{
    const char *wanted = getenv("PAY_MALLOC_FAIL");

    if (wanted) {
        dl_iterate_phdr(add_ranges, NULL);
        failing = strtol(wanted, NULL, 10);
        is_counting = true;
    }
}

__attribute__((destructor)) static void end(void)
{
    if (is_counting) {
        dprintf(STDERR_FILENO, "allocations: %ld\n", (long)counted);
    }
}

static bool is_ours(const void *caller)
{
    for (size_t i = 0; i < range_count; i++) {
        if ((uintptr_t)caller >= ranges[i].from && (uintptr_t)caller < ranges[i].to) {
            return true;
        }
    }
    return false;
}

static bool counts_down(const void *caller)
{
    static const char said[] = "allocation %ld failed\n";

    if (!is_counting || !is_ours(caller) || ++counted != failing) {
        return false;
    }
    dprintf(STDERR_FILENO, said, failing);
    return true;
}

/* ---- the calls ---- */

static bool strikes(const void *caller)
{
    if ((until_fault >= 0 && until_fault-- == 0) || counts_down(caller)) {
        errno = ENOMEM;
        return true;
    }
    return false;
}

void *malloc(size_t size)
{
    return strikes(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return strikes(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return strikes(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}

/* The C library's own calls malloc(), and then the caller would be the C library. */
char *strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = strikes(__builtin_return_address(0)) ? NULL : __libc_malloc(size);

    return copy ? memcpy(copy, text, size) : NULL;
}
