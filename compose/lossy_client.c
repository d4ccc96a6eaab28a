/*
 * pay-lossy-client: a client on a bad network, for compose/demo. Of its requests every third is
 * lost, and of the answers to those that arrive every third too, by a seed. It sends real payments
 * to a real topic; the losses are made here, before the one and behind the other.
 */
#include "common/command_json.h"
#include "common/publisher.h"
#include "common/uuid7.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define PAYMENTS_MAX 100000
#define LINE_SIZE    512
#define LOST_ONE_OF  3
#define POLL_MS      100
#define ROUNDS_MAX   200 /* that a payment is unanswered for so long is as good as impossible */

/* What the client does when no answer has come. */
enum way { WAY_FORGET, WAY_NEW_KEY, WAY_SAME_KEY, WAY_NONE };

static const char *const way_names[] = {"forget", "new-key", "same-key"};

struct order {
    struct command command;
    bool is_answer_lost; /* of the attempt that is on its way */
    bool is_answered;
};

struct client {
    enum way way;
    struct kafka_args kafka;
    uint64_t seed; /* and state of the random numbers */
    long limit;    /* payments at the most */
    struct order *orders;
    size_t order_count;
    int64_t total_minor; /* of the orders */
    int64_t attempts;
    int64_t arrived;  /* attempts that the topic has */
    int64_t answered; /* payments whose client knows of it */
};

static const char usage[] =
    "Usage: pay-lossy-client -b BROKERS -t TOPIC --way WAY [--seed N] [--payments N]\n"
    "                        [--skip-topic-check] FILE.csv\n"
    "\n"
    "Sends the payments of a CSV file (src,dest,amount; EUR) over a network that loses every\n"
    "third request, and every third answer to those that arrive.\n"
    "\n"
    "  --way forget        each payment is sent once\n"
    "        new-key       sent again until the answer is there, under a new key each time\n"
    "        same-key      sent again until the answer is there, under the same key\n"
    "  --seed N            which requests and answers are lost (default: 1)\n"
    "  --payments N        only the first N\n"
    "  --skip-topic-check  for a broker in memory, which has no settings to check\n"
    "\n"
    "Prints payments=N total_minor=N attempts=N arrived=N answered=N.\n"
    "\n"
    "Exit codes: 0 done, 64 wrong usage, 65 the file has a bad row, 66 no such file, 69 broker or\n"
    "topic not there, 75 not everything was answered in the end.\n";

static int fail(int code, const char *what, const char *why)
{
    fprintf(stderr, "pay-lossy-client: %s: %s\n", what, why);
    return code;
}

/* ---- options ---- */

static int take_way(enum way *ret, const char *name)
{
    for (int way = 0; way < WAY_NONE; way++) {
        if (strcmp(way_names[way], name) == 0) {
            *ret = (enum way)way;
            return 0;
        }
    }
    return fail(EX_USAGE, name, "a way is forget, new-key or same-key");
}

static int take_number(const char *name, const char *text, long min, long max, long *ret)
{
    char *end;

    errno = 0;
    *ret = strtol(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *ret >= min && *ret <= max
               ? 0
               : fail(EX_USAGE, name, "is not a number, or too small or large");
}

static int take_option(struct client *client, int option)
{
    long number = 0;
    int code = 0;

    switch (option) {
    case 'b':
        client->kafka.brokers = optarg;
        return 0;
    case 't':
        client->kafka.topic = optarg;
        return 0;
    case 'w':
        return take_way(&client->way, optarg);
    case 's':
        code = take_number("--seed", optarg, 0, INT32_MAX, &number);
        client->seed = (uint64_t)number;
        return code;
    case 'n':
        return take_number("--payments", optarg, 1, PAYMENTS_MAX, &client->limit);
    case 'k':
        client->kafka.skip_topic_check = true;
        return 0;
    default:
        return fail(EX_USAGE, "wrong usage", "see pay-lossy-client --help");
    }
}

/* Returns 0, an exit code, or -1 when --help was asked for. */
static int parse_options(int argc, char **argv, struct client *client)
{
    static const struct option table[] = {
        {"way", required_argument, NULL, 'w'},      {"seed", required_argument, NULL, 's'},
        {"payments", required_argument, NULL, 'n'}, {"skip-topic-check", no_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},           {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "b:t:h", table, NULL)) != -1) {
        int code = option == 'h' ? -1 : take_option(client, option);
        if (code != 0) {
            return code;
        }
    }
    if (!client->kafka.brokers || !client->kafka.topic || client->way == WAY_NONE ||
        optind != argc - 1) {
        return fail(EX_USAGE, "wrong usage", "-b, -t, --way and a file are needed");
    }
    return 0;
}

/* ---- the file ---- */

