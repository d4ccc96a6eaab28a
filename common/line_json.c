#include "common/line_json.h"

#include <cjson/cJSON.h>

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
