/*
 * pay --version.
 */
#ifndef PRODUCER_VERSION_H
#define PRODUCER_VERSION_H

/* Print the versions of pay and of the libraries that it uses. Returns the exit code. */
int version_print(void);

#endif
