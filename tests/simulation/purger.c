/*
 * No history forgets keys: --purge-older-than is never given, and so nothing of this is called.
 */
#include "consumer/purger.h"

#include <stdlib.h>

int purger_open(struct purger **ret, struct store *store, const struct kafka_args *kafka,
                int64_t older_ms, struct error *err)
{
    (void)ret;
    (void)store;
    (void)kafka;
    (void)older_ms;
    (void)err;
    abort();
}

bool purger_is_due(const void *purger)
{
    (void)purger;
    abort();
}

int purger_step(void *purger, struct error *err)
{
    (void)purger;
    (void)err;
    abort();
}

void purger_close(struct purger *purger)
{
    (void)purger; /* NULL */
}
