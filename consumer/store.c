#include "consumer/store.h"

#include <stdlib.h>

void store_close(struct store *store)
{
    if (store) {
        store->ops->close(store);
    }
}

void store_stats_release(struct store_stats *stats)
{
    free(stats->topic);
    free(stats->currencies);
    free(stats->positions);
    *stats = (struct store_stats){.topic = NULL};
}
