#include "tests/lib/fault_power.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES_MAX   64
#define NAMES_MAX   16
#define HISTORY_MAX 16

struct change {
    int64_t offset;
    size_t len;
    unsigned char *data; /* NULL: truncated to offset */
};

struct power_file {
    unsigned char *bytes; /* on the medium */
    int64_t size;
    struct change *changes; /* since the last sync */
    size_t count;
    size_t room;
    bool syncs_folder;
};

/* What a name stands for: NULL = nothing. */
struct name {
    char path[512];
    struct power_file *sure;
    struct power_file *later[HISTORY_MAX]; /* since the folder's last sync */
    size_t count;
};

static struct power_file files[FILES_MAX];
static size_t file_count;
static struct name names[NAMES_MAX];
static size_t name_count;
static bool is_watching;
static int calls;
static int calls_until_failure;

/* A limit of the tests or of memory: nothing to go on with. */
static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fault_power: %s\n", what);
        abort();
    }
}

/* ---- the medium ---- */

static void resize(struct power_file *file, int64_t size)
{
    if (size > file->size) {
        file->bytes = realloc(file->bytes, (size_t)size);
        must(file->bytes, "out of memory");
        memset(file->bytes + file->size, 0, (size_t)(size - file->size));
    }
    file->size = size;
}

/* Writes the bytes [from, to) of a change onto the medium. */
static void put(struct power_file *file, const struct change *change, size_t from, size_t to)
{
    int64_t end = change->offset + (int64_t)to;

    if (end > file->size) {
        resize(file, end);
    }
    memcpy(file->bytes + change->offset + from, change->data + from, to - from);
}

static void forget_changes(struct power_file *file)
{
    for (size_t i = 0; i < file->count; i++) {
        free(file->changes[i].data);
    }
    file->count = 0;
}

static void note_change(struct power_file *file, struct change change)
{
    if (file->count == file->room) {
        file->room = file->room ? 2 * file->room : 64;
        file->changes = realloc(file->changes, file->room * sizeof(*file->changes));
        must(file->changes, "out of memory");
    }
    file->changes[file->count++] = change;
}

static struct power_file *new_file(void)
{
    must(file_count < FILES_MAX, "too many files");
    files[file_count] = (struct power_file){.bytes = NULL};
    return &files[file_count++];
}

static void read_medium(struct power_file *file, const char *path)
{
    FILE *in = fopen(path, "re");

    must(in && fseek(in, 0, SEEK_END) == 0, path);
    resize(file, ftell(in));
    rewind(in);
    must(fread(file->bytes, 1, (size_t)file->size, in) == (size_t)file->size, path);
    fclose(in);
}

/* ---- names ---- */

static struct name *find_name(const char *path)
{
    for (size_t i = 0; i < name_count; i++) {
        if (strcmp(names[i].path, path) == 0) {
            return &names[i];
        }
    }
    must(name_count < NAMES_MAX && strlen(path) < sizeof(names[0].path), "too many names");
    struct name *name = &names[name_count++];
    *name = (struct name){.count = 0};
    strcpy(name->path, path);
    return name;
}

static struct power_file *now_at(const struct name *name)
{
    return name->count > 0 ? name->later[name->count - 1] : name->sure;
}

static void point(struct name *name, struct power_file *file)
{
    must(name->count < HISTORY_MAX, "too many changes of a name");
    name->later[name->count++] = file;
}

static void sync_folder(void)
{
    for (size_t i = 0; i < name_count; i++) {
        names[i].sure = now_at(&names[i]);
        names[i].count = 0;
    }
}

/* ---- the running system ---- */

void fault_power_on(int calls_before)
{
    is_watching = true;
    calls = 0;
    calls_until_failure = calls_before;
}

bool fault_power_is_watching(void)
{
    return is_watching;
}

bool fault_power_failed(void)
{
    return is_watching && calls > calls_until_failure;
}

int fault_power_calls(void)
{
    return calls;
}

/* One more changing call. True when it still happens. */
static bool happens(void)
{
    return ++calls <= calls_until_failure;
}

struct power_file *fault_power_opened(const char *path, bool is_new, bool syncs_folder)
{
    struct name *name = find_name(path);

    if (is_new) {
        point(name, new_file());
    } else if (!now_at(name)) {
        name->sure = new_file();
        read_medium(name->sure, path);
    }
    now_at(name)->syncs_folder |= syncs_folder;
    return now_at(name);
}

bool fault_power_write(struct power_file *file, const void *data, size_t len, int64_t offset)
{
    bool was_off = fault_power_failed();
    bool is_on = happens();

    if (!was_off) {
        unsigned char *copy = malloc(len);
        must(copy, "out of memory");
        memcpy(copy, data, len);
        note_change(file, (struct change){offset, len, copy});
    }
    return is_on;
}

