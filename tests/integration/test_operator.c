/*
 * The operator's commands on a ledger, while payd runs on it and while it does not: verify,
 * statement, export, backup, diff, quarantine. Built twice: on the embedded broker, and, with
 * ON_KAFKA, on a real one.
 */
#include "tests/lib/scene.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAYMENT "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"100\"}"

static struct scene scene;
static struct process process;
static struct process payd;
static char copy[PROCESS_PATH_MAX + 8];

/* The topic `others` has one partition. */
static void open_broker(void)
{
#ifdef ON_KAFKA
    scene_open_kafka(&scene, NULL, NULL);
    scene_make_topic(&scene, "others", "1");
    scene_make_topic(&scene, "others.outcomes", "1");
#else
    scene_open_embedded(&scene);
#endif
    snprintf(scene.topic, sizeof(scene.topic), "others");
}

static void open_scene(void)
{
    static const char *const headers[] = {"source", "shop \x1B 7", "empty", "", NULL};

    open_broker();
    snprintf(copy, sizeof(copy), "%s/copy.db", scene.dir);
    scene_produce(&scene, "k1", PAYMENT);
    scene_produce(&scene, "k2", PAYMENT);
    scene_produce_with_headers(&scene, "bad\x01key", "{\"v\":1}", headers);
    scene_produce(&scene, "k3", "garbage");
    scene_produce(&scene, "k1", PAYMENT);
    scene_produce(&scene, NULL, NULL);
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(operator, .init = open_scene, .fini = close_scene, .timeout = 280);

#define RUN(...) scene_payd(&scene, &process, (const char *const[]){__VA_ARGS__, NULL})

static void try_all(void)
{
    cr_expect_eq(RUN("verify", "--db", scene.db), 0, "%s", file_tail(process.out));
    expect_printed(&process, "the ledger   is whole");
    cr_expect_eq(RUN("verify", "--db", scene.db, "--json"), 0);
    expect_printed(&process, "{\"whole\":true,\"digest\":\"");

    cr_expect_eq(RUN("statement", "ann", "--db", scene.db), 0, "%s", file_tail(process.err));
    expect_printed(&process, "\n2 postings, from 0.00 to -2.00 EUR\n");
    cr_expect_eq(RUN("statement", "bob", "--since", "1h", "--db", scene.db, "--json"), 0);
    expect_printed(&process, "\"key\":\"k2\",\"account\":\"bob\",\"other\":\"ann\",\"batch\":null,"
                             "\"amount\":\"1.00\",\"balance\":\"2.00\",\"currency\":\"EUR\"}\n");
    cr_expect_eq(RUN("statement", "nobody", "--db", scene.db), 66);

    cr_expect_eq(RUN("export", "--db", scene.db), 0, "%s", file_tail(process.err));
    expect_printed(&process,
                   "seq,key,type,src,dest,amount,currency,batch,outcome,reason,topic,partition,"
                   "offset,decided_at\n"
                   "1,k1,payment,ann,bob,1.00,EUR,,applied,,others,0,0,");
    cr_expect_eq(file_count(process.out, "\n"), 3);
    for (int json = 0; json <= 1; json++) {
        cr_expect_eq(
            RUN("export", json ? "--json" : "--format=jsonl", "--since", "2", "--db", scene.db), 0);
        expect_printed(&process, "{\"v\":1,");
        expect_printed(&process, "\"k2\"");
        cr_expect_eq(file_count(process.out, "\n"), 1);
    }

    cr_expect_eq(RUN("backup", copy, "--db", scene.db), 0, "%s", file_tail(process.err));
    expect_printed(&process, " bytes, 2 decisions\npartition 0: next offset 6\n");
    cr_expect_eq(RUN("position", "--db", scene.db, "--json"), 0);
    expect_printed(&process, "\"decisions\":2,\"topic\":\"others\",\"positions\":{\"0\":6}}\n");
    cr_expect_eq(RUN("diff", scene.db, copy), 0, "%s", file_tail(process.out));
    cr_expect_eq(RUN("backup", copy, "--db", scene.db), 73);
    unlink(copy);
    cr_expect_eq(RUN("backup", copy, "--db", scene.db, "--json"), 0, "%s", file_tail(process.err));
    expect_printed(&process, ",\"decisions\":2,\"topic\":\"others\",\"positions\":{\"0\":6}}\n");
    unlink(copy);

    cr_expect_eq(RUN("quarantine", "list", "--db", scene.db), 0, "%s", file_tail(process.err));
    expect_printed(&process, "               0@2  bad_key ");
    expect_printed(&process, "               0@3  bad_json ");
    expect_printed(&process, "\n3 messages.");
    cr_expect_eq(RUN("quarantine", "list", "--reason", "bad_json", "--json", "--db", scene.db), 0);
    expect_printed(&process, "\"offset\":3,\"reason\":\"bad_json\",");
    expect_printed(&process, "\"key\":\"k3\",\"key_bytes\":2,\"value_bytes\":7,\"digest\":\"");
    cr_expect_eq(file_count(process.out, "\n"), 1);
    cr_expect_eq(RUN("quarantine", "list", "--since", "2100-01-01", "--db", scene.db), 0);
    expect_printed(&process, "No message is in quarantine.");
    cr_expect_eq(RUN("quarantine", "show", "0@2", "0@5", "--db", scene.db), 0, "%s",
                 file_tail(process.err));
    expect_printed(&process, "others[0]@2  20");
    expect_printed(&process, "  key      7 bytes\n           bad\\x01key\n"
                             "  value    7 bytes\n           {\\\"v\\\":1}\n");
    expect_printed(&process, "  header   source=shop \\x1B 7\n  header   empty=\n");
    expect_printed(&process, "  key      none\n  value    none\n");
    cr_expect_eq(RUN("quarantine", "export", "--db", scene.db), 0);
    expect_printed(&process, "\"key\":null,\"key_bytes\":7,");
    expect_printed(&process,
                   "\"key_hex\":\"626164016b6579\",\"value_hex\":\"7b2276223a317d\",\"headers\":["
                   "{\"name_hex\":\"736f75726365\",\"value_hex\":\"73686f70201b2037\"},"
                   "{\"name_hex\":\"656d707479\",\"value_hex\":\"\"}]}\n");
    expect_printed(&process, "\"key_hex\":null,\"value_hex\":null,\"headers\":[{");
    cr_expect_eq(file_count(process.out, "\n"), 3);
}

Test(operator, all_commands_work_while_payd_runs_and_while_it_does_not)
{
    payd = scene_start_payd(&scene, NULL, (const char *const[]){NULL});
    cr_assert(scene_comes_to(&scene, "SELECT next_offset FROM positions", 6, 60000), "%s",
              file_tail(payd.err));
    try_all();
    cr_expect(!process_ended(&payd, &(int){0}), "%s", file_tail(payd.err));
    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, 30000), 0);
    try_all();
}

