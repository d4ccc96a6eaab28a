#include "common/line_json.h"

#include <cjson/cJSON.h>
#include <inttypes.h>

int line_json_print(struct cJSON *root, bool good, FILE *out)
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

bool line_json_add_int(struct cJSON *object, const char *name, int64_t value)
{
    char digits[24];

    snprintf(digits, sizeof(digits), "%" PRId64, value);
    return cJSON_AddRawToObject(object, name, digits) != NULL;
}
