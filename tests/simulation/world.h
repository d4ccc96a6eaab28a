/*
 * The world of one history: its dice, its clock, its faults, and what happened in it.
 *
 * There is one world at a time, since what it stands in for (the clock, the log, the broker's
 * client) has no parameter that could carry it. All that happens is drawn from the seed: the same
 * seed gives the same history, event by event.
 *
 * A crash is a jump out of payd's call: from there on nothing of that life has an effect. What it
 * left behind in memory is freed by life.c; what is durable stays.
 */
#ifndef TESTS_SIMULATION_WORLD_H
#define TESTS_SIMULATION_WORLD_H

#include "common/compiler.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What can happen. Injected ones must strike in any run of SIMULATION_MANY histories. */
enum event {
    /* the course of things */
    EVENT_LIFE,      /* payd starts: its number, the kind of its store */
    EVENT_END,       /* payd ended: its exit code */
    EVENT_APPENDED,  /* a record, or an end of a transaction: partition, offset */
    EVENT_POLLED,    /* the messages that one poll gave, and how many of them were ends */
    EVENT_ASSIGNED,  /* a partition to payd, from an offset */
    EVENT_SAVED,     /* a range of a partition is durable: partition, next offset */
    EVENT_OFFSET,    /* a committed offset: partition, next offset */
    EVENT_PUBLISHED, /* an outcome stands in the outcomes topic: seq, partition */
    EVENT_CHECKED,   /* the ledger was looked at: records, published up to */

    /* injected */
    EVENT_CRASH,             /* anywhere: the life's number, steps that it had made */
    EVENT_POWER_LOST,        /* with the crash: writes that were not synced, how many are gone */
    EVENT_STOP,              /* SIGTERM */
    EVENT_HOLE,              /* an aborted transaction: partition, offsets that nobody sees */
    EVENT_ACK_LOST,          /* a record stands there, its producer does not know: submission */
    EVENT_SEND_LOST,         /* it does not, nor does its producer know: submission */
    EVENT_TWICE,             /* a producer wrote the record twice: submission */
    EVENT_OTHER_PARTITION,   /* a repeat went to another partition: submission, partition */
    EVENT_REDELIVERED,       /* the client goes back: partition, to an offset */
    EVENT_REVOKED,           /* a rebalance: partitions that payd had, whether lost already */
    EVENT_OTHER_MEMBER,      /* another member reads a partition, and commits: partition, offset */
    EVENT_GROUP_FORGOTTEN,   /* the group has no offsets any more */
    EVENT_POLL_ERROR,        /* an error that passes */
    EVENT_POLL_FATAL,        /* an error after which the client is useless */
    EVENT_COMMIT_FAILED,     /* offsets were not committed */
    EVENT_COMMIT_LOST,       /* offsets were committed, the answer is lost */
    EVENT_TOPIC_AWAY,        /* no broker answers at the start */
    EVENT_FOREIGN_OWNER,     /* another ledger's name stands in the group: must be refused */
    EVENT_LOG_BEHIND,        /* the log seems to begin behind the position: must be refused */
    EVENT_LOG_SHORT,         /* the log seems to end before the position: must be refused */
    EVENT_LOG_OTHER,         /* the log guard finds another record: must be refused */
    EVENT_LOG_LATER,         /* the log guard has no answer in time */
    EVENT_RETENTION,         /* records that were read are gone: partition, low */
    EVENT_POSITION_MOVED,    /* by hand, back: partition, to */
    EVENT_OTHER_HAND,        /* the same while payd runs: its next chunk of it must be refused */
    EVENT_CLOCK_JUMPED,      /* the time of day: to */
    EVENT_STORE_BUSY,        /* somebody holds the store for a moment */
    EVENT_STORE_FULL,        /* the disk is full for a moment */
    EVENT_STORE_FAILED,      /* a call of the store failed before it did anything */
    EVENT_COMMIT_UNKNOWN,    /* the commit failed: 1 = and yet it happened */
    EVENT_DISK_FULL,         /* a write of SQLite found no room */
    EVENT_DISK_FAILED,       /* a write or a sync of SQLite failed */
    EVENT_DISK_CRASH,        /* the crash came inside SQLite: at its nth write or sync */
    EVENT_OUTCOMES_AWAY,     /* no broker for outcomes */
    EVENT_NO_ROOM,           /* the publisher takes nothing now */
    EVENT_PUBLISHER_GAVE_UP, /* and nothing any more */
    EVENT_TOO_LARGE,         /* it never takes this one: seq */
    EVENT_REFUSED,           /* the broker refuses a batch, one of which is too large: outcomes */
    EVENT_DELIVERY_FAILED,   /* outcomes are surely not there: how many */
    EVENT_DELIVERY_UNKNOWN,  /* it is not known of outcomes: how many, how many are there */
    EVENT_COUNT,
};

