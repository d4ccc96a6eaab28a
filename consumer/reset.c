#include "consumer/reset.h"

#include "consumer/store.h"
#include "consumer/store_reset.h"

#include <stdio.h>
#include <sysexits.h>

int reset(const struct options *options, struct error *err)
{
    struct store *store = NULL;

    if (store_sqlite_open_existing(&store, options->db, err) != 0) {
        return err->code;
    }
    bool is_done = options->forget_everything ? store_sqlite_remove(options->db, err) == 0
                                              : store_sqlite_reset(store, err) == STORE_OK;
    store_close(store);
    if (!is_done) {
        return err->code;
    }
    if (options->json) {
        return reset_print_json(stdout, options, err);
    }
    puts(options->forget_everything
             ? "The ledger is gone. A new one reads the topic from its beginning, and pays all of "
               "it."
             : "Balances and totals are zero. Keys and positions stay: nothing is paid again.");
    return EX_OK;
}
