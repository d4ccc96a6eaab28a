/*
 * bench-limit: how fast can SQLite write a load at all? The rows that payd writes, into the tables
 * of payd, from memory: no Kafka, no JSON, no digests, no ledger's rules. WAL and
 * synchronous=FULL, one transaction a chunk, statements prepared once, the keys of a chunk sorted,
 * a balance written once a chunk and account. Which key segment has a key it knows from the load.
 *
 * All rows are made before the clock runs; at the end the result is checked.
 */
#include "common/clock.h"
#include "common/command_digest.h"
#include "consumer/chunk.h"
#include "consumer/key_filter.h"
#include "consumer/key_form.h"
#include "consumer/store.h"
#include "tests/bench/limit_sql.h"
#include "tests/bench/load.h"
#include "tests/bench/timer.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define FORM_MAX   24 /* bytes of a key's stored form: the load has no longer ones */
#define PARTITIONS 4

static const char usage[] = "Usage: bench-limit --db FILE [--chunk N] [LOAD]\n"
                            "\n"
                            "Writes a load into a new ledger as fast as SQLite can, and prints how "
                            "fast that was.\n"
                            "\n"
                            "  --db FILE      made anew\n"
                            "  --chunk N      rows in a transaction (default: payd's)\n" LOAD_USAGE;

struct row {
    unsigned char form[FORM_MAX];
    uint64_t prefix; /* the first bytes of form as a number, to compare quickly */
    unsigned char digest[DIGEST_SHORT_SIZE];
    int64_t amount_minor;
    int64_t offset;
    int64_t payment; /* its number in the load; a repeat has that of the first */
    int32_t src;     /* accounts, from 1 on */
    int32_t dest;
    int32_t form_len;
    int32_t partition;
};

struct account {
    char name[PAYMENT_ACCOUNT_MAX + 1]; /* "" = no row has it */
    int64_t balance_minor;
    bool stored;
    bool changed;
};

/* What became of a row of the current chunk. */
struct answer {
    int64_t first_seq; /* of its key's decision */
    bool repeats;
};

struct limit {
    struct load load;
    const char *path;
    int64_t chunk_rows;
    sqlite3 *db;
    sqlite3_stmt *statements[LIMIT_STATEMENTS];
    struct row *rows;
    int64_t row_count;
    struct account *accounts; /* indexed by number */
    const struct row **order; /* the current chunk by key */
    struct answer *answers;
    int64_t next_offsets[PARTITIONS]; /* of what is written */
    int32_t *segments;                /* that have the keys, by payment; 0 = none yet */
    int32_t segment;                  /* the current one */
    int64_t segment_keys;             /* that it has */
    int64_t seq;
    int64_t applied;
    int64_t repeats;
    struct money_sum total;
    int64_t now_ms;
};

/* ---- the rows, before the clock runs ---- */

static uint64_t prefix_of(const unsigned char *form)
{
    uint64_t prefix = 0;

    for (int i = 0; i < 8; i++) {
        prefix = prefix << 8 | form[i];
    }
    return prefix;
}

static int32_t account_number(struct limit *limit, const char *name)
{
    int32_t number = 1 + (int32_t)strtol(strrchr(name, '-') + 1, NULL, 10);

    strcpy(limit->accounts[number].name, name);
    return number;
}

static int make_row(struct limit *limit, struct digest *digest, int64_t payment,
                    int64_t offsets[PARTITIONS], struct row *row, struct error *err)
{
    struct command command;
    unsigned char form[KEY_FORM_SIZE];

    command_init(&command, COMMAND_PAYMENT);
    load_payment(&limit->load, payment, &command.payment);
    size_t len = key_form(form, command.payment.key);
    if (len > FORM_MAX) {
        return error_set(err, EX_SOFTWARE, "a key is too long");
    }
    memcpy(row->form, form, len);
    row->form_len = (int32_t)len;
    row->prefix = prefix_of(row->form);
    row->src = account_number(limit, command.payment.src);
    row->dest = account_number(limit, command.payment.dest);
    row->amount_minor = command.payment.amount_minor;
    row->payment = payment;
    row->partition = (int32_t)(load_random(0, (uint64_t)payment) % PARTITIONS);
    row->offset = offsets[row->partition]++;
    return command_digest(digest, &command, row->digest, err);
}

