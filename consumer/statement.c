#include "consumer/statement.h"

#include "common/clock.h"
#include "common/text.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

/* What is left of 80 columns for names; --json has them whole. */
#define NAME_COLUMNS 17

/* Of a time: to the second. */
#define TIME_COLUMNS 19

struct printing {
    FILE *out;
    const char *account;
    const struct store_statement *statement;
    bool json;
    bool has_head;
    bool failed; /* a line could not be made */
};

/* Fits a name into its columns. */
static const char *cut(char buf[NAME_COLUMNS + 1], const char *name)
{
    char escaped[TEXT_ESCAPED_SIZE];

    text_escape(escaped, sizeof(escaped), name, strlen(name));
    snprintf(buf, NAME_COLUMNS + 1, "%.*s", NAME_COLUMNS, escaped);
    if (strlen(escaped) > NAME_COLUMNS) {
        memset(buf + NAME_COLUMNS - 2, '.', 2);
    }
    return buf;
}

void statement_print_head(FILE *out, const char *account)
{
    char escaped[TEXT_ESCAPED_SIZE];

    fprintf(out, "account %s\n\n", text_escape(escaped, sizeof(escaped), account, strlen(account)));
    fprintf(out, "%-*s  %-*s  %18s %20s\n", TIME_COLUMNS, "time (UTC)", NAME_COLUMNS,
            "other account", "amount", "balance");
}

void statement_print_posting(FILE *out, const struct store_posting *posting, const char *currency)
{
    char time[CLOCK_TEXT_SIZE];
    char name[NAME_COLUMNS + 1];
    char amount[MONEY_TEXT_SIZE];
    char balance[MONEY_TEXT_SIZE];

    clock_text(time, posting->decided_ms);
    time[10] = ' '; /* in place of the T */
    fprintf(out, "%.*s  %-*s  %18s %20s\n", TIME_COLUMNS, time, NAME_COLUMNS,
            cut(name, posting->other), money_format(amount, posting->amount_minor, currency),
            money_format(balance, posting->balance_minor, currency));
}

void statement_print_foot(FILE *out, const struct store_statement *statement)
{
    char opening[MONEY_TEXT_SIZE];
    char closing[MONEY_TEXT_SIZE];

    fprintf(out, "\n%" PRId64 " postings, from %s to %s %s\n", statement->postings,
            money_format(opening, statement->opening_minor, statement->currency),
            money_format(closing, statement->closing_minor, statement->currency),
            statement->currency);
}

/* Once, when it is known that the account is there. */
static void print_head(struct printing *printing)
{
    if (!printing->has_head) {
        statement_print_head(printing->out, printing->account);
        printing->has_head = true;
    }
}

static void on_posting(void *user, const struct store_posting *posting)
{
    struct printing *printing = user;
    const char *currency = printing->statement->currency;

    if (!printing->json) {
        print_head(printing);
        statement_print_posting(printing->out, posting, currency);
    } else if (statement_print_json(printing->out, printing->account, posting, currency) != 0) {
        printing->failed = true;
    }
}

static int print(struct store *store, const struct options *options, struct error *err)
{
    struct store_statement found = {.postings = 0};
    struct printing printing = {
        .out = stdout, .account = options->operands[0], .statement = &found, .json = options->json};
    int64_t since_ms = options->since.kind == SPAN_TIME ? options->since.value : 0;

    if (store_sqlite_statement(store, printing.account, since_ms, on_posting, &printing, &found,
                               err) != STORE_OK) {
        return err->code;
    }
    if (printing.failed) {
        error_set(err, EX_OSERR, "out of memory");
        return EX_OSERR;
    }
    if (!options->json) {
        print_head(&printing);
        statement_print_foot(stdout, &found);
    }
    return EX_OK;
}

int statement(const struct options *options, struct error *err)
{
    struct store *store = NULL;

    if (store_sqlite_open_moment(&store, options->db, err) != 0) {
        return err->code;
    }
    int code = print(store, options, err);
    store_close(store);
    return code;
}
