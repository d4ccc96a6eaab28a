/*
 * The command line.
 */
#ifndef TESTS_CHECKER_OPTIONS_H
#define TESTS_CHECKER_OPTIONS_H

#include "tests/checker/check.h"
#include "tests/checker/collect.h"
#include "tests/checker/fault.h"

enum command { COMMAND_HELP, COMMAND_COLLECT, COMMAND_CHECK };

struct options {
    enum command command;
    struct collect_options collect;
    struct check_options check;
};

extern const char options_usage[];

/* Read the arguments, which the options then borrow. EX_USAGE for wrong ones. */
int options_read(struct options *options, int argc, char **argv, struct fault *fault);

#endif
