#include "common/mutant.h"

/* ISO C wants a declaration in every file, also where nothing is compiled. */
typedef int mutant_not_empty;

#ifdef PAY_MUTANTS

#include <stdlib.h>
#include <string.h>

bool mutant_is(const char *name)
{
    static const char *alive;

    if (!alive) {
        alive = getenv("PAY_MUTANT");
        alive = alive ? alive : "";
    }
    return strcmp(alive, name) == 0;
}

#endif
