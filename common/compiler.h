/*
 * The one header with compiler extensions. Everything else is plain C11.
 */
#ifndef COMMON_COMPILER_H
#define COMMON_COMPILER_H

/* The caller must look at the result: ignoring it is a warning, and warnings are errors in CI. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* Argument number fmt is a printf format, the values begin at argument number args. */
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* Ask for the memory at an address early; it is read soon, and not changed. */
#define PREFETCH(address) __builtin_prefetch(address)

/* The place of the lowest bit that is set, from 0 on, in a uint64_t that is not 0. */
#define LOWEST_BIT(bits) ((size_t)__builtin_ctzll(bits))

#endif
