#include "consumer/restore_internal.h"

#include "common/line_json.h"

#include <cjson/cJSON.h>
#include <inttypes.h>

int restore_print_further_json(FILE *out, const struct restoring *restoring)
{
    int result = 0;

    for (int i = 0; result == 0 && i < restoring->partitions; i++) {
        const struct restore_part *part = &restoring->parts[i];
        cJSON *root = cJSON_CreateObject();
        bool good = root && line_json_add_int(root, "partition", i) &&
                    line_json_add_int(root, "backup", part->next) &&
                    (part->group_next >= 0 ? line_json_add_int(root, "group", part->group_next)
                                           : cJSON_AddNullToObject(root, "group") != NULL) &&
                    line_json_add_int(root, "again", part->to - part->next);
        result = line_json_print(root, good, out);
    }
    return result;
}

int restore_print_rewound_json(FILE *out, const struct restoring *restoring, int64_t gone)
{
    if (replay_print_json(out, &restoring->report) != 0) {
        return -1;
    }
    cJSON *root = cJSON_CreateObject();
    bool good = root && line_json_add_int(root, "told", restoring->bound) &&
                line_json_add_int(root, "gone", gone);
    return line_json_print(root, good, out);
}
