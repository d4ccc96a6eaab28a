#include "tests/checker/options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define TIMEOUT_S_DEFAULT 60
#define TIMEOUT_S_MAX     86400

const char options_usage[] =
    "Usage: pay-checker collect -b BROKERS -t TOPIC -g GROUP --into DIR [--outcomes NAME]\n"
    "                           [--timeout SECONDS]\n"
    "       pay-checker check DIR [--db FILE] [--settled]\n"
    "\n"
    "The judge of the fault suite: did any payment get lost, doubled or changed? collect reads a\n"
    "topic, its outcomes and a group's offsets into DIR while payd stands still; check compares\n"
    "them with the submitters' history (DIR/history*.jsonl), the ledger and its snapshots\n"
    "(DIR/snapshots/*.db).\n"
    "\n"
    "  -b BROKERS           of Kafka, HOST:PORT[,...]\n"
    "  -t TOPIC             the payments\n"
    "  -g GROUP             payd's consumer group\n"
    "  --into DIR           where the evidence goes; made when it is not there\n"
    "  --outcomes NAME      the outcomes topic (default: TOPIC.outcomes); may be absent\n"
    "  --timeout SECONDS    for all of it (default: 60)\n"
    "  --db FILE            the ledger (default: DIR/ledger.db)\n"
    "  --settled            all is over: nothing may be left undecided, unpublished, uncommitted\n"
    "\n"
    "Exit codes: 0 nothing is violated, 1 something is, 64 wrong usage, 65 the evidence is "
    "missing\n"
    "or cannot be read, 69 no broker or topic, 71 no memory, 74 a file cannot be written.\n";

enum { OPTION_INTO = 256, OPTION_OUTCOMES, OPTION_TIMEOUT, OPTION_DB, OPTION_SETTLED };

static const struct option longs[] = {
    {"into", required_argument, NULL, OPTION_INTO},
    {"outcomes", required_argument, NULL, OPTION_OUTCOMES},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"db", required_argument, NULL, OPTION_DB},
    {"settled", no_argument, NULL, OPTION_SETTLED},
    {NULL, 0, NULL, 0},
};

static int read_timeout(int *ret_ms, const char *text, struct fault *fault)
{
    char *end;
    long seconds = strtol(text, &end, 10);

    if (end == text || *end != '\0' || seconds < 1 || seconds > TIMEOUT_S_MAX) {
        return fault_set(fault, EX_USAGE, "--timeout takes 1 to %d seconds, not \"%s\"",
                         TIMEOUT_S_MAX, text);
    }
    *ret_ms = (int)seconds * 1000;
    return 0;
}

static int take(struct options *options, int option, const char *value, struct fault *fault)
{
    bool collects = options->command == COMMAND_COLLECT;

    if (option == '?' || (option == OPTION_DB || option == OPTION_SETTLED) == collects) {
        return fault_set(fault, EX_USAGE, "unknown option, or one of the other command");
    }
    switch (option) {
    case 'b':
        options->collect.brokers = value;
        break;
    case 't':
        options->collect.topic = value;
        break;
    case 'g':
        options->collect.group = value;
        break;
    case OPTION_INTO:
        options->collect.into = value;
        break;
    case OPTION_OUTCOMES:
        options->collect.outcomes = value;
        break;
    case OPTION_TIMEOUT:
        return read_timeout(&options->collect.timeout_ms, value, fault);
    case OPTION_DB:
        options->check.db = value;
        break;
    default:
        options->check.is_settled = true;
        break;
    }
    return 0;
}

static int complete(struct options *options, int count, char **operands, struct fault *fault)
{
    const struct collect_options *collect = &options->collect;

    if (options->command == COMMAND_COLLECT) {
        return count == 0 && collect->brokers && collect->topic && collect->group && collect->into
                   ? 0
                   : fault_set(fault, EX_USAGE, "collect takes -b, -t, -g and --into");
    }
    options->check.dir = operands[0];
    return count == 1 ? 0 : fault_set(fault, EX_USAGE, "check takes one folder");
}

int options_read(struct options *options, int argc, char **argv, struct fault *fault)
{
    const char *word = argc > 1 ? argv[1] : "";
    int option;

    *options = (struct options){.collect = {.timeout_ms = TIMEOUT_S_DEFAULT * 1000}};
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        options->command = COMMAND_HELP;
        return 0;
    }
    if (strcmp(word, "collect") != 0 && strcmp(word, "check") != 0) {
        return fault_set(fault, EX_USAGE, "say collect or check");
    }
    options->command = word[1] == 'o' ? COMMAND_COLLECT : COMMAND_CHECK;
    opterr = 0;
    while ((option = getopt_long(argc - 1, argv + 1, "b:t:g:", longs, NULL)) != -1) {
        if (take(options, option, optarg, fault) != 0) {
            return -1;
        }
    }
    return complete(options, argc - 1 - optind, argv + 1 + optind, fault);
}
