#include "tests/checker/strict.h"

#include "tests/checker/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static struct strict_value *read_value(struct strict_tree *tree);

static void skip_blanks(struct strict_tree *tree)
{
    while (tree->at < tree->end &&
           (*tree->at == ' ' || *tree->at == '\t' || *tree->at == '\n' || *tree->at == '\r')) {
        tree->at++;
    }
}

/* Takes one byte when it is this one. */
static bool take(struct strict_tree *tree, char byte)
{
    if (tree->at == tree->end || *tree->at != byte) {
        return false;
    }
    tree->at++;
    return true;
}

static struct strict_value *new_value(struct strict_tree *tree, enum strict_type type)
{
    struct strict_value *value = &tree->values[tree->value_count++];

    *value = (struct strict_value){.type = type};
    return value;
}

/* ---- strings ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits behind \u, or -1. */
static int32_t take_unit(struct strict_tree *tree)
{
    int32_t unit = 0;

    if (tree->end - tree->at < 4) {
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(*tree->at++);
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

/* A code point from \u escapes, of which surrogates must come as a pair. -1 when it is none. */
static int32_t take_code(struct strict_tree *tree)
{
    int32_t high = take_unit(tree);

    if (high < 0xD800 || high > 0xDFFF) {
        return high;
    }
    if (high > 0xDBFF || !take(tree, '\\') || !take(tree, 'u')) {
        return -1;
    }
    int32_t low = take_unit(tree);
    return low < 0xDC00 || low > 0xDFFF ? -1 : 0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00;
}

static void put(struct strict_tree *tree, int32_t byte)
{
    tree->texts[tree->text_bytes++] = (char)byte;
}

static void put_code(struct strict_tree *tree, int32_t code)
{
    if (code < 0x80) {
        put(tree, code);
        return;
    }
    if (code < 0x800) {
        put(tree, 0xC0 | code >> 6);
    } else {
        if (code < 0x10000) {
            put(tree, 0xE0 | code >> 12);
        } else {
            put(tree, 0xF0 | code >> 18);
            put(tree, 0x80 | (code >> 12 & 0x3F));
        }
        put(tree, 0x80 | (code >> 6 & 0x3F));
    }
    put(tree, 0x80 | (code & 0x3F));
}

/* The escape behind a backslash. */
static bool take_escape(struct strict_tree *tree)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";

    if (take(tree, 'u')) {
        int32_t code = take_code(tree);
        if (code > 0) {
            put_code(tree, code);
        }
        return code > 0; /* a NUL is refused */
    }
    const char *letter =
        tree->at < tree->end && *tree->at != '\0' ? strchr(letters, *tree->at) : NULL;
    if (letter) {
        put(tree, meant[letter - letters]);
        tree->at++;
    }
    return letter != NULL;
}

/* A string in quotes, kept with a NUL; NULL when it is none. */
static const char *read_text(struct strict_tree *tree, size_t *ret_len)
{
    const char *text = tree->texts + tree->text_bytes;

    if (!take(tree, '"')) {
        return NULL;
    }
    while (tree->at < tree->end && *tree->at != '"') {
        char byte = *tree->at++;
        if ((unsigned char)byte < 0x20 || (byte == '\\' && !take_escape(tree))) {
            return NULL;
        }
        if (byte != '\\') {
            put(tree, byte);
        }
    }
    *ret_len = (size_t)(tree->texts + tree->text_bytes - text);
    put(tree, '\0');
    return take(tree, '"') ? text : NULL;
}

/* ---- other values ---- */

static bool take_digits(struct strict_tree *tree)
{
    const char *start = tree->at;

    while (tree->at < tree->end && *tree->at >= '0' && *tree->at <= '9') {
        tree->at++;
    }
    return tree->at > start;
}

static struct strict_value *read_number(struct strict_tree *tree)
{
    const char *start = tree->at;
    char digits[STRICT_BYTES_MAX + 1];

    take(tree, '-');
    if (!take(tree, '0') && !take_digits(tree)) {
        return NULL;
    }
    if (take(tree, '.') && !take_digits(tree)) {
        return NULL;
    }
    if (take(tree, 'e') || take(tree, 'E')) {
        if (!take(tree, '+')) {
            take(tree, '-');
        }
        if (!take_digits(tree)) {
            return NULL;
        }
    }
    size_t len = (size_t)(tree->at - start);
    memcpy(digits, start, len);
    digits[len] = '\0';
    struct strict_value *value = new_value(tree, STRICT_NUMBER);
    value->number = strtod(digits, NULL);
    return value;
}

static struct strict_value *read_word(struct strict_tree *tree)
{
    static const char *const words[] = {"true", "false", "null"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t len = strlen(words[i]);
        if ((size_t)(tree->end - tree->at) >= len && memcmp(tree->at, words[i], len) == 0) {
            struct strict_value *value = new_value(tree, STRICT_WORD);
            value->text = words[i];
            tree->at += len;
            return value;
        }
    }
    return NULL;
}

static struct strict_value *read_string(struct strict_tree *tree)
{
    struct strict_value *value = new_value(tree, STRICT_STRING);

    value->text = read_text(tree, &value->text_len);
    return value->text ? value : NULL;
}

/* ---- objects and arrays ---- */

static struct strict_value *read_member(struct strict_tree *tree, const struct strict_value *whole)
{
    const char *name = NULL;
    size_t len;

    skip_blanks(tree);
    if (whole->type == STRICT_OBJECT) {
        name = read_text(tree, &len);
        skip_blanks(tree);
        if (!name || !take(tree, ':') || strict_field(whole, name)) {
            return NULL;
        }
    }
    struct strict_value *member = read_value(tree);
    if (member) {
        member->name = name;
    }
    return member;
}

/* Behind the opening bracket, up to the closing one. */
static bool read_members(struct strict_tree *tree, struct strict_value *whole, char closing)
{
    struct strict_value **link = &whole->first;
    int count = 0;

    skip_blanks(tree);
    if (take(tree, closing)) {
        return true;
    }
    do {
        struct strict_value *member = read_member(tree, whole);
        if (!member || (whole->type == STRICT_OBJECT && ++count > STRICT_FIELDS_MAX)) {
            return false;
        }
        *link = member;
        link = &member->next;
        skip_blanks(tree);
    } while (take(tree, ','));
    return take(tree, closing);
}

static struct strict_value *read_whole(struct strict_tree *tree, enum strict_type type,
                                       char closing)
{
    struct strict_value *whole = new_value(tree, type);

    if (++tree->depth > STRICT_DEPTH_MAX || !read_members(tree, whole, closing)) {
        return NULL;
    }
    tree->depth--;
    return whole;
}

static struct strict_value *read_value(struct strict_tree *tree)
{
    skip_blanks(tree);
    if (take(tree, '{')) {
        return read_whole(tree, STRICT_OBJECT, '}');
    }
    if (take(tree, '[')) {
        return read_whole(tree, STRICT_ARRAY, ']');
    }
    if (tree->at < tree->end && *tree->at == '"') {
        return read_string(tree);
    }
    if (tree->at < tree->end && (*tree->at == '-' || (*tree->at >= '0' && *tree->at <= '9'))) {
        return read_number(tree);
    }
    return read_word(tree);
}

const struct strict_value *strict_read(struct strict_tree *tree, const char *data, size_t len)
{
    if (len > STRICT_BYTES_MAX || !utf8_valid(data, len)) {
        return NULL;
    }
    tree->at = data;
    tree->end = data + len;
    tree->depth = 0;
    tree->value_count = tree->text_bytes = 0;
    struct strict_value *root = read_value(tree);
    skip_blanks(tree);
    return root && root->type == STRICT_OBJECT && tree->at == tree->end ? root : NULL;
}

const struct strict_value *strict_field(const struct strict_value *object, const char *name)
{
    for (const struct strict_value *field = object->first; field; field = field->next) {
        if (strcmp(field->name, name) == 0) {
            return field;
        }
    }
    return NULL;
}
