#include "consumer/outbox_internal.h"
#include "consumer/store_quarantine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define ORIGIN_SIZE 296 /* TOPIC:PARTITION:OFFSET; a topic has at most 249 bytes */

struct sending {
    struct way *way;
    void *tag;
    struct error *err;
    int result;
    bool found;
};

static void put_text(struct kept_headers *headers, const char *name, const char *value)
{
    kept_headers_put(headers, name, value, strlen(value));
}

/* The publisher copies all of it, so the texts may end with the call. */
static int publish(const struct sending *sending, const struct store_quarantined *message)
{
    struct kept_headers *headers = &sending->way->outbox->letter_headers;
    char origin[ORIGIN_SIZE];
    char whole_len[24];

    if (headers->overflowed) {
        return error_set(sending->err, EX_IOERR,
                         "a quarantined message has more headers than are kept");
    }
    snprintf(origin, sizeof(origin), "%s:%" PRId32 ":%" PRId64, message->topic, message->partition,
             message->offset);
    put_text(headers, "origin", origin);
    put_text(headers, "reason", message->reason);
    put_text(headers, "detail", message->detail);
    if (message->value.whole_len >= 0) {
        snprintf(whole_len, sizeof(whole_len), "%" PRId64, message->value.whole_len);
        put_text(headers, "value-length", whole_len);
    }
    const struct publisher_message letter = {
        .key = message->key.bytes,
        .key_len = message->key.len,
        .value = message->value.bytes,
        .value_len = message->value.len,
        .headers = headers->list,
        .header_count = headers->count,
        .tag = sending->tag,
    };
    return publisher_try(sending->way->publisher, &letter, sending->err);
}

static void on_message(void *user, const struct store_quarantined *message)
{
    struct sending *sending = user;
    struct outbox *outbox = sending->way->outbox;

    sending->found = true;
    kept_headers_init(&outbox->letter_headers);
    enum store_status status = store_sqlite_quarantine_headers(
        outbox->reader, message->seq, kept_headers_copy, &outbox->letter_headers, sending->err);
    sending->result = status == STORE_OK ? publish(sending, message) : outbox_settle(status);
}

int outbox_send_letter(struct way *way, int64_t seq, void *tag, struct error *err)
{
    struct sending sending = {.way = way, .tag = tag, .err = err};
    int result = outbox_settle(
        store_sqlite_quarantined(way->outbox->reader, seq, on_message, &sending, err));

    if (result != 0) {
        return result;
    }
    return sending.found ? sending.result
                         : error_set(err, EX_IOERR,
                                     "seq %" PRId64 " is quarantined, and not in quarantine", seq);
}
