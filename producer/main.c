/*
 * pay: publishes payments to Kafka, each under an idempotency key.
 */
#include "common/bounded_call.h"
#include "common/stop.h"
#include "common/streams.h"
#include "producer/account.h"
#include "producer/batch.h"
#include "producer/options.h"
#include "producer/send.h"
#include "producer/status.h"
#include "producer/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

static int run(const struct options *options)
{
    switch (options->command) {
    case SUBCOMMAND_SEND:
        return send_run(options);
    case SUBCOMMAND_BATCH:
        return batch_run(options);
    case SUBCOMMAND_KEY:
        return send_print_key();
    case SUBCOMMAND_VERSION:
        return version_print();
    case SUBCOMMAND_STATUS:
        return status_run(options);
    case SUBCOMMAND_CANCEL:
    case SUBCOMMAND_ACCOUNT_OPEN:
    case SUBCOMMAND_ACCOUNT_LIMIT:
    case SUBCOMMAND_ACCOUNT_CLOSE:
    case SUBCOMMAND_ACCOUNT_MODE:
        return account_run(options);
    case SUBCOMMAND_HELP:
    default:
        fputs(options->usage, stdout);
        return EX_OK;
    }
}

int main(int argc, char *argv[])
{
    struct options_env env = {.brokers = getenv("PAY_BROKERS"),
                              .topic = getenv("PAY_TOPIC"),
                              .outcomes = getenv("PAY_OUTCOMES")};
    struct options options;
    struct error err;

    if (!streams_open()) {
        return EX_OSERR;
    }
    stop_install();
    if (options_parse(argc, argv, &env, &options, &err) != 0) {
        fprintf(stderr, "pay: %s\n", err.text);
        return err.code;
    }
    int code = run(&options);
    if (!streams_flush()) {
        fprintf(stderr, "pay: standard output cannot be written%s\n",
                code == EX_OK ? "; all else was done" : "");
        code = code == EX_OK ? EX_IOERR : code;
    }
    if (bounded_call_runs()) {
        _exit(code); /* all is written */
    }
    return code;
}
