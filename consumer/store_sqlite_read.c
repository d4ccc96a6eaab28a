/* Rows of decisions, repeats and quarantine, read as the records that outcomes are made of. */
#include "consumer/store_sqlite_internal.h"

#include "consumer/key_form.h"

#include <string.h>

static bool read_digest(sqlite3_stmt *row, int column, unsigned char ret[DIGEST_SHORT_SIZE])
{
    const void *bytes = sqlite3_column_blob(row, column);

    if (!bytes || sqlite3_column_bytes(row, column) != DIGEST_SHORT_SIZE) {
        return false;
    }
    memcpy(ret, bytes, DIGEST_SHORT_SIZE);
    return true;
}

static bool read_key(sqlite3_stmt *row, int column, char ret[PAYMENT_KEY_MAX + 1])
{
    const void *form = sqlite3_column_blob(row, column);

    return key_form_text(ret, form, (size_t)sqlite3_column_bytes(row, column));
}

/* An optional text: NULL leaves the field "". */
static bool read_text(sqlite3_stmt *row, int column, char *field, size_t size)
{
    field[0] = '\0';
    return sqlite3_column_type(row, column) == SQLITE_NULL ||
           sqlite_copy_text(row, column, field, size);
}

/* "src,amount" to bits. */
static unsigned read_fields(sqlite3_stmt *row, int column)
{
    char text[COMMAND_FIELDS_SIZE];
    char *rest = text;
    unsigned fields = 0;

    if (read_text(row, column, text, sizeof(text))) {
        for (char *name; (name = strsep(&rest, ","));) {
            fields |= command_field_of(name);
        }
    }
    return fields;
}

/* ---- decisions ---- */

/* The name of an account; "" where there is none. */
static enum store_status read_account(struct store_sqlite *store, sqlite3_stmt *row, int column,
                                      char ret[PAYMENT_ACCOUNT_MAX + 1], struct error *err)
{
    int64_t id = sqlite3_column_int64(row, column);

    ret[0] = '\0';
    return id != 0 ? sqlite_account_name(store, id, ret, err) : STORE_OK;
}

/* The fields that stand in the row itself. */
static bool read_own_fields(sqlite3_stmt *row, int base, struct command *command)
{
    int type = sqlite3_column_int(row, base + DECISION_TYPE);
    struct payment *payment = &command->payment;

    if (type < COMMAND_PAYMENT || type >= COMMAND_TYPE_COUNT) {
        return false;
    }
    command_init(command, (enum command_type)type);
    payment->amount_minor = sqlite3_column_int64(row, base + DECISION_AMOUNT);
    command->has_min = sqlite3_column_type(row, base + DECISION_MIN) != SQLITE_NULL;
    command->min_minor = sqlite3_column_int64(row, base + DECISION_MIN);
    command->strict = sqlite3_column_int(row, base + DECISION_STRICT) != 0;
    return read_key(row, base + DECISION_KEY, payment->key) &&
           read_text(row, base + DECISION_CURRENCY, payment->currency, sizeof(payment->currency));
}

static enum store_status read_command(struct store_sqlite *store, sqlite3_stmt *row, int base,
                                      struct command *command, struct error *err)
{
    struct payment *payment = &command->payment;

    if (!read_own_fields(row, base, command)) {
        return sqlite_damaged(store, "a decision that cannot be read", err);
    }
    enum store_status status = read_account(store, row, base + DECISION_SRC, payment->src, err);
    if (status == STORE_OK) {
        status = read_account(store, row, base + DECISION_DEST, payment->dest, err);
    }
    int64_t batch = sqlite3_column_int64(row, base + DECISION_BATCH);
    return status == STORE_OK && batch != 0 ? sqlite_batch(store, batch, &payment->batch, err)
                                            : status;
}

enum store_status sqlite_read_first(struct store_sqlite *store, sqlite3_stmt *row, int base,
                                    struct outcome_first *ret, struct error *err)
{
    int outcome = sqlite3_column_int(row, base + DECISION_OUTCOME);
    int reason = sqlite3_column_int(row, base + DECISION_REASON);

