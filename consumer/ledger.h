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
 * decision, the accounts' currencies, balances and `changed`, the batches' content and `bound`.
 *
 *   this origin is recorded already                  redelivered
 *   unreadable                                       quarantined
 *   batch id bound to other content                  conflict, batch_changed
 *   key decided, same payload                        duplicate
 *   key decided, other payload                       conflict, with the fields that differ
 *   a rule of the ledger refuses                     rejected, with the reason
 *   otherwise                                        applied
 *
 * A conflict moves nothing and does not use a key up; applied and rejected do.
 */
void ledger_decide(struct chunk *chunk);

#endif
