#include "producer/summary_json.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

/* Writes the object as a line and frees it. good: whether it could be built. */
static int print(cJSON *root, bool good, FILE *out)
{
    char *text = good ? cJSON_PrintUnformatted(root) : NULL;

    cJSON_Delete(root);
    if (!text) {
        return -1;
    }
    fprintf(out, "%s\n", text);
    cJSON_free(text);
    return 0;
}

static bool add_string(cJSON *root, const char *name, const char *text)
{
    return text ? cJSON_AddStringToObject(root, name, text) : cJSON_AddNullToObject(root, name);
}

/* Counts are far below 2^53, where a double still has every whole number. */
static bool add_count(cJSON *root, const char *name, int64_t count)
{
    return cJSON_AddNumberToObject(root, name, (double)count);
}

int summary_json_batch(const struct summary *summary, FILE *out)
{
    cJSON *root = cJSON_CreateObject();
    bool good = root && add_string(root, "batch_id", summary->batch_id) &&
                add_count(root, "rows", summary->rows) &&
                add_count(root, "acknowledged", summary->acknowledged) &&
                add_count(root, "unknown", summary->unknown) &&
                add_count(root, "failed", summary->failed) &&
                add_count(root, "skipped", summary->skipped) &&
                add_string(root, "digest", summary->digest) &&
                cJSON_AddNumberToObject(root, "seconds", (double)summary->elapsed_ms / 1000);

    return print(root, good, out);
}

int summary_json_send(const struct payment *payment, enum delivery delivery, const char *reason,
                      FILE *out)
{
    char amount[MONEY_TEXT_SIZE];
    cJSON *root = cJSON_CreateObject();
    bool good = root && add_string(root, "key", payment->key) &&
                add_string(root, "src", payment->src) && add_string(root, "dest", payment->dest) &&
                add_string(root, "amount",
                           money_format(amount, payment->amount_minor, payment->currency)) &&
                add_string(root, "currency", payment->currency) &&
                add_string(root, "delivery", summary_delivery_name(delivery)) &&
                add_string(root, "reason", reason);

    return print(root, good, out);
}

const char *summary_delivery_name(enum delivery delivery)
{
    switch (delivery) {
    case DELIVERY_ACKNOWLEDGED:
        return "acknowledged";
    case DELIVERY_FAILED:
        return "failed";
    case DELIVERY_UNKNOWN:
    default:
        return "unknown";
    }
}

const char *summary_json_library_version(void)
{
    return cJSON_Version();
}
