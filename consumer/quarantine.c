#include "consumer/quarantine.h"

#include "common/clock.h"
#include "common/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define KEY_COLUMNS  12
#define TIME_COLUMNS 19 /* to the second */

/* Bytes of a message's bytes as text: each may take four. */
#define SHOWN_SIZE (4 * STORE_QUARANTINE_MESSAGE_BYTES + 4)

enum action { ACTION_LIST, ACTION_SHOW, ACTION_EXPORT };

struct working {
    const struct options *options;
    struct store *store;
    enum action action;
    int64_t count;
    struct error *err;
    bool failed; /* with *err set */
};

/* ---- as text ---- */

void quarantine_print_head(FILE *out)
{
    fprintf(out, "%18s  %-15s %9s  %-*s  key\n", "partition@offset", "reason", "bytes",
            TIME_COLUMNS, "time (UTC)");
}

void quarantine_print_line(FILE *out, const struct store_quarantined *message)
{
    const struct store_bytes *key = &message->key;
    char place[40];
    char time[CLOCK_TEXT_SIZE];
    char escaped[TEXT_ESCAPED_SIZE];

    snprintf(place, sizeof(place), "%" PRId32 "@%" PRId64, message->partition, message->offset);
    clock_text(time, message->timestamp_ms);
    time[10] = ' '; /* in place of the T */
    text_escape(escaped, sizeof(escaped), key->bytes ? key->bytes : "", key->len);
    bool is_cut = strlen(escaped) > KEY_COLUMNS;
    fprintf(out, "%18s  %-15s %9" PRId64 "  %.*s  %.*s%s\n", place, message->reason,
            message->value.whole_len > 0 ? message->value.whole_len : 0, TIME_COLUMNS, time,
            is_cut ? KEY_COLUMNS - 2 : KEY_COLUMNS, escaped, is_cut ? ".." : "");
}

static void print_bytes(FILE *out, const char *name, const struct store_bytes *bytes, char *buf)
{
    fprintf(out, "  %-8s ", name);
    if (bytes->whole_len < 0) {
        fprintf(out, "none\n");
    } else if (!bytes->bytes) {
        fprintf(out, "%" PRId64 " bytes, not kept: the quarantine was full\n", bytes->whole_len);
    } else {
        text_escape(buf, SHOWN_SIZE, bytes->bytes, bytes->len);
        fprintf(out, "%" PRId64 " bytes%s\n           %s\n", bytes->whole_len,
                (int64_t)bytes->len < bytes->whole_len ? ", of which the first are kept" : "", buf);
    }
}

struct header_printing {
    FILE *out;
    char *buf;
};

static void on_header(void *user, const struct store_quarantined_header *header)
{
    const struct header_printing *printing = user;

    fprintf(printing->out, "  header   %s=",
            text_escape(printing->buf, SHOWN_SIZE, header->name, header->name_len));
    fprintf(printing->out, "%s\n",
            header->value ? text_escape(printing->buf, SHOWN_SIZE, header->value, header->value_len)
                          : "");
}

int quarantine_print_whole(FILE *out, struct store *store, const struct store_quarantined *message,
                           struct error *err)
{
    struct header_printing printing = {out, malloc(SHOWN_SIZE)};
    char topic[TEXT_ESCAPED_SIZE];
    char time[CLOCK_TEXT_SIZE];
    char digest[DIGEST_SHORT_HEX_SIZE];

    if (!printing.buf) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    text_escape(topic, sizeof(topic), message->topic, strlen(message->topic));
    fprintf(out, "%s[%" PRId32 "]@%" PRId64 "  %s\n", topic, message->partition, message->offset,
            clock_text(time, message->timestamp_ms));
    fprintf(out, "  reason   %s%s%s\n", message->reason, message->detail[0] ? ": " : "",
            message->detail);
    print_bytes(out, "key", &message->key, printing.buf);
    print_bytes(out, "value", &message->value, printing.buf);
    fprintf(out, "  digest   %s\n", digest_hex(digest, message->digest, DIGEST_SHORT_SIZE));
    enum store_status status =
        store_sqlite_quarantine_headers(store, message->seq, on_header, &printing, err);
    free(printing.buf);
    return status == STORE_OK ? 0 : -1;
}

/* ---- the command ---- */

