#include "tests/fuzz/words.h"

#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

/* Takes the word over when it is a variable, the last one of a name counts. */
static bool take_variable(struct words *words, char *word)
{
    const struct {
        const char *name;
        char **value;
    } variables[] = {
        {"PAY_BROKERS=", &words->brokers},
        {"PAY_TOPIC=", &words->topic},
        {"PAY_OUTCOMES=", &words->outcomes},
    };

    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        size_t len = strlen(variables[i].name);
        if (strncmp(word, variables[i].name, len) == 0) {
            free(*variables[i].value);
            *variables[i].value = strdup(word + len);
            free(word);
            return true;
        }
    }
    return false;
}

void words_read(struct words *words, const char *name, const uint8_t *data, size_t size)
{
    *words = (struct words){.argc = 1};
    words->storage[0] = strdup(name);
    while (size > 0 && words->argc <= WORDS_MAX) {
        struct fuzz_part part = fuzz_cut(&data, &size, '\n');
        char *word = fuzz_string(&part);
        if (words->argc > 1 || !take_variable(words, word)) {
            words->storage[words->argc++] = word;
        }
        fuzz_release(&part);
    }
    words_reset(words);
}

void words_reset(struct words *words)
{
    memcpy(words->argv, words->storage, sizeof(words->argv));
}

static bool holds(const char *string, const char *text)
{
    return string && text >= string && text <= string + strlen(string);
}

bool words_hold(const struct words *words, const char *text)
{
    bool found =
        holds(words->brokers, text) || holds(words->topic, text) || holds(words->outcomes, text);

    for (int i = 0; i < words->argc && !found; i++) {
        found = holds(words->storage[i], text);
    }
    return found;
}

void words_release(struct words *words)
{
    for (int i = 0; i < words->argc; i++) {
        free(words->storage[i]);
    }
    free(words->brokers);
    free(words->topic);
    free(words->outcomes);
}
