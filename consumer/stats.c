#include "consumer/stats.h"

#include "common/clock.h"
#include "common/digest.h"
#include "common/text.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

/* What is left of 80 columns; --json has the whole name. */
#define TOPIC_SHOWN_SIZE 40

/* Whether a purge forgets anything, and how the file grows. */
static void print_size(FILE *out, const struct store_size *size)
{
    const double mib = 1024.0 * 1024.0;
    char floor[CLOCK_TEXT_SIZE] = "-";

    if (size->floor_ms > 0) {
        clock_text(floor, size->floor_ms);
    }
    fprintf(out, "%-12s %15" PRId64 "  %10.1f MiB\n", "keys", size->keys,
            (double)size->bytes / mib);
    fprintf(out, "%-12s %15" PRId64 "  %10.1f MiB\n", "a day", size->day_rows,
            (double)size->day_bytes / mib);
    fprintf(out, "%-12s  %s\n", "floor", floor);
}

void stats_print_currencies(FILE *out, const struct store_stats *stats)
{
    char total[MONEY_TEXT_SIZE];
    char balances[MONEY_TEXT_SIZE];

    if (stats->currency_count > 0) {
        fprintf(out,
                "\ncurrency         payments                 total   accounts  sum of balances\n");
    }
    for (size_t i = 0; i < stats->currency_count; i++) {
        const struct store_currency *currency = &stats->currencies[i];
        fprintf(out, "%-8s  %15" PRId64 "  %20s  %9" PRId64 "  %15s\n", currency->currency,
                currency->applied, money_sum_format(total, &currency->total, currency->currency),
                currency->accounts,
                money_sum_format(balances, &currency->balances, currency->currency));
    }
}

void stats_print(FILE *out, const struct store_stats *stats)
{
    static const enum outcome shown[] = {OUTCOME_APPLIED,  OUTCOME_DUPLICATE, OUTCOME_REDELIVERED,
                                         OUTCOME_CONFLICT, OUTCOME_REJECTED,  OUTCOME_QUARANTINED};
    char topic[TOPIC_SHOWN_SIZE];
    char digest[2 * KEY_HASH_SIZE + 1];

    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        fprintf(out, "%-12s %15" PRId64 "\n", outcome_name(shown[i]), stats->counts[shown[i]]);
    }
    fprintf(out, "\n%-12s %15s\n", "accounts", stats->strict ? "strict" : "open");
    fprintf(out, "%-12s %15" PRId64 "\n", "unpublished", stats->last_seq - stats->published_seq);
    fprintf(out, "%-12s %15" PRId64 "\n", "skipped", stats->skipped);
    print_size(out, &stats->size);
    fprintf(out, "%-12s  %s\n", "digest", digest_hex(digest, stats->digest, KEY_HASH_SIZE));
    stats_print_currencies(out, stats);
    if (stats->position_count > 0) {
        fprintf(out, "\npartition     next offset   of topic %s\n",
                text_escape(topic, sizeof(topic), stats->topic ? stats->topic : "",
                            stats->topic ? strlen(stats->topic) : 0));
    }
    for (size_t i = 0; i < stats->position_count; i++) {
        fprintf(out, "%9" PRId32 " %15" PRId64 "\n", stats->positions[i].partition,
                stats->positions[i].next_offset);
    }
}

int stats(const struct options *options, struct error *err)
{
    struct store_stats found;
    int code = EX_OK;

    if (store_sqlite_read_stats(options->db, &found, err) != 0) {
        return err->code;
    }
    if (!options->json) {
        stats_print(stdout, &found);
    } else if (stats_print_json(stdout, &found) != 0) {
        error_set(err, EX_OSERR, "out of memory");
        code = EX_OSERR;
    }
    store_stats_release(&found);
    return code;
}
