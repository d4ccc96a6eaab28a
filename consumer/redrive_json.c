#include "common/line_json.h"
#include "consumer/redrive.h"

#include <cjson/cJSON.h>

static bool add_place(cJSON *root, const struct redriven *redriven)
{
    if (redriven->delivery != DELIVERY_ACKNOWLEDGED || redriven->to_offset < 0) {
        return cJSON_AddNullToObject(root, "to_partition") &&
               cJSON_AddNullToObject(root, "to_offset");
    }
    return line_json_add_int(root, "to_partition", redriven->to_partition) &&
           line_json_add_int(root, "to_offset", redriven->to_offset);
}

int redrive_print_json(FILE *out, const struct redriven *redriven)
{
    bool is_there = redriven->delivery == DELIVERY_ACKNOWLEDGED;
    cJSON *root = cJSON_CreateObject();
    bool good =
        root && line_json_add_int(root, "partition", redriven->partition) &&
        line_json_add_int(root, "offset", redriven->offset) &&
        cJSON_AddStringToObject(root, "key", redriven->key) &&
        cJSON_AddStringToObject(root, "delivery", redrive_delivery_name(redriven->delivery)) &&
        add_place(root, redriven) &&
        (is_there ? cJSON_AddNullToObject(root, "why")
                  : cJSON_AddStringToObject(root, "why", redriven->reason));

    return line_json_print(root, good, out);
}