    if (outcome < 0 || outcome >= OUTCOME_COUNT || reason < 0 || reason >= REASON_COUNT ||
        !read_digest(row, base + DECISION_DIGEST, ret->digest)) {
        return sqlite_damaged(store, "a decision that cannot be read", err);
    }
    ret->seq = sqlite3_column_int64(row, base + DECISION_SEQ);
    ret->outcome = (enum outcome)outcome;
    ret->reason = (enum reason)reason;
    ret->origin.partition = sqlite3_column_int(row, base + DECISION_PARTITION);
    ret->origin.offset = sqlite3_column_int64(row, base + DECISION_OFFSET);
    ret->decided_ms = sqlite3_column_int64(row, base + DECISION_DECIDED_MS);
    enum store_status status = read_command(store, row, base, &ret->command, err);
    return status == STORE_OK ? sqlite_topic(store, sqlite3_column_int64(row, base + DECISION_LOG),
                                             ret->origin.topic, err)
                              : status;
}

static void set_reason(struct outcome_record *record, const char *name)
{
    size_t len = strlen(name);

    payment_copy(record->reason, name, len < OUTCOME_REASON_SIZE ? len : OUTCOME_REASON_SIZE - 1);
}

/* A decision is its own first. */
enum store_status sqlite_read_decision(struct store_sqlite *store, sqlite3_stmt *row,
                                       struct outcome_record *record, struct error *err)
{
    struct outcome_first *first = &record->first;
    enum store_status status = sqlite_read_first(store, row, 0, first, err);

    if (status != STORE_OK) {
        return status;
    }
    memcpy(record->key, first->command.payment.key, strlen(first->command.payment.key) + 1);
    record->verdict = first->outcome;
    set_reason(record, first->reason == REASON_NONE ? "" : reason_name(first->reason));
    record->fields = 0;
    memcpy(record->digest, first->digest, sizeof(record->digest));
    record->seq = first->seq;
    record->origin = first->origin;
    record->decided_ms = first->decided_ms;
    record->has_first = true;
    record->rules = sqlite3_column_int(row, DECISION_RULES);
    return STORE_OK;
}

/* ---- repeats ---- */

static bool read_repeat_itself(sqlite3_stmt *row, struct outcome_record *record)
{
    int outcome = sqlite3_column_int(row, 2);
    int reason = sqlite3_column_int(row, 3);

    if (outcome < 0 || outcome >= OUTCOME_COUNT || reason < 0 || reason >= REASON_COUNT) {
        return false;
    }
    record->seq = sqlite3_column_int64(row, 0);
    record->verdict = (enum outcome)outcome;
    set_reason(record, reason == REASON_NONE ? "" : reason_name((enum reason)reason));
    record->fields = read_fields(row, 4);
    record->origin.partition = sqlite3_column_int(row, 6);
    record->origin.offset = sqlite3_column_int64(row, 7);
    record->decided_ms = sqlite3_column_int64(row, 8);
    record->has_first = sqlite3_column_type(row, REPEAT_FIRST) != SQLITE_NULL;
    record->rules = OUTCOME_RULES;
    return read_key(row, 1, record->key) && read_digest(row, 5, record->digest);
}

enum store_status sqlite_read_repeat(struct store_sqlite *store, sqlite3_stmt *row,
                                     struct outcome_record *record, struct error *err)
{
    if (!read_repeat_itself(row, record)) {
        return sqlite_damaged(store, "a repeat that cannot be read", err);
    }
    enum store_status status =
        sqlite_topic(store, sqlite3_column_int64(row, 9), record->origin.topic, err);
    return status == STORE_OK && record->has_first
               ? sqlite_read_first(store, row, REPEAT_FIRST, &record->first, err)
               : status;
}

/* ---- quarantine ---- */

/* Without a usable key nobody can be answered: the record's key stays "". */
enum store_status sqlite_read_quarantined(struct store_sqlite *store, sqlite3_stmt *row,
                                          struct outcome_record *record, struct error *err)
{
    const char *key = sqlite3_column_blob(row, 1);
    size_t len = (size_t)sqlite3_column_bytes(row, 1);

    record->seq = sqlite3_column_int64(row, 0);
    record->key[0] = '\0';
    if (key && !payment_key_problem(key, len)) {
        payment_copy(record->key, key, len);
    }
    record->verdict = OUTCOME_QUARANTINED;
    record->fields = 0;
    record->origin.partition = sqlite3_column_int(row, 4);
    record->origin.offset = sqlite3_column_int64(row, 5);
    record->decided_ms = sqlite3_column_int64(row, 6);
    record->has_first = false;
    record->rules = OUTCOME_RULES;
    if (!read_text(row, 2, record->reason, sizeof(record->reason)) ||
        !read_digest(row, 3, record->digest)) {
        return sqlite_damaged(store, "a quarantined message that cannot be read", err);
    }
    return sqlite_topic(store, sqlite3_column_int64(row, 7), record->origin.topic, err);
}
