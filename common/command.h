/*
 * struct command: one order to the ledger as a value. A payment, or a word about accounts or about
 * another command's key. It holds its own bytes, so it can be copied with `=` and needs no release.
 */
#ifndef COMMON_COMMAND_H
#define COMMON_COMMAND_H

#include "common/payment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is ordered. The numbers stand in the store and in digests, and never change. */
enum command_type {
    COMMAND_PAYMENT = 1,
    COMMAND_ACCOUNT_OPEN = 2,  /* open an account in a currency, with a limit or none */
    COMMAND_ACCOUNT_LIMIT = 3, /* change an account's limit */
    COMMAND_ACCOUNT_CLOSE = 4, /* close an account whose balance is zero, for good */
    COMMAND_ACCOUNTS = 5,      /* whether accounts open on first use, or only by command */
    COMMAND_CANCEL = 6,        /* burn the key, if it is not decided yet */
    COMMAND_TYPE_COUNT = 7,
};

/* The type as it stands in payloads: "payment", "account_open", ...; a static string. */
const char *command_type_name(enum command_type type);

struct command {
    enum command_type type;
    /*
     * Every type: key. A payment: all of it. Account commands: src is the account; open and limit
     * have a currency too. What a type does not have is "" or 0.
     */
    struct payment payment;
    /* Open and limit: the lowest balance that a payment may leave. Without one, none. */
    bool has_min;
    int64_t min_minor; /* -MONEY_MAX_MINOR to MONEY_MAX_MINOR, 0 when has_min is false */
    bool strict;       /* accounts: only by command */
};

/* A command of a type with nothing in it. */
void command_init(struct command *command, enum command_type type);

/* The fields of a payload, as bits: those of enum payment_field, and these. */
enum command_field {
    COMMAND_FIELD_TYPE = 32, /* then no other field is compared */
    COMMAND_FIELD_ACCOUNT = 64,
    COMMAND_FIELD_MIN_BALANCE = 128,
    COMMAND_FIELD_MODE = 256,
};

/* The fields in which two payloads differ, 0 when they are the same payload. */
unsigned command_differs(const struct command *a, const struct command *b);

/* Bytes that hold any list of field names. */
#define COMMAND_FIELDS_SIZE 96

/* Write the names of the fields, separated by commas: "dest,amount". Returns buf. */
char *command_fields(char *buf, unsigned fields);

/* The bit of a field's name, 0 for a name that is none. */
unsigned command_field_of(const char *name);

/* Bytes of the longest canonical form. */
#define COMMAND_CANONICAL_SIZE 1024

/*
 * Write the bytes that a payload's digest is computed over: its known fields without the key, in a
 * form that no two different payloads share. It is stored with payments and must never change.
 *
 *   "pay command 1" with its NUL, one byte of type, then by type
 *   payment        src, dest, currency, amount, batch id, batch digest, batch rows
 *   account_open, account_limit
 *                  account, currency, one byte has_min, min
 *   account_close  account
 *   accounts       one byte: 1 = strict
 *   cancel         nothing
 *
 * Texts are two bytes of length (big-endian) and the bytes; numbers eight bytes (big-endian, two's
 * complement). Returns the length.
 */
size_t command_canonical(const struct command *command, unsigned char buf[COMMAND_CANONICAL_SIZE]);

#endif
