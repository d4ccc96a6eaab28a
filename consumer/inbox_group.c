#include "consumer/inbox_group.h"

#include "common/bounded_call.h"

#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define ASK_MS   10000 /* how long a question may take */
#define CLOSE_MS 3000  /* how long the client's own threads may take to end */

static const struct kafka_property defaults[] = {
    {"client.id", "payd-restore"},
    {NULL, NULL},
};

static const struct kafka_property fixed[] = {
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"allow.auto.create.topics", "false"},
    {NULL, NULL},
};

struct inbox_group {
    rd_kafka_t *rk;
    char *name;
    char *topic;
};

/* ---- open and close ---- */

static int make_client(struct inbox_group *group, const struct kafka_args *args, struct error *err)
{
    rd_kafka_conf_t *conf = NULL;
    char why[512];

    if (kafka_conf_make(args, defaults, fixed, &conf, err) != 0) {
        return -1;
    }
    if (rd_kafka_conf_set(conf, "group.id", group->name, why, sizeof(why)) != RD_KAFKA_CONF_OK) {
        rd_kafka_conf_destroy(conf);
        return error_set(err, EX_USAGE, "group \"%s\": %s", group->name, why);
    }
    group->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    if (!group->rk) {
        rd_kafka_conf_destroy(conf);
        return error_set(err, EX_USAGE, "the Kafka client cannot start: %s", why);
    }
    return 0; /* rd_kafka_new() took conf over */
}

int inbox_group_open(struct inbox_group **ret, const struct kafka_args *args, const char *name,
                     struct error *err)
{
    struct inbox_group *group = calloc(1, sizeof(*group));

    if (group) {
        group->name = strdup(name);
        group->topic = strdup(args->topic);
    }
    if (!group || !group->name || !group->topic) {
        inbox_group_close(group);
        return error_set(err, EX_OSERR, "out of memory");
    }
    if (make_client(group, args, err) != 0) {
        inbox_group_close(group);
        return -1;
    }
    *ret = group;
    return 0;
}

static void close_client(void *user)
{
    struct inbox_group *group = user;

    if (group->rk) {
        rd_kafka_destroy_flags(group->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }
    free(group->name);
    free(group->topic);
    free(group);
}

void inbox_group_close(struct inbox_group *group)
{
    if (group) {
        (void)bounded_call(CLOSE_MS, close_client, group); /* main() asks bounded_call_runs() */
    }
}

/* ---- questions ---- */

static int failed(const struct inbox_group *group, rd_kafka_resp_err_t code, struct error *err)
{
    return error_set(err, EX_UNAVAILABLE, "group \"%s\": %s", group->name, rd_kafka_err2str(code));
}

static void read_entry(const rd_kafka_topic_partition_t *from, struct inbox_group_entry *ret)
{
    *ret = (struct inbox_group_entry){.next = from->offset >= 0 ? from->offset : -1};
    if (from->metadata && from->metadata_size < sizeof(ret->text)) {
        memcpy(ret->text, from->metadata, from->metadata_size);
    }
}

int inbox_group_ask(struct inbox_group *group, struct inbox_group_entry *entries, size_t count,
                    struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);

    rd_kafka_topic_partition_list_add_range(list, group->topic, 0, (int32_t)count - 1);
    rd_kafka_resp_err_t code = rd_kafka_committed(group->rk, list, ASK_MS);
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++) {
        code = list->elems[i].err;
        read_entry(&list->elems[i], &entries[list->elems[i].partition]);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : failed(group, code, err);
}

int inbox_group_members(struct inbox_group *group, int *ret, struct error *err)
{
    const struct rd_kafka_group_list *list = NULL;
    rd_kafka_resp_err_t code = rd_kafka_list_groups(group->rk, group->name, &list, ASK_MS);

    *ret = 0;
    for (int i = 0; list && i < list->group_cnt; i++) {
        if (list->groups[i].err) { /* of a coordinator that loads, which counts no member yet */
            code = list->groups[i].err;
        }
        *ret += list->groups[i].member_cnt;
    }
    if (list) {
        rd_kafka_group_list_destroy(list);
    }
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : failed(group, code, err);
}

int inbox_group_sign(struct inbox_group *group, const int64_t *offsets, size_t count,
                     const char *text, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);

    for (size_t i = 0; i < count; i++) {
        if (offsets[i] >= 0) {
            rd_kafka_topic_partition_t *entry =
                rd_kafka_topic_partition_list_add(list, group->topic, (int32_t)i);
            entry->offset = offsets[i];
            entry->metadata = strdup(text); /* the list frees it */
            entry->metadata_size = entry->metadata ? strlen(text) : 0;
        }
    }
    rd_kafka_resp_err_t code = rd_kafka_commit(group->rk, list, 0);
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++) {
        code = list->elems[i].err;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : failed(group, code, err);
}
