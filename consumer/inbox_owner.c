#include "consumer/inbox_internal.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

#define ASK_MS 1500 /* how long a question to the group's coordinator may take */

/* The group takes nothing from us until we have joined it again. */
static bool has_gone_on(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
           code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
           code == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
}

/* Asked again, the group says the same, until somebody changes rights or settings. */
static bool is_refusal(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE ||
           code == RD_KAFKA_RESP_ERR_INVALID_GROUP_ID;
}

/*
 * The broker is away or the group is moving: ask again later. Returns 1; -1 for what later would
 * not change.
 */
static int later(struct inbox *inbox, rd_kafka_resp_err_t code, struct error *err)
{
    if (is_refusal(code)) {
        return error_set(
            err, EX_CONFIG,
            "the group gives and takes no offsets of topic \"%s\": %s: payd needs READ on topic "
            "and group, and room for its name in the metadata "
            "(offset.metadata.max.bytes)",
            inbox->topic, rd_kafka_err2str(code));
    }

    inbox->pending_is_stale = has_gone_on(code);
    inbox_note(inbox, "group", rd_kafka_err2str(code));
    return 1;
}

/* Looks at what stands in the group for every partition of the topic, ours or not. */
static int check_owners(struct inbox *inbox, struct error *err)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new((int)inbox->topic_partitions);
    int result = 0;

    rd_kafka_topic_partition_list_add_range(list, inbox->topic, 0,
                                            (int32_t)inbox->topic_partitions - 1);
    rd_kafka_resp_err_t code = rd_kafka_committed(inbox->rk, list, ASK_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        result = later(inbox, code, err);
    }
    for (int i = 0; result == 0 && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *entry = &list->elems[i];
        char text[INBOX_METADATA_SIZE] = "";
        if (entry->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            result = later(inbox, entry->err, err);
        } else if (entry->metadata && entry->metadata_size < sizeof(text)) {
            memcpy(text, entry->metadata, entry->metadata_size);
            text[entry->metadata_size] = '\0';
        }
        if (result == 0) {
            result = inbox->callbacks.owner(inbox->callbacks.user, entry->partition, text,
                                            inbox->claimed, err);
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
    return result;
}

void inbox_sign(struct inbox *inbox, rd_kafka_topic_partition_list_t *list)
{
    char text[INBOX_METADATA_SIZE];

    inbox->callbacks.sign(inbox->callbacks.user, text);
    for (int i = 0; i < list->cnt; i++) {
        list->elems[i].metadata = strdup(text); /* the list frees it */
        list->elems[i].metadata_size = list->elems[i].metadata ? strlen(text) : 0;
    }
}

/* Writes ourselves into the group for the partitions that we are to read. */
static int write_claim(struct inbox *inbox, const rd_kafka_topic_partition_list_t *assigned,
                       struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_copy(assigned);

    inbox_sign(inbox, list);
    rd_kafka_resp_err_t code = inbox_commit_list(inbox, list, ASK_MS);
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : later(inbox, code, err);
}

/*
 * Of two that come at once, each writes before it reads again, so one of them sees the other at
 * the least, and goes.
 */
int inbox_claim(struct inbox *inbox, const rd_kafka_topic_partition_list_t *list, struct error *err)
{
    int result = check_owners(inbox, err);

    if (result == 0 && list->cnt > 0) {
        result = write_claim(inbox, list, err);
        inbox->claimed = inbox->claimed || result == 0;
    }
    return result == 0 && list->cnt > 0 ? check_owners(inbox, err) : result;
}
