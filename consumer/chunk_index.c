#include "consumer/chunk.h"

#include "consumer/chunk_index.h"
#include "consumer/key_form.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define ACCOUNTS_PER_ITEM 2 /* a payment names two */

/* A key as an item has it, to be sorted. */
struct key_ref {
    uint64_t prefix; /* the bytes behind what all keys of the chunk begin with, high ones first */
    const unsigned char *form;
    uint32_t len;
    uint32_t item;
};

/* A name and its place in a table of the chunk. */
struct name_slot {
    const char *name; /* NULL = free */
    uint32_t hash;
    uint32_t place;
};

/* A hash table with open addressing. */
struct name_table {
    struct name_slot *slots;
    size_t size; /* in use: a power of two */
};

struct chunk_index {
    struct key_ref *refs;
    size_t ref_count;
    unsigned char *forms; /* one behind the other; only what is used of it takes memory */
    size_t forms_len;
    size_t common; /* bytes that all forms begin with */
    struct name_table accounts;
    struct name_table batches;
    uint64_t seed; /* random, so that nobody can choose names that all fall into one place */
};

/* ---- life ---- */

/* Of slots for so many names: at most two thirds are taken. */
static size_t table_size(size_t names)
{
    size_t size = 8;

    while (size < names + names / 2) {
        size *= 2;
    }
    return size;
}

struct chunk_index *chunk_index_new(size_t capacity)
{
    struct chunk_index *index = calloc(1, sizeof(*index));

    if (!index) {
        return NULL;
    }
    index->refs = calloc(capacity, sizeof(*index->refs));
    index->forms = malloc(capacity * KEY_FORM_SIZE);
    index->accounts.slots =
        calloc(table_size(capacity * ACCOUNTS_PER_ITEM), sizeof(*index->accounts.slots));
    index->batches.slots = calloc(table_size(capacity), sizeof(*index->batches.slots));
    if (!index->refs || !index->forms || !index->accounts.slots || !index->batches.slots) {
        chunk_index_free(index);
        return NULL;
    }
    if (getrandom(&index->seed, sizeof(index->seed), GRND_NONBLOCK) < 0) {
        index->seed = 0; /* only slower, and only for names that somebody chose */
    }
    return index;
}

void chunk_index_free(struct chunk_index *index)
{
    if (!index) {
        return;
    }
    free(index->refs);
    free(index->forms);
    free(index->accounts.slots);
    free(index->batches.slots);
    free(index);
}

/* ---- keys, sorted ---- */

static void note_key(struct chunk_index *index, const char *key, size_t item)
{
    unsigned char *form = index->forms + index->forms_len;
    size_t len = key_form(form, key);

    if (index->ref_count == 0) {
        index->common = len;
    }
    while (index->common > len || memcmp(form, index->forms, index->common) != 0) {
        index->common--;
    }
    index->refs[index->ref_count++] =
        (struct key_ref){.form = form, .len = (uint32_t)len, .item = (uint32_t)item};
    index->forms_len += len;
}

/* Shorter forms count as if zeros followed: what is equal then is compared byte by byte. */
static uint64_t prefix_of(const struct key_ref *ref, size_t common)
{
    uint64_t prefix = 0;

    for (size_t i = common; i < common + sizeof(prefix); i++) {
        prefix = prefix << 8 | (i < ref->len ? ref->form[i] : 0);
    }
    return prefix;
}

static int compare_refs(const void *a, const void *b)
{
    const struct key_ref *left = a;
    const struct key_ref *right = b;

    if (left->prefix != right->prefix) {
        return left->prefix < right->prefix ? -1 : 1;
    }
    size_t len = left->len < right->len ? left->len : right->len;
    int order = memcmp(left->form, right->form, len);
    if (order == 0 && left->len != right->len) {
        order = left->len < right->len ? -1 : 1;
    }
    /* Equal keys in the order of their items. */
    return order != 0 ? order : (left->item > right->item) - (left->item < right->item);
}

static bool same_key(const struct key_ref *a, const struct key_ref *b)
{
    return a->prefix == b->prefix && a->len == b->len && memcmp(a->form, b->form, a->len) == 0;
}

