#include "tests/simulation/disk_internal.h"

#include "tests/simulation/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 65536

static struct disk_file files[DISK_FILES];
static bool frozen;
static bool dead;

/* ---- files ---- */

struct disk_file *disk_find(const char *name)
{
    for (size_t i = 0; i < DISK_FILES; i++) {
        if (files[i].name[0] != '\0' && strcmp(files[i].name, name) == 0) {
            return &files[i];
        }
    }
    return NULL;
}

struct disk_file *disk_make(const char *name)
{
    size_t i = 0;

    while (i < DISK_FILES && files[i].name[0] != '\0') {
        i++;
    }
    if (i == DISK_FILES || strlen(name) >= sizeof(files[i].name)) {
        return NULL;
    }
    snprintf(files[i].name, sizeof(files[i].name), "%s", name);
    files[i].size = 0;
    return &files[i];
}

static void forget_changes(struct disk_file *file)
{
    for (size_t i = 0; i < file->change_count; i++) {
        free(file->changes[i].before);
    }
    file->change_count = 0;
}

void disk_remove(struct disk_file *file)
{
    if (!frozen) {
        forget_changes(file);
        file->name[0] = '\0';
        file->size = 0;
    }
}

static void *grow(void *memory, size_t size)
{
    void *grown = realloc(memory, size);

    if (!grown) {
        abort();
    }
    return grown;
}

static void reserve(struct disk_file *file, size_t size)
{
    size_t capacity = file->capacity > 0 ? file->capacity : FIRST_CAPACITY;

    while (capacity < size) {
        capacity *= 2;
    }
    if (capacity != file->capacity) {
        file->bytes = grow(file->bytes, capacity);
        file->capacity = capacity;
    }
}

/* ---- changes ---- */

/* Remembers what stands where a change will be made. */
static void remember(struct disk_file *file, size_t offset, size_t end)
{
    size_t stop = end < file->size ? end : file->size;
    size_t len = offset < stop ? stop - offset : 0;

    if (file->change_count == file->change_capacity) {
        file->change_capacity = 2 * file->change_capacity + 16;
        file->changes = grow(file->changes, file->change_capacity * sizeof(*file->changes));
    }
    struct disk_change *change = &file->changes[file->change_count++];
    *change = (struct disk_change){offset, len, file->size, grow(NULL, len + 1)};
    if (len > 0) {
        memcpy(change->before, file->bytes + offset, len);
    }
}

static void undo(struct disk_file *file)
{
    struct disk_change *change = &file->changes[--file->change_count];

    reserve(file, change->old_size);
    if (change->len > 0) {
        memcpy(file->bytes + change->offset, change->before, change->len);
    }
    file->size = change->old_size;
    free(change->before);
}

static void put(struct disk_file *file, const void *data, size_t len, size_t offset)
{
    size_t end = offset + len;

    remember(file, offset, end);
    reserve(file, end);
    if (offset > file->size) {
        memset(file->bytes + file->size, 0, offset - file->size);
    }
    memcpy(file->bytes + offset, data, len);
    file->size = end > file->size ? end : file->size;
}

/* Whether the process ends at this write or sync. */
static bool dies_here(void)
{
    if (world_strikes(EVENT_DISK_CRASH, 3)) {
        world_event(EVENT_DISK_CRASH, 0, 0);
        frozen = dead = true;
    }
    return dead;
}

static int fails_here(int code)
{
    if (world_strikes(EVENT_DISK_FULL, 3) && code == SQLITE_IOERR_WRITE) {
        world_event(EVENT_DISK_FULL, 0, 0);
        world_excuse("the disk is full");
        return SQLITE_FULL;
    }
    if (world_strikes(EVENT_DISK_FAILED, 3)) {
        world_event(EVENT_DISK_FAILED, code, 0);
        world_excuse("the disk fails");
        return code;
    }
    return SQLITE_OK;
}

int disk_write(struct disk_file *file, const void *data, size_t len, size_t offset)
{
    if (frozen) {
        return SQLITE_IOERR_WRITE;
    }
    if (dies_here()) {
        put(file, data, world_below(len + 1), offset); /* torn */
        return SQLITE_IOERR_WRITE;
    }
    int code = fails_here(SQLITE_IOERR_WRITE);
    if (code == SQLITE_OK) {
        put(file, data, len, offset);
    }
    return code;
}

int disk_truncate(struct disk_file *file, size_t size)
{
    if (frozen || dies_here()) {
        return SQLITE_IOERR_TRUNCATE;
    }
    if (size < file->size) {
        remember(file, size, file->size);
        file->size = size;
    }
    return SQLITE_OK;
}

int disk_sync(struct disk_file *file)
{
    if (frozen || dies_here()) {
        return SQLITE_IOERR_FSYNC;
    }
    int code = fails_here(SQLITE_IOERR_FSYNC);
    if (code == SQLITE_OK || world_chance(500)) {
        forget_changes(file);
    }
    return code;
}

/* ---- life, power ---- */

void disk_begin(void)
{
    frozen = dead = false;
    for (size_t i = 0; i < DISK_FILES; i++) {
        disk_remove(&files[i]);
    }
    sqlite3_randomness(0, NULL); /* it asks for new random bytes */
}

bool disk_is_dead(void)
{
    return dead;
}

void disk_freeze(void)
{
    frozen = true;
}

static void lose_power(struct disk_file *file)
{
    size_t lost = world_below(file->change_count + 1);

    world_event(EVENT_POWER_LOST, (int64_t)file->change_count, (int64_t)lost);
    while (lost-- > 0) {
        undo(file);
    }
    forget_changes(file);
}

void disk_thaw(bool power_lost)
{
    frozen = dead = false;
    for (size_t i = 0; power_lost && i < DISK_FILES; i++) {
        if (files[i].name[0] != '\0') {
            lose_power(&files[i]);
        }
    }
}
