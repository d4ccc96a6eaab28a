#include "consumer/store_sqlite_internal.h"

#include "consumer/key_form.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading rows ---- */

static bool read_digest(sqlite3_stmt *row, int column, unsigned char ret[DIGEST_SHORT_SIZE])
{
    const void *bytes = sqlite3_column_blob(row, column);

    if (!bytes || sqlite3_column_bytes(row, column) != DIGEST_SHORT_SIZE) {
        return false;
    }
    memcpy(ret, bytes, DIGEST_SHORT_SIZE);
    return true;
}

/* An optional text: NULL leaves the field "". */
static bool read_text(sqlite3_stmt *row, int column, char *field, size_t size)
{
    field[0] = '\0';
    return sqlite3_column_type(row, column) == SQLITE_NULL ||
           sqlite_copy_text(row, column, field, size);
}

static bool read_command(sqlite3_stmt *row, int base, struct command *command)
{
    int type = sqlite3_column_int(row, base + 2);
    struct payment *payment = &command->payment;

    if (type < COMMAND_PAYMENT || type >= COMMAND_TYPE_COUNT) {
        return false;
    }
    command_init(command, (enum command_type)type);
    payment->amount_minor = sqlite3_column_int64(row, base + 5);
    payment->batch.rows = sqlite3_column_int64(row, base + 8);
    command->has_min = sqlite3_column_type(row, base + 10) != SQLITE_NULL;
    command->min_minor = sqlite3_column_int64(row, base + 10);
    command->strict = sqlite3_column_int(row, base + 11) != 0;
    return key_form_text(payment->key, sqlite3_column_blob(row, base + 1),
                         (size_t)sqlite3_column_bytes(row, base + 1)) &&
           read_text(row, base + 3, payment->src, sizeof(payment->src)) &&
           read_text(row, base + 4, payment->dest, sizeof(payment->dest)) &&
           read_text(row, base + 6, payment->currency, sizeof(payment->currency)) &&
           read_text(row, base + 7, payment->batch.id, sizeof(payment->batch.id)) &&
           read_text(row, base + 9, payment->batch.digest, sizeof(payment->batch.digest));
}

bool sqlite_read_first(sqlite3_stmt *row, int base, struct outcome_first *ret)
{
    int outcome = sqlite3_column_int(row, base + 12);
    int reason = sqlite3_column_int(row, base + 13);

    if (outcome < 0 || outcome >= OUTCOME_COUNT || reason < 0 || reason >= REASON_COUNT) {
        return false;
    }
    ret->seq = sqlite3_column_int64(row, base);
    ret->outcome = (enum outcome)outcome;
    ret->reason = (enum reason)reason;
    ret->origin.partition = sqlite3_column_int(row, base + 16);
    ret->origin.offset = sqlite3_column_int64(row, base + 17);
    ret->decided_ms = sqlite3_column_int64(row, base + 18);
    return read_command(row, base, &ret->command) && read_digest(row, base + 14, ret->digest) &&
           read_text(row, base + 19, ret->origin.topic, sizeof(ret->origin.topic));
}

static void set_reason(struct outcome_record *record, const char *name)
{
    size_t len = strlen(name);

    payment_copy(record->reason, name, len < OUTCOME_REASON_SIZE ? len : OUTCOME_REASON_SIZE - 1);
}

/* A decision is its own first. */
static bool read_decision(sqlite3_stmt *row, struct outcome_record *record)
{
    struct outcome_first *first = &record->first;

    if (!sqlite_read_first(row, 0, first)) {
        return false;
    }
    memcpy(record->key, first->command.payment.key, sizeof(record->key));
    record->verdict = first->outcome;
    set_reason(record, first->reason == REASON_NONE ? "" : reason_name(first->reason));
    record->fields = 0;
    memcpy(record->digest, first->digest, sizeof(record->digest));
    record->seq = first->seq;
    record->origin = first->origin;
    record->decided_ms = first->decided_ms;
    record->has_first = true;
    record->rules = sqlite3_column_int(row, 20);
    return true;
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

static bool read_repeat(sqlite3_stmt *row, struct outcome_record *record)
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
    return key_form_text(record->key, sqlite3_column_blob(row, 1),
                         (size_t)sqlite3_column_bytes(row, 1)) &&
           read_digest(row, 5, record->digest) &&
           read_text(row, 9, record->origin.topic, sizeof(record->origin.topic)) &&
           (!record->has_first || sqlite_read_first(row, REPEAT_FIRST, &record->first));
}

/* Without a usable key nobody can be answered: the record's key stays "". */
static bool read_quarantined(sqlite3_stmt *row, struct outcome_record *record)
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
    return read_text(row, 2, record->reason, sizeof(record->reason)) &&
           read_digest(row, 3, record->digest) &&
           read_text(row, 7, record->origin.topic, sizeof(record->origin.topic));
}

/* ---- outcomes in the order of seq, merged from their three tables ---- */

struct stream {
    enum statement id;
    bool (*read)(sqlite3_stmt *row, struct outcome_record *record);
    sqlite3_stmt *row; /* NULL = at its end */
};