static int make_rows(struct limit *limit, struct error *err)
{
    struct load_cursor cursor = {&limit->load, 0, 0};
    int64_t offsets[PARTITIONS] = {0};
    struct digest *digest = NULL;
    int64_t payment;

    limit->row_count = load_records(&limit->load);
    limit->rows = calloc((size_t)limit->row_count, sizeof(*limit->rows));
    limit->accounts = calloc((size_t)limit->load.accounts + 1, sizeof(*limit->accounts));
    limit->order = calloc((size_t)limit->chunk_rows, sizeof(const struct row *));
    limit->answers = calloc((size_t)limit->chunk_rows, sizeof(*limit->answers));
    limit->segments = calloc((size_t)limit->load.payments, sizeof(*limit->segments));
    if (!limit->rows || !limit->accounts || !limit->order || !limit->answers || !limit->segments) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    if (limit->load.keys == KEYS_BATCH && load_bind_batch(&limit->load, err) != 0) {
        return -1;
    }
    int result = digest_open(&digest, err);
    for (int64_t i = 0; result == 0 && (payment = load_next(&cursor)) >= 0; i++) {
        result = make_row(limit, digest, payment, offsets, &limit->rows[i], err);
    }
    digest_close(digest);
    return result;
}

/* ---- the ledger ---- */

static int failed(const struct limit *limit, const char *what, struct error *err)
{
    return error_set(err, EX_IOERR, "%s: %s: %s", limit->path, what, sqlite3_errmsg(limit->db));
}

/* The store itself makes its tables, binds them to a topic and gives each partition its position.
 */
static int make_ledger(const struct limit *limit, struct error *err)
{
    struct store *store = NULL;
    enum store_status status;

    remove(limit->path);
    if (store_sqlite_open(&store, limit->path, NULL, err) != 0) {
        return -1;
    }
    status = store->ops->bind(store, "bench", "bench", err);
    for (int32_t i = 0; status == STORE_OK && i < PARTITIONS; i++) {
        status = store->ops->adopt(store, i, 0, err);
    }
    store_close(store);
    return status == STORE_OK ? 0 : -1;
}