static void index_keys(struct chunk *chunk)
{
    struct chunk_index *index = chunk->index;
    struct key_ref *refs = index->refs;

    for (size_t i = 0; i < index->ref_count; i++) {
        refs[i].prefix = prefix_of(&refs[i], index->common);
    }
    qsort(refs, index->ref_count, sizeof(*refs), compare_refs);
    for (size_t i = 0; i < index->ref_count; i++) {
        struct chunk_item *item = &chunk->items[refs[i].item];
        if (i == 0 || !same_key(&refs[i - 1], &refs[i])) {
            struct chunk_key *key = &chunk->keys[chunk->key_count];
            key->key = item->command.payment.key;
            key->form = refs[i].form;
            key->form_len = refs[i].len;
            key->stale = false;
            key->known = false;
            key->seq = 0;
            key->first = NULL;
            key->bound = NULL;
            key->repeated = false;
            key->owner = NULL;
            chunk->key_count++;
        }
        item->key = chunk->key_count - 1;
    }
}

/* ---- names, in the order in which they come ---- */

static void clear_table(struct name_table *table, size_t names)
{
    table->size = table_size(names);
    memset(table->slots, 0, table->size * sizeof(*table->slots));
}

/* FNV-1a from a random start. */
static uint64_t hash_name(uint64_t seed, const char *name)
{
    uint64_t hash = seed ^ UINT64_C(0xcbf29ce484222325);

    for (; *name; name++) {
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    }
    return hash;
}

/* The slot of a name; one that is free gets the name, and its place is to be set. */
static struct name_slot *find_slot(struct chunk_index *index, struct name_table *table,
                                   const char *name, bool *ret_new)
{
    uint64_t hash = hash_name(index->seed, name);
    uint32_t rest = (uint32_t)hash;
    size_t at = (size_t)(hash >> 32) & (table->size - 1);
    struct name_slot *slot = &table->slots[at];

    while (slot->name && (slot->hash != rest || strcmp(slot->name, name) != 0)) {
        at = (at + 1) & (table->size - 1);
        slot = &table->slots[at];
    }
    *ret_new = !slot->name;
    if (*ret_new) {
        slot->name = name;
        slot->hash = rest;
    }
    return slot;
}

static size_t index_account(struct chunk *chunk, const char *name)
{
    bool is_new;

    if (name[0] == '\0') {
        return CHUNK_NONE;
    }
    struct name_slot *slot = find_slot(chunk->index, &chunk->index->accounts, name, &is_new);
    if (is_new) {
        slot->place = (uint32_t)chunk->account_count;
        chunk->accounts[chunk->account_count++] = (struct chunk_account){.name = name};
    }
    return slot->place;
}

static size_t index_batch(struct chunk *chunk, const struct payment_batch *content,
                          bool *ret_as_first)
{
    bool is_new;

    if (content->id[0] == '\0') {
        return CHUNK_NONE;
    }
    struct name_slot *slot = find_slot(chunk->index, &chunk->index->batches, content->id, &is_new);
    if (is_new) {
        struct chunk_batch *batch = &chunk->batches[chunk->batch_count];
        slot->place = (uint32_t)chunk->batch_count++;
        *batch = (struct chunk_batch){.first = content};
        payment_copy(batch->content.id, content->id, strlen(content->id));
    }
    *ret_as_first = payment_batch_equal(chunk->batches[slot->place].first, content);
    return slot->place;
}

void chunk_index(struct chunk *chunk)
{
    struct chunk_index *index = chunk->index;

    chunk->key_count = chunk->first_count = 0;
    chunk->account_count = chunk->batch_count = 0;
    chunk->only_payments = true;
    index->ref_count = index->forms_len = index->common = 0;
    clear_table(&index->accounts, chunk->item_count * ACCOUNTS_PER_ITEM);
    clear_table(&index->batches, chunk->item_count);
    for (size_t i = 0; i < chunk->item_count; i++) {
        struct chunk_item *item = &chunk->items[i];
        const struct payment *payment = &item->command.payment;
        item->src = item->dest = item->batch = CHUNK_NONE;
        if (item->unreadable == READABLE) {
            note_key(index, payment->key, i);
            chunk->only_payments &= item->command.type == COMMAND_PAYMENT;
            item->src = index_account(chunk, payment->src);
            item->dest = index_account(chunk, payment->dest);
            item->batch = index_batch(chunk, &payment->batch, &item->as_first);
        }
    }
    index_keys(chunk);
}
