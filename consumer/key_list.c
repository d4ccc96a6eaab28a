#include "consumer/key_list.h"

#include "common/payment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

struct key_list {
    char *text; /* the file: its lines end in NUL now */
    char **keys;
    size_t count;
};

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The whole file, with a NUL behind it, to be released with free(); NULL with *err set. */
static char *read_file(const char *path, struct error *err)
{
    FILE *in = fopen(path, "re");
    char *text = NULL;
    size_t size = 0;

    if (!in) {
        error_set(err, EX_NOINPUT, "%s: %s", path, strerror(errno));
        return NULL;
    }
    errno = 0;
    ssize_t len = getdelim(&text, &size, EOF, in);
    int failure = ferror(in) || len < 0 ? errno : 0;
    fclose(in);
    if (failure != 0) {
        error_set(err, EX_IOERR, "%s: %s", path, strerror(failure));
    } else if (len < 0) { /* empty */
        free(text);
        text = calloc(1, 1);
        if (!text) {
            error_set(err, EX_OSERR, "out of memory");
        }
        return text;
    } else if (strlen(text) < (size_t)len) {
        error_set(err, EX_DATAERR, "%s: has a NUL byte: it must be text", path);
    } else {
        return text;
    }
    free(text);
    return NULL;
}

static int split(struct key_list *list, const char *path, struct error *err)
{
    size_t lines = 1;
    size_t line = 0;
    char *rest = list->text;

    for (const char *at = list->text; (at = strchr(at, '\n')); at++) {
        lines++;
    }
    list->keys = calloc(lines, sizeof(*list->keys));
    if (!list->keys) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    for (char *key; (key = strsep(&rest, "\n"));) {
        line++;
        size_t len = strlen(key);
        if (len > 0 && key[len - 1] == '\r') {
            key[--len] = '\0';
        }
        if (len == 0) {
            continue;
        }
        const char *problem = payment_key_problem(key, len);
        if (problem) {
            return error_set(err, EX_DATAERR, "%s:%zu: %s", path, line, problem);
        }
        list->keys[list->count++] = key;
    }
    qsort(list->keys, list->count, sizeof(*list->keys), compare);
    return 0;
}

int key_list_read(struct key_list **ret, const char *path, struct error *err)
{
    struct key_list *list = calloc(1, sizeof(*list));

    if (!list) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    list->text = read_file(path, err);
    if (!list->text || split(list, path, err) != 0) {
        key_list_free(list);
        return -1;
    }
    *ret = list;
    return 0;
}

bool key_list_has(void *user, const char *key, size_t len)
{
    const struct key_list *list = user;
    char text[PAYMENT_KEY_MAX + 1];
    const char *wanted = text;

    if (!key || len > PAYMENT_KEY_MAX) {
        return false;
    }
    memcpy(text, key, len);
    text[len] = '\0';
    return bsearch(&wanted, list->keys, list->count, sizeof(*list->keys), compare) != NULL;
}

void key_list_free(struct key_list *list)
{
    if (list) {
        free(list->keys);
        free(list->text);
        free(list);
    }
}
