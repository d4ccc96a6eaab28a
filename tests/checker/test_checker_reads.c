/*
 * Two readers of the same rules, written apart: payd's and the checker's agree on what can be read
 * and on every digest, for messages that were mutated at random.
 */
#include "tests/checker/order.h"

#include "common/command_digest.h"
#include "common/command_json.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ROUNDS    20000
#define VALUE_MAX 1024

static const char *const seeds[] = {
    "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"b\\u00f6b\",\"amount\":\"1234\","
    "\"currency\":\"EUR\",\"batch\":{\"id\":\"payroll-11\",\"rows\":1000,\"digest\":"
    "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}}",
    "{\"v\":1,\"type\":\"payment\",\"src\":\"a\",\"dest\":\"\xC3\xA9\",\"amount\":\"0\"}",
    "{\"v\":1.0,\"type\":\"account_open\",\"account\":\"ann\",\"min_balance\":\"-50\"}",
    "{\"v\":1,\"type\":\"account_limit\",\"account\":\"ann\",\"min_balance\":null}",
    "{\"v\":1,\"type\":\"account_close\",\"account\":\"\\ud83d\\ude00\"}",
    "{\"v\":1e0,\"type\":\"accounts\",\"mode\":\"strict\",\"x\":[1,-2.5e+3,true,null,{}]}",
    " {\"v\" : 1 , \"type\" : \"cancel\" , \"more\" : {\"a\":[[[[[1]]]]]} } ",
};

/* What mutations put in: the places where readers of JSON differ. */
static const char *const pieces[] = {
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "0",
    "00",
    "-",
    ".",
    "e",
    "E+",
    "1e3",
    "\\u0000",
    "\\u0041",
    "\\ud800",
    "\\udc00",
    "\\u00",
    "\\x",
    "\\/",
    "\x01",
    "\x7f",
    "\xff",
    "\xC0\x80",
    "\xED\xA0\x80",
    "\xEF\xBB\xBF",
    "\xE2\x80\xA8",
    "\t",
    "\n",
    " ",
    "true",
    "null",
    "nul",
    "\"v\":1,",
    "\"type\":\"cancel\",",
    "9999999999999999999",
    "\xF4\x90\x80\x80",
    "\"a\":1,\"\\u0061\":2,",
    "\"currency\":\"eur\",",
    "-0",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint64_t state = 1;

/* xorshift64: the same on every machine. */
static size_t below(size_t limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state % limit);
}

/* Puts a piece in, cuts a piece out, or doubles one. Returns the new length. */
static size_t mutate(char value[VALUE_MAX], size_t len)
{
    const char *piece = pieces[below(COUNT(pieces))];
    size_t at = below(len + 1);
    size_t cut = below(3) == 0 ? below(6) : 0;
    size_t more = below(4) == 0 ? 0 : strlen(piece);

    cut = cut < len - at ? cut : len - at;
    if (len + more >= VALUE_MAX) {
        return len;
    }
    memmove(value + at + more, value + at + cut, len - at - cut);
    memcpy(value + at, piece, more);
    return len + more - cut;
}

static bool compare(struct words *words, struct digest *digest, const char *key, const char *value,
                    size_t len)
{
    struct command command;
    enum unreadable unreadable = READABLE;
    char detail[UNREADABLE_DETAIL_SIZE];
    unsigned char wanted[DIGEST_SHORT_SIZE];
    struct error err;
    struct order order;

    cr_assert_eq(command_json_decode(key, strlen(key), value, len, &command, &unreadable, detail),
                 0);
    order_read(words, key, strlen(key), value, len, &order);
    cr_assert_eq(order.type == ORDER_UNREADABLE, unreadable != READABLE, "%s: \"%.*s\"", detail,
                 (int)len, value);
    if (unreadable == READABLE) {
        cr_assert_eq(command_digest(digest, &command, wanted, &err), 0);
        cr_assert_arr_eq(order.digest, wanted, sizeof(wanted), "%.*s", (int)len, value);
    }
    return unreadable == READABLE;
}

Test(checker_reads, both_agree_on_mutated_messages)
{
    struct words words;
    struct digest *digest = NULL;
    struct error err;
    char value[VALUE_MAX];
    int readable = 0;

    words_init(&words);
    cr_assert_eq(digest_open(&digest, &err), 0);
    for (int round = 0; round < ROUNDS; round++) {
        const char *seed = seeds[below(COUNT(seeds))];
        size_t len = strlen(seed);
        memcpy(value, seed, len);
        for (size_t left = below(4); left > 0; left--) {
            len = mutate(value, len);
        }
        readable += compare(&words, digest, "key", value, len);
    }
    cr_expect_gt(readable, ROUNDS / 20, "%d", readable);
    cr_expect_lt(readable, ROUNDS * 19 / 20, "%d", readable);
    words_release(&words);
    digest_close(digest);
}

Test(checker_reads, both_agree_on_keys_and_limits)
{
    static char deep[64];
    static char wide[4096] = "{\"v\":1,\"type\":\"cancel\"";
    static char large[STRICT_BYTES_MAX + 8];
    static const char *const keys[] = {"", "a", " ", "a\nb", "\xC2\x85", "\xE2\x80\xA9", "\xff"};
    static const char cancel[] = "{\"v\":1,\"type\":\"cancel\"}";
    struct words words;
    struct digest *digest = NULL;
    struct error err;

    words_init(&words);
    cr_assert_eq(digest_open(&digest, &err), 0);
    for (size_t i = 0; i < COUNT(keys); i++) {
        cr_expect_eq(compare(&words, digest, keys[i], cancel, strlen(cancel)), i == 1 || i == 2,
                     "key %zu", i);
    }
    for (int depth = 6; depth <= 8; depth++) {
        snprintf(deep, sizeof(deep), "{\"v\":1,\"type\":\"cancel\",\"x\":%.*s1%.*s}", depth,
                 "[[[[[[[[", depth, "]]]]]]]]");
        cr_expect_eq(compare(&words, digest, "k", deep, strlen(deep)), depth <= 7);
    }
    for (int field = 3; field <= 65; field++) {
        sprintf(wide + strlen(wide), ",\"f%d\":0", field);
        strcat(wide, "}");
        cr_expect_eq(compare(&words, digest, "k", wide, strlen(wide)), field <= 64);
        wide[strlen(wide) - 1] = '\0';
    }
    memset(large, ' ', sizeof(large));
    memcpy(large, cancel, strlen(cancel));
    cr_expect(compare(&words, digest, "k", large, STRICT_BYTES_MAX));
    cr_expect_not(compare(&words, digest, "k", large, STRICT_BYTES_MAX + 1));
    words_release(&words);
    digest_close(digest);
}
