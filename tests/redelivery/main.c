#include "common/clock.h"
#include "common/stop.h"
#include "tests/redelivery/redeliver.h"

#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct redeliver options;
    struct error err;

    if (redeliver_options(argc, argv, &options, &err) != 0) {
        fprintf(stderr, "redeliver: %s (see tests/redeliver --help)\n", err.text);
        return err.code;
    }
    if (options.help) {
        fputs(redeliver_usage, stdout);
        return EX_OK;
    }
    if (!options.has_seed) {
        options.seed = (uint64_t)clock_unix_ms() % 1000000 * 1000 + (uint64_t)getpid() % 1000;
    }
    stop_install();
    int result =
        options.is_rewind ? redeliver_rewind(&options, &err) : redeliver_again(&options, &err);
    if (result != 0) {
        fprintf(stderr, "redeliver: %s\n", err.text);
        return err.code;
    }
    return EX_OK;
}