Test(operator, a_backup_of_before_differs_by_what_came_later)
{
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
    cr_assert_eq(RUN("backup", copy, "--db", scene.db), 0, "%s", file_tail(process.err));
    scene_produce(&scene, "later", PAYMENT);
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
    cr_expect_eq(RUN("diff", copy, scene.db), 1);
    expect_printed(&process, "key later: A not decided, B applied (ann -> bob 1.00 EUR)\n"
                             "account ann: A used -2.00 EUR, B used -3.00 EUR\n"
                             "account bob: A used 2.00 EUR, B used 3.00 EUR\n");
    expect_printed(&process, "keys                   2               3               1\n"
                             "accounts               2               2               2\n");
    cr_expect_eq(RUN("diff", scene.db, copy, "--json"), 1);
    expect_printed(&process, "{\"key\":\"later\",\"a\":{\"outcome\":\"applied\",");
    /* To go on from the copy would forget: the group knows better. */
    cr_assert_eq(rename(copy, scene.db), 0);
    cr_expect_eq(scene_drain(&scene, NULL, &payd), 78, "%s", file_tail(payd.err));
}

Test(operator, a_reset_sets_the_money_to_zero_and_pays_nothing_again)
{
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
    cr_assert_eq(RUN("reset", "--yes", "--db", scene.db), 0, "%s", file_tail(process.err));
    expect_printed(&process, "Balances and totals are zero.");
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM balances WHERE balance_minor <> 0"), 0);
    cr_assert_eq(RUN("reset", "--yes", "--db", scene.db, "--json"), 0);
    expect_printed(&process, "\",\"removed\":false}\n");
    cr_expect_eq(RUN("verify", "--db", scene.db), 0, "%s", file_tail(process.out));
    scene_produce(&scene, "k2", PAYMENT);
    scene_produce(&scene, "after", PAYMENT);
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
    cr_expect_eq(RUN("verify", "--db", scene.db), 0, "%s", file_tail(process.out));
    cr_expect_eq(RUN("statement", "ann", "--db", scene.db), 0);
    expect_printed(&process, "\n1 postings, from 0.00 to -1.00 EUR\n");
    cr_expect_eq(RUN("audit", "--db", scene.db, "-b", scene.brokers, "-t", scene.topic), 0, "%s",
                 file_tail(process.out));
}

Test(operator, a_reset_is_refused_while_payd_runs_and_can_forget_everything)
{
    payd = scene_start_payd(&scene, NULL, (const char *const[]){NULL});
    cr_assert(scene_comes_to(&scene, "SELECT next_offset FROM positions", 6, 60000), "%s",
              file_tail(payd.err));
    cr_expect_eq(RUN("reset", "--yes", "--db", scene.db), 74);
    cr_expect_eq(RUN("reset", "--yes", "--forget-everything", "--db", scene.db), 74);
    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, 30000), 0);
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments"), 2);
    cr_expect_eq(RUN("reset", "--yes", "--forget-everything", "--db", scene.db), 0, "%s",
                 file_tail(process.err));
    cr_expect_eq(access(scene.db, F_OK), -1);
    cr_expect_eq(RUN("reset", "--yes", "--db", scene.db), 74, "it makes no ledger");
    cr_expect_eq(access(scene.db, F_OK), -1);
}

Test(operator, what_cannot_be_meant_is_refused)
{
    static const struct {
        const char *args[6];
        int code;
        const char *says;
    } rows[] = {
        {{"quarantine", "show", "--db", "l.db"}, 64, "show PARTITION@OFFSET..."},
        {{"quarantine", "list", "0@1", "--db", "l.db"}, 64, "take options only"},
        {{"quarantine", "mend", "--db", "l.db"},
         64,
         "\"mend\" is neither list nor show nor export"},
        {{"verify", "--db", "nowhere.db"}, 74, "nowhere.db: cannot be read, or is not there"},
        {{"diff", "nowhere.db", "nowhere.db"}, 74, "nowhere.db"},
        {{"export", "--db", "nowhere.db"}, 74, "nowhere.db"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(scene_payd(&scene, &process, rows[i].args), rows[i].code, "row %zu: %s", i,
                     file_tail(process.err));
        cr_expect(file_has(process.err, rows[i].says), "row %zu: %s", i, file_tail(process.err));
    }
    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
    cr_expect_eq(RUN("quarantine", "show", "0:3", "--db", scene.db), 64);
    cr_expect_eq(RUN("quarantine", "show", "0@1", "--db", scene.db), 4);
    cr_expect(file_has(process.err, "0@1: is not in quarantine"), "%s", file_tail(process.err));
}
