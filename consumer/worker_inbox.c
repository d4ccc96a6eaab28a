#include "common/clock.h"
#include "common/log.h"
#include "common/mutant.h"
#include "common/stop.h"
#include "common/text.h"
#include "consumer/owner.h"
#include "consumer/worker_internal.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

#define GUARD_AGAIN_MS 500
#define GUARD_POLL_MS  100 /* how soon a stop is noticed while the log is compared */

int worker_start(const struct worker_place *place, int64_t *ret, struct error *err)
{
    if (place->found && place->stored < place->low) {
        return error_set(err, EX_CONFIG,
                         "the log begins at offset %" PRId64 ", the store is at %" PRId64
                         ": %" PRId64 " records are gone unread. Nothing was skipped; bring them "
                         "back, or go on without them: payd position --db %s --partition %" PRId32
                         " --to %" PRId64,
                         place->low, place->stored, place->low - place->stored, place->db,
                         place->partition, place->low);
    }
    if (place->found && place->stored > place->high) {
        return error_set(err, EX_CONFIG,
                         "the log ends at offset %" PRId64 ", the store is at %" PRId64
                         ": the topic was truncated or made anew. Nothing was read; use another "
                         "--db for another log, or read this one too from its beginning, its keys "
                         "being remembered: payd position --db %s --new-log",
                         place->high, place->stored, place->db);
    }
    if (!place->found && place->low > 0 && !place->from_log_start) {
        return error_set(err, EX_CONFIG,
                         "the log begins at offset %" PRId64 " and this store has read nothing of "
                         "it: --from-log-start accepts that the records before are gone",
                         place->low);
    }
    *ret = place->found ? place->stored : place->low;
    if (MUTANT("reset-latest") && !place->found) {
        *ret = place->high;
    }
    return 0;
}

/* Strict accounts and limits need one order of all commands, which several partitions lack. */
static int check_order(struct worker *worker, int32_t partition, struct error *err)
{
    bool ordered = false;

    if (partition == 0) {
        return 0;
    }
    if (worker->store->ops->ordered(worker->store, &ordered, err) != STORE_OK) {
        return -1;
    }
    return ordered ? error_set(err, EX_CONFIG,
                               "topic \"%s\" has more than one partition, and this ledger has "
                               "strict accounts or limits: what they refuse depends on the order "
                               "of all commands, which only a topic of one partition has. Nothing "
                               "was read; use a topic of one partition",
                               worker->options.topic)
                   : 0;
}

static int log_was_replaced(const struct worker *worker, int32_t partition, struct error *err)
{
    return error_set(
        err, EX_CONFIG,
        "%s[%" PRId32 "]: a record before the store's position is not the one that "
        "was read there: the topic was deleted and made anew, or cut. Use another --db for "
        "another log, or read this one too from its beginning, its keys being "
        "remembered: payd position --db %s --new-log",
        worker->options.topic, partition, worker->options.db);
}

static int on_position(void *user, int32_t partition, int64_t low, int64_t high, int64_t *ret,
                       struct error *err)
{
    struct worker *worker = user;
    struct store *store = worker->store;
    struct worker_place place = {.db = worker->options.db,
                                 .partition = partition,
                                 .low = low,
                                 .high = high,
                                 .from_log_start = worker->options.from_log_start};
    struct log_marks *marks = &worker->marks[partition];

    if (check_order(worker, partition, err) != 0 ||
        store->ops->position(store, partition, &place.found, &place.stored, marks, err) !=
            STORE_OK) {
        return -1;
    }
    if (worker_start(&place, ret, err) != 0) {
        return error_wrap(err, "%s[%" PRId32 "]", worker->options.topic, partition);
    }
    if (!place.found) {
        *marks = (struct log_marks){.last = {.known = false}};
        return store->ops->adopt(store, partition, *ret, err) == STORE_OK ? 0 : -1;
    }
    return 0;
}

static void log_not_compared(const struct worker *worker, int32_t partition, const char *why)
{
    log_event(LOG_LEVEL_WARN, "log_not_compared", "topic=\"%s\" partition=%" PRId32 " text=\"%s\"",
              worker->options.topic, partition, why);
}

/* What a round says of a partition. Returns 1 when it says nothing yet. */
static int take_answer(struct worker *worker, const struct log_guard_answer *answer,
                       struct error *err)
{
    switch (answer->verdict) {
    case LOG_GUARD_OTHER:
        return log_was_replaced(worker, answer->partition, err);
    case LOG_GUARD_LATER:
        log_not_compared(worker, answer->partition, "no answer yet, asking again");
        return 1;
    case LOG_GUARD_GONE:
        log_not_compared(worker, answer->partition,
                         "a record before the position is gone by retention");
        break;
    case LOG_GUARD_SAME:
    default:
        break;
    }
    /* All between the two marks is of one log, so the next look may begin at the later one. */
    worker->marks[answer->partition].anchor = answer->last;
    return 0;
}

