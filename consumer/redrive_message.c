#include "consumer/redrive_message.h"

#include "common/command_json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define KEY_PREFIX "redrive:"

/* ---- key and value ---- */

/* A key that was kept in part was too long to be one. */
static bool has_usable_key(const struct store_bytes *key)
{
    return key->bytes && (int64_t)key->len == key->whole_len &&
           !payment_key_problem(key->bytes, key->len);
}

/* The origin's own key; "" when the topic's name is too long for one. */
static void make_key(struct redrive_message *ret)
{
    int len = snprintf(ret->key, sizeof(ret->key), KEY_PREFIX "%s", ret->origin);

    if ((size_t)len >= sizeof(ret->key)) {
        ret->key[0] = '\0';
    }
}

void redrive_message_begin(struct redrive_message *ret, const struct store_quarantined *message,
                           const struct store_bytes *mended)
{
    const struct store_bytes *value = mended ? mended : &message->value;

    ret->redrives = 0;
    ret->first_origin = NULL;
    ret->first_origin_len = 0;
    snprintf(ret->origin, sizeof(ret->origin), "%s:%" PRId32 ":%" PRId64, message->topic,
             message->partition, message->offset);
    if (has_usable_key(&message->key)) {
        payment_copy(ret->key, message->key.bytes, message->key.len);
    } else {
        make_key(ret);
    }
    ret->value = value->bytes;
    ret->value_len = value->len;
    kept_headers_init(&ret->headers);
    /* They come first, so that they are what the quarantine keeps, should the message come back
     * with more than it keeps. Their values are known at the end. */
    kept_headers_put(&ret->headers, REDRIVE_HEADER, NULL, 0);
    kept_headers_put(&ret->headers, REDRIVE_ORIGIN_HEADER, NULL, 0);
}

/* ---- headers ---- */

static bool is_name(const struct store_quarantined_header *header, const char *name)
{
    return header->name_len == strlen(name) && memcmp(header->name, name, header->name_len) == 0;
}

/* The count in a header's value. Another client's header of this name counts as never. */
static int read_count(const struct store_quarantined_header *header)
{
    const char *digits = header->value;
    int count = 0;

    for (size_t i = 0; i < header->value_len; i++) {
        if (digits[i] < '0' || digits[i] > '9') {
            return 0;
        }
        count = count < REDRIVES_MAX ? 10 * count + (digits[i] - '0') : count;
    }
    return count;
}

void redrive_message_header(void *user, const struct store_quarantined_header *header)
{
    struct redrive_message *redrive = user;

    if (is_name(header, REDRIVE_HEADER)) {
        int count = read_count(header);
        redrive->redrives = count > redrive->redrives ? count : redrive->redrives;
        return;
    }
    if (is_name(header, REDRIVE_ORIGIN_HEADER)) {
        if (header->value && header->value_len > 0 && !redrive->first_origin) {
            redrive->first_origin =
                kept_headers_keep(&redrive->headers, header->value, header->value_len);
            redrive->first_origin_len = header->value_len;
        }
        return;
    }
    kept_headers_copy(&redrive->headers, header);
}

/* The values of its own headers. */
static void put_own_headers(struct redrive_message *redrive)
{
    bool is_again = redrive->redrives > 0 && redrive->first_origin;
    const char *origin = is_again ? redrive->first_origin : redrive->origin;

    snprintf(redrive->count, sizeof(redrive->count), "%d", redrive->redrives + 1);
    redrive->headers.list[0] =
        (struct publisher_header){REDRIVE_HEADER, redrive->count, strlen(redrive->count)};
    redrive->headers.list[1] =
        (struct publisher_header){REDRIVE_ORIGIN_HEADER, origin,
                                  is_again ? redrive->first_origin_len : strlen(redrive->origin)};
}

/* ---- what is refused ---- */

static bool refuse(char why[REDRIVE_WHY_SIZE], const char *fmt, ...) PRINTF_LIKE(2, 3);

static bool refuse(char why[REDRIVE_WHY_SIZE], const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(why, REDRIVE_WHY_SIZE, fmt, args);
    va_end(args);
    return true;
}

/* By what stands beside the value. */
static bool refuse_message(const struct redrive_message *redrive,
                           const struct store_quarantined *message, char why[REDRIVE_WHY_SIZE])
{
    if (strcmp(message->reason, unreadable_name(UNREADABLE_STALE)) == 0) {
        return refuse(why, "its key is too old for the ledger, and it would come back: pay it "
                           "under a new key only when it was never paid");
    }
    if (redrive->redrives >= REDRIVES_MAX) {
        return refuse(why,
                      "it was redriven %d times and came back each time: send it anew (pay "
                      "send)",
                      redrive->redrives);
    }
    return redrive->key[0] == '\0' &&
           refuse(why,
                  "it has no usable key, and one of its origin would be longer than %d bytes: "
                  "send it anew (pay send)",
                  PAYMENT_KEY_MAX);
}

static bool refuse_value(const struct store_bytes *value, char why[REDRIVE_WHY_SIZE])
{
    if (value->whole_len <= (int64_t)value->len) {
        return false;
    }
    return value->bytes
               ? refuse(why,
                        "only %zu of %" PRId64 " bytes of its value are kept: give mended "
                        "bytes (--value FILE)",
                        value->len, value->whole_len)
               : refuse(why, "its value is not kept, since the quarantine was full: give its bytes "
                             "(--value FILE)");
}

static int decode(const struct redrive_message *redrive, bool is_mended, bool *ret_refused,
                  char why[REDRIVE_WHY_SIZE], struct error *err)
{
    struct command command;
    enum unreadable reason;
    char detail[UNREADABLE_DETAIL_SIZE];

    if (command_json_decode(redrive->key, strlen(redrive->key), redrive->value, redrive->value_len,
                            &command, &reason, detail) != 0) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    *ret_refused = reason != READABLE;
    if (*ret_refused) {
        refuse(why, "%s: %s%s%s%s",
               is_mended ? "the mended bytes cannot be read" : "it still cannot be read",
               unreadable_name(reason), detail[0] ? ": " : "", detail,
               is_mended ? "" : ": give mended bytes (--value FILE)");
    }
    return 0;
}

int redrive_message_end(struct redrive_message *redrive, const struct store_quarantined *message,
                        const struct store_bytes *mended, bool *ret_refused,
                        char why[REDRIVE_WHY_SIZE], struct error *err)
{
    why[0] = '\0';
    put_own_headers(redrive);
    if (redrive->headers.overflowed) {
        return error_set(err, EX_IOERR, "a quarantined message has more headers than are kept");
    }
    *ret_refused =
        refuse_message(redrive, message, why) || (!mended && refuse_value(&message->value, why));
    return *ret_refused ? 0 : decode(redrive, mended != NULL, ret_refused, why, err);
}
