/* A list of keys out of a file. */
#include "consumer/key_list.h"
#include "tests/lib/ledger_kit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static char folder[KIT_PATH_SIZE];
static char path[KIT_PATH_SIZE + 8];

static void make_folder(void)
{
    kit_folder_make(folder);
    snprintf(path, sizeof(path), "%s/keys", folder);
}

static void remove_folder(void)
{
    kit_folder_remove(folder);
}

TestSuite(key_list, .init = make_folder, .fini = remove_folder);

static int read_bytes(struct key_list **ret, const char *bytes, size_t len, struct error *err)
{
    FILE *out = fopen(path, "w");

    cr_assert_not_null(out);
    cr_assert_eq(fwrite(bytes, 1, len, out), len);
    fclose(out);
    *err = (struct error){EX_OK, ""};
    return key_list_read(ret, path, err);
}

static bool has(struct key_list *list, const char *key)
{
    return key_list_has(list, key, strlen(key));
}

Test(key_list, has_the_keys_of_the_file_and_no_other)
{
    static const char text[] = "b\n\na\r\nlast one\nb\n\r\nc";
    struct key_list *list;
    struct error err;

    cr_assert_eq(read_bytes(&list, text, strlen(text), &err), 0, "%s", err.text);
    cr_expect(has(list, "a") && has(list, "b") && has(list, "c") && has(list, "last one"));
    cr_expect_not(has(list, "") || has(list, "d") || has(list, "last") || has(list, "a\r"));
    cr_expect(key_list_has(list, "bx", 1), "a key need not end in NUL");
    cr_expect_not(key_list_has(list, NULL, 0));
    key_list_free(list);
}

Test(key_list, an_empty_file_has_none)
{
    struct key_list *list;
    struct error err;

    cr_assert_eq(read_bytes(&list, "", 0, &err), 0, "%s", err.text);
    cr_expect_not(has(list, "a"));
    key_list_free(list);
    key_list_free(NULL);
}

Test(key_list, a_thousand_keys_are_all_found)
{
    char text[16384] = "";
    struct key_list *list;
    struct error err;

    for (int i = 999; i >= 0; i--) {
        sprintf(text + strlen(text), "key-%d\n", i);
    }
    cr_assert_eq(read_bytes(&list, text, strlen(text), &err), 0, "%s", err.text);
    for (int i = 0; i < 1000; i++) {
        char key[16];
        snprintf(key, sizeof(key), "key-%d", i);
        cr_expect(has(list, key), "%s", key);
    }
    cr_expect_not(has(list, "key-1000"));
    key_list_free(list);
}

Test(key_list, what_is_no_key_is_refused_with_its_line)
{
    static const struct {
        const char *text;
        size_t len;
        const char *says;
    } rows[] = {
        {"a\nb\x01\n", 5, "/keys:2: "},
        {"a\n\xff\n", 4, "/keys:2: "},
        {"a\0b\n", 4, "has a NUL byte"},
    };
    char longest[300];
    struct key_list *list;
    struct error err;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(read_bytes(&list, rows[i].text, rows[i].len, &err), -1, "row %zu", i);
        cr_expect_eq(err.code, EX_DATAERR);
        cr_expect(strstr(err.text, rows[i].says) != NULL, "%s", err.text);
    }
    memset(longest, 'k', sizeof(longest));
    cr_expect_eq(read_bytes(&list, longest, sizeof(longest), &err), -1);
    cr_expect(strstr(err.text, "/keys:1: ") != NULL, "%s", err.text);
    cr_expect_eq(key_list_read(&list, "/nonexistent/keys", &err), -1);
    cr_expect_eq(err.code, EX_NOINPUT);
}
