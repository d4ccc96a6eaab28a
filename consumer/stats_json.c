#include "consumer/stats.h"

#include "common/clock.h"
#include "common/digest.h"
#include "common/line_json.h"
#include "consumer/ledger_json.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdbool.h>

const char *stats_json_library_version(void)
{
    return cJSON_Version();
}

static bool add_counts(cJSON *root, const struct store_stats *stats)
{
    static const enum outcome shown[] = {OUTCOME_APPLIED,  OUTCOME_DUPLICATE, OUTCOME_REDELIVERED,
                                         OUTCOME_CONFLICT, OUTCOME_REJECTED,  OUTCOME_QUARANTINED};

    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        if (!line_json_add_int(root, outcome_name(shown[i]), stats->counts[shown[i]])) {
            return false;
        }
    }
    return true;
}

/* How the ledger stands: its mode, and the answers that are on their way. */
static bool add_state(cJSON *root, const struct store_stats *stats)
{
    char digest[2 * KEY_HASH_SIZE + 1];

    return cJSON_AddStringToObject(root, "mode", stats->strict ? "strict" : "open") &&
           line_json_add_int(root, "unpublished", stats->last_seq - stats->published_seq) &&
           line_json_add_int(root, "skipped", stats->skipped) &&
           line_json_add_int(root, "quarantine_bytes", stats->quarantine_bytes) &&
           cJSON_AddStringToObject(root, "digest",
                                   digest_hex(digest, stats->digest, KEY_HASH_SIZE)) != NULL;
}

static bool add_size(cJSON *root, const struct store_size *size)
{
    char floor[CLOCK_TEXT_SIZE];
    cJSON *text = size->floor_ms > 0
                      ? cJSON_AddStringToObject(root, "floor", clock_text(floor, size->floor_ms))
                      : cJSON_AddNullToObject(root, "floor");

    return text && line_json_add_int(root, "keys", size->keys) &&
           line_json_add_int(root, "bytes", size->bytes) &&
           line_json_add_int(root, "day_rows", size->day_rows) &&
           line_json_add_int(root, "day_bytes", size->day_bytes);
}

static bool add_currencies(cJSON *root, const struct store_stats *stats)
{
    cJSON *total = cJSON_AddObjectToObject(root, "total");
    cJSON *balances = cJSON_AddObjectToObject(root, "balances");
    cJSON *accounts = cJSON_AddObjectToObject(root, "accounts");
    bool good = total && balances && accounts;

    for (size_t i = 0; good && i < stats->currency_count; i++) {
        const struct store_currency *currency = &stats->currencies[i];
        char text[MONEY_TEXT_SIZE];
        good =
            cJSON_AddStringToObject(total, currency->currency,
                                    money_sum_format(text, &currency->total, currency->currency)) &&
            cJSON_AddStringToObject(
                balances, currency->currency,
                money_sum_format(text, &currency->balances, currency->currency)) &&
            line_json_add_int(accounts, currency->currency, currency->accounts);
    }
    return good;
}

int stats_print_json(FILE *out, const struct store_stats *stats)
{
    cJSON *root = cJSON_CreateObject();
    bool good = root && add_counts(root, stats) && add_state(root, stats) &&
                add_size(root, &stats->size) && add_currencies(root, stats) &&
                ledger_json_add_positions(root, stats);

    return line_json_print(root, good, out);
}
