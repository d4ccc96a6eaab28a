#include "producer/outcomes.h"

#include "common/outcome_json.h"

#include <string.h>

int outcomes_partitions(struct topic_reader *reader, int *ret_partitions, struct error *err)
{
    return topic_reader_partitions(reader, OUTCOMES_BROKER_MS, ret_partitions, err) == 0
               ? 0
               : error_wrap(err, "outcomes (--outcomes names another topic)");
}

bool outcomes_read(const struct topic_record *record, struct outcome_record *ret)
{
    char problem[OUTCOME_PROBLEM_SIZE];

    /* Only the key says where a record lands, so it must be the one that the record speaks of. */
    return record->key && record->value &&
           outcome_json_decode(record->value, record->value_len, ret, problem) == 0 &&
           strlen(ret->key) == record->key_len &&
           memcmp(ret->key, record->key, record->key_len) == 0;
}

int outcomes_restart(struct topic_reader *reader, int32_t partition, struct error *err)
{
    int64_t low;
    int64_t high;

    topic_reader_stop(reader, partition);
    return topic_reader_ends(reader, partition, OUTCOMES_BROKER_MS, &low, &high, err) == 0
               ? topic_reader_start(reader, partition, low, err)
               : -1;
}
