#include "consumer/store_reset.h"
#include "consumer/store_sqlite_internal.h"

enum store_status store_sqlite_reset(struct store *base, struct error *err)
{
    static const char sql[] = "UPDATE accounts SET balance_minor = 0; DELETE FROM totals;"
                              "UPDATE store SET reset_seq = " LAST_SEQ_SQL;
    enum store_status status = base->ops->begin(base, err);

    if (status == STORE_OK) {
        status = sqlite_exec(sqlite_of(base), sql, "reset", err);
    }
    return sqlite_end(base, status, err);
}
