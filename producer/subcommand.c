#include "producer/subcommand.h"

#include <stddef.h>
#include <string.h>

static const char usage_all[] =
    "Usage: pay send SRC DEST AMOUNT [CURRENCY] (--key KEY | --new) [--wait]\n"
    "       pay batch --batch-id NAME [--skip-bad] [--only-missing] [--wait] FILE|-\n"
    "       pay status KEY...                      what became of keys\n"
    "       pay cancel KEY                         burn a key that is not decided yet\n"
    "       pay account open|limit|close|mode ...  accounts and their limits\n"
    "       pay key                                print a new key\n"
    "Publish payments to Kafka, each under an idempotency key that pays it once.\n"
    "\n"
    "  -b, --brokers LIST      HOST:PORT[,...]; else PAY_BROKERS\n"
    "  -t, --topic NAME        the topic; else PAY_TOPIC, else \"payments\"\n"
    "      --outcomes NAME     for answers; else PAY_OUTCOMES, else TOPIC.outcomes\n"
    "  -X NAME=VALUE           set a librdkafka property, may be repeated\n"
    "  -F FILE                 read properties from FILE, one NAME=VALUE a line\n"
    "      --skip-topic-check  do not check the topic's settings (embedded broker)\n"
    "      --json              print one JSON object instead of text\n"
    "  -h, --help              this text; `pay send --help` and so on: more\n"
    "      --version           versions of pay and of its libraries\n"
    "\n"
    "Exit codes: 0 all acknowledged, when waited for: applied; 1 rejected;\n"
    "2 conflict; 3 quarantined; 4 not found; 64 usage; 65 data refused or skipped;\n"
    "66 no such input; 69 broker or topic not there; 74 input or output error;\n"
    "75 unknown: send it again with the same key; 78 the topic's settings.\n";

static const char usage_send[] =
    "Usage: pay send SRC DEST AMOUNT [CURRENCY] (--key KEY | --new) [--wait]\n"
    "Publish one payment of AMOUNT (such as 12.34, exact) from SRC to DEST and wait\n"
    "until the topic has it. CURRENCY is an ISO 4217 code, EUR when left out.\n"
    "\n"
    "      --key KEY         the idempotency key, 1 to 255 bytes: the same key pays\n"
    "                        once, however often it is sent (`pay key` prints one)\n"
    "      --new             draw a new key and print it first, on a line of its own\n"
    "                        (with --json: on standard error)\n"
    "      --wait[=SECONDS]  wait for its outcome too, 60 s when left out\n"
    "One of --key and --new must be given. Every --new is another payment: never use\n"
    "it in a loop that tries again.\n"
    "\n"
    "Exit codes with --wait: 0 applied, now or before; 1 rejected; 2 conflict: the\n"
    "key has another payload; 3 quarantined. A repeat is answered as the first time.\n"
    "Exit code 75: the answer is unknown, or the topic does not have the payment. The\n"
    "command to run again, with the same key, is then printed on standard error.\n"
    "Other options and exit codes: pay --help\n";

static const char usage_batch[] =
    "Usage: pay batch --batch-id NAME [--skip-bad] [--only-missing] [--wait] FILE|-\n"
    "Publish the payments of FILE, or of standard input: CSV with the columns src,\n"
    "dest, amount and if wanted currency and key, or JSON Lines with these fields.\n"
    "The whole input is checked before the first row is published.\n"
    "\n"
    "      --batch-id NAME   a row without a key of its own gets NAME:<row number>;\n"
    "                        the same NAME sends the same keys, so that a second run\n"
    "                        pays nothing twice. Needed unless every row has a key\n"
    "      --skip-bad        publish the good rows and write the others to FILE.bad,\n"
    "                        to be mended and sent under another NAME\n"
    "      --only-missing    ask the outcomes topic first, and send only rows that\n"
    "                        have none there. Outcomes found count in the exit code,\n"
    "                        with --wait or without; those to come only with it\n"
    "      --wait[=SECONDS]  wait for the outcomes, for SECONDS (60) after the last\n"
    "                        row was acknowledged; at most 4,000,000 rows\n"
    "A NAME stands for one content. A file that was changed under its NAME moves\n"
    "nothing (conflict: batch_changed): send new rows as a batch of their own.\n"
    "\n"
    "Exit codes with --wait, the worst of all rows: 75 unknown, 3 quarantined,\n"
    "2 conflict, 1 rejected, 0 all applied. Exit code 75: some rows are unknown or\n"
    "not sent; their keys are on standard error. Run the same command again. Exit\n"
    "code 65: rows were refused or skipped. Input is spooled to TMPDIR, or /tmp.\n"
    "Other options and exit codes: pay --help\n";

