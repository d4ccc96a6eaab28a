/*
 * payd: options -> command -> exit code. `payd run` itself reads top to bottom in run.c.
 */
#include "common/bounded_call.h"
#include "common/stop.h"
#include "common/streams.h"
#include "consumer/audit.h"
#include "consumer/backup.h"
#include "consumer/diff.h"
#include "consumer/export.h"
#include "consumer/options.h"
#include "consumer/position.h"
#include "consumer/purge.h"
#include "consumer/quarantine.h"
#include "consumer/redrive.h"
#include "consumer/replay.h"
#include "consumer/reset.h"
#include "consumer/restore.h"
#include "consumer/run.h"
#include "consumer/show.h"
#include "consumer/statement.h"
#include "consumer/stats.h"
#include "consumer/store.h"
#include "consumer/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

static void print_version(void)
{
    printf("payd " PAY_VERSION "\nlibrdkafka %s\nSQLite %s\ncJSON %s\n",
           kafka_conf_library_version(), store_sqlite_library_version(),
           stats_json_library_version());
}

static int dispatch(const struct options *options, struct error *err)
{
    switch (options->command) {
    case SUBCOMMAND_RUN:
        return run(options);
    case SUBCOMMAND_STATS:
        return stats(options, err);
    case SUBCOMMAND_SHOW:
        return show(options, err);
    case SUBCOMMAND_POSITION:
        return position(options, err);
    case SUBCOMMAND_DIFF:
        return diff(options, err);
    case SUBCOMMAND_STATEMENT:
        return statement(options, err);
    case SUBCOMMAND_EXPORT:
        return export_decisions(options, err);
    case SUBCOMMAND_BACKUP:
        return backup(options, err);
    case SUBCOMMAND_RESTORE:
        return restore(options, err);
    case SUBCOMMAND_QUARANTINE:
        return quarantine(options, err);
    case SUBCOMMAND_PURGE:
        return purge(options, err);
    case SUBCOMMAND_REDRIVE:
        return redrive(options, err);
    case SUBCOMMAND_RESET:
        return reset(options, err);
    case SUBCOMMAND_AUDIT:
        return audit(options, err);
    case SUBCOMMAND_REPLAY:
        return replay(options, err);
    case SUBCOMMAND_VERIFY:
        return verify(options, err);
    case SUBCOMMAND_VERSION:
        print_version();
        return EX_OK;
    case SUBCOMMAND_HELP:
    default:
        fputs(options_help(options->help_for), stdout);
        return EX_OK;
    }
}

int main(int argc, char **argv)
{
    const struct options_env env = {getenv("PAY_BROKERS"), getenv("PAY_TOPIC"),
                                    getenv("PAY_OUTCOMES")};
    struct error err = {.code = EX_OK, .text = ""};
    struct options options;

    if (!streams_open()) {
        return EX_OSERR;
    }
    stop_install();
    int code =
        options_parse(argc, argv, &env, &options, &err) == 0 ? dispatch(&options, &err) : err.code;
    if (err.text[0] != '\0') {
        fprintf(stderr, "payd: %s\n", err.text);
    }
    if (!streams_flush() && code == EX_OK) {
        fprintf(stderr, "payd: standard output cannot be written\n");
        code = EX_IOERR;
    }
    if (bounded_call_runs()) {
        _exit(code); /* all is written */
    }
    return code;
}
