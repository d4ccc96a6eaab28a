#include "consumer/reset.h"

#include "common/line_json.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <sysexits.h>

int reset_print_json(FILE *out, const struct options *options, struct error *err)
{
    cJSON *root = cJSON_CreateObject();
    bool good = root && cJSON_AddStringToObject(root, "file", options->db) &&
                cJSON_AddBoolToObject(root, "removed", options->forget_everything);

    if (line_json_print(root, good, out) != 0) {
        error_set(err, EX_OSERR, "out of memory");
        return EX_OSERR;
    }
    return EX_OK;
}
