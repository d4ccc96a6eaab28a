#include "tests/simulation/commands.h"

#include "tests/simulation/world.h"

#include <stdio.h>
#include <string.h>

#define VALUE_SIZE 1024
#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))
#define PICK(a)    ((a)[world_below(COUNT(a))])

/* A key may come so often in repeats: a store keeps STORE_REPEATS_KEPT of them. */
#define USES_MAX 7

#define TEN_SIGNS    "0123456789"
#define SIXTY_SIGNS  TEN_SIGNS TEN_SIGNS TEN_SIGNS TEN_SIGNS TEN_SIGNS TEN_SIGNS
#define LONG_ACCOUNT SIXTY_SIGNS SIXTY_SIGNS "01234567"
#define LONG_KEY     SIXTY_SIGNS SIXTY_SIGNS SIXTY_SIGNS SIXTY_SIGNS TEN_SIGNS "01234"

static const char *const accounts[COMMANDS_ACCOUNTS] = {
    "ann", "bob", "eve", "z\"o\\e", "\xD0\xBC\xD0\xB8\xD1\x80", LONG_ACCOUNT};

/* Some look alike and are not. */
static const char *const keys[COMMANDS_KEYS] = {"k0",
                                                "k1",
                                                "k2",
                                                "018f3c6e-0123-7abc-89de-f0123456789a",
                                                "018F3C6E-0123-7ABC-89DE-F0123456789A",
                                                "k\"3\\",
                                                " k0",
                                                "k0 ",
                                                "\xD0\xBA\xD0\xBB\xD1\x8E\xD1\x87",
                                                LONG_KEY,
                                                "b1:0000000001",
                                                "b1:0000000002",
                                                "{\"seq\":1}",
                                                "K1",
                                                "k3",
                                                "k4",
                                                "018f3c6e-0123-7abc-89de-f0123456789b",
                                                "k5",
                                                "k6",
                                                "k7",
                                                "k8",
                                                "k9",
                                                "k10",
                                                "k11"};

#define DIGEST_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define DIGEST_2 "2222222222222222222222222222222222222222222222222222222222222222"

static const struct payment_batch batches[] = {{"b1", DIGEST_1, 2},
                                               {"b1", DIGEST_1, 2},
                                               {"b1", DIGEST_2, 2},
                                               {"b1", DIGEST_1, 3},
                                               {"b2", DIGEST_1, 2}};

/* Longer than a payload may be. */
static char huge[16385];

#define PAYMENT_HEAD "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\","

/* Bytes that nobody can read; the key is a usable one unless it is here. */
struct hostile {
    const char *key;
    size_t key_len;
    bool has_key;
    const char *value;
    size_t value_len;
    const char *reason;
};

#define GOOD_KEY    NULL, 0, true
#define VALUE(text) (text), sizeof(text) - 1
#define HOSTILE(text, why)                                                                         \
    {                                                                                              \
        GOOD_KEY, VALUE(text), why                                                                 \
    }

static const struct hostile hostiles[] = {
    {NULL, 0, false, VALUE(PAYMENT_HEAD "\"amount\":\"1\"}"), "bad_key"},
    {"", 0, false, VALUE(PAYMENT_HEAD "\"amount\":\"1\"}"), "bad_key"},
    {"k\0k", 3, false, VALUE(PAYMENT_HEAD "\"amount\":\"1\"}"), "bad_key"},
    {"k\n", 2, false, VALUE(PAYMENT_HEAD "\"amount\":\"1\"}"), "bad_key"},
    {"k\xFF", 2, false, VALUE(PAYMENT_HEAD "\"amount\":\"1\"}"), "bad_key"},
    {GOOD_KEY, NULL, 0, "empty"},
    {GOOD_KEY, "", 0, "empty"},
    {GOOD_KEY, huge, sizeof(huge), "too_large"},
    HOSTILE(PAYMENT_HEAD "\"amount\":\"1\",\"x\":\"\xC0\x80\"}", "bad_utf8"),
    HOSTILE("not JSON", "bad_json"),
    HOSTILE("[]", "bad_json"),
    HOSTILE(PAYMENT_HEAD "\"amount\":\"1\"}{}", "bad_json"),
    HOSTILE(PAYMENT_HEAD "\"amount\":\"1\",\"x\":\"\\u0000\"}", "bad_json"),
    HOSTILE(PAYMENT_HEAD "\"amount\":\"1\",\"x\":007}", "bad_json"),
    HOSTILE("{\"v\":1,\"x\":[[[[[[[[[1]]]]]]]]]}", "too_deep"),
    HOSTILE(PAYMENT_HEAD "\"amount\":\"1\",\"amount\":\"2\"}", "duplicate_field"),
    HOSTILE("{\"v\":2,\"type\":\"payment\"}", "unknown_version"),
    HOSTILE("{\"v\":1,\"type\":\"refund\"}", "unknown_type"),
    HOSTILE(PAYMENT_HEAD "\"amount\":\"1e3\"}", "bad_field"),
    HOSTILE(PAYMENT_HEAD "\"amount\":\"1.5\"}", "bad_field"),
    HOSTILE(PAYMENT_HEAD "\"amount\":\"-1\"}", "bad_field"),
    HOSTILE(PAYMENT_HEAD "\"amount\":9007199254740993}", "bad_field"),
    HOSTILE("{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"amount\":\"1\"}", "bad_field"),
};

