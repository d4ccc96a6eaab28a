/*
 * The submitters' history: history*.jsonl, each line synced before the submitter goes on.
 *
 *   {"event":"invoke","key":"k1","payload":"{\"v\":1,...}"}
 *   {"event":"invoke","key":"k1","fields":{"src":"a","dest":"b","amount":"12","currency":"EUR"}}
 *   {"event":"ok","key":"k1"}            acknowledged
 *   {"event":"unknown","key":"k1"}       it may be in the topic
 *   {"event":"fail","key":"k1"}          it surely is not
 *   {"event":"invoke","key":null,"payload_hex":"ff00"}
 *
 * Key and payload may be hex, and null when the message has none. An invoke without a payload says
 * that any may have been sent.
 */
#ifndef TESTS_CHECKER_HISTORY_H
#define TESTS_CHECKER_HISTORY_H

#include "tests/checker/fault.h"
#include "tests/checker/keys.h"

#include <stddef.h>

/* Read all of a folder's; EX_DATAERR when there is none. *ret_events counts the lines. */
int history_read(struct keys *keys, struct words *words, const char *dir, size_t *ret_events,
                 struct fault *fault);

#endif