bool fault_power_truncate(struct power_file *file, int64_t size)
{
    if (!happens()) {
        return false;
    }
    note_change(file, (struct change){size, 0, NULL});
    return true;
}

bool fault_power_sync(struct power_file *file)
{
    if (!happens()) {
        return false;
    }
    for (size_t i = 0; i < file->count; i++) {
        const struct change *change = &file->changes[i];
        if (change->data) {
            put(file, change, 0, change->len);
        } else {
            resize(file, change->offset);
        }
    }
    forget_changes(file);
    if (file->syncs_folder) {
        file->syncs_folder = false;
        sync_folder();
    }
    return true;
}

bool fault_power_delete(const char *path, bool syncs_folder)
{
    if (!happens()) {
        return false;
    }
    struct name *name = find_name(path);
    if (now_at(name)) {
        point(name, NULL);
    }
    if (syncs_folder) {
        sync_folder();
    }
    return true;
}

/* ---- the failure ---- */

struct dice {
    unsigned state;
    int keep_of_8; /* how likely a change was written */
    size_t sector;
    int until_torn; /* sectors before the torn one; negative: it was torn */
};

static int draw(struct dice *dice, int below)
{
    return rand_r(&dice->state) % below;
}

static bool is_kept(struct dice *dice)
{
    return draw(dice, 8) < dice->keep_of_8;
}

/* The part of a change that lies in the sector of the byte at. */
static size_t end_of_sector(const struct dice *dice, const struct change *change, size_t at)
{
    size_t in_sector = (size_t)(change->offset + (int64_t)at) % dice->sector;
    size_t end = at + dice->sector - in_sector;

    return end < change->len ? end : change->len;
}

static int count_sectors(const struct dice *dice)
{
    int count = 0;

    for (size_t f = 0; f < file_count; f++) {
        for (size_t i = 0; i < files[f].count; i++) {
            const struct change *change = &files[f].changes[i];
            for (size_t at = 0; at < change->len; at = end_of_sector(dice, change, at)) {
                count++;
            }
        }
    }
    return count;
}

static void settle_write(struct power_file *file, const struct change *change, struct dice *dice,
                         struct fault_power_loss *loss)
{
    size_t end;

    for (size_t at = 0; at < change->len; at = end) {
        end = end_of_sector(dice, change, at);
        size_t middle = at + (end - at) / 2;
        if (dice->until_torn-- == 0) {
            bool first = draw(dice, 2) == 0;
            put(file, change, first ? at : middle, first ? middle : end);
            loss->torn++;
        } else if (is_kept(dice)) {
            put(file, change, at, end);
            loss->kept++;
        } else {
            loss->lost++;
        }
    }
}

static void settle_file(struct power_file *file, struct dice *dice, struct fault_power_loss *loss)
{
    for (size_t i = 0; i < file->count; i++) {
        const struct change *change = &file->changes[i];
        if (change->data) {
            settle_write(file, change, dice, loss);
        } else if (is_kept(dice)) {
            resize(file, change->offset);
        } else {
            loss->undone++;
        }
    }
}

/* One of the states that the name had since the last sync of the folder. */
static void settle_name(const struct name *name, struct dice *dice, struct fault_power_loss *loss)
{
    int state = draw(dice, (int)name->count + 1);
    const struct power_file *file = state == 0 ? name->sure : name->later[state - 1];

    loss->undone += (int)name->count - state;
    if (!file) {
        unlink(name->path);
        return;
    }
    FILE *out = fopen(name->path, "we");
    must(out && fwrite(file->bytes, 1, (size_t)file->size, out) == (size_t)file->size, name->path);
    must(fclose(out) == 0, name->path);
}

void fault_power_settle(unsigned seed, struct fault_power_loss *ret_loss)
{
    struct dice dice = {.state = seed};
    struct fault_power_loss loss = {0, 0, 0, 0};

    dice.keep_of_8 = 2 * draw(&dice, 5); /* nothing, some, or all of it */
    dice.sector = draw(&dice, 2) == 0 ? 512 : 4096;
    int sectors = count_sectors(&dice);
    dice.until_torn = sectors > 0 ? draw(&dice, sectors) : 0;
    for (size_t i = 0; i < file_count; i++) {
        settle_file(&files[i], &dice, &loss);
    }
    for (size_t i = 0; i < name_count; i++) {
        settle_name(&names[i], &dice, &loss);
    }
    for (size_t i = 0; i < file_count; i++) {
        forget_changes(&files[i]);
        free(files[i].changes);
        free(files[i].bytes);
    }
    file_count = name_count = 0;
    is_watching = false;
    if (ret_loss) {
        *ret_loss = loss;
    }
}