static const char *const currencies[] = {"EUR", "EUR", "EUR", "EUR", "EUR", "JPY", "ZZZ"};
static const int64_t amounts[] = {1, 2, 3, 5, 7, 500, MONEY_MAX_MINOR, 0, MONEY_MAX_MINOR + 1};
static const int64_t limits[] = {0, 0, -1, -5, -500, 3};

static struct {
    struct message messages[COMMANDS_MAX];
    char values[COMMANDS_MAX][VALUE_SIZE];
    size_t count;
    size_t uses[COMMANDS_KEYS];
    size_t keys; /* that this history uses */
    size_t accounts;
} drawn;

/* ---- bytes ---- */

struct writer {
    char *to;
    size_t used;
};

static void put(struct writer *writer, const char *text)
{
    size_t len = strlen(text);

    memcpy(writer->to + writer->used, text, len + 1);
    writer->used += len;
}

static void put_string(struct writer *writer, const char *before, const char *text)
{
    put(writer, before);
    put(writer, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            put(writer, "\\");
        }
        put(writer, (char[]){*text, '\0'});
    }
    put(writer, "\"");
}

static void put_number(struct writer *writer, const char *before, int64_t number,
                       const char *behind)
{
    char text[64];

    snprintf(text, sizeof(text), "%s%lld%s", before, (long long)number, behind);
    put(writer, text);
}

static void put_payment(struct writer *writer, const struct payment *payment)
{
    put_string(writer, ",\"src\":", payment->src);
    put_string(writer, ",\"dest\":", payment->dest);
    put_number(writer, ",\"amount\":\"", payment->amount_minor, "\"");
    if (payment->batch.id[0] != '\0') {
        put_string(writer, ",\"batch\":{\"id\":", payment->batch.id);
        put_number(writer, ",\"rows\":", payment->batch.rows, "");
        put_string(writer, ",\"digest\":", payment->batch.digest);
        put(writer, "}");
    }
}

/* The same payload has several spellings. */
static size_t spell(char *to, const struct command *command)
{
    static const char *const types[] = {[COMMAND_PAYMENT] = "payment",
                                        [COMMAND_ACCOUNT_OPEN] = "account_open",
                                        [COMMAND_ACCOUNT_LIMIT] = "account_limit",
                                        [COMMAND_ACCOUNT_CLOSE] = "account_close",
                                        [COMMAND_ACCOUNTS] = "accounts",
                                        [COMMAND_CANCEL] = "cancel"};
    struct writer writer = {to, 0};
    const struct payment *payment = &command->payment;

    put(&writer, world_chance(100) ? " { \"type\" : " : "{\"type\":");
    put_string(&writer, "", types[command->type]);
    put(&writer, ",\"v\":1");
    if (command->type == COMMAND_PAYMENT) {
        put_payment(&writer, payment);
    } else if (command->type == COMMAND_ACCOUNTS) {
        put_string(&writer, ",\"mode\":", command->strict ? "strict" : "open");
    } else if (command->type != COMMAND_CANCEL) {
        put_string(&writer, ",\"account\":", payment->src);
    }
    if (payment->currency[0] != '\0' &&
        (strcmp(payment->currency, "EUR") != 0 || world_chance(700))) {
        put_string(&writer, ",\"currency\":", payment->currency);
    }
    if (command->has_min) {
        put_number(&writer, ",\"min_balance\":\"", command->min_minor, "\"");
    } else if (command->type == COMMAND_ACCOUNT_OPEN && world_chance(500)) {
        put(&writer, ",\"min_balance\":null");
    }
    put(&writer, world_chance(100) ? ",\"unknown\":[1.5e3,{}]}\n" : "}");
    return writer.used;
}

/* ---- meaning ---- */

static void set(char *field, const char *text)
{
    memcpy(field, text, strlen(text) + 1);
}

