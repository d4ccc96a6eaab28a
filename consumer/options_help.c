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
    "  verify, diff A B              prove a ledger from its file; compare two\n"
    "  stats, show KEY..., statement ACCOUNT, export    what a ledger holds\n"
    "  quarantine list|show|export|redrive   messages that could not be read\n"
    "  backup FILE, restore BACKUP   copy a ledger; put the copy in its place\n"
    "  purge     forget old keys for good                                -b BROKERS\n"
    "  position, reset               change by hand how far it has read, the balances\n"
    "\n"
    "All but run, replay --execute, restore, purge, reset, position work while payd\n"
    "runs. Exit codes (1 to 4: see the command's --help):\n"
    "   0  done, or stopped by SIGTERM or SIGINT\n"
    "  64  the command line is wrong     65, 66  a file or account cannot be used\n"
    "  69  broker or topic not there     71  no memory     73  cannot make a file\n"
    "  74  the store failed, or another process is writing it\n"
    "  75  stopped before the end was reached, or to be tried again: run it again\n"
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
    "      --dead-letters NAME topic for messages that cannot be read [none]\n"
    "      --accounts MODE     of a new ledger: open on first use, or strict\n"
    "  -X NAME=VALUE           librdkafka property; may be repeated\n"
    "  -F FILE                 file of librdkafka properties, NAME=VALUE a line\n"
    "      --until-end         stop at the end of each partition\n"
    "      --take-group        go on although the group belongs to another ledger\n"
    "      --from-log-start    begin although the log's first records are gone\n"
    "      --purge-older-than DURATION  forget old keys meanwhile: payd purge --help\n"
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
    "known; 4 one is unknown: it may still be paid, or forgotten. The highest counts.\n";

static const char position_help[] =
    "Usage: payd position --db FILE [--partition N --to OFFSET | --new-log | --json]\n"
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
    "      --json         show them as one JSON object\n"
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
    "       payd replay --into NEW.db [--decisions OLD] -b BROKERS [OPTION]...\n"
    "Reads records before the ledger's positions again, and decides what never was.\n"
    "Without --execute this is a forecast: nothing is changed, payd may run.\n"
    "      --from WHERE      beginning, OFFSET, TIME (2026-11-25T12:00:00Z), or a\n"
    "                        DURATION back from now (90d, 12h, 30m, 45s)\n"
    "      --to WHERE        the same; default: the ledger's positions\n"
    "      --partition N, --key-file FILE   only these (keys: one a line)\n"
    "      --execute         do it; refused while payd runs. Run again after a crash\n"
    "      --rate N          at most N records a second\n"
    "      --into NEW.db     a new ledger of all of the topic instead\n"
    "      --decisions OLD   a ledger, or topic:NAME, the outcomes topic [topic:]:\n"
    "                        what was decided holds; if it cannot, exit code 70\n"
    "      --store UUID      whose outcomes, when several ledgers have some there\n"
    "      --redecide        they do not hold: list what would change (then 1);\n"
    "                        --execute makes the new ledger\n"
    "      --accounts MODE   of a new ledger: open on first use, or strict\n"
    "      --from-log-start  a new ledger may lack what the log holds no more\n"
    "      --db FILE, --json                the ledger; one JSON object\n" KAFKA_HELP;

static const char diff_help[] =
    "Usage: payd diff A.db B.db [--json]\n"
    "\n"
    "Compares two ledgers: names each key that only one has decided, or both\n"
    "differently (payload, outcome, reason), and each account whose state, currency,\n"
    "balance or limit differs. Order, times and offsets do not matter. Changes\n"
    "nothing; works while payd runs.\n"
    "\n"
    "      --json  one JSON object for each difference, a line each\n"
    "  -h, --help  this text\n"
    "\n"
    "Exit codes: 0 they say the same; 1 they differ; others: payd --help\n";

static const char statement_help[] =
    "Usage: payd statement ACCOUNT --db FILE [--since WHEN] [--json]\n"
    "\n"
    "Shows an account as a bank does: each payment with the balance after it. Changes\n"
    "nothing; works while payd runs.\n"
    "\n"
    "      --db FILE     the ledger\n"
    "      --since WHEN  from a time on (2026-11-25T12:00:00Z), or a duration back\n"
    "                    from now (90d, 12h, 30m, 45s), by payd's clock\n"
    "      --json        one JSON object for each payment, a line each\n"
    "  -h, --help        this text\n"
    "\n"
    "Exit codes: 0 shown; 66 there is no such account; others: payd --help\n";

static const char export_help[] =
    "Usage: payd export --db FILE [--format csv|jsonl | --json] [--since WHEN]\n"
    "\n"
    "Writes all decisions, in their order: applied and rejected commands. Changes\n"
    "nothing; works while payd runs.\n"
    "\n"
    "      --db FILE      the ledger\n"
    "      --format NAME  csv: with a line of names (default); jsonl: as in the\n"
    "                     outcomes topic, as does --json\n"
    "      --since WHEN   from a time on (2026-11-25T12:00:00Z), a duration back from\n"
    "                     now (90d, 12h, 30m, 45s), or a decision's number, seq\n"
    "  -h, --help         this text\n";

static const char backup_help[] =
    "Usage: payd backup FILE --db FILE [--json]\n"
    "\n"
    "Copies a ledger of one moment to a new file, also while payd runs, whose WAL\n"
    "grows meanwhile. When it says so, the copy is on the disk. A ledger that goes on\n"
    "from an old copy has forgotten what came later: payd run refuses it (78).\n"
    "\n"
    "      --db FILE  the ledger\n"
    "      --json     one JSON object\n"
    "  -h, --help     this text\n"
    "\n"
    "Exit codes: 0 copied; 73 the file is there already; others: payd --help\n";

