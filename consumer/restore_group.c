#include "consumer/restore_internal.h"

#include "common/text.h"
#include "consumer/owner.h"
#include "consumer/store_backup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* ---- how far the group is ---- */

/*
 * A member reads now, and would go on beside the restored ledger. The embedded broker cannot say.
 */
static int check_members(const struct restoring *restoring, struct error *err)
{
    int members = 0;

    if (restoring->options->kafka.skip_topic_check) {
        return 0;
    }
    if (inbox_group_members(restoring->group, &members, err) != 0) {
        return error_wrap(err, "its members (--skip-topic-check does not ask for them)");
    }
    return members == 0 ? 0
                        : error_set(err, EX_CONFIG,
                                    "group \"%s\" has %d members: a payd runs. Stop it first, or "
                                    "use the group of this ledger (-g). Nothing was restored",
                                    restoring->options->group, members);
}

/* Notes the latest of this ledger that stands in the group. */
static void see(struct store_identity *seen, const struct store_identity *found)
{
    memcpy(seen->uuid, found->uuid, sizeof(seen->uuid));
    seen->chunks = seen->chunks > found->chunks ? seen->chunks : found->chunks;
    seen->incarnation =
        seen->incarnation > found->incarnation ? seen->incarnation : found->incarnation;
}

static int take_entry(struct restoring *restoring, int partition,
                      const struct inbox_group_entry *entry, struct error *err)
{
    struct store_identity found;
    char shown[TEXT_ESCAPED_SIZE];

    restoring->parts[partition].group_next = entry->next;
    if (!owner_read(entry->text, &found)) {
        return 0;
    }
    if (strcmp(found.uuid, restoring->self.uuid) != 0) {
        return error_set(err, EX_CONFIG,
                         "group \"%s\" belongs to ledger %s, and the backup is one of %s: use the "
                         "group of this ledger (-g). Nothing was restored",
                         restoring->options->group,
                         text_escape(shown, sizeof(shown), found.uuid, strlen(found.uuid)),
                         restoring->self.uuid);
    }
    see(&restoring->seen, &found);
    return 0;
}

static int ask_group(struct restoring *restoring, struct error *err)
{
    size_t count = (size_t)restoring->partitions;
    struct inbox_group_entry *entries = calloc(count, sizeof(*entries));

    if (!entries) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    int result = inbox_group_ask(restoring->group, entries, count, err);
    for (int i = 0; result == 0 && i < restoring->partitions; i++) {
        result = take_entry(restoring, i, &entries[i], err);
    }
    free(entries);
    return result;
}

static int ask_part(struct restoring *restoring, struct store *backup, int partition,
                    struct error *err)
{
    struct restore_part *part = &restoring->parts[partition];

    if (reread_ends(restoring->reread, partition, &part->low, &part->high, err) != 0 ||
        backup->ops->position(backup, partition, &part->is_read, &part->next,
                              &restoring->marks[partition], err) != STORE_OK) {
        return -1;
    }
    if (!part->is_read) {
        part->next = part->low;
        restoring->marks[partition] = (struct log_marks){.last = {.known = false}};
    }
    part->to = part->group_next > part->next ? part->group_next : part->next;
    return 0;
}

static int64_t count_further(const struct restoring *restoring)
{
    int64_t further = 0;

    for (int i = 0; i < restoring->partitions; i++) {
        further += restoring->parts[i].to - restoring->parts[i].next;
    }
    return further;
}

static void print_further(const struct restoring *restoring)
{
    printf("partition    backup's next     group's next  to be read again\n");
    for (int i = 0; i < restoring->partitions; i++) {
        const struct restore_part *part = &restoring->parts[i];
        printf("%9d  %15" PRId64, i, part->next);
        if (part->group_next >= 0) {
            printf("  %15" PRId64, part->group_next);
        } else {
            printf("  %15s", "-");
        }
        printf("  %16" PRId64 "\n", part->to - part->next);
    }
}

/*
 * Nothing is left to be read, and yet the lost ledger had committed more: a replay decides below
 * the positions. A restore, too, adds to their number, but decides nothing (restore_outrun()).
 */
static int check_chunks(const struct restoring *restoring, struct error *err)
{
    int64_t more = restoring->seen.chunks - restoring->self.chunks;

    if (more <= 0 || more % STORE_OUTRUN_CHUNKS == 0) {
        return 0;
    }
    if (!restoring->options->rewind) {
        return error_set(
            err, EX_CONFIG,
            "group \"%s\" has read no further than the backup, but seen %" PRId64
            " transactions more of this ledger: payd replay --execute may have decided "
            "something that is lost, or a position was set back. --rewind goes on "
            "without it. Nothing was restored",
            restoring->options->group, more);
    }
    fprintf(stderr,
            "payd: the lost ledger had committed %" PRId64 " transactions more, below its "
            "positions: payd replay --from beginning shows what of the log was not decided\n",
            more);
    return 0;
}

int restore_compare(struct restoring *restoring, struct store *backup, struct error *err)
{
    int result = check_members(restoring, err);

    if (result == 0) {
        result = ask_group(restoring, err);
    }
    for (int i = 0; result == 0 && i < restoring->partitions; i++) {
        result = ask_part(restoring, backup, i, err);
    }
    if (result != 0) {
        return -1;
    }
    if (count_further(restoring) == 0) {
        return check_chunks(restoring, err);
    }
    if (!restoring->options->json) {
        print_further(restoring);
    } else if (restore_print_further_json(stdout, restoring) != 0) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    return restoring->options->rewind
               ? 0
               : error_set(err, EX_CONFIG,
                           "group \"%s\" has read %" PRId64 " records further than the backup: "
                           "payd restore --rewind reads them again, and what the outcomes topic "
                           "tells of them holds. Nothing was restored",
                           restoring->options->group, count_further(restoring));
}

/* ---- whose the group is from now on ---- */

int restore_outrun(struct restoring *restoring, struct error *err)
{
    struct store_identity seen = restoring->seen;

    if (seen.chunks < restoring->self.chunks) {
        seen.chunks = restoring->self.chunks; /* as the backup had them, without a rewind's */
    }
    return store_sqlite_outrun(restoring->store, &seen, err) == STORE_OK ? 0 : -1;
}

static int sign(struct restoring *restoring, const struct store_identity *self, struct error *err)
{
    int64_t *offsets = calloc((size_t)restoring->partitions, sizeof(*offsets));
    char text[OWNER_TEXT_SIZE];

    if (!offsets) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    for (int i = 0; i < restoring->partitions; i++) {
        offsets[i] = restoring->parts[i].to;
    }
    int result = inbox_group_sign(restoring->group, offsets, (size_t)restoring->partitions,
                                  owner_write(text, self), err);
    free(offsets);
    return result;
}

void restore_sign(struct restoring *restoring, const struct store_identity *self)
{
    struct error err;

    if (sign(restoring, self, &err) != 0) {
        fprintf(stderr,
                "payd: %s: it could not be told of the restored ledger. payd run tells it; until "
                "then do not let the lost ledger run again\n",
                err.text);
    }
}
