#include "tests/checker/settled.h"

#include <inttypes.h>

/* An empty partition may never have been assigned, and then has neither. */
static bool is_at_end(const struct partition *partition, int64_t offset)
{
    return offset == partition->high || (offset == EVIDENCE_NO_OFFSET && partition->high == 0);
}

void settled_check(struct evidence *evidence)
{
    for (size_t i = 0; i < evidence->topic.partition_count; i++) {
        const struct partition *partition = &evidence->topic.partitions[i];
        int64_t position = evidence->positions[i];
        int64_t committed = evidence->commits[i].offset;
        if (!is_at_end(partition, position)) {
            report_any(&evidence->report, I10_LAG_IS_ZERO,
                       "partition %zu: the stored position is %" PRId64 ", the end %" PRId64, i,
                       position, partition->high);
        }
        if (!is_at_end(partition, committed)) {
            report_any(&evidence->report, I10_LAG_IS_ZERO,
                       "partition %zu: %" PRId64 " is committed, the end is %" PRId64, i, committed,
                       partition->high);
        }
    }
}