static const char usage_status[] =
    "Usage: pay status KEY... [--digest HEX]\n"
    "Ask the outcomes topic what became of keys: the decision, where it was made, and\n"
    "how often a key was sent again. Reads where a key lands, from the beginning to\n"
    "the end as of now; at most 100 keys at once.\n"
    "\n"
    "      --digest HEX  only answers to this payload (32 hex digits, as in --json):\n"
    "                    another's payment under the same key is then not found\n"
    "\n"
    "A key that is not found is unknown, not unpaid: it may wait to be decided, or\n"
    "Kafka's retention removed its outcome. Send it again with the same key, or ask\n"
    "the ledger (payd show).\n"
    "\n"
    "Exit codes, the worst of all keys: 4 one was not found, 3 quarantined,\n"
    "2 conflict, 1 rejected, 0 all applied; 75 the topic was not read to its end.\n"
    "Other options and exit codes: pay --help\n";

static const char usage_cancel[] =
    "Usage: pay cancel KEY [--wait=SECONDS | --no-wait]\n"
    "Burn a key that is not decided yet: the payment that comes later is rejected. A\n"
    "key that is decided keeps its decision.\n"
    "\n"
    "      --wait=SECONDS  how long to wait for the outcome (60)\n"
    "      --no-wait       only until the topic has it\n"
    "\n"
    "Exit codes: 0 nothing will be paid under the key; 1 too late, it was applied;\n"
    "2 conflict; 3 quarantined; 75 unknown: run it again, until the answer is there\n"
    "the key may still be paid. Other options and exit codes: pay --help\n";

static const char usage_account[] =
    "Usage: pay account open ID [--currency CODE] [--min-balance AMOUNT|none]\n"
    "       pay account limit ID [--currency CODE] --min-balance AMOUNT|none\n"
    "       pay account close ID\n"
    "       pay account mode strict|open\n"
    "Open an account, change its limit, close it (its balance must be zero), or say\n"
    "whether accounts open on first use (open) or only by command (strict). Limits\n"
    "and strict mode need a topic of one partition: one order of all payments.\n"
    "\n"
    "      --currency CODE       ISO 4217, EUR when left out\n"
    "      --min-balance AMOUNT  what a payment must leave, such as 0 or -50.00;\n"
    "                            none: no limit, as for an account opened without\n"
    "      --key KEY             the idempotency key. open has account-open:ID by\n"
    "                            itself, so that it may be sent again as it is; the\n"
    "                            others draw a new key and print it first\n"
    "      --wait=SECONDS        how long to wait for the outcome (60)\n"
    "      --no-wait             only until the topic has it\n"
    "\n"
    "Exit codes: 0 applied; 1 rejected; 2 conflict; 3 quarantined; 75 unknown, with\n"
    "the command to run again on standard error. Others: pay --help\n";

static const char usage_key[] = "Usage: pay key\n"
                                "Print a new idempotency key, a UUID of version 7.\n";

static const struct subcommand_form forms[] = {
    [SUBCOMMAND_SEND] = {"send", "", usage_send, 3, 4},
    [SUBCOMMAND_BATCH] = {"batch", "", usage_batch, 1, 1},
    [SUBCOMMAND_KEY] = {"key", "", usage_key, 0, 0},
    [SUBCOMMAND_STATUS] = {"status", "", usage_status, 1, SUBCOMMAND_KEYS_MAX},
    [SUBCOMMAND_CANCEL] = {"cancel", "", usage_cancel, 1, 1},
    [SUBCOMMAND_ACCOUNT_OPEN] = {"account", "open", usage_account, 1, 1},
    [SUBCOMMAND_ACCOUNT_LIMIT] = {"account", "limit", usage_account, 1, 1},
    [SUBCOMMAND_ACCOUNT_CLOSE] = {"account", "close", usage_account, 1, 1},
    [SUBCOMMAND_ACCOUNT_MODE] = {"account", "mode", usage_account, 1, 1},
};

#define FORMS ((int)(sizeof(forms) / sizeof(forms[0])))

const struct subcommand_form *subcommand_form(enum subcommand command)
{
    return &forms[command];
}

int subcommand_find(const char *name, const char *verb)
{
    for (int i = 0; i < FORMS; i++) {
        if (strcmp(forms[i].name, name) == 0 &&
            (forms[i].verb[0] == '\0' || (verb && strcmp(forms[i].verb, verb) == 0))) {
            return i;
        }
    }
    return -1;
}

const char *subcommand_usage(const char *name)
{
    for (int i = 0; name && i < FORMS; i++) {
        if (strcmp(forms[i].name, name) == 0) {
            return forms[i].usage;
        }
    }
    return usage_all;
}
