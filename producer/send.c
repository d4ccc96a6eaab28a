#include "producer/send.h"

#include "common/uuid7.h"
#include "producer/deliver.h"
#include "producer/source.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static struct source_text text_of(const char *argument)
{
    return (struct source_text){argument, argument ? strlen(argument) : 0};
}

static int make_payment(const struct options *options, struct payment *ret, struct error *err)
{
    char problem[SOURCE_PROBLEM_SIZE];
    struct source_text fields[SOURCE_COLUMNS] = {
        [SOURCE_SRC] = text_of(options->src),           [SOURCE_DEST] = text_of(options->dest),
        [SOURCE_CURRENCY] = text_of(options->currency), [SOURCE_AMOUNT] = text_of(options->amount),
        [SOURCE_KEY] = text_of(options->key),
    };

    if (!source_payment(fields, ret, problem)) {
        return error_set(err, EX_DATAERR, "%s", problem);
    }
    return options->new_key ? uuid7_new(ret->key, err) : 0;
}

int send_run(const struct options *options)
{
    struct command command;
    struct error err;

    command_init(&command, COMMAND_PAYMENT);
    if (make_payment(options, &command.payment, &err) != 0) {
        fprintf(stderr, "pay: %s\n", err.text);
        return err.code;
    }
    return deliver_run(options, &command, options->new_key);
}

int send_print_key(void)
{
    char key[UUID7_TEXT_SIZE];
    struct error err;

    if (uuid7_new(key, &err) != 0) {
        fprintf(stderr, "pay: %s\n", err.text);
        return err.code;
    }
    puts(key);
    return EX_OK;
}
