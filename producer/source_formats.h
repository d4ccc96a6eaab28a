/*
 * What source.c shares with its two formats, and with nobody else.
 */
#ifndef PRODUCER_SOURCE_FORMATS_H
#define PRODUCER_SOURCE_FORMATS_H

#include "producer/source.h"

#define SOURCE_BLOCK_BYTES 65536 /* are read at once at the most */

struct source_format {
    /* Called once. The first line that is not blank has been read. */
    int (*open)(struct source *source, struct error *err);
    /*
     * Judge the record whose first line has been read: fill ret's problem or payment. May read more
     * lines. Returns 0 or -1.
     */
    int (*read)(struct source *source, struct row *ret, struct error *err);
    /* Accepts a source whose open() failed or was not called. */
    void (*close)(struct source *source);
};

extern const struct source_format source_csv;
extern const struct source_format source_json;

struct source {
    FILE *in;
    const struct source_format *format;
    void *state;  /* the format's own */
    char *header; /* owned; NULL for JSON Lines */
    size_t header_len;
    int64_t number;      /* of the last record */
    int64_t line_number; /* of the last line */
    int64_t blank_lines; /* that stand before the line that was read last */
    bool line_is_open;   /* the last line has no line end */
    bool line_waits;     /* it was read and is not judged yet */

    /* The lines of the record so far, as they stand in the file. */
    size_t line_start; /* where the last of them begins */
    size_t line_len;   /* its length without the line end */
    size_t raw_len;
    char raw[SOURCE_RECORD_MAX];

    /* What was read of the input and is in no line yet, from block_at on. */
    bool read_ended;  /* there is nothing more to read, */
    bool read_failed; /* because of a failure */
    size_t block_at;
    size_t block_len;
    char block[SOURCE_BLOCK_BYTES];
};

/* Append the next line to raw. Returns 1, 0 at the end of the input, or -1. */
MUST_CHECK int source_read_line(struct source *source, struct error *err);

/* The column of this name, or -1. */
int source_column_of(const char *name, size_t len);

/* Write the formatted sentence into problem. Returns false. */
bool source_refuse(char problem[SOURCE_PROBLEM_SIZE], const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
