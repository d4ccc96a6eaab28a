#include "consumer/options.h"

static const char main_help[] =
    "payd - pay each payment in a Kafka topic once, into a SQLite ledger\n"
    "\n"
    "Usage: payd COMMAND --db FILE [OPTION]...\n"
    "       payd COMMAND --help | payd --version\n"
    "\n"
    "  run       read commands, apply each once, publish the outcomes    -b BROKERS\n"
    "  audit     prove a ledger against its topic                        -b BROKERS\n"
    "  replay    tell what reading again would decide, or decide it      -b BROKERS\n"
    "  verify    prove a ledger from its file alone\n"
    "  stats     show what a ledger holds\n"
    "  show      show what became of keys\n"
    "  position  show or set, by hand, how far a ledger has read\n"
    "\n"
    "Only run, replay --execute and setting a position write; all others work while\n"
    "payd runs. Exit codes:\n"
    "   0  done, or stopped by SIGTERM or SIGINT; show: 1 to 4, see its --help\n"
    "   1  verify, audit: something is wrong with the ledger\n"
    "  64  the command line is wrong          65, 66  a file of keys cannot be used\n"
    "  69  broker or topic not there          71  the system gave no memory\n"
    "  74  the store failed, or another process is writing it\n"
    "  75  stopped before the end was reached: run it again\n"
    "  78  configuration: another log's or another program's store, a topic with\n"
    "      settings that lose payments, a position that the log does not hold\n";

static const char run_help[] =
    "Usage: payd run --db FILE -b BROKERS [OPTION]...\n"
    "\n"
    "Reads payments from Kafka, applies each once, and publishes its outcome.\n"
    "\n"
    "      --db FILE           the ledger (SQLite); made when it is not there\n"
    "  -b, --brokers LIST      HOST:PORT[,...]               [$PAY_BROKERS]\n"
    "  -t, --topic NAME        topic to read                 [$PAY_TOPIC, payments]\n"
    "  -g, --group NAME        consumer group                [payd]\n"
    "      --outcomes NAME     topic for outcomes    [$PAY_OUTCOMES, TOPIC.outcomes]\n"
    "      --accounts MODE     of a new ledger: open on first use, or strict\n"
    "  -X NAME=VALUE           librdkafka property; may be repeated\n"
    "  -F FILE                 file of librdkafka properties, NAME=VALUE a line\n"
    "      --until-end         stop at the end of each partition\n"
    "      --take-group        go on although the group belongs to another ledger\n"
    "      --from-log-start    begin although the log's first records are gone\n"
    "      --skip-topic-check  do not ask for the topic's settings (embedded broker)\n"
    "  -h, --help              this text\n"
    "\n"
    "Waits for a broker or a topic that is not there; with --until-end exits 69.\n"
    "SIGTERM ends it within 5 s. Exit codes: payd --help\n";

static const char stats_help[] =
    "Usage: payd stats --db FILE [--json]\n"
    "\n"
    "Shows what the ledger holds: counts, totals and balances by currency, and the\n"
    "next offset of each partition. Changes nothing; works while payd runs.\n"
    "\n"
    "      --db FILE  the ledger\n"
    "      --json     one JSON object; amounts are decimals in strings\n"
    "  -h, --help     this text\n";

static const char show_help[] =
    "Usage: payd show KEY... --db FILE [--json]\n"
    "\n"
    "Shows what the ledger knows of idempotency keys: the payload that decided each,\n"
    "the outcome and its reason, where and when, and the repeats (16 of a key are\n"
    "kept, all are counted). Changes nothing; works while payd runs.\n"
    "\n"
    "      --db FILE  the ledger\n"
    "      --json     one JSON object a line, as in the outcomes topic\n"
    "  -h, --help     this text\n"
    "\n"
    "Exit codes: 0 all were applied; 1 one was rejected; 2 of one only conflicts are\n"
    "known; 4 one is unknown: it may still be paid. The highest counts.\n";

