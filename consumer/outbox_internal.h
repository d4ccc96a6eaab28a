/*
 * What the files of the outbox share. Nobody else includes this header.
 *
 *   outbox.c         life, the client, failures, the cursor
 *   outbox_send.c    from the store into the clients' hands
 *   outbox_letter.c  a quarantined message as a dead letter
 */
#ifndef CONSUMER_OUTBOX_INTERNAL_H
#define CONSUMER_OUTBOX_INTERNAL_H

#include "common/publisher.h"
#include "consumer/kept_headers.h"
#include "consumer/outbox.h"

#include <stddef.h>

#define OUTBOX_READ_MAX 256 /* outcomes that are read at once */

/* What is published of one seq: its outcome, and of a quarantined message the message itself. */
enum part { PART_OUTCOME, PART_LETTER, PARTS };

/* A seq on its way. */
struct slot {
    int64_t seq;
    bool given[PARTS]; /* the client has it */
    bool done[PARTS];  /* acknowledged, or nothing to publish */
};

/* The way of a part to its topic. */
struct way {
    struct outbox *outbox;
    enum part part;
    struct kafka_args args;
    struct publisher *publisher; /* NULL after it gave up, until it is opened again */
    bool refused;                /* the topic takes one of what was sent never */
    int64_t passed_seq;          /* the last one that is not sent, since the topic refused it */
};

struct outbox {
    struct store *store;
    struct store *reader;
    bool may_write;   /* in this step: the store may be written to */
    bool wants_store; /* in this step: it had to be */
    struct way ways[PARTS];
    size_t way_count; /* PARTS with dead letters, else 1 */

    /* What was sent, in the order of seq: slots[first], ..., around the end of the array. */
    struct slot slots[OUTBOX_WINDOW];
    size_t first;
    size_t count;
    int64_t published; /* all up to it are acknowledged */
    int64_t saved;     /* the store knows */
    int64_t last;      /* the store's last seq */
    int64_t sent;      /* how many, ever */

    /* What was read and not sent yet. */
    struct store_outcome read[OUTBOX_READ_MAX];
    size_t read_count;
    size_t read_next;
    int64_t read_seq; /* the last one that was read */

    bool partial;        /* of the last slot one part is given, and another had no room */
    bool broken;         /* one was not acknowledged: when all have reported, send again */
    size_t window;       /* how many may be on their way: fewer while that one is searched for */
    int64_t small_up_to; /* up to this seq */

    int64_t save_due_ms;
    int64_t log_due_ms;
    int64_t reopen_due_ms;
    int64_t moved_ms; /* when an acknowledgement last came, or something began to wait */

    struct kept_headers letter_headers; /* of the dead letter that is made */
};

/* The cursor moves over what is done from its beginning on. */
void outbox_advance(struct outbox *outbox);

/* A store that is busy or full loses nothing here: 1 = later. Else 0 or -1. */
int outbox_settle(enum store_status status);

/*
 * Remember in the store that a part is not published, and log it. From then on it is passed over.
 * 1 = later.
 */
MUST_CHECK int outbox_skip(struct way *way, int64_t seq, struct error *err);

/*
 * Send the quarantined message seq as a dead letter. Returns as publisher_try(), and -1 when the
 * store failed.
 */
MUST_CHECK int outbox_send_letter(struct way *way, int64_t seq, void *tag, struct error *err);

/* True while more may be on their way. */
bool outbox_has_room(const struct outbox *outbox);

/*
 * Send what the store has, at most max and as far as the window has room. Returns 0, 1 when there
 * is nothing more or no room now, or -1: with EX_TEMPFAIL when the client gave up, else when the
 * store failed.
 */
MUST_CHECK int outbox_send_more(struct outbox *outbox, size_t max, struct error *err);

#endif
