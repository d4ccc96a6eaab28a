/*
 * The ledger: the rules of money and of once-only, as a pure function.
 *
 * It knows no Kafka, no SQL, no JSON and no clock: what it sees is in the chunk, and all that it
 * does is in the chunk. Any cut of the same messages into chunks gives the same decisions.
 */
#ifndef CONSUMER_LEDGER_H
#define CONSUMER_LEDGER_H

#include "consumer/chunk.h"

/*
 * Decide every item of an indexed and loaded chunk, in the order of arrival: sets each item's
 * decision, what changes of the accounts, the batches' content and `bound`, and `strict`.
 *
 *   this origin is recorded already                  redelivered
 *   unreadable                                       quarantined
 *   key or batch may have been forgotten             quarantined, stale
 *   batch id bound to other content                  conflict, batch_changed
 *   key decided, same payload                        duplicate
 *   key decided; it or this command is a cancel      duplicate
 *   key decided, other payload                       conflict, with the fields that differ
 *   a rule of the ledger refuses                     rejected, with the reason
 *   otherwise                                        applied
 *
 * A key that is bound (chunk_key.bound) is decided as it was elsewhere, by the first message with
 * the payload that decided it there; until then, another payload is a conflict.
 *
 * A conflict moves nothing and does not use a key up; applied and rejected do. A cancel of a key
 * that is not decided yet is rejected as `cancelled`, and so uses it up.
 *
 * The rules of a payment, in this order:
 *
 *   same_account          source and destination are one
 *   amount_out_of_range   below 1 or above MONEY_MAX_MINOR
 *   unknown_currency      not in ISO 4217
 *   unknown_account       accounts are strict, and one was not opened
 *   account_closed        one was closed
 *   currency_mismatch     one is kept in another currency
 *   insufficient_funds    the source would fall below its limit
 *   balance_overflow      a balance would leave 64 bits
 *
 * Limits and strict accounts make outcomes depend on the order of all commands, which only a topic
 * of one partition has: elsewhere the commands that bring them in are rejected as
 * needs_one_partition.
 */
void ledger_decide(struct chunk *chunk);

/*
 * The bits of the fields that make a command a conflict with the one that decided its key; 0 makes
 * it a duplicate. A cancel only asks for the answer, and is no conflict with anything.
 */
unsigned ledger_differs(const struct command *first, const struct command *command);

#endif
