/*
 * What stands in a consumer group's metadata. Input: the text, as whoever may commit offsets can
 * write it.
 */
#include "consumer/owner.h"
#include "tests/fuzz/fuzz.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OURS   "018f3c6e-0123-7abc-89de-f0123456789a"
#define OPENED "01900000-0000-7000-8000-000000000001"

static const struct store_identity self = {OURS, OPENED, 5, 100, 0};

/* Whoever wrote a text knows it as his own, his later self does, and his earlier one is warned. */
static void check_writer(struct store_identity *writer)
{
    char text[OWNER_TEXT_SIZE];

    owner_write(text, writer);
    FUZZ_CHECK(strlen(text) < OWNER_TEXT_SIZE - 1);
    FUZZ_CHECK(owner_judge(writer, true, text) == OWNER_SELF);
    FUZZ_CHECK(owner_judge(writer, false, text) ==
               OWNER_NEWER); /* a copy that was opened as often */
    if (writer->incarnation < INT64_MAX) {
        writer->incarnation++;
        FUZZ_CHECK(owner_judge(writer, false, text) == OWNER_SELF);
    }
    if (writer->chunks > INT64_MIN) {
        writer->chunks--;
        FUZZ_CHECK(owner_judge(writer, true, text) == OWNER_NEWER);
    }
}

static void check_text(const char *text, bool claimed)
{
    struct store_identity writer = {.incarnation = 0};
    enum owner owner = owner_judge(&self, claimed, text);

    if (owner == OWNER_NOBODY) {
        return;
    }
    FUZZ_CHECK(sscanf(text, "payd1 %36s %" SCNd64 " %" SCNd64 " %36s", writer.uuid,
                      &writer.incarnation, &writer.chunks, writer.opening) == 4);
    FUZZ_CHECK((owner == OWNER_FOREIGN) == (strcmp(writer.uuid, OURS) != 0));
    FUZZ_CHECK(owner != OWNER_SELF || (writer.chunks <= 100 && writer.incarnation <= 5));
    FUZZ_CHECK(owner != OWNER_SELF || claimed || writer.incarnation < 5);
    check_writer(&writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_part part = fuzz_rest(&data, &size);
    char *text = fuzz_string(&part);

    check_text(text, false);
    check_text(text, true);
    free(text);
    fuzz_release(&part);
    return 0;
}
