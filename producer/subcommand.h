/*
 * The commands of pay: their names, how many operands they take, and their help texts.
 */
#ifndef PRODUCER_SUBCOMMAND_H
#define PRODUCER_SUBCOMMAND_H

enum subcommand {
    SUBCOMMAND_SEND,
    SUBCOMMAND_BATCH,
    SUBCOMMAND_KEY,
    SUBCOMMAND_STATUS,
    SUBCOMMAND_CANCEL,
    SUBCOMMAND_ACCOUNT_OPEN,
    SUBCOMMAND_ACCOUNT_LIMIT,
    SUBCOMMAND_ACCOUNT_CLOSE,
    SUBCOMMAND_ACCOUNT_MODE,
    SUBCOMMAND_HELP, /* print usage */
    SUBCOMMAND_VERSION,
};

/* Keys that one pay status asks for. */
#define SUBCOMMAND_KEYS_MAX 100

struct subcommand_form {
    const char *name;
    const char *verb;  /* the second word, "" for none */
    const char *usage; /* at most 23 lines of 80 columns */
    int operands_min;  /* the words not counted */
    int operands_max;
};

/* The form of a command; not of SUBCOMMAND_HELP and SUBCOMMAND_VERSION, which have no name. */
const struct subcommand_form *subcommand_form(enum subcommand command);

/* The command of these first operands, or -1. verb may be NULL: there is only one. */
int subcommand_find(const char *name, const char *verb);

/* The help text for a name (NULL, or one that is no command's: of pay as a whole). Static. */
const char *subcommand_usage(const char *name);

#endif