static int open_ledger(struct limit *limit, struct error *err)
{
    if (make_ledger(limit, err) != 0) {
        return -1;
    }
    if (sqlite3_open_v2(limit->path, &limit->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK ||
        sqlite3_exec(limit->db, limit_pragmas, NULL, NULL, NULL) != SQLITE_OK) {
        return failed(limit, "open", err);
    }
    for (int i = 0; i < LIMIT_STATEMENTS; i++) {
        if (sqlite3_prepare_v3(limit->db, limit_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &limit->statements[i], NULL) != SQLITE_OK) {
            return failed(limit, limit_sql[i], err);
        }
    }
    return 0;
}

static void bind_int(struct limit *limit, enum limit_statement id, int place, int64_t value)
{
    sqlite3_bind_int64(limit->statements[id], place, value);
}

static void bind_form(struct limit *limit, enum limit_statement id, int place,
                      const struct row *row)
{
    sqlite3_bind_blob(limit->statements[id], place, row->form, row->form_len, SQLITE_STATIC);
}

static void bind_digest(struct limit *limit, enum limit_statement id, int place,
                        const struct row *row)
{
    sqlite3_bind_blob(limit->statements[id], place, row->digest, sizeof(row->digest),
                      SQLITE_STATIC);
}

static int run(struct limit *limit, enum limit_statement id, struct error *err)
{
    int code = sqlite3_step(limit->statements[id]);

    sqlite3_reset(limit->statements[id]);
    return code == SQLITE_DONE ? 0 : failed(limit, limit_sql[id], err);
}

/* ---- one chunk ---- */

static int compare_forms(const struct row *a, const struct row *b)
{
    if (a->prefix != b->prefix) {
        return a->prefix < b->prefix ? -1 : 1;
    }
    int32_t shorter = a->form_len < b->form_len ? a->form_len : b->form_len;
    int order = memcmp(a->form, b->form, (size_t)shorter);
    return order != 0 ? order : a->form_len - b->form_len;
}

/* By key, and equal keys in the order of arrival. */
static int compare_rows(const void *a, const void *b)
{
    const struct row *const *first = a;
    const struct row *const *second = b;
    int order = compare_forms(*first, *second);

    return order != 0 ? order : (*first < *second ? -1 : 1);
}

/* The key was decided in an earlier chunk; the payload must be the same. */
static int find_first(struct limit *limit, const struct row *row, struct answer *answer,
                      struct error *err)
{
    sqlite3_stmt *statement = limit->statements[LIMIT_FIND_KEY];
    int result = 0;

    bind_int(limit, LIMIT_FIND_KEY, 1, limit->segments[row->payment]);
    bind_form(limit, LIMIT_FIND_KEY, 2, row);
    if (sqlite3_step(statement) != SQLITE_ROW || sqlite3_column_bytes(statement, 1) == 0 ||
        memcmp(sqlite3_column_blob(statement, 1), row->digest, sizeof(row->digest)) != 0) {
        result = failed(limit, "a key without its decision", err);
    }
    answer->first_seq = sqlite3_column_int64(statement, 0);
    answer->repeats = true;
    sqlite3_reset(statement);
    return result;
}

/* A key that no earlier segment has; the current one decides. */
static int write_key(struct limit *limit, const struct row *row, struct answer *answer,
                     struct error *err)
{
    bind_int(limit, LIMIT_ADD_KEY, 1, limit->segment);
    bind_form(limit, LIMIT_ADD_KEY, 2, row);
    bind_int(limit, LIMIT_ADD_KEY, 3, answer->first_seq);
    if (run(limit, LIMIT_ADD_KEY, err) != 0) {
        return -1;
    }
    if (sqlite3_changes(limit->db) == 0) {
        return find_first(limit, row, answer, err);
    }
    limit->segments[row->payment] = limit->segment;
    limit->segment_keys++;
    return 0;
}

static int seal(struct limit *limit, struct error *err)
{
    bind_int(limit, LIMIT_SEAL, 1, limit->segment);
    bind_int(limit, LIMIT_SEAL, 2, limit->segment_keys);
    bind_int(limit, LIMIT_SEAL, 3, (int64_t)key_filter_bytes(STORE_SEGMENT_KEYS));
    limit->segment++;
    limit->segment_keys = 0;
    return run(limit, LIMIT_SEAL, err);
}

/* Gives each row of the chunk its answer, and new keys their rows, in the order of the keys. */
static int write_keys(struct limit *limit, const struct row *rows, int64_t count, struct error *err)
{
    const struct row *before = NULL;
    int result = 0;

    for (int64_t i = 0; i < count; i++) {
        limit->order[i] = &rows[i];
    }
    qsort(limit->order, (size_t)count, sizeof(const struct row *), compare_rows);
    for (int64_t i = 0; result == 0 && i < count; i++) {
        const struct row *row = limit->order[i];
        struct answer *answer = &limit->answers[row - rows];
        if (before && compare_forms(before, row) == 0) {
            *answer = (struct answer){limit->answers[before - rows].first_seq, true};
            continue;
        }
        before = row;
        *answer = (struct answer){limit->seq + 1 + (row - rows), false};
        int32_t segment = limit->segments[row->payment];
        result = segment > 0 && segment < limit->segment ? find_first(limit, row, answer, err)
                                                         : write_key(limit, row, answer, err);
    }
    return result == 0 && limit->segment_keys >= STORE_SEGMENT_KEYS ? seal(limit, err) : result;
}

static int use_account(struct limit *limit, int32_t number, int64_t amount_minor, struct error *err)
{
    struct account *account = &limit->accounts[number];
    int result = 0;

    if (!account->stored) {
        bind_int(limit, LIMIT_ADD_ACCOUNT, 1, number);
        sqlite3_bind_text(limit->statements[LIMIT_ADD_ACCOUNT], 2, account->name, -1,
                          SQLITE_STATIC);
        result = run(limit, LIMIT_ADD_ACCOUNT, err);
        account->stored = true;
    }
    account->balance_minor += amount_minor;
    account->changed = true;
    return result;
}

static int write_decision(struct limit *limit, const struct row *row, int64_t seq,
                          struct error *err)
{
    const enum limit_statement id = LIMIT_ADD_DECISION;

    if (use_account(limit, row->src, -row->amount_minor, err) != 0 ||
        use_account(limit, row->dest, row->amount_minor, err) != 0) {
        return -1;
    }
    money_sum_add(&limit->total, row->amount_minor);
    limit->applied++;
    bind_int(limit, id, 1, seq);
    bind_form(limit, id, 2, row);
    bind_int(limit, id, 3, row->src);
    bind_int(limit, id, 4, row->dest);
    bind_int(limit, id, 5, row->amount_minor);
    if (limit->load.keys == KEYS_BATCH) {
        bind_int(limit, id, 6, 1);
    }
    bind_digest(limit, id, 7, row);
    bind_int(limit, id, 8, row->partition);
    bind_int(limit, id, 9, row->offset);
    bind_int(limit, id, 10, limit->now_ms);
    return run(limit, id, err);
}

static int write_repeat(struct limit *limit, const struct row *row, int64_t seq, int64_t first_seq,
                        struct error *err)
{
    const enum limit_statement id = LIMIT_ADD_REPEAT;

    limit->repeats++;
    bind_form(limit, LIMIT_COUNT_REPEAT, 1, row);
    if (run(limit, LIMIT_COUNT_REPEAT, err) != 0) {
        return -1;
    }
    bind_int(limit, id, 1, seq);
    bind_form(limit, id, 2, row);
    bind_int(limit, id, 3, first_seq);
    bind_digest(limit, id, 4, row);
    bind_int(limit, id, 5, row->partition);
    bind_int(limit, id, 6, row->offset);
    bind_int(limit, id, 7, limit->now_ms);
    return run(limit, id, err);
}

static int write_records(struct limit *limit, const struct row *rows, int64_t count,
                         struct error *err)
{
    int result = 0;

    for (int64_t i = 0; result == 0 && i < count; i++) {
        const struct answer *answer = &limit->answers[i];
        limit->seq++;
        limit->next_offsets[rows[i].partition] = rows[i].offset + 1;
        result = answer->repeats ? write_repeat(limit, &rows[i], limit->seq, answer->first_seq, err)
                                 : write_decision(limit, &rows[i], limit->seq, err);
    }
    return result;
}

static int write_sums(struct limit *limit, int64_t applied, int64_t repeats, struct error *err)
{
    int result = 0;

    for (int64_t i = 1; result == 0 && i <= limit->load.accounts; i++) {
        if (limit->accounts[i].changed) {
            limit->accounts[i].changed = false;
            bind_int(limit, LIMIT_UPDATE_ACCOUNT, 1, i);
            bind_int(limit, LIMIT_UPDATE_ACCOUNT, 2, limit->accounts[i].balance_minor);
            result = run(limit, LIMIT_UPDATE_ACCOUNT, err);
        }
    }
    for (int32_t i = 0; result == 0 && i < PARTITIONS; i++) {
        bind_int(limit, LIMIT_MOVE_POSITION, 1, i);
        bind_int(limit, LIMIT_MOVE_POSITION, 2, limit->next_offsets[i]);
        result = run(limit, LIMIT_MOVE_POSITION, err);
    }
    const int64_t counts[][2] = {{OUTCOME_APPLIED, applied}, {OUTCOME_DUPLICATE, repeats}};
    for (int i = 0; result == 0 && i < 2; i++) {
        bind_int(limit, LIMIT_COUNT_OUTCOME, 1, counts[i][0]);
        bind_int(limit, LIMIT_COUNT_OUTCOME, 2, counts[i][1]);
        result = run(limit, LIMIT_COUNT_OUTCOME, err);
    }
    if (result != 0) {
        return result;
    }
    bind_int(limit, LIMIT_SET_TOTAL, 1, limit->applied);
    bind_int(limit, LIMIT_SET_TOTAL, 2, limit->total.high);
    bind_int(limit, LIMIT_SET_TOTAL, 3, limit->total.low);
    result = run(limit, LIMIT_SET_TOTAL, err);
    return result == 0 ? run(limit, LIMIT_COUNT_CHUNK, err) : result;
}

static int add_batch(struct limit *limit, struct error *err)
{
    sqlite3_stmt *statement = limit->statements[LIMIT_ADD_BATCH];

    sqlite3_bind_text(statement, 1, limit->load.batch.id, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, limit->load.batch.rows);
    sqlite3_bind_text(statement, 3, limit->load.batch.digest, -1, SQLITE_STATIC);
    return run(limit, LIMIT_ADD_BATCH, err);
}

static int write_chunk(struct limit *limit, const struct row *rows, int64_t count,
                       struct error *err)
{
    int64_t applied = limit->applied;
    int64_t repeats = limit->repeats;

    limit->now_ms = clock_unix_ms();
    if (run(limit, LIMIT_BEGIN, err) != 0 ||
        (limit->seq == 0 && limit->load.keys == KEYS_BATCH && add_batch(limit, err) != 0) ||
        write_keys(limit, rows, count, err) != 0 || write_records(limit, rows, count, err) != 0) {
        return -1;
    }
    int result = write_sums(limit, limit->applied - applied, limit->repeats - repeats, err);
    return result == 0 ? run(limit, LIMIT_COMMIT, err) : result;
}

/* ---- the result ---- */

static int check_sql(const struct limit *limit, const char *sql, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    int result = -1;

    if (sqlite3_prepare_v2(limit->db, sql, -1, &statement, NULL) == SQLITE_OK) {
        /* A name that is not in the query has place 0, where nothing can be bound. */
        sqlite3_bind_int64(statement, sqlite3_bind_parameter_index(statement, ":payments"),
                           limit->load.payments);
        sqlite3_bind_int64(statement, sqlite3_bind_parameter_index(statement, ":repeats"),
                           limit->row_count - limit->load.payments);
        if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_int64(statement, 0) == 0) {
            result = 0;
        }
    }
    sqlite3_finalize(statement);
    return result == 0 ? 0 : error_set(err, EX_DATAERR, "%s: wrong result: %s", limit->path, sql);
}