#define STREAMS 3

static enum store_status open_stream(struct store_sqlite *store, struct stream *stream,
                                     int64_t after_seq, size_t max, struct error *err)
{
    sqlite_bind_int(store, stream->id, 1, after_seq);
    sqlite_bind_int(store, stream->id, 2, (int64_t)max);
    return sqlite_row(store, stream->id, "read outcomes", &stream->row, err);
}

static struct stream *lowest(struct stream *streams)
{
    struct stream *found = NULL;

    for (int i = 0; i < STREAMS; i++) {
        if (streams[i].row && (!found || sqlite3_column_int64(streams[i].row, 0) <
                                             sqlite3_column_int64(found->row, 0))) {
            found = &streams[i];
        }
    }
    return found;
}

static enum store_status take(struct store_sqlite *store, struct stream *stream,
                              struct store_outcome *ret, struct error *err)
{
    ret->traceparent_len = ret->tracestate_len = 0;
    if (!stream->read(stream->row, &ret->record)) {
        return sqlite_damaged(store, "an outcome that cannot be read", err);
    }
    return sqlite_row(store, stream->id, "read outcomes", &stream->row, err);
}

static size_t copy_trace(sqlite3_stmt *row, int column, char *field)
{
    const void *bytes = sqlite3_column_blob(row, column);
    size_t len = (size_t)sqlite3_column_bytes(row, column);

    if (!bytes || len > STORE_TRACE_MAX) {
        return 0;
    }
    memcpy(field, bytes, len);
    return len;
}

/* Few messages have trace headers, so they are looked up apart. */
static enum store_status add_traces(struct store_sqlite *store, struct store_outcome *outcomes,
                                    size_t count, struct error *err)
{
    const enum statement id = STATEMENT_NEXT_TRACES;
    sqlite3_stmt *row;
    size_t at = 0;

    sqlite_bind_int(store, id, 1, outcomes[0].record.seq);
    sqlite_bind_int(store, id, 2, outcomes[count - 1].record.seq);
    enum store_status status = sqlite_row(store, id, "read traces", &row, err);
    while (status == STORE_OK && row) {
        while (at < count && outcomes[at].record.seq < sqlite3_column_int64(row, 0)) {
            at++;
        }
        if (at < count && outcomes[at].record.seq == sqlite3_column_int64(row, 0)) {
            outcomes[at].traceparent_len = copy_trace(row, 1, outcomes[at].traceparent);
            outcomes[at].tracestate_len = copy_trace(row, 2, outcomes[at].tracestate);
        }
        status = sqlite_row(store, id, "read traces", &row, err);
    }
    sqlite_done(store, id);
    return status;
}

static enum store_status merge_streams(struct store_sqlite *store, int64_t after_seq,
                                       struct store_outcome *ret, size_t max, size_t *ret_count,
                                       struct error *err)
{
    struct stream streams[STREAMS] = {{STATEMENT_NEXT_DECISIONS, read_decision, NULL},
                                      {STATEMENT_NEXT_REPEATS, read_repeat, NULL},
                                      {STATEMENT_NEXT_QUARANTINED, read_quarantined, NULL}};
    enum store_status status = STORE_OK;
    struct stream *next = NULL;
    size_t count = 0;

    for (int i = 0; status == STORE_OK && i < STREAMS; i++) {
        status = open_stream(store, &streams[i], after_seq, max, err);
    }
    while (status == STORE_OK && count < max && (next = lowest(streams))) {
        memcpy(ret[count].record.store, store->uuid, sizeof(store->uuid));
        status = take(store, next, &ret[count++], err);
    }
    for (int i = 0; i < STREAMS; i++) {
        sqlite_done(store, streams[i].id);
    }
    *ret_count = count;
    return status;
}

/*
 * One read transaction: of a chunk that another connection commits meanwhile there is all or
 * nothing. Else its repeats could be seen and its decisions passed over.
 */
enum store_status sqlite_outcomes(struct store *base, int64_t after_seq, struct store_outcome *ret,
                                  size_t max, size_t *ret_count, struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    enum store_status status = sqlite_run(store, STATEMENT_BEGIN_READING, "read outcomes", err);

    *ret_count = 0;
    if (status != STORE_OK) {
        return status;
    }
    status = merge_streams(store, after_seq, ret, max, ret_count, err);
    if (status == STORE_OK && *ret_count > 0) {
        status = add_traces(store, ret, *ret_count, err);
    }
    /* Some failures have ended it already. */
    if (!sqlite3_get_autocommit(store->db)) {
        struct error ignored;
        enum store_status ended = sqlite_run(store, STATEMENT_END_READING, "read outcomes",
                                             status == STORE_OK ? err : &ignored);
        status = status == STORE_OK ? ended : status;
    }
    return status;
}

/* ---- what is published ---- */

