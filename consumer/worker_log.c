#include "common/log.h"
#include "common/text.h"
#include "consumer/worker_internal.h"

#include <inttypes.h>
#include <string.h>

/* Lines of one chunk; the others are counted. A flood must not become a flood of the log. */
#define LINES_MAX 50

static void log_item(const struct worker *worker, const struct chunk_item *item)
{
    char key[TEXT_ESCAPED_SIZE];
    char detail[2 * UNREADABLE_DETAIL_SIZE];
    char fields[COMMAND_FIELDS_SIZE];
    const struct origin *origin = &item->origin;

    if (item->decision.outcome == OUTCOME_QUARANTINED) {
        log_event(LOG_LEVEL_WARN, "quarantined",
                  "topic=\"%s\" partition=%" PRId32 " offset=%" PRId64
                  " key=\"%s\" reason=%s detail=\"%s\"",
                  worker->options.topic, origin->partition, origin->offset,
                  text_escape(key, sizeof(key), item->raw.key, item->raw.key_len),
                  unreadable_name(item->unreadable),
                  text_escape(detail, sizeof(detail), item->detail, strlen(item->detail)));
    } else if (item->decision.outcome == OUTCOME_CONFLICT) {
        log_event(
            LOG_LEVEL_WARN, "conflict",
            "topic=\"%s\" partition=%" PRId32 " offset=%" PRId64 " key=\"%s\" reason=%s fields=%s",
            worker->options.topic, origin->partition, origin->offset,
            text_escape(key, sizeof(key), item->raw.key, item->raw.key_len),
            reason_name(item->decision.reason), command_fields(fields, item->decision.fields));
    }
}

static bool is_worth_a_line(const struct chunk_item *item)
{
    return item->decision.outcome == OUTCOME_QUARANTINED ||
           item->decision.outcome == OUTCOME_CONFLICT;
}

void worker_log_chunk(const struct worker *worker, const struct chunk *chunk)
{
    size_t lines = 0;

    for (size_t i = 0; i < chunk->item_count; i++) {
        if (is_worth_a_line(&chunk->items[i]) && ++lines <= LINES_MAX) {
            log_item(worker, &chunk->items[i]);
        }
    }
    if (lines > LINES_MAX) {
        log_event(LOG_LEVEL_WARN, "more", "conflicts_and_quarantined=%zu", lines - LINES_MAX);
    }
}
