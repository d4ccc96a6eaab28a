#include "consumer/show.h"

#include "common/clock.h"
#include "common/command_text.h"
#include "common/outcome_json.h"
#include "common/text.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

struct showing {
    FILE *out;
    bool json;
    bool failed; /* an outcome could not be written */
    int64_t records;
    enum outcome known; /* of the last decision, or OUTCOME_CONFLICT when there is none */
};

static void print_origin(FILE *out, const struct outcome_record *record)
{
    char topic[TEXT_ESCAPED_SIZE];
    char time[CLOCK_TEXT_SIZE];

    fprintf(out, "%s[%" PRId32 "]@%" PRId64 "  %s",
            text_escape(topic, sizeof(topic), record->origin.topic, strlen(record->origin.topic)),
            record->origin.partition, record->origin.offset, clock_text(time, record->decided_ms));
}

static void print_decision(FILE *out, const struct outcome_record *record)
{
    char command[COMMAND_TEXT_SIZE];
    char digest[DIGEST_SHORT_HEX_SIZE];

    fprintf(out, "  command  %s\n", command_text(command, &record->first.command));
    fprintf(out, "  outcome  %s%s%s\n", outcome_name(record->verdict),
            record->reason[0] ? ": " : "", record->reason);
    fprintf(out, "  digest   %s\n", digest_hex(digest, record->digest, DIGEST_SHORT_SIZE));
    fprintf(out, "  decided  ");
    print_origin(out, record);
    fprintf(out, "  seq %" PRId64 "\n", record->seq);
}

static void print_repeat(FILE *out, const struct outcome_record *record)
{
    char fields[COMMAND_FIELDS_SIZE];

    fprintf(out, "  %-9s ", outcome_name(record->verdict));
    print_origin(out, record);
    if (record->verdict == OUTCOME_CONFLICT) {
        fprintf(out, "  %s %s", record->reason, command_fields(fields, record->fields));
    }
    putc('\n', out);
}

static void print_json(struct showing *showing, const struct outcome_record *record)
{
    char text[OUTCOME_JSON_SIZE];

    if (outcome_json_encode(record, text) == 0) {
        showing->failed = true;
        return;
    }
    fprintf(showing->out, "%s\n", text);
}

static void on_record(void *user, const struct outcome_record *record)
{
    struct showing *showing = user;
    bool decision = record->verdict == OUTCOME_APPLIED || record->verdict == OUTCOME_REJECTED;

    showing->records++;
    if (decision) {
        showing->known = record->verdict;
    } else if (showing->known == OUTCOME_NONE) {
        showing->known = OUTCOME_CONFLICT;
    }
    if (showing->json) {
        print_json(showing, record);
    } else if (decision) {
        print_decision(showing->out, record);
    } else {
        print_repeat(showing->out, record);
    }
}

static int code_of(enum outcome known)
{
    switch (known) {
    case OUTCOME_APPLIED:
        return EX_OK;
    case OUTCOME_REJECTED:
        return SHOW_REJECTED;
    case OUTCOME_CONFLICT:
        return SHOW_CONFLICT;
    case OUTCOME_NONE:
    case OUTCOME_DUPLICATE:
    case OUTCOME_REDELIVERED:
    case OUTCOME_QUARANTINED:
    case OUTCOME_COUNT:
    default:
        return SHOW_UNKNOWN;
    }
}

int show_key(FILE *out, struct store *store, const char *key, bool json, int *ret_code,
             struct error *err)
{
    struct showing showing = {.out = out, .json = json};
    char shown[TEXT_ESCAPED_SIZE];
    int64_t repeats = 0;
    bool is_stale = false;

    text_escape(shown, sizeof(shown), key, strlen(key));
    if (!json) {
        fprintf(out, "%s\n", shown);
    }
    if (store->ops->show(store, key, on_record, &showing, &repeats, err) != STORE_OK) {
        return -1;
    }
    if (showing.failed) {
        return error_set(err, EX_SOFTWARE, "an outcome is longer than %d bytes", OUTCOME_JSON_SIZE);
    }
    if (!json && repeats > STORE_REPEATS_KEPT) {
        fprintf(out, "  and %" PRId64 " more repeats that were not kept\n",
                repeats - STORE_REPEATS_KEPT);
    }
    if (showing.records == 0 && store->ops->is_stale(store, key, &is_stale, err) != STORE_OK) {
        return -1;
    }
    if (showing.records == 0) {
        fprintf(json ? stderr : out, "%s%s%s\n", json ? shown : "  ", json ? ": " : "",
                is_stale ? "forgotten, or never seen: it is older than what is remembered, and is "
                           "not paid any more"
                         : "unknown here: it may still be paid; resend it with the same key");
    }
    *ret_code = code_of(showing.known);
    return 0;
}

int show(const struct options *options, struct error *err)
{
    struct store *store = NULL;
    int code = EX_OK;

    if (store_sqlite_open_readonly(&store, options->db, err) != 0) {
        return err->code;
    }
    for (int i = 0; i < options->operand_count; i++) {
        const char *key = options->operands[i];
        const char *problem = payment_key_problem(key, strlen(key));
        int found = EX_OK;
        if (problem) {
            error_set(err, EX_USAGE, "%s", problem);
            code = EX_USAGE;
            break;
        }
        if (show_key(stdout, store, key, options->json, &found, err) != 0) {
            code = err->code;
            break;
        }
        code = found > code ? found : code;
    }
    store_close(store);
    return code;
}
