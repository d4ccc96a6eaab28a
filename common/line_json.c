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

bool line_json_add_texts(struct cJSON *object, const char *name, char *const *texts, size_t count)
{
    cJSON *array = cJSON_AddArrayToObject(object, name);
    bool good = array != NULL;

    for (size_t i = 0; good && i < count; i++) {
        cJSON *text = cJSON_CreateString(texts[i]);
        good = text && cJSON_AddItemToArray(array, text);
    }
    return good;
}
