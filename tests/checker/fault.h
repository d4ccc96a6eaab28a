/*
 * Why the checker cannot go on: an exit code and a sentence. A violation is no fault, but what the
 * checker is there to find; see report.h.
 */
#ifndef TESTS_CHECKER_FAULT_H
#define TESTS_CHECKER_FAULT_H

#define FAULT_TEXT_SIZE 512

struct fault {
    int code; /* of sysexits.h */
    char text[FAULT_TEXT_SIZE];
};

/* Fill in the fault; a longer sentence is cut. Returns -1. */
__attribute__((format(printf, 3, 4))) int fault_set(struct fault *fault, int code, const char *fmt,
                                                    ...);

#endif
