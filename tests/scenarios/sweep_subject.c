/*
 * sweep_subject DB: takes the load of tests/lib/store_load.h on a new store, and writes "done" for
 * each step that was reported as done. For system calls that are made to fail from outside.
 */
#include "tests/lib/store_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct store_load load = {argc == 2 ? argv[1] : "", NULL};
    struct error err = {EX_OK, ""};
    int code = EX_OK;

    for (int step = 0; code == EX_OK && step < LOAD_STEPS; step++) {
        if (store_load_step(&load, step, &err) != STORE_OK) {
            fprintf(stderr, "%s: %s\n", store_load_name(step), err.text);
            code = err.code;
        } else if (write(STDOUT_FILENO, "done\n", 5) != 5) {
            code = EX_OSERR;
        }
    }
    store_load_close(&load);
    return code;
}
