/*
 * The answerer: plays payd towards pay. It reads the commands of a scene's topic and answers them
 * in the outcomes topic as the test says, so that a test decides what is answered and when.
 */
#ifndef TESTS_LIB_ANSWERER_H
#define TESTS_LIB_ANSWERER_H

#include "common/command_json.h"
#include "common/outcome_record.h"
#include "tests/lib/scene.h"

#define ANSWERER_OUTCOMES "payments.outcomes"

struct answerer;

/* One message that came, read as a command. */
struct arrival {
    struct command command;
    char value[COMMAND_JSON_SIZE];
    size_t value_len;
    struct outcome_origin origin;
};

/* Both end the test when the broker does not let them. */
struct answerer *answerer_open(const struct scene *scene);
void answerer_close(struct answerer *answerer);

/* Wait for the next command of any partition; none within 60 s ends the test. */
struct arrival answerer_next(struct answerer *answerer);

/* How many messages the topic has. */
int64_t answerer_count(struct answerer *answerer);

/*
 * The record of an answer to an arrival. Applied and rejected are its key's first decision;
 * duplicate and conflict are not, see answerer_repeat().
 */
struct outcome_record answerer_record(const struct arrival *arrival, enum outcome verdict,
                                      enum reason reason);

/* The record of an arrival whose key was decided before, with this payload, at offset 17. */
struct outcome_record answerer_repeat(const struct arrival *arrival, enum outcome verdict,
                                      const struct command *first, enum outcome outcome,
                                      enum reason reason);

/* Publish a record, and wait until the broker has it. */
void answerer_send(struct answerer *answerer, const struct outcome_record *record);

/* All three in one: the answer to an arrival, sent. */
void answerer_answer(struct answerer *answerer, const struct arrival *arrival, enum outcome verdict,
                     enum reason reason);

#endif
