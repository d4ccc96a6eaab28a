#include "consumer/diff.h"

#include "common/command_text.h"
#include "common/text.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

struct diffing {
    FILE *out;
    struct diff_view view;
    int64_t count;
    bool failed; /* a line could not be made */
};

const char *diff_state_name(enum account_state state)
{
    switch (state) {
    case ACCOUNT_USED:
        return "used";
    case ACCOUNT_OPEN:
        return "open";
    case ACCOUNT_CLOSED:
        return "closed";
    case ACCOUNT_UNOPENED:
    default:
        return "unopened";
    }
}

static void print_decision(FILE *out, const struct outcome_record *record)
{
    char command[COMMAND_TEXT_SIZE];

    if (!record) {
        fputs("not decided", out);
        return;
    }
    fprintf(out, "%s%s%s (%s)", outcome_name(record->verdict), record->reason[0] ? " " : "",
            record->reason, command_text(command, &record->first.command));
}

static void on_key(void *user, const struct store_key_difference *difference)
{
    struct diffing *diffing = user;
    char key[TEXT_ESCAPED_SIZE];

    if (diffing->view.is_told && !difference->a) {
        return;
    }
    diffing->count++;
    if (diffing->view.json) {
        diffing->failed = diff_print_key_json(diffing->out, difference) != 0 || diffing->failed;
        return;
    }
    fprintf(diffing->out, "key %s: A ",
            text_escape(key, sizeof(key), difference->key, strlen(difference->key)));
    print_decision(diffing->out, difference->a);
    fputs(", B ", diffing->out);
    print_decision(diffing->out, difference->b);
    putc('\n', diffing->out);
}

static void print_account(FILE *out, const struct store_account *account)
{
    char balance[MONEY_TEXT_SIZE];

    if (!account) {
        fputs("not there", out);
        return;
    }
    fprintf(out, "%s %s %s", diff_state_name(account->state),
            money_format(balance, account->balance_minor, account->currency), account->currency);
    if (account->has_min) {
        fprintf(out, " (at least %s)",
                money_format(balance, account->min_minor, account->currency));
    }
}

static void on_account(void *user, const struct store_account_difference *difference)
{
    struct diffing *diffing = user;
    const char *name = difference->a ? difference->a->name : difference->b->name;
    char escaped[TEXT_ESCAPED_SIZE];

    if (diffing->view.is_told) {
        return;
    }
    diffing->count++;
    if (diffing->view.json) {
        diffing->failed = diff_print_account_json(diffing->out, difference) != 0 || diffing->failed;
        return;
    }
    fprintf(diffing->out, "account %s: A ",
            text_escape(escaped, sizeof(escaped), name, strlen(name)));
    print_account(diffing->out, difference->a);
    fputs(", B ", diffing->out);
    print_account(diffing->out, difference->b);
    putc('\n', diffing->out);
}

static void print_summary(FILE *out, const struct store_diff *found)
{
    bool differs = found->keys_differ > 0 || found->accounts_differ > 0;

    fprintf(out, "%s           A               B          differ\n", differs ? "\n" : "");
    fprintf(out, "keys     %15" PRId64 " %15" PRId64 " %15" PRId64 "\n", found->keys[0],
            found->keys[1], found->keys_differ);
    fprintf(out, "accounts %15" PRId64 " %15" PRId64 " %15" PRId64 "\n", found->accounts[0],
            found->accounts[1], found->accounts_differ);
}

static int print_all(struct diffing *diffing, struct store *a, struct store *b,
                     struct store_diff *ret, struct error *err)
{
    const struct store_diff_visitor visitor = {diffing, on_key, on_account};

    if (store_sqlite_diff(a, b, &visitor, ret, err) != STORE_OK) {
        return -1;
    }
    return diffing->failed ? error_set(err, EX_OSERR, "out of memory") : 0;
}

int diff_print(struct store *a, struct store *b, const struct diff_view *view, int64_t *ret_count,
               struct error *err)
{
    struct diffing diffing = {.out = stdout, .view = *view};
    struct store_diff found;
    int result = print_all(&diffing, a, b, &found, err);

    *ret_count = diffing.count;
    return result;
}

static int compare(struct store *a, struct store *b, bool json, struct error *err)
{
    struct diffing diffing = {.out = stdout, .view = {.json = json}};
    struct store_diff found;

    if (print_all(&diffing, a, b, &found, err) != 0) {
        return err->code;
    }
    if (!json) {
        print_summary(stdout, &found);
    }
    return diffing.count > 0 ? DIFF_DIFFERS : EX_OK;
}

int diff(const struct options *options, struct error *err)
{
    struct store *a = NULL;
    struct store *b = NULL;
    int code = EX_IOERR;

    if (store_sqlite_open_moment(&a, options->operands[0], err) == 0 &&
        store_sqlite_open_moment(&b, options->operands[1], err) == 0) {
        code = compare(a, b, options->json, err);
    } else {
        code = err->code;
    }
    store_close(a);
    store_close(b);
    return code;
}
