#include "tests/lib/member.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#define POLL_MS 100

static volatile sig_atomic_t leaving;

static void leave(int signo)
{
    (void)signo;
    leaving = 1;
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *list, void *opaque)
{
    (void)opaque;
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        dprintf(STDOUT_FILENO, "assigned %d\n", list->cnt);
        rd_kafka_assign(rk, list);
    } else {
        rd_kafka_assign(rk, NULL);
    }
}

static rd_kafka_t *join(const struct scene *scene)
{
    static const char *const properties[][2] = {
        {"group.id", "test"},
        {"session.timeout.ms", "6000"},
        {"enable.auto.commit", "false"},
        {"partition.assignment.strategy", "range"},
        {"auto.offset.reset", "earliest"},
    };
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];

    rd_kafka_conf_set(conf, "bootstrap.servers", scene->brokers, why, sizeof(why));
    for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
        rd_kafka_conf_set(conf, properties[i][0], properties[i][1], why, sizeof(why));
    }
    rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
    rd_kafka_topic_partition_list_add(topics, scene->topic, RD_KAFKA_PARTITION_UA);
    if (!rk || rd_kafka_subscribe(rk, topics) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        _exit(1);
    }
    rd_kafka_topic_partition_list_destroy(topics);
    rd_kafka_poll_set_consumer(rk);
    return rk;
}

static void be_member(const struct scene *scene, const struct process *self)
{
    int out = open(self->out, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int err = open(self->err, O_WRONLY | O_CREAT | O_APPEND, 0600);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGTERM, leave);
    if (dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0) {
        _exit(1);
    }
    rd_kafka_t *rk = join(scene);
    while (!leaving) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, POLL_MS);
        if (message) {
            rd_kafka_message_destroy(message);
        }
    }
    rd_kafka_consumer_close(rk);
    _exit(0);
}

struct process member_start(const struct scene *scene)
{
    static int number;
    struct process member = {.pid = 0};

    number++;
    snprintf(member.out, sizeof(member.out), "%.480s/member-%d.out", scene->dir, number);
    snprintf(member.err, sizeof(member.err), "%.480s/member-%d.err", scene->dir, number);
    member.pid = fork();
    cr_assert_geq(member.pid, 0, "fork failed");
    if (member.pid == 0) {
        be_member(scene, &member);
    }
    return member;
}

int member_assignments(const struct process *member)
{
    return file_count(member->out, "assigned ") - file_count(member->out, "assigned 0\n");
}