static const char restore_help[] =
    "Usage: payd restore BACKUP --db FILE -b BROKERS [--rewind] [OPTION]...\n"
    "\n"
    "Puts a backup in the place of a lost ledger, if its group has not read further.\n"
    "--rewind reads again what it has, and what the outcomes topic tells of it holds.\n"
    "Stop payd first. Nothing is at FILE before all is done.\n"
    "\n"
    "      --db FILE           the lost ledger's place; nothing may be there\n"
    "  -g, --group NAME        its consumer group            [payd]\n"
    "      --rewind            read again what the group has read since the backup\n"
    "      --redecide          without the outcomes: today's rules decide it\n"
    "      --from-log-start    a new partition may lack its first records\n"
    "      --outcomes NAME     topic of outcomes     [$PAY_OUTCOMES, TOPIC.outcomes]\n"
    "      --skip-topic-check  do not ask for the group's members (embedded broker)\n" KAFKA_HELP
    "      --json              one JSON object for each step, a line each\n"
    "  -h, --help              this text\n"
    "\n"
    "Exit codes: 0 restored; 65 the backup is not whole; 70 what was told does not\n"
    "come again; 73 something is there; 75 another program reads the new ledger; 78\n"
    "the group has read or decided more, or is another ledger's; others: payd --help\n";

static const char quarantine_help[] =
    "Usage: payd quarantine list --db FILE [OPTION]...\n"
    "       payd quarantine show PARTITION@OFFSET... --db FILE [--json]\n"
    "       payd quarantine export --db FILE [OPTION]...\n"
    "       payd quarantine redrive --help\n"
    "\n"
    "Messages that could not be read as a command: they were not paid, and their keys\n"
    "are free. list: a line each. show: all of a message. export: all of each as\n"
    "JSON Lines, bytes in hex. Changes nothing; works while payd runs.\n"
    "\n"
    "      --db FILE      the ledger\n"
    "      --reason NAME  only this reason\n"
    "      --partition N  only of this partition\n"
    "      --since WHEN   from a time on (2026-11-25T12:00:00Z), or a duration back\n"
    "                     from now (90d, 12h, 30m, 45s), by the broker's clock\n"
    "      --json         one JSON object for each, a line each\n"
    "  -h, --help         this text\n"
    "\n"
    "Exit codes: 0 shown; 4 one is not in quarantine; others: payd --help\n";

static const char purge_help[] =
    "Usage: payd purge --older-than DURATION --db FILE -b BROKERS [OPTION]...\n"
    "\n"
    "Forgets keys for good, with their decisions. Only keys that tell their age: a\n"
    "UUIDv7 by its time, and a batch's rows (ID:0000000001 and so on) as one, decided\n"
    "before. What comes again under such a key is stale: quarantined, never run. All\n"
    "other keys stay. Refused while payd runs (payd run --purge-older-than does it\n"
    "meanwhile), before all of the topic is read, and for keys that are younger than\n"
    "the topic keeps its records (retention.ms). What the log still has, stays.\n"
    "\n"
    "      --older-than DURATION  90d, 12h, 30m, 45s\n"
    "      --db FILE              the ledger\n" KAFKA_HELP
    "      --skip-topic-check     do not ask for retention.ms (embedded broker)\n"
    "      --json                 one JSON object\n"
    "  -h, --help                 this text\n";

static const char redrive_help[] =
    "Usage: payd quarantine redrive PARTITION@OFFSET... --db FILE -b BROKERS\n"
    "       payd quarantine redrive --reason NAME ... --db FILE -b BROKERS\n"
    "\n"
    "Publishes messages of the quarantine to the ledger's topic again, all or none,\n"
    "under the same key, or redrive:TOPIC:PARTITION:OFFSET when it was unusable: so\n"
    "each is paid once, however often it is redriven. What would only come back is\n"
    "refused (65). Changes no ledger; works while payd runs, which decides them.\n"
    "\n"
    "      --value FILE         mended bytes of the one message (-: standard input)\n"
    "      --reason NAME        all of this reason, or\n"
    "      --partition N        of this partition, or\n"
    "      --since WHEN         from a time on, or a duration back from now (90d)\n"
    "      --db FILE            the ledger\n" KAFKA_HELP
    "      --skip-topic-check   do not ask for the topic's settings (embedded broker)\n"
    "      --json               one JSON object for each, a line each\n"
    "  -h, --help               this text\n"
    "\n"
    "75: not all was acknowledged, run it again. 4: one is not in quarantine.\n";

static const char reset_help[] =
    "Usage: payd reset --yes --db FILE [--forget-everything] [--json]\n"
    "\n"
    "Sets all balances and totals to zero, as for a demonstration. Decisions, keys\n"
    "and positions stay, or old payments would run again. Refused while payd runs.\n"
    "\n"
    "      --db FILE            the ledger\n"
    "      --yes                do it\n"
    "      --forget-everything  remove the ledger: a new one reads its topic from the\n"
    "                           beginning, and pays all that is in it\n"
    "      --json               one JSON object\n"
    "  -h, --help               this text\n";

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
    case SUBCOMMAND_DIFF:
        return diff_help;
    case SUBCOMMAND_STATEMENT:
        return statement_help;
    case SUBCOMMAND_EXPORT:
        return export_help;
    case SUBCOMMAND_BACKUP:
        return backup_help;
    case SUBCOMMAND_RESTORE:
        return restore_help;
    case SUBCOMMAND_QUARANTINE:
        return quarantine_help;
    case SUBCOMMAND_PURGE:
        return purge_help;
    case SUBCOMMAND_REDRIVE:
        return redrive_help;
    case SUBCOMMAND_RESET:
        return reset_help;
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
