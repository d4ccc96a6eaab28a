/*
 * The currencies in which a payment can be applied: those of ISO 4217 that have a minor unit.
 */
#ifndef TESTS_CHECKER_CURRENCIES_H
#define TESTS_CHECKER_CURRENCIES_H

#include <stdbool.h>

bool currency_is_known(const char *code);

#endif