static const char position_help[] =
    "Usage: payd position --db FILE [--partition N --to OFFSET | --new-log]\n"
    "\n"
    "Shows the next offset of each partition, or sets it by hand, while payd does not\n"
    "run. For a log that was truncated or made anew; each change is remembered.\n"
    "\n"
    "      --db FILE      the ledger\n"
    "      --partition N  set the position of this partition...\n"
    "      --to OFFSET    ...to this offset. Forward: the records between stay unread\n"
    "                     for good. Back: what is decided already is dropped again\n"
    "      --new-log      forget all positions and the topic: the next payd run binds\n"
    "                     the ledger to its topic and reads it from its beginning.\n"
    "                     Keys are not forgotten: what was paid is not paid again\n"
    "  -h, --help         this text\n";

static const char verify_help[] =
    "Usage: payd verify --db FILE [--json]\n"
    "\n"
    "Proves a ledger from its file alone: SQLite's own check, each key once over all\n"
    "segments and with its decision, each payload as it was decided, each balance\n"
    "the sum of its postings, all balances zero, positions behind what was read, and\n"
    "a digest of all decisions, which payd stats shows too. Changes nothing; works\n"
    "while payd runs, whose WAL grows meanwhile.\n"
    "\n"
    "      --db FILE  the ledger\n"
    "      --json     one JSON object\n"
    "  -h, --help     this text\n"
    "\n"
    "Exit codes: 0 the ledger is whole; 1 it is not: the first 20 findings are shown.\n";

#define KAFKA_HELP                                                                                 \
    "  -b, --brokers LIST    HOST:PORT[,...]               [$PAY_BROKERS]\n"                       \
    "  -t, --topic NAME      the ledger's topic            [$PAY_TOPIC, payments]\n"               \
    "  -X NAME=VALUE         librdkafka property; may be repeated\n"                               \
    "  -F FILE               file of librdkafka properties, NAME=VALUE a line\n"

static const char audit_help[] =
    "Usage: payd audit --db FILE -b BROKERS [OPTION]...\n"
    "\n"
    "Proves a ledger against the topic that it was made from: each record before its\n"
    "positions has exactly one outcome, the right one; the ledger has nothing that\n"
    "the log did not hold, as far as the log goes back; and all that payd verify\n"
    "proves. Changes nothing; works while payd runs.\n"
    "\n"
    "      --db FILE         the ledger\n" KAFKA_HELP "      --json            one JSON object\n"
    "  -h, --help            this text\n"
    "\n"
    "Exit codes: 0 the ledger is what the log says; 1 it is not: the first 20\n"
    "findings are shown; others: payd --help\n";

static const char replay_help[] =
    "Usage: payd replay --from WHERE --db FILE -b BROKERS [OPTION]...\n"
    "\n"
    "Reads records before the ledger's positions again. What they decided stays; what\n"
    "was never decided, such as records that a position was moved over, is decided\n"
    "now. Without --execute this is a forecast: nothing is changed, payd may run.\n"
    "\n"
    "      --from WHERE      beginning, OFFSET, TIME (2026-11-25T12:00:00Z), or a\n"
    "                        DURATION back from now (90d, 12h, 30m, 45s)\n"
    "      --to WHERE        the same; default: the ledger's positions\n"
    "      --partition N     only this partition\n"
    "      --key-file FILE   only keys of this file, one a line\n"
    "      --execute         do it; refused while payd runs. Run again after a crash\n"
    "      --rate N          at most N records a second\n"
    "      --db FILE         the ledger\n" KAFKA_HELP "      --json            one JSON object\n"
    "  -h, --help            this text\n";

const char *options_help(enum subcommand command)
{
    switch (command) {
    case SUBCOMMAND_RUN:
        return run_help;
    case SUBCOMMAND_STATS:
        return stats_help;
    case SUBCOMMAND_SHOW:
        return show_help;
    case SUBCOMMAND_POSITION:
        return position_help;
    case SUBCOMMAND_AUDIT:
        return audit_help;
    case SUBCOMMAND_REPLAY:
        return replay_help;
    case SUBCOMMAND_VERIFY:
        return verify_help;
    case SUBCOMMAND_HELP:
    case SUBCOMMAND_VERSION:
    default:
        return main_help;
    }
}
