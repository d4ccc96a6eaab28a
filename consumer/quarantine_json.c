#include "consumer/quarantine.h"

#include "common/clock.h"
#include "common/line_json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Adds bytes as hex digits, NULL as null. */
static bool add_hex(cJSON *object, const char *name, const void *bytes, size_t len)
{
    char *text = bytes ? malloc(2 * len + 1) : NULL;
    bool good = bytes ? text && cJSON_AddStringToObject(object, name, digest_hex(text, bytes, len))
                      : cJSON_AddNullToObject(object, name) != NULL;

    free(text);
    return good;
}

/* As text when it is a usable key. */
static bool add_key(cJSON *root, const struct store_bytes *key)
{
    char text[PAYMENT_KEY_MAX + 1];

    if (!key->bytes || payment_key_problem(key->bytes, key->len)) {
        return cJSON_AddNullToObject(root, "key") != NULL;
    }
    payment_copy(text, key->bytes, key->len);
    return cJSON_AddStringToObject(root, "key", text) != NULL;
}

static bool add_len(cJSON *root, const char *name, int64_t len)
{
    return len < 0 ? cJSON_AddNullToObject(root, name) != NULL : line_json_add_int(root, name, len);
}

static bool add_place(cJSON *root, const struct store_quarantined *message)
{
    char text[CLOCK_TEXT_SIZE];
    char digest[DIGEST_SHORT_HEX_SIZE];

    return line_json_add_int(root, "seq", message->seq) &&
           cJSON_AddStringToObject(root, "topic", message->topic) &&
           line_json_add_int(root, "partition", message->partition) &&
           line_json_add_int(root, "offset", message->offset) &&
           cJSON_AddStringToObject(root, "reason", message->reason) &&
           cJSON_AddStringToObject(root, "detail", message->detail) &&
           add_key(root, &message->key) && add_len(root, "key_bytes", message->key.whole_len) &&
           add_len(root, "value_bytes", message->value.whole_len) &&
           cJSON_AddStringToObject(root, "digest",
                                   digest_hex(digest, message->digest, DIGEST_SHORT_SIZE)) &&
           cJSON_AddStringToObject(root, "timestamp", clock_text(text, message->timestamp_ms)) &&
           cJSON_AddStringToObject(root, "quarantined_at", clock_text(text, message->decided_ms));
}

struct header_list {
    cJSON *array;
    bool good;
};

static void on_header(void *user, const struct store_quarantined_header *header)
{
    struct header_list *list = user;
    cJSON *entry = cJSON_CreateObject();

    list->good = list->good && entry && cJSON_AddItemToArray(list->array, entry) &&
                 add_hex(entry, "name_hex", header->name, header->name_len) &&
                 add_hex(entry, "value_hex", header->value, header->value_len);
}

int quarantine_print_json(FILE *out, struct store *store, const struct store_quarantined *message,
                          bool whole, struct error *err)
{
    cJSON *root = cJSON_CreateObject();
    bool good = root && add_place(root, message);

    if (good && whole) {
        struct header_list list = {.good = true};
        good = add_hex(root, "key_hex", message->key.bytes, message->key.len) &&
               add_hex(root, "value_hex", message->value.bytes, message->value.len) &&
               (list.array = cJSON_AddArrayToObject(root, "headers")) != NULL;
        if (good && store_sqlite_quarantine_headers(store, message->seq, on_header, &list, err) !=
                        STORE_OK) {
            cJSON_Delete(root);
            return -1;
        }
        good = good && list.good;
    }
    return line_json_print(root, good, out) == 0 ? 0 : error_set(err, EX_OSERR, "out of memory");
}
