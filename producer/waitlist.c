#include "producer/waitlist.h"

#include "common/command_digest.h"
#include "common/command_json.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Key and payload in one: the first bytes of a SHA-256 over the key, its NUL and a digest. */
struct name {
    unsigned char bytes[DIGEST_SHORT_SIZE];
};

struct entry {
    struct name by_command; /* with the digest of the command */
    struct name by_value;   /* with the digest of its value: what a quarantined one is known by */
    uint32_t times;         /* commands that share it */
    uint32_t answer;        /* an enum outcome */
};

/*
 * The index is a table with open addressing: each entry stands in it under both of its names, as
 * its number + 1. It is at most half full.
 */
struct waitlist {
    struct digest *digest;
    struct entry *entries;
    size_t entry_count;
    size_t entry_max;
    uint32_t *index;
    size_t index_mask; /* its size - 1, a power of two less one */
    struct verdict_counts counts;
};

int waitlist_open(struct waitlist **ret, int64_t rows, struct error *err)
{
    struct waitlist *list;
    size_t slots = 4;

    if (rows > WAITLIST_ROWS_MAX) {
        return error_set(err, EX_USAGE,
                         "--wait keeps at most %d rows in memory, and these are %" PRId64
                         ": split the input, or send it without --wait",
                         WAITLIST_ROWS_MAX, rows);
    }
    list = calloc(1, sizeof(*list));
    if (!list) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    list->entry_max = (size_t)rows;
    while (slots < 4 * list->entry_max) {
        slots *= 2;
    }
    list->index_mask = slots - 1;
    list->entries = calloc(list->entry_max ? list->entry_max : 1, sizeof(*list->entries));
    list->index = calloc(slots, sizeof(*list->index));
    list->counts.unknown = rows;
    if (!list->entries || !list->index) {
        error_set(err, EX_OSERR, "out of memory for waiting");
        goto fail;
    }
    if (digest_open(&list->digest, err) != 0) {
        goto fail;
    }
    *ret = list;
    return 0;

fail:
    waitlist_close(list);
    return -1;
}

void waitlist_close(struct waitlist *list)
{
    if (!list) {
        return;
    }
    digest_close(list->digest);
    free(list->index);
    free(list->entries);
    free(list);
}

/* ---- names ---- */

static int name_of(struct waitlist *list, const char *key,
                   const unsigned char digest[DIGEST_SHORT_SIZE], struct name *ret,
                   struct error *err)
{
    unsigned char whole[DIGEST_SIZE];

    if (digest_add(list->digest, key, strlen(key) + 1, err) != 0 ||
        digest_add(list->digest, digest, DIGEST_SHORT_SIZE, err) != 0 ||
        digest_finish(list->digest, whole, err) != 0) {
        return -1;
    }
    memcpy(ret->bytes, whole, sizeof(ret->bytes));
    return 0;
}

static int name_by_command(struct waitlist *list, const struct command *command, struct name *ret,
                           struct error *err)
{
    unsigned char digest[DIGEST_SHORT_SIZE];

    return command_digest(list->digest, command, digest, err) == 0
               ? name_of(list, command->payment.key, digest, ret, err)
               : -1;
}

static int name_by_value(struct waitlist *list, const char *key, const char *value,
                         size_t value_len, struct name *ret, struct error *err)
{
    unsigned char digest[DIGEST_SIZE];

    if (digest_add(list->digest, value, value_len, err) != 0 ||
        digest_finish(list->digest, digest, err) != 0) {
        return -1;
    }
    return name_of(list, key, digest, ret, err);
}

/* ---- the index ---- */

static const struct name *name_in(const struct entry *entry, bool by_value)
{
    return by_value ? &entry->by_value : &entry->by_command;
}

/* The slot that holds the name, or the empty one where it belongs. */
static uint32_t *find_slot(const struct waitlist *list, const struct name *name, bool by_value)
{
    uint64_t hash;

    memcpy(&hash, name->bytes, sizeof(hash));
    for (size_t at = hash & list->index_mask;; at = (at + 1) & list->index_mask) {
        uint32_t *slot = &list->index[at];
        if (*slot == 0 ||
            memcmp(name_in(&list->entries[*slot - 1], by_value), name, sizeof(*name)) == 0) {
            return slot;
        }
    }
}

static struct entry *find(const struct waitlist *list, const struct name *name, bool by_value)
{
    const uint32_t *slot = find_slot(list, name, by_value);

    return *slot ? &list->entries[*slot - 1] : NULL;
}

int waitlist_add(struct waitlist *list, const struct command *command, const char *value,
                 size_t value_len, struct error *err)
{
    struct entry entry = {.times = 1, .answer = OUTCOME_NONE};
    struct entry *known;

    if (name_by_command(list, command, &entry.by_command, err) != 0 ||
        name_by_value(list, command->payment.key, value, value_len, &entry.by_value, err) != 0) {
        return -1;
    }
    known = find(list, &entry.by_command, false);
    if (known) {
        known->times++;
        /* Its answer may have come already: it is this one's too. */
        verdict_move(&list->counts, 1, OUTCOME_NONE, (enum outcome)known->answer);
        return 0;
    }
    assert(list->entries && list->entry_count < list->entry_max);
    list->entries[list->entry_count++] = entry;
    *find_slot(list, &entry.by_command, false) = (uint32_t)list->entry_count;
    *find_slot(list, &entry.by_value, true) = (uint32_t)list->entry_count;
    return 0;
}

/* Only a stale command could be read, and was quarantined all the same. */
static bool is_unreadable(const struct outcome_record *record)
{
    return record->verdict == OUTCOME_QUARANTINED &&
           strcmp(record->reason, unreadable_name(UNREADABLE_STALE)) != 0;
}

static bool is_decision(enum outcome answer)
{
    return answer == OUTCOME_APPLIED || answer == OUTCOME_REJECTED;
}

/* The first answer stays, but for one that may have been given before the key was decided. */
static bool is_better(enum outcome answer, enum outcome known)
{
    return verdict_exit(answer) != EX_TEMPFAIL &&
           (known == OUTCOME_NONE || (is_decision(answer) && !is_decision(known)));
}

int waitlist_answer(struct waitlist *list, const struct outcome_record *record, int64_t *ret_rows,
                    struct error *err)
{
    enum outcome answer = outcome_answer(record);
    struct entry *entry;
    struct name name;

    if (name_of(list, record->key, record->digest, &name, err) != 0) {
        return -1;
    }
    *ret_rows = 0;
    entry = find(list, &name, is_unreadable(record));
    if (!entry || !is_better(answer, (enum outcome)entry->answer)) {
        return 0;
    }
    verdict_move(&list->counts, entry->times, (enum outcome)entry->answer, answer);
    entry->answer = answer;
    *ret_rows = entry->times;
    return 0;
}

int waitlist_look(struct waitlist *list, const struct command *command, enum outcome *ret_answer,
                  struct error *err)
{
    const struct entry *entry;
    struct name name;

    if (name_by_command(list, command, &name, err) != 0) {
        return -1;
    }
    entry = find(list, &name, false);
    *ret_answer = entry ? (enum outcome)entry->answer : OUTCOME_NONE;
    return 0;
}

const struct verdict_counts *waitlist_counts(const struct waitlist *list)
{
    return &list->counts;
}
