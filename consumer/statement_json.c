#include "consumer/statement.h"

#include "common/clock.h"
#include "common/line_json.h"

#include <cjson/cJSON.h>

int statement_print_json(FILE *out, const char *account, const struct store_posting *posting,
                         const char *currency)
{
    cJSON *root = cJSON_CreateObject();
    char time[CLOCK_TEXT_SIZE];
    char amount[MONEY_TEXT_SIZE];
    char balance[MONEY_TEXT_SIZE];
    bool good =
        root && line_json_add_int(root, "seq", posting->seq) &&
        cJSON_AddStringToObject(root, "decided_at", clock_text(time, posting->decided_ms)) &&
        cJSON_AddStringToObject(root, "key", posting->key) &&
        cJSON_AddStringToObject(root, "account", account) &&
        cJSON_AddStringToObject(root, "other", posting->other) &&
        (posting->batch[0] ? cJSON_AddStringToObject(root, "batch", posting->batch)
                           : cJSON_AddNullToObject(root, "batch")) &&
        cJSON_AddStringToObject(root, "amount",
                                money_format(amount, posting->amount_minor, currency)) &&
        cJSON_AddStringToObject(root, "balance",
                                money_format(balance, posting->balance_minor, currency)) &&
        cJSON_AddStringToObject(root, "currency", currency);

    return line_json_print(root, good, out);
}
