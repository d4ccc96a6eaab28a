#include "tests/simulation/outcomes.h"

#include "tests/simulation/commands.h"
#include "tests/simulation/world.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SEQ_FIELD "\"seq\":"

static struct {
    struct published published[OUTCOMES_MAX + 1]; /* by seq */
    size_t places[OUTCOMES_PARTITIONS];
    const char *refused;   /* a key, or NULL */
    const char *too_large; /* as refused */
} outcomes;

void outcomes_begin(void)
{
    memset(outcomes.places, 0, sizeof(outcomes.places));
    outcomes.refused = world_has(EVENT_REFUSED) ? commands_key(world_below(COMMANDS_KEYS)) : NULL;
    outcomes.too_large =
        world_has(EVENT_TOO_LARGE) ? commands_key(world_below(COMMANDS_KEYS)) : NULL;
}

void outcomes_end(void)
{
    for (size_t i = 0; i <= OUTCOMES_MAX; i++) {
        if (outcomes.published[i].value) {
            free(outcomes.published[i].value);
            memset(&outcomes.published[i], 0, sizeof(outcomes.published[i]));
        }
    }
}

static bool is_key(const char *wanted, const char *key, size_t key_len)
{
    return wanted && strlen(wanted) == key_len && memcmp(wanted, key, key_len) == 0;
}

bool outcomes_is_refused(const char *key, size_t key_len)
{
    return is_key(outcomes.refused, key, key_len);
}

bool outcomes_is_too_large(const char *key, size_t key_len)
{
    return is_key(outcomes.too_large, key, key_len) && !outcomes_is_refused(key, key_len);
}

/* No string can hold these bytes: a quote inside of one is escaped. */
static int64_t seq_of(const struct publisher_message *message)
{
    const char *field = memmem(message->value, message->value_len, SEQ_FIELD, strlen(SEQ_FIELD));
    int64_t seq = field ? strtoll(field + strlen(SEQ_FIELD), NULL, 10) : 0;

    if (seq < 1 || seq > OUTCOMES_MAX) {
        world_violated("an outcome without a seq: %.*s", (int)message->value_len, message->value);
    }
    return seq;
}

static void copy_header(char to[OUTCOMES_HEADER_SIZE], const struct publisher_message *message,
                        const char *name)
{
    to[0] = '\0';
    for (size_t i = 0; i < message->header_count; i++) {
        const struct publisher_header *header = &message->headers[i];
        if (strcmp(header->name, name) == 0 && header->value_len < OUTCOMES_HEADER_SIZE) {
            memcpy(to, header->value, header->value_len);
            to[header->value_len] = '\0';
        }
    }
}

static void keep(struct published *to, const struct publisher_message *message)
{
    unsigned sum = 0;

    to->value = malloc(message->value_len + 1);
    if (!to->value) {
        abort();
    }
    memcpy(to->value, message->value, message->value_len);
    to->len = message->value_len;
    copy_header(to->outcome, message, "outcome");
    copy_header(to->digest, message, "digest");
    copy_header(to->trace, message, COMMANDS_TRACE_HEADER);
    for (size_t i = 0; i < message->key_len; i++) {
        sum += (unsigned char)message->key[i];
    }
    to->partition = (int32_t)(sum % OUTCOMES_PARTITIONS);
}

int64_t outcomes_take(const struct publisher_message *message)
{
    int64_t seq = seq_of(message);
    struct published *published = &outcomes.published[seq];

    if (!published->value) {
        keep(published, message);
    } else if (published->len != message->value_len ||
               memcmp(published->value, message->value, published->len) != 0) {
        world_violated("outcome %" PRId64 " was published as %.*s and then as %.*s", seq,
                       (int)published->len, published->value, (int)message->value_len,
                       message->value);
    }
    return seq;
}

void outcomes_append(int64_t seq)
{
    struct published *published = &outcomes.published[seq];

    published->copies++;
    published->last_place = ++outcomes.places[published->partition];
    world_event(EVENT_PUBLISHED, seq, published->partition);
}

void outcomes_acknowledge(int64_t seq)
{
    outcomes.published[seq].acknowledged = true;
}

const struct published *outcomes_find(int64_t seq)
{
    return outcomes.published[seq].value ? &outcomes.published[seq] : NULL;
}
