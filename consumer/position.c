#include "consumer/position.h"

#include "common/clock.h"
#include "consumer/ledger_json.h"
#include "consumer/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

static int print_positions(const struct options *options, struct error *err)
{
    struct store_stats stats;
    int code = EX_OK;

    if (store_sqlite_read_stats(options->db, &stats, err) != 0) {
        return err->code;
    }
    if (options->json && ledger_json_print(stdout, options->db, -1, &stats) != 0) {
        error_set(err, EX_OSERR, "out of memory");
        code = EX_OSERR;
    }
    for (size_t i = 0; !options->json && i < stats.position_count; i++) {
        printf("%" PRId32 " %" PRId64 "\n", stats.positions[i].partition,
               stats.positions[i].next_offset);
    }
    store_stats_release(&stats);
    return code;
}

/* Takes the lock, so it is refused while payd runs. */
static int change(const struct options *options, struct error *err)
{
    struct store *store = NULL;

    if (store_sqlite_open_existing(&store, options->db, err) != 0) {
        return err->code;
    }
    int64_t now_ms = clock_unix_ms();
    enum store_status status =
        options->new_log ? store->ops->new_log(store, now_ms, err)
                         : store->ops->move(store, options->partition, options->to, now_ms, err);
    store_close(store);
    return status == STORE_OK ? EX_OK : err->code;
}

int position(const struct options *options, struct error *err)
{
    return options->new_log || options->partition >= 0 ? change(options, err)
                                                       : print_positions(options, err);
}