/* What payd's own store says of it. */
static int check_stats(const struct limit *limit, struct error *err)
{
    struct store *store = NULL;
    struct store_stats stats;
    bool right = false;

    if (store_sqlite_open_readonly(&store, limit->path, err) != 0) {
        return -1;
    }
    if (store->ops->stats(store, &stats, err) == STORE_OK) {
        right = stats.counts[OUTCOME_APPLIED] == limit->load.payments &&
                stats.counts[OUTCOME_DUPLICATE] == limit->row_count - limit->load.payments &&
                stats.currency_count == 1 && stats.currencies[0].applied == limit->load.payments &&
                stats.currencies[0].balances.high == 0 && stats.currencies[0].balances.low == 0 &&
                stats.last_seq == limit->row_count;
        store_stats_release(&stats);
    }
    store_close(store);
    return right ? 0 : error_set(err, EX_DATAERR, "%s: wrong result: stats", limit->path);
}

static int check(const struct limit *limit, struct error *err)
{
    for (size_t i = 0; i < sizeof(limit_checks) / sizeof(limit_checks[0]); i++) {
        if (check_sql(limit, limit_checks[i], err) != 0) {
            return -1;
        }
    }
    return check_stats(limit, err);
}

/* ---- all of it ---- */

static void close_ledger(struct limit *limit)
{
    for (int i = 0; i < LIMIT_STATEMENTS; i++) {
        sqlite3_finalize(limit->statements[i]);
    }
    sqlite3_close(limit->db);
    free(limit->rows);
    free(limit->accounts);
    free(limit->order);
    free(limit->answers);
    free(limit->segments);
}