static enum command_type draw_type(void)
{
    static const enum command_type others[] = {
        COMMAND_ACCOUNT_OPEN,  COMMAND_ACCOUNT_OPEN, COMMAND_ACCOUNT_LIMIT, COMMAND_ACCOUNT_LIMIT,
        COMMAND_ACCOUNT_CLOSE, COMMAND_ACCOUNTS,     COMMAND_CANCEL};

    return world_chance(topic_partitions() == 1 ? 350 : 120) ? PICK(others) : COMMAND_PAYMENT;
}

static void draw_command(struct command *ret)
{
    memset(ret, 0, sizeof(*ret));
    ret->type = draw_type();
    if (ret->type == COMMAND_ACCOUNTS) {
        ret->strict = world_chance(300);
    } else if (ret->type != COMMAND_CANCEL) {
        set(ret->payment.src, accounts[world_below(drawn.accounts)]);
    }
    if (ret->type == COMMAND_PAYMENT || ret->type == COMMAND_ACCOUNT_OPEN ||
        ret->type == COMMAND_ACCOUNT_LIMIT) {
        set(ret->payment.currency, PICK(currencies));
    }
    if (ret->type == COMMAND_ACCOUNT_OPEN || ret->type == COMMAND_ACCOUNT_LIMIT) {
        ret->has_min = world_chance(600);
        ret->min_minor = ret->has_min ? PICK(limits) : 0;
    }
    if (ret->type == COMMAND_PAYMENT) {
        set(ret->payment.dest, accounts[world_below(drawn.accounts)]);
        ret->payment.amount_minor = PICK(amounts);
        if (world_chance(200)) {
            ret->payment.batch = PICK(batches);
        }
    }
}

/* ---- messages ---- */

/* Mostly one that is not used yet, while there is one. */
static size_t draw_key(void)
{
    size_t key = world_below(drawn.keys);
    size_t most = world_chance(800) ? 1 : USES_MAX;

    for (size_t i = 0; i < drawn.keys && drawn.uses[key] >= most; i++) {
        key = (key + 1) % drawn.keys;
    }
    return key;
}

static void set_key(struct message *message, size_t key)
{
    message->has_key = true;
    message->key_id = key;
    message->key = keys[key];
    message->key_len = strlen(keys[key]);
}

static void draw_hostile(struct message *message)
{
    const struct hostile *hostile = &PICK(hostiles);

    set_key(message, world_below(drawn.keys));
    if (!hostile->has_key) {
        message->has_key = false;
        message->key = hostile->key;
        message->key_len = hostile->key_len;
    }
    message->value = hostile->value;
    message->value_len = hostile->value_len;
    message->unreadable = hostile->reason;
}

static void draw_readable(struct message *message, char *value)
{
    const struct message *earlier =
        message->number > 0 ? &drawn.messages[world_below(message->number)] : NULL;
    size_t key = draw_key();

    if (earlier && !earlier->unreadable && drawn.uses[earlier->key_id] < USES_MAX &&
        world_chance(300)) {
        key = earlier->key_id; /* once more, or other words under the same key */
        if (world_chance(650)) {
            message->command = earlier->command;
        } else {
            draw_command(&message->command);
        }
    } else {
        draw_command(&message->command);
    }
    set_key(message, key);
    set(message->command.payment.key, keys[key]);
    drawn.uses[key]++;
    message->value = value;
    message->value_len = spell(value, &message->command);
}

void commands_begin(void)
{
    memset(huge, 'x', sizeof(huge));
    memset(drawn.uses, 0, sizeof(drawn.uses));
    drawn.keys = 6 + world_below(COMMANDS_KEYS - 5);
    drawn.accounts = 2 + world_below(COMMANDS_ACCOUNTS - 1);
    drawn.count = drawn.keys / 2 + world_below(drawn.keys + drawn.keys / 2);
    drawn.count = drawn.count < COMMANDS_MAX ? drawn.count : COMMANDS_MAX;
    for (size_t i = 0; i < drawn.count; i++) {
        struct message *message = &drawn.messages[i];
        memset(message, 0, sizeof(*message));
        message->number = i;
        message->traced = world_chance(100);
        if (world_chance(120)) {
            draw_hostile(message);
        } else {
            draw_readable(message, drawn.values[i]);
        }
    }
}

size_t commands_count(void)
{
    return drawn.count;
}

const struct message *commands_get(size_t number)
{
    return &drawn.messages[number];
}

const char *commands_account(size_t number)
{
    return accounts[number];
}

const char *commands_key(size_t number)
{
    return keys[number];
}

char *commands_trace(char buf[COMMANDS_TRACE_SIZE], const struct message *message)
{
    snprintf(buf, COMMANDS_TRACE_SIZE, "00-sim-%03zu-01", message->number);
    return buf;
}