static void on_message(void *user, const struct store_quarantined *message)
{
    struct working *working = user;
    bool json = working->options->json || working->action == ACTION_EXPORT;
    int result = 0;

    if (working->failed) {
        return;
    }
    if (!json && working->action == ACTION_LIST && working->count == 0) {
        quarantine_print_head(stdout);
    }
    working->count++;
    if (json) {
        result = quarantine_print_json(stdout, working->store, message,
                                       working->action != ACTION_LIST, working->err);
    } else if (working->action == ACTION_SHOW) {
        result = quarantine_print_whole(stdout, working->store, message, working->err);
    } else {
        quarantine_print_line(stdout, message);
    }
    working->failed = result != 0;
}

static int visit(struct working *working, const struct store_quarantine_filter *filter)
{
    enum store_status status =
        store_sqlite_quarantine(working->store, filter, on_message, working, working->err);

    return status == STORE_OK && !working->failed ? EX_OK : working->err->code;
}

int quarantine_parse_place(const char *text, struct store_quarantine_filter *ret, struct error *err)
{
    char *end;

    errno = 0;
    long partition = strtol(text, &end, 10);
    bool good = text[0] >= '0' && text[0] <= '9' && *end == '@' && partition <= INT32_MAX;
    const char *rest = end + 1;
    long long offset = good ? strtoll(rest, &end, 10) : 0;
    if (!good || rest[0] < '0' || rest[0] > '9' || *end != '\0' || errno != 0) {
        return error_set(err, EX_USAGE, "\"%s\" is no place: PARTITION@OFFSET, such as 0@1200",
                         text);
    }
    *ret = (struct store_quarantine_filter){.partition = (int32_t)partition, .offset = offset};
    return 0;
}

static int show_places(struct working *working)
{
    const struct options *options = working->options;
    int code = EX_OK;

    for (int i = 1; i < options->operand_count && (code == EX_OK || code == QUARANTINE_UNKNOWN);
         i++) {
        struct store_quarantine_filter filter;
        int64_t before = working->count;
        if (quarantine_parse_place(options->operands[i], &filter, working->err) != 0) {
            return working->err->code;
        }
        int found = visit(working, &filter);
        code = found != EX_OK ? found : code;
        if (found == EX_OK && working->count == before) {
            fprintf(stderr, "%s: is not in quarantine\n", options->operands[i]);
            code = QUARANTINE_UNKNOWN;
        }
    }
    return code;
}

struct store_quarantine_filter quarantine_filter(const struct options *options)
{
    return (struct store_quarantine_filter){
        .reason = options->reason,
        .partition = options->partition,
        .offset = -1,
        .since_ms = options->since.kind == SPAN_TIME ? options->since.value : 0,
    };
}

static int list(struct working *working)
{
    const struct options *options = working->options;
    const struct store_quarantine_filter filter = quarantine_filter(options);
    int code = visit(working, &filter);

    if (code != EX_OK || working->action != ACTION_LIST || options->json) {
        return code;
    }
    if (working->count == 0) {
        puts("No message is in quarantine.");
    } else {
        printf("\n%" PRId64
               " messages. What cannot be read was not paid, and its key is free: send "
               "it\nagain, mended, under the same key: payd quarantine redrive. Before paying it "
               "under\nanother key: pay cancel.\n",
               working->count);
    }
    return code;
}

static int find_action(const struct options *options, enum action *ret, struct error *err)
{
    static const char *const words[] = {"list", "show", "export"};
    const char *word = options->operands[0];

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(word, words[i]) == 0) {
            *ret = (enum action)i;
            if ((*ret == ACTION_SHOW) != (options->operand_count > 1)) {
                return error_set(err, EX_USAGE,
                                 "payd quarantine show PARTITION@OFFSET... --db FILE;"
                                 " list and export take options only");
            }
            return 0;
        }
    }
    return error_set(err, EX_USAGE,
                     "quarantine: \"%s\" is neither list nor show nor export, nor is it redrive "
                     "right behind quarantine",
                     word);
}

int quarantine(const struct options *options, struct error *err)
{
    struct working working = {.options = options, .err = err};

    if (find_action(options, &working.action, err) != 0 ||
        store_sqlite_open_moment(&working.store, options->db, err) != 0) {
        return err->code;
    }
    int code = working.action == ACTION_SHOW ? show_places(&working) : list(&working);
    store_close(working.store);
    return code;
}
