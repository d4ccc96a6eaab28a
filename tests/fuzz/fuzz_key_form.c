/*
 * The stored form of keys. Input: bytes, taken once as a key and once as a stored form.
 */
#include "consumer/key_form.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static void check_key(const char *key)
{
    unsigned char form[KEY_FORM_SIZE];
    char again[PAYMENT_KEY_MAX + 1];
    size_t len = key_form(form, key);

    FUZZ_CHECK(len >= 2 && len <= KEY_FORM_SIZE);
    FUZZ_CHECK(key_form_text(again, form, len));
    FUZZ_CHECK(strcmp(again, key) == 0);
}

/* Bytes that are a form have a key, and that key has no other form. */
static void check_form(const struct fuzz_part *bytes)
{
    unsigned char again[KEY_FORM_SIZE];
    char key[PAYMENT_KEY_MAX + 1];

    if (key_form_text(key, (const unsigned char *)bytes->data, bytes->len) &&
        !payment_key_problem(key, strlen(key))) {
        FUZZ_CHECK(key_form(again, key) == bytes->len);
        FUZZ_CHECK(memcmp(again, bytes->data, bytes->len) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_part bytes = fuzz_rest(&data, &size);
    char *key = fuzz_string(&bytes);

    if (!payment_key_problem(key, strlen(key))) {
        check_key(key);
    }
    check_form(&bytes);
    free(key);
    fuzz_release(&bytes);
    return 0;
}
