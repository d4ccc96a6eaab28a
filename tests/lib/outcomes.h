/*
 * What stands in an outcomes topic, for tests: every record, decoded.
 */
#ifndef TESTS_LIB_OUTCOMES_H
#define TESTS_LIB_OUTCOMES_H

#include "common/outcome_record.h"
#include "tests/lib/scene.h"

#include <stddef.h>

struct outcome_message {
    struct outcome_record record;
    char *text; /* the value as it is */
    size_t header_count;
    char outcome[32]; /* the headers; "" = not there */
    char digest[64];
    char traceparent[600];
    char tracestate[600];
};

struct outcomes {
    struct outcome_message *messages; /* partition after partition, in order */
    size_t count;
    size_t size; /* of the array */
};

/* Read the scene's outcomes topic from its beginning to its end. Asserts that each decodes. */
struct outcomes outcomes_read(const struct scene *scene);
void outcomes_release(struct outcomes *outcomes);

/* The last one of a key, NULL when there is none; and how many it has. */
const struct outcome_message *outcomes_last(const struct outcomes *outcomes, const char *key);
size_t outcomes_of(const struct outcomes *outcomes, const char *key);

/* Assert that a key has that many. */
void outcomes_check_count(const struct scene *scene, const char *key, size_t count);

/*
 * Assert that the ledger and the topic agree: every decision, repeat and quarantined message with a
 * key has its outcome at least once, and no outcome says what the ledger does not.
 */
void outcomes_check(const struct scene *scene);

#endif
