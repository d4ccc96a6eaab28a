/*
 * The one header with compiler extensions. Everything else is plain C11.
 */
#ifndef COMMON_COMPILER_H
#define COMMON_COMPILER_H

/* The caller must look at the result: ignoring it is a warning, and warnings are errors in CI. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* Argument number fmt is a printf format, the values begin at argument number args. */
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

#endif
