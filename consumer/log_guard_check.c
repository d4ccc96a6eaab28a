#include "consumer/log_guard.h"

#include "common/stop.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>

#define POLL_MS 100 /* how soon a stop is noticed */

static int judge(const char *topic, const struct log_guard_answer *answer, struct error *err)
{
    if (answer->verdict == LOG_GUARD_OTHER) {
        return error_set(err, EX_CONFIG,
                         "%s[%" PRId32 "]: a record before the ledger's position is not the one "
                         "that was read there: the topic was deleted and made anew, or cut",
                         topic, answer->partition);
    }
    return answer->verdict == LOG_GUARD_LATER
               ? error_set(err, EX_UNAVAILABLE,
                           "%s[%" PRId32 "]: no broker answers what stands before the ledger's "
                           "position",
                           topic, answer->partition)
               : 0;
}

static int run(struct log_guard *guard, const char *topic, struct error *err)
{
    struct log_guard_answer answer;
    int result = 0;

    while (result == 0 && log_guard_is_running(guard)) {
        if (stop_requested()) {
            return error_set(err, EX_TEMPFAIL, "stopped: nothing was read");
        }
        if (log_guard_step(guard, POLL_MS, &answer)) {
            result = judge(topic, &answer, err);
        }
    }
    return result;
}

int log_guard_check(const struct kafka_args *args, const struct log_marks *marks, int partitions,
                    struct error *err)
{
    int32_t *numbers = calloc((size_t)partitions + 1, sizeof(*numbers));
    struct log_guard *guard = NULL;

    if (!numbers) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    for (int32_t i = 0; i < partitions; i++) {
        numbers[i] = i;
    }
    int result = log_guard_open(&guard, args, err);
    if (result == 0) {
        result = log_guard_begin(guard, numbers, (size_t)partitions, marks, err);
    }
    if (result == 0) {
        result = run(guard, args->topic, err);
    }
    log_guard_close(guard);
    free(numbers);
    return result;
}
