/*
 * The writer of JSON: where its commas stand, what it escapes, and that it never writes behind its
 * buffer. That its bytes are cJSON's shows test_outcome_json_bytes.c.
 */
#include "common/writer_json.h"

#include <criterion/criterion.h>
#include <string.h>

static size_t write_all(char *buf, size_t size)
{
    struct json_writer writer;

    json_begin(&writer, buf, size);
    json_int(&writer, "n", -1);
    json_open(&writer, "empty");
    json_close(&writer);
    json_open_list(&writer, "list");
    json_text(&writer, NULL, "a");
    json_text(&writer, NULL, "b\"c\\\x01\n/\x7F");
    json_null(&writer, NULL);
    json_close_list(&writer);
    json_open(&writer, "o");
    json_true(&writer, "t");
    json_digits(&writer, "d", INT64_MIN);
    json_close(&writer);
    json_text(&writer, "ends in a brace", "{");
    json_int(&writer, "last", INT64_MAX);
    return json_finish(&writer);
}

#define WRITTEN                                                                                    \
    "{\"n\":-1,\"empty\":{},\"list\":[\"a\",\"b\\\"c\\\\\\u0001\\n/\x7F\",null],"                  \
    "\"o\":{\"t\":true,\"d\":\"-9223372036854775808\"},\"ends in a brace\":\"{\","                 \
    "\"last\":9223372036854775807}"

Test(writer_json, puts_commas_between_and_escapes_what_json_must)
{
    char buf[512];

    cr_expect_eq(write_all(buf, sizeof(buf)), strlen(WRITTEN));
    cr_expect_str_eq(buf, WRITTEN);
}

Test(writer_json, an_empty_object)
{
    struct json_writer writer;
    char buf[3];

    json_begin(&writer, buf, sizeof(buf));
    cr_expect_eq(json_finish(&writer), 2);
    cr_expect_str_eq(buf, "{}");
}

Test(writer_json, a_buffer_that_is_too_small_is_told_and_kept_within)
{
    char buf[512];

    for (size_t size = 2; size <= sizeof(buf); size++) {
        memset(buf, '#', sizeof(buf));
        size_t len = write_all(buf, size);
        cr_assert(size > strlen(WRITTEN) ? len == strlen(WRITTEN) : len == 0, "%zu bytes", size);
        for (size_t i = size; i < sizeof(buf); i++) {
            cr_assert_eq(buf[i], '#', "%zu bytes, at %zu", size, i);
        }
    }
}
