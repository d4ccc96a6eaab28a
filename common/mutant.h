/*
 * Mutants: planted faults, by which the tests are tested. Each breaks the promise in a way that the
 * fault suite must notice (tests/faults --mutants).
 *
 * Only a build with PAY_MUTANTS defined contains them; in every other build MUTANT() is false, and
 * nothing of them is left. The environment names the one that is alive: PAY_MUTANT=no-dedupe.
 *
 *   no-dedupe           the store looks up no key and marks none
 *   offset-first        an offset is noted for Kafka before the store's commit
 *   skip-one            now and then a message is passed over
 *   busy-swallowed      a busy store is taken for a commit
 *   reset-latest        a new store begins where the log ends
 *   posting-dropped     now and then a payment is not credited
 *   timeout-is-failure  a publish that timed out is reported as surely not in the topic
 *   marker-outside      a key is marked in a transaction of its own, after that of the money
 */
#ifndef COMMON_MUTANT_H
#define COMMON_MUTANT_H

#include <stdbool.h>

#ifdef PAY_MUTANTS
/* True when the environment names this one. */
bool mutant_is(const char *name);
#define MUTANT(name) mutant_is(name)
#else
#define MUTANT(name) false
#endif

#endif
