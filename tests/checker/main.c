/*
 * pay-checker: the judge of the fault suite. It shares no code with the programs that it judges.
 */
#include "tests/checker/check.h"
#include "tests/checker/collect.h"
#include "tests/checker/options.h"

#include <stdio.h>
#include <sysexits.h>

static int fail(const struct fault *fault)
{
    fprintf(stderr, "pay-checker: %s\n", fault->text);
    if (fault->code == EX_USAGE) {
        fputs("See pay-checker --help.\n", stderr);
    }
    return fault->code;
}

static int run_check(const struct check_options *options)
{
    struct fault fault;
    uint64_t violations;

    if (check(options, stdout, &violations, &fault) != 0) {
        return fail(&fault);
    }
    return fflush(stdout) != 0 ? EX_IOERR : violations > 0;
}

int main(int argc, char **argv)
{
    struct options options;
    struct fault fault;

    if (options_read(&options, argc, argv, &fault) != 0) {
        return fail(&fault);
    }
    switch (options.command) {
    case COMMAND_COLLECT:
        return collect(&options.collect, &fault) == 0 ? EX_OK : fail(&fault);
    case COMMAND_CHECK:
        return run_check(&options.check);
    case COMMAND_HELP:
    default:
        fputs(options_usage, stdout);
        return EX_OK;
    }
}
