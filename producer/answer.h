/*
 * Answers in plain words: what became of a command, a line each. Text from outside is escaped.
 */
#ifndef PRODUCER_ANSWER_H
#define PRODUCER_ANSWER_H

#include "common/outcome_record.h"

#include <stdio.h>

/*
 * Write a line for the answer to one arrival:
 *   applied KEY
 *   rejected KEY: insufficient_funds (duplicate of payments[2]@17, decided
 * 2026-11-25T12:00:00.000Z) conflict KEY: amount differs from the first payload (ann -> bob 12.34
 * EUR, applied; payments[2]@17, decided 2026-11-25T12:00:00.000Z)           on one line quarantined
 * KEY: bad_field
 */
void answer_print(const struct outcome_record *record, FILE *out);

/* The same for the answer to a cancel: "cancelled KEY: it will not be paid". */
void answer_print_cancel(const struct outcome_record *record, FILE *out);

/*
 * Write a decision without its key and without a line end: "applied (ann -> bob 12.34 EUR;
 * payments[2]@17, decided 2026-11-25T12:00:00.000Z)".
 */
void answer_print_first(const struct outcome_first *first, FILE *out);

#endif