enum store_status sqlite_outbox(struct store *base, int64_t *ret_published, int64_t *ret_last,
                                struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    enum store_status status = STORE_OK;

    *ret_last = store->committed_seq;
    if (store->lock_fd < 0) { /* another one writes */
        status = sqlite_ask_int(store, "SELECT" LAST_SEQ_SQL "FROM store", ret_last, err);
    }
    return status == STORE_OK && ret_published
               ? sqlite_ask_int(store, "SELECT published_seq FROM store", ret_published, err)
               : status;
}

enum store_status sqlite_set_published(struct store_sqlite *store, int64_t seq, struct error *err)
{
    static const enum statement steps[] = {STATEMENT_SET_PUBLISHED, STATEMENT_TRIM_REPEATS,
                                           STATEMENT_TRIM_TRACES};
    enum store_status status = STORE_OK;

    for (size_t i = 0; status == STORE_OK && i < sizeof(steps) / sizeof(steps[0]); i++) {
        sqlite_bind_int(store, steps[i], 1, seq);
        status = sqlite_run(store, steps[i], "note what is published", err);
    }
    return status;
}

enum store_status sqlite_published(struct store *base, int64_t seq, struct error *err)
{
    enum store_status status = base->ops->begin(base, err);

    if (status == STORE_OK) {
        status = sqlite_set_published(sqlite_of(base), seq, err);
    }
    return sqlite_end(base, status, err);
}

enum store_status sqlite_skip(struct store *base, int64_t seq, const char *why, int64_t now_ms,
                              struct error *err)
{
    struct store_sqlite *store = sqlite_of(base);
    sqlite3_stmt *insert = NULL;
    enum store_status status = STORE_OK;

    if (sqlite3_prepare_v2(store->db, "INSERT OR REPLACE INTO outcomes_skipped VALUES (?, ?, ?)",
                           -1, &insert, NULL) != SQLITE_OK ||
        sqlite3_bind_int64(insert, 1, seq) != SQLITE_OK ||
        sqlite3_bind_text(insert, 2, why, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_bind_int64(insert, 3, now_ms) != SQLITE_OK || sqlite3_step(insert) != SQLITE_DONE) {
        status = sqlite_failed(store, "skip an outcome", err);
    }
    sqlite3_finalize(insert);
    return status;
}

/* ---- show ---- */

/* Visits each row of a query about one key's stored form. */
static enum store_status visit_rows(struct store_sqlite *store, const char *sql,
                                    const unsigned char *form, size_t len,
                                    bool (*read)(sqlite3_stmt *, struct outcome_record *),
                                    store_visit *visit, void *user, struct error *err)
{
    struct outcome_record record = {.rules = OUTCOME_RULES};
    sqlite3_stmt *rows = NULL;
    enum store_status status = STORE_OK;
    int code = sqlite3_prepare_v2(store->db, sql, -1, &rows, NULL);

    if (code == SQLITE_OK) {
        code = sqlite3_bind_blob64(rows, 1, form, len, SQLITE_STATIC);
    }
    while (status == STORE_OK && code == SQLITE_OK && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        if (read(rows, &record)) {
            memcpy(record.store, store->uuid, sizeof(store->uuid));
            visit(user, &record);
        } else {
            status = sqlite_damaged(store, "a record that cannot be read", err);
        }
        code = SQLITE_OK;
    }
    if (status == STORE_OK && code != SQLITE_DONE) {
        status = sqlite_failed(store, "show", err);
    }
    sqlite3_finalize(rows);
    return status;
}

static enum store_status count_repeats(struct store_sqlite *store, const unsigned char *form,
                                       size_t len, int64_t *ret, struct error *err)
{
    sqlite3_stmt *row = NULL;
    enum store_status status = STORE_OK;
    int code = sqlite3_prepare_v2(store->db, "SELECT count FROM repeat_counts WHERE key = ?", -1,
                                  &row, NULL);

    if (code == SQLITE_OK) {
        sqlite3_bind_blob64(row, 1, form, len, SQLITE_STATIC);
        code = sqlite3_step(row);
    }
    *ret = code == SQLITE_ROW ? sqlite3_column_int64(row, 0) : 0;
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        status = sqlite_failed(store, "show", err);
    }
    sqlite3_finalize(row);
    return status;
}

enum store_status sqlite_show(struct store *base, const char *key, store_visit *visit, void *user,
                              int64_t *ret_repeats, struct error *err)
{
    static const char repeats[] =
        "SELECT" REPEAT_COLUMNS "WHERE r.key = ? AND r.kept = 1 ORDER BY r.seq";
    struct store_sqlite *store = sqlite_of(base);
    unsigned char form[KEY_FORM_SIZE];
    size_t len = key_form(form, key);
    enum store_status status =
        visit_rows(store, FIND_KEY_SQL, form, len, read_decision, visit, user, err);

    if (status == STORE_OK) {
        status = count_repeats(store, form, len, ret_repeats, err);
    }
    /* The table is searched from its beginning, so only for a key that has some. */
    return status == STORE_OK && *ret_repeats > 0
               ? visit_rows(store, repeats, form, len, read_repeat, visit, user, err)
               : status;
}
