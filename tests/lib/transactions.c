#include "tests/lib/transactions.h"

#include <criterion/criterion.h>
#include <string.h>

#define WAIT_MS 60000

rd_kafka_t *transactions_open(const struct scene *scene, const char *id)
{
    const char *const properties[][2] = {{"bootstrap.servers", scene->brokers},
                                         {"transactional.id", id},
                                         {"transaction.timeout.ms", "60000"},
                                         {"partitioner", "murmur2_random"}};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char why[256];

    for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
        cr_assert_eq(rd_kafka_conf_set(conf, properties[i][0], properties[i][1], why, sizeof(why)),
                     RD_KAFKA_CONF_OK, "%s", why);
    }
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    cr_assert(rk, "%s", why);
    cr_assert_null(rd_kafka_init_transactions(rk, WAIT_MS));
    return rk;
}

void transactions_begin(rd_kafka_t *rk)
{
    cr_assert_null(rd_kafka_begin_transaction(rk));
}

void transactions_produce(rd_kafka_t *rk, const struct scene *scene, const char *key,
                          const char *value)
{
    cr_assert_eq(rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(scene->topic),
                                   RD_KAFKA_V_KEY(key, strlen(key)),
                                   RD_KAFKA_V_VALUE((void *)value, strlen(value)),
                                   RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
                 RD_KAFKA_RESP_ERR_NO_ERROR);
}

void transactions_flush(rd_kafka_t *rk)
{
    cr_assert_eq(rd_kafka_flush(rk, WAIT_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
}

void transactions_end(rd_kafka_t *rk, bool commit)
{
    transactions_flush(rk);
    cr_assert_null(commit ? rd_kafka_commit_transaction(rk, WAIT_MS)
                          : rd_kafka_abort_transaction(rk, WAIT_MS));
}