/* Every payment of the sample is of this form; pay itself reads more. */
static bool take_row(struct client *client, char *line)
{
    struct command *command = &client->orders[client->order_count].command;
    struct payment *payment = &command->payment;
    char *rest = line;
    const char *src = strsep(&rest, ",");
    const char *dest = strsep(&rest, ",");
    const char *amount = strsep(&rest, ",");

    command_init(command, COMMAND_PAYMENT);
    if (!amount || rest || payment_account_problem(src, strlen(src)) ||
        payment_account_problem(dest, strlen(dest)) ||
        money_parse(amount, strlen(amount), MONEY_DEFAULT_CURRENCY, &payment->amount_minor)) {
        return false;
    }
    payment_copy(payment->src, src, strlen(src));
    payment_copy(payment->dest, dest, strlen(dest));
    payment_copy(payment->currency, MONEY_DEFAULT_CURRENCY, strlen(MONEY_DEFAULT_CURRENCY));
    client->total_minor += payment->amount_minor;
    client->order_count++;
    return true;
}

static int read_orders(struct client *client, const char *path)
{
    char line[LINE_SIZE];
    FILE *in = fopen(path, "r");
    bool good = in && fgets(line, sizeof(line), in) && strcmp(line, "src,dest,amount\n") == 0;

    if (!in) {
        return fail(EX_NOINPUT, path, strerror(errno));
    }
    while (good && client->order_count < (size_t)client->limit && fgets(line, sizeof(line), in)) {
        line[strcspn(line, "\r\n")] = '\0';
        good = take_row(client, line);
    }
    fclose(in);
    return good && client->order_count > 0
               ? 0
               : fail(EX_DATAERR, path, "not rows of src,dest,amount below a header that says so");
}

/* ---- the network ---- */

/* SplitMix64: a small generator whose numbers are the same everywhere. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static bool is_lost(struct client *client)
{
    return draw(&client->seed) % LOST_ONE_OF == 0;
}

/* The topic has it. Whether the client hears of it is another matter. */
static void on_report(void *user, const struct publisher_receipt *receipt)
{
    struct client *client = user;
    struct order *order = receipt->tag;

    if (receipt->delivery == DELIVERY_ACKNOWLEDGED) {
        client->arrived++;
        order->is_answered = !order->is_answer_lost;
        client->answered += order->is_answered;
    }
}

static int attempt(struct client *client, struct publisher *publisher, struct order *order,
                   struct error *err)
{
    struct payment *payment = &order->command.payment;
    char value[COMMAND_JSON_SIZE];
    bool needs_key = payment->key[0] == '\0' || client->way == WAY_NEW_KEY;

    client->attempts++;
    if (needs_key && uuid7_new(payment->key, err) != 0) {
        return -1;
    }
    if (is_lost(client)) {
        return 0;
    }
    order->is_answer_lost = is_lost(client);
    size_t len = command_json_encode(&order->command, value);
    const struct publisher_message message = {.key = payment->key,
                                              .key_len = strlen(payment->key),
                                              .value = value,
                                              .value_len = len,
                                              .tag = order};
    return len == 0 ? error_set(err, EX_OSERR, "out of memory")
                    : publisher_send(publisher, &message, err);
}

/* All payments without an answer once, then what comes back. */
static int send_round(struct client *client, struct publisher *publisher, struct error *err)
{
    for (size_t i = 0; i < client->order_count; i++) {
        struct order *order = &client->orders[i];
        if (!order->is_answered && attempt(client, publisher, order, err) != 0) {
            return -1;
        }
    }
    while (publisher_waiting(publisher) > 0) {
        publisher_poll(publisher, POLL_MS);
    }
    return 0;
}

static int run(struct client *client)
{
    struct publisher *publisher = NULL;
    struct error err;
    int rounds = client->way == WAY_FORGET ? 1 : ROUNDS_MAX;
    int result = publisher_open(&publisher, &client->kafka, on_report, client, &err);

    while (result == 0 && rounds-- > 0 && client->answered < (int64_t)client->order_count) {
        result = send_round(client, publisher, &err);
    }
    publisher_close(publisher);
    if (result != 0) {
        return fail(err.code, client->kafka.topic, err.text);
    }
    printf("payments=%zu total_minor=%" PRId64 " attempts=%" PRId64 " arrived=%" PRId64
           " answered=%" PRId64 "\n",
           client->order_count, client->total_minor, client->attempts, client->arrived,
           client->answered);
    return client->way == WAY_FORGET || client->answered == (int64_t)client->order_count
               ? EX_OK
               : fail(EX_TEMPFAIL, client->kafka.topic, "not everything was answered");
}

int main(int argc, char **argv)
{
    struct client client = {.way = WAY_NONE, .seed = 1, .limit = PAYMENTS_MAX};
    int code = parse_options(argc, argv, &client);

    if (code != 0) {
        if (code == -1) {
            fputs(usage, stdout);
        }
        return code == -1 ? 0 : code;
    }
    client.orders = calloc((size_t)client.limit, sizeof(*client.orders));
    code = client.orders ? read_orders(&client, argv[optind])
                         : fail(EX_OSERR, "memory", "there is not enough");
    if (code == 0) {
        code = run(&client);
    }
    free(client.orders);
    return code;
}
