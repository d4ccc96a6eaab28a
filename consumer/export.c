#include "consumer/export.h"

#include "common/clock.h"
#include "common/outcome_json.h"
#include "consumer/store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Outcomes that are read at once. */
#define PAGE 512

/* A field in quotes when it needs them. */
static void put_text(FILE *out, const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, out);
        return;
    }
    putc('"', out);
    for (; *text; text++) {
        if (*text == '"') {
            putc('"', out);
        }
        putc(*text, out);
    }
    putc('"', out);
}

void export_print_csv_head(FILE *out)
{
    fputs("seq,key,type,src,dest,amount,currency,batch,outcome,reason,topic,partition,offset,"
          "decided_at\n",
          out);
}

void export_print_csv(FILE *out, const struct outcome_record *record)
{
    const struct command *command = &record->first.command;
    const struct payment *payment = &command->payment;
    bool is_payment = command->type == COMMAND_PAYMENT;
    char amount[MONEY_TEXT_SIZE] = "";
    char time[CLOCK_TEXT_SIZE];
    const char *const texts[] = {
        record->key,
        command_type_name(command->type),
        payment->src,
        payment->dest,
        is_payment ? money_format(amount, payment->amount_minor, payment->currency) : "",
        payment->currency,
        payment->batch.id,
        outcome_name(record->verdict),
        record->reason,
        record->origin.topic,
    };

    fprintf(out, "%" PRId64, record->seq);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        putc(',', out);
        put_text(out, texts[i]);
    }
    fprintf(out, ",%" PRId32 ",%" PRId64 ",%s\n", record->origin.partition, record->origin.offset,
            clock_text(time, record->decided_ms));
}

static int print_json(const struct outcome_record *record, struct error *err)
{
    char text[OUTCOME_JSON_SIZE];

    if (outcome_json_encode(record, text) == 0) {
        return error_set(err, EX_SOFTWARE, "an outcome is longer than %d bytes", OUTCOME_JSON_SIZE);
    }
    fprintf(stdout, "%s\n", text);
    return 0;
}

/* Whether a record is a decision that is asked for. */
static bool is_wanted(const struct options *options, const struct outcome_record *record)
{
    bool is_decision = record->verdict == OUTCOME_APPLIED || record->verdict == OUTCOME_REJECTED;

    return is_decision &&
           (options->since.kind != SPAN_TIME || record->decided_ms >= options->since.value);
}

static int print_all(const struct options *options, struct store *store, struct store_outcome *page,
                     struct error *err)
{
    int64_t after = options->since.kind == SPAN_OFFSET ? options->since.value - 1 : 0;
    bool is_csv = options->format != FORMAT_JSONL && !options->json;
    size_t count = PAGE;

    if (is_csv) {
        export_print_csv_head(stdout);
    }
    while (count > 0 && !ferror(stdout)) {
        if (store->ops->outcomes(store, after, page, PAGE, &count, err) != STORE_OK) {
            return -1;
        }
        for (size_t i = 0; i < count; i++) {
            const struct outcome_record *record = &page[i].record;
            after = record->seq;
            if (!is_wanted(options, record)) {
                continue;
            }
            if (is_csv) {
                export_print_csv(stdout, record);
            } else if (print_json(record, err) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

int export_decisions(const struct options *options, struct error *err)
{
    struct store_outcome *page = calloc(PAGE, sizeof(*page));
    struct store *store = NULL;
    int code = EX_OK;

    if (!page) {
        error_set(err, EX_OSERR, "out of memory");
        return EX_OSERR;
    }
    if (store_sqlite_open_readonly(&store, options->db, err) != 0 ||
        print_all(options, store, page, err) != 0) {
        code = err->code;
    }
    store_close(store);
    free(page);
    return code;
}