/* Before the partitions are read: is the log still the one that was read? */
static int on_ready(void *user, const int32_t *partitions, size_t count, struct error *err)
{
    struct worker *worker = user;
    struct log_guard_answer answer;
    int result = log_guard_begin(worker->guard, partitions, count, worker->marks, err);

    if (result < 0 && err->code != EX_OSERR) {
        err->code = EX_UNAVAILABLE; /* it could be made when payd started */
        if (worker->options.until_end) {
            return -1;
        }
        log_error(LOG_LEVEL_WARN, "log_not_compared", err);
        stop_wait(GUARD_AGAIN_MS); /* a file of settings may be half written: asked again then */
        return 1;
    }
    while (result >= 0 && log_guard_is_running(worker->guard)) {
        if (stop_requested()) {
            log_guard_end(worker->guard);
            return 1;
        }
        if (log_guard_step(worker->guard, GUARD_POLL_MS, &answer)) {
            int said = take_answer(worker, &answer, err);
            result = said != 0 ? said : result;
        }
    }
    return result;
}

static int take_answers(struct worker *worker, struct error *err)
{
    struct log_guard_answer answer;

    while (log_guard_step(worker->guard, 0, &answer)) {
        if (take_answer(worker, &answer, err) < 0) {
            return -1;
        }
    }
    return 0;
}

int worker_guard_log(struct worker *worker, struct error *err)
{
    int32_t partitions[CHUNK_PARTITIONS_MAX];
    size_t count = 0;

    if (take_answers(worker, err) != 0) {
        return -1;
    }
    if (!log_guard_is_due(worker->guard)) {
        return 0;
    }
    for (int32_t i = 0; i < CHUNK_PARTITIONS_MAX; i++) {
        if (worker->next[i] != WORKER_NOT_ASSIGNED) {
            partitions[count++] = i;
        }
    }
    /* Its client reads the files of settings and keys again, which may be half written now. */
    if (log_guard_begin(worker->guard, partitions, count, worker->marks, err) != 0) {
        log_error(LOG_LEVEL_WARN, "log_not_compared", err);
    }
    return 0;
}

static void on_sign(void *user, char text[INBOX_METADATA_SIZE])
{
    const struct worker *worker = user;

    owner_write(text, &worker->self);
}

static int on_owner(void *user, int32_t partition, const char *text, bool claimed,
                    struct error *err)
{
    struct worker *worker = user;
    const struct store_identity *self = &worker->self;
    char shown[TEXT_ESCAPED_SIZE];
    enum owner owner = owner_judge(self, claimed, text);

    if (worker->options.take_group || owner == OWNER_NOBODY || owner == OWNER_SELF) {
        return 0;
    }
    text_escape(shown, sizeof(shown), text, strlen(text));
    return error_set(err, EX_CONFIG,
                     "%s: group \"%s\" at %s[%" PRId32 "] says \"%s\", and this one is %s, "
                     "incarnation %" PRId64 ", chunk %" PRId64 ". Nothing was read. Use the ledger "
                     "that owns the group, another group (-g), or --take-group to go on with this "
                     "one on purpose",
                     owner == OWNER_FOREIGN
                         ? "the group belongs to another ledger"
                         : "this ledger is a copy or an old backup: its later self owns the group",
                     worker->options.group, worker->options.topic, partition, shown, self->uuid,
                     self->incarnation, self->chunks);
}

static void on_assigned(void *user, const int32_t *partitions, const int64_t *offsets, size_t count)
{
    struct worker *worker = user;

    log_guard_end(worker->guard);
    worker->held_since_ms = 0;
    for (size_t i = 0; i < CHUNK_PARTITIONS_MAX; i++) {
        worker->next[i] = WORKER_NOT_ASSIGNED;
    }
    for (size_t i = 0; i < count; i++) {
        worker->next[partitions[i]] = offsets[i];
        log_event(LOG_LEVEL_INFO, "assigned", "topic=\"%s\" partition=%" PRId32 " offset=%" PRId64,
                  worker->options.topic, partitions[i], offsets[i]);
    }
    if (count == 0) {
        log_event(LOG_LEVEL_INFO, "unassigned", "topic=\"%s\"", worker->options.topic);
    }
}

static void on_note(void *user, const char *what, const char *text)
{
    struct worker *worker = user;
    char shown[TEXT_ESCAPED_SIZE];

    if (strcmp(what, "_ALL_BROKERS_DOWN") == 0 && worker->brokers_away_ms == 0) {
        worker->brokers_away_ms = clock_monotonic_ms();
    }
    if (strstr(what, "UNKNOWN_TOPIC") || strstr(what, "UNKNOWN_PARTITION")) {
        log_guard_hurry(worker->guard); /* it may have been deleted and made anew */
    }
    log_event(LOG_LEVEL_WARN, "kafka", "error=%s text=\"%s\"", what,
              text_escape(shown, sizeof(shown), text, strlen(text)));
}

struct inbox_callbacks worker_inbox_callbacks(struct worker *worker)
{
    return (struct inbox_callbacks){worker,  worker_drain, on_position, on_ready,
                                    on_sign, on_owner,     on_assigned, on_note};
}
