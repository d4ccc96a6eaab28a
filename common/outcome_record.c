#include "common/outcome_record.h"

enum outcome outcome_answer(const struct outcome_record *record)
{
    return record->verdict == OUTCOME_DUPLICATE && record->has_first ? record->first.outcome
                                                                     : record->verdict;
}

const char *outcome_answer_reason(const struct outcome_record *record)
{
    if (record->verdict != OUTCOME_DUPLICATE || !record->has_first) {
        return record->reason;
    }
    return record->first.reason == REASON_NONE ? "" : reason_name(record->first.reason);
}