static int write_all(struct limit *limit, struct error *err)
{
    int64_t chunks = 0;
    int64_t started_ns = timer_now_ns();

    for (int64_t at = 0; at < limit->row_count; at += limit->chunk_rows, chunks++) {
        int64_t left = limit->row_count - at;
        if (write_chunk(limit, &limit->rows[at],
                        left < limit->chunk_rows ? left : limit->chunk_rows, err) != 0) {
            return -1;
        }
    }
    double seconds = timer_seconds(timer_now_ns() - started_ns);
    if (check(limit, err) != 0) {
        return -1;
    }
    printf("{\"records\": %" PRId64 ", \"applied\": %" PRId64 ", \"repeats\": %" PRId64
           ", \"transactions\": %" PRId64 ", \"seconds\": %.4f, \"rate\": %.0f}\n",
           limit->row_count, limit->applied, limit->repeats, chunks, seconds,
           (double)limit->row_count / seconds);
    return 0;
}

static int parse(int argc, char **argv, struct limit *ret, struct error *err)
{
    enum { OPTION_DB = 256, OPTION_CHUNK };
    static const struct option table[] = {{"db", required_argument, NULL, OPTION_DB},
                                          {"chunk", required_argument, NULL, OPTION_CHUNK},
                                          LOAD_OPTIONS,
                                          {0}};
    int option;
    int result = 0;

    while (result == 0 && (option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (option == OPTION_DB) {
            ret->path = optarg;
        } else if (option == OPTION_CHUNK) {
            result = load_take_number("--chunk", optarg, 1, 10000000, &ret->chunk_rows, err);
        } else {
            result = load_take_option(&ret->load, option, optarg, err);
        }
    }
    if (result == 0 && (optind < argc || !ret->path)) {
        result = error_set(err, EX_USAGE, "wrong usage: see --help");
    }
    return result;
}

int main(int argc, char **argv)
{
    struct limit limit = {.load = load_default(), .chunk_rows = CHUNK_MESSAGES_MAX, .segment = 1};
    struct error err = {.code = EX_SOFTWARE, .text = ""};

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    int result = parse(argc, argv, &limit, &err);
    if (result == 0) {
        result = make_rows(&limit, &err);
    }
    if (result == 0) {
        result = open_ledger(&limit, &err);
    }
    if (result == 0) {
        result = write_all(&limit, &err);
    }
    close_ledger(&limit);
    if (result != 0) {
        fprintf(stderr, "bench-limit: %s\n", err.text);
        return err.code;
    }
    return 0;
}
