/*
 * A call that may never return, waited for as long as is reasonable and then left behind.
 *
 * Closing a Kafka client is such a call: with librdkafka 2.0.2, rd_kafka_destroy() of a client
 * whose topic was deleted and made anew waits now and then for ever for one of its own threads
 * (seen on Kafka 4.3.1: 10 of 100 times on a busy machine; the library's issues 3954 and 5434 tell
 * of it).
 */
#ifndef COMMON_BOUNDED_CALL_H
#define COMMON_BOUNDED_CALL_H

#include <stdbool.h>

/*
 * Call on a thread of its own and wait up to timeout_ms for it. Returns true when it has returned.
 * When false, it still runs: all that it uses, user among it, is its own from then on. Signals are
 * not delivered to the thread. Where no thread can be started, it is called directly.
 */
bool bounded_call(int timeout_ms, void (*call)(void *user), void *user);

/*
 * True when a call that was left behind has not returned yet. The process must then end with
 * _exit(), since handlers at exit() would pull the ground from under it.
 */
bool bounded_call_runs(void);

#endif
