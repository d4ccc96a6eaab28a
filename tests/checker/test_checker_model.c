/*
 * The checker's model and payd's rules, written apart, agree on random orders: whatever comes, in
 * whatever chunks, a run without faults violates nothing.
 */
#include "tests/checker/test_folder.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>

#define SEEDS      12
#define CHUNKS     25
#define CHUNK_MAX  40
#define TEXT_MAX   512
#define PARTITIONS 3

static uint64_t state;

/* xorshift64: the same on every machine. */
static unsigned below(unsigned limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state % limit);
}

static const char *any(const char *const *texts, unsigned count)
{
    return texts[below(count)];
}

static void put_payment(char text[TEXT_MAX])
{
    static const char *const accounts[] = {"a", "b", "c", "d", "e", "f", "g"};
    static const char *const amounts[] = {
        "1", "2", "30", "0", "9999999999999999", "99999999999999999"};
    static const char *const currencies[] = {"EUR", "EUR", "EUR", "USD", "XXX"};
    static const char *const batches[] = {"x", "y", "z"};
    char batch[160] = "";

    if (below(3) == 0) { /* of a batch, now and then of one whose content changed */
        snprintf(batch, sizeof(batch),
                 ",\"batch\":{\"id\":\"%s\",\"rows\":%d,\"digest\":\"%064d\"}", any(batches, 3),
                 below(20) == 0 ? 8 : 7, below(20) == 0);
    }
    snprintf(text, TEXT_MAX,
             "{\"v\":1,\"type\":\"payment\",\"src\":\"%s\",\"dest\":\"%s\",\"amount\":\"%s\","
             "\"currency\":\"%s\"%s}",
             any(accounts, 7), any(accounts, 7), any(amounts, below(4) == 0 ? 6 : 3),
             any(currencies, 5), batch);
}

static void put_value(char text[TEXT_MAX])
{
    static const char *const others[] = {
        "{\"v\":1,\"type\":\"cancel\"}",
        "{\"v\":1,\"type\":\"accounts\",\"mode\":\"strict\"}",
        "{\"v\":1,\"type\":\"accounts\",\"mode\":\"open\"}",
        "{\"v\":1,\"type\":\"account_open\",\"account\":\"a\"}",
        "{\"v\":1,\"type\":\"account_open\",\"account\":\"b\",\"min_balance\":\"-100\"}",
        "{\"v\":1,\"type\":\"account_open\",\"account\":\"g\",\"currency\":\"USD\"}",
        "{\"v\":1,\"type\":\"account_limit\",\"account\":\"c\",\"min_balance\":\"0\"}",
        "{\"v\":1,\"type\":\"account_limit\",\"account\":\"c\",\"currency\":\"USD\"}",
        "{\"v\":1,\"type\":\"account_limit\",\"account\":\"c\"}",
        "{\"v\":1,\"type\":\"account_close\",\"account\":\"g\"}",
        "{\"v\":1,\"type\":\"account_open\",\"account\":\"g\"}",
        "{\"v\":1,\"type\":\"account_close\",\"account\":\"g\"}",
        "?",
    };

    if (below(4) > 0) {
        put_payment(text);
    } else {
        snprintf(text, TEXT_MAX, "%s", any(others, 13));
    }
}

/* A few keys come again and again, so that most of their repeats are only counted. */
static void put_key(char text[TEXT_MAX])
{
    if (below(4) == 0) {
        snprintf(text, TEXT_MAX, "often-%u", below(3));
    } else if (below(8) == 0) {
        snprintf(text, TEXT_MAX, "018f3c6e-0000-7000-8000-0000000000%02u", below(40));
    } else {
        snprintf(text, TEXT_MAX, "key-%u", below(400));
    }
}

static void send_chunk(struct folder *folder)
{
    static char keys[CHUNK_MAX][TEXT_MAX];
    static char values[CHUNK_MAX][TEXT_MAX];
    struct folder_message messages[CHUNK_MAX];
    size_t count = 1 + below(CHUNK_MAX);

    for (size_t i = 0; i < count; i++) {
        put_key(keys[i]);
        put_value(values[i]);
        messages[i] = (struct folder_message){
            .partition = (int32_t)below((unsigned)folder->partitions),
            .key = below(60) == 0 ? NULL : keys[i],
            .value = below(60) == 0 ? NULL : values[i],
        };
    }
    folder_send(folder, messages, count);
}

static void run(int partitions, uint64_t seed)
{
    struct folder folder;
    char name[24];

    state = seed * UINT64_C(0x9E3779B97F4A7C15);
    folder_begin(&folder, partitions, partitions == 1 && seed % 2 == 0);
    for (int i = 0; i < CHUNKS; i++) {
        send_chunk(&folder);
        if (below(3) == 0) {
            folder_publish(&folder);
        }
        if (below(8) == 0) {
            snprintf(name, sizeof(name), "%02d", i);
            folder_snapshot(&folder, name);
        }
    }
    folder_publish(&folder);
    folder_end(&folder);
    folder_expect(&folder, true, 0, "", "violations=0");
    folder_remove(&folder);
}

Test(checker_model, both_agree_where_one_order_of_all_commands_exists)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run(1, seed);
    }
}

Test(checker_model, both_agree_where_partitions_come_in_any_order)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run(PARTITIONS, seed);
    }
}