#define EVENT_FIRST_INJECTED EVENT_CRASH

/* The event's name, a static string. */
const char *event_name(enum event event);

/* ---- the history ---- */

/* Begin one. trace: where each event is written, or NULL; borrowed until the next one. */
void world_begin(uint64_t seed, FILE *trace);

/* A number over all events so far, with their numbers and times. */
uint64_t world_hash(void);

/* How often an event happened, in all histories of this process. */
uint64_t world_count(enum event event);

/* From now on nothing is injected, so that payd can come to an end. */
void world_heal(void);
bool world_is_healed(void);

/* ---- dice and clock ---- */

size_t world_below(size_t limit);
bool world_chance(unsigned per_mille);

int64_t world_now_ms(void);
int64_t world_unix_ms(void);
void world_pass(int64_t ms);
void world_jump_clock(void);

/* ---- what happens ---- */

void world_event(enum event event, int64_t a, int64_t b);

/* Whether this history has a fault at all: each has a random half of them. */
bool world_has(enum event fault);

/*
 * Whether a fault strikes here and now, while payd lives. The caller does what it means, and notes
 * the event.
 */
bool world_strikes(enum event fault, unsigned per_mille);

/* A line of the trace that is no event. */
void world_note(const char *fmt, ...) PRINTF_LIKE(1, 2);
bool world_is_traced(void);

/* ---- life and death ---- */

enum life_end { LIFE_RETURNED, LIFE_CRASHED, LIFE_VIOLATED };

/* When a life ends. */
struct life_plan {
    size_t crash_in; /* by a crash at so many steps; 0 = not */
    uint64_t places; /* of those at some places only, so that rare ones come up too; 0 = at all */
    size_t stop_in;  /* it is asked to stop at so many steps of all; 0 = not */
};

/* Begin a life. The caller calls setjmp() on what is returned, and gets an enum life_end there. */
jmp_buf *world_enter(const struct life_plan *plan);
void world_leave(void);

/* True from a crash until the next world_enter(): what happens now has no effect. */
bool world_is_dead(void);
bool world_stop_requested(void);

/* A step, at which the life may end. place is a static string. */
void world_step(const char *place);

/* The life ends here. Does not return while there is one. */
void world_crash(const char *place);

/* Call visit for each place where a step was made, with how often a life ended there. */
void world_each_place(void (*visit)(const char *place, uint64_t steps, uint64_t crashes));

/* No step is made until it is taken back: nothing that is being made may be left half done. */
void world_hold(bool held);

/* Why this life may end with another exit code than 0, a static string; NULL = it may not. */
void world_excuse(const char *why);
const char *world_excused(void);

/* Why this life must end now: it may take no more messages and publish nothing more. */
void world_must_end(const char *why);
bool world_has_to_end(void);

/* ---- what must not happen ---- */

/* Note what was violated; the first counts. Does not return while a life goes on. */
void world_violated(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* The sentence, or NULL. */
const char *world_violation(void);

#endif
