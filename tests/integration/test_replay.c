/*
 * payd replay: a forecast changes nothing, reading again what was read changes nothing, and what
 * was never decided is decided as the forecast said.
 */
#include "common/clock.h"
#include "common/digest.h"
#include "tests/lib/scene.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAYMENTS 60
#define REPLAYS  200
#define PAYMENT  "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\",\"amount\":\"100\"}"

static struct scene scene;
static struct process process;

/* 60 payments of 1.00, the last ten of them repeats, and one that cannot be read. */
static void open_scene(void)
{
    char key[16];

    scene_open_embedded(&scene);
    snprintf(scene.topic, sizeof(scene.topic), "others"); /* of one partition */
    for (int i = 0; i < PAYMENTS; i++) {
        snprintf(key, sizeof(key), "k%02d", i % 50);
        scene_produce(&scene, key, PAYMENT);
    }
    scene_produce(&scene, "bad", "garbage");
}

static void close_scene(void)
{
    scene_close(&scene);
}

TestSuite(replay, .init = open_scene, .fini = close_scene, .timeout = 580);

static void drain(void)
{
    struct process payd;

    cr_assert_eq(scene_drain(&scene, NULL, &payd), 0, "%s", file_tail(payd.err));
}

/* payd replay with up to 12 more arguments, ended by NULL. */
static int replay(const char *const *more)
{
    const char *args[24] = {PAY_BIN_DIR "/payd", "replay", "--db",     scene.db, "-b",
                            scene.brokers,       "-t",     scene.topic};

    for (int i = 8; *more; i++) {
        args[i] = *more++;
    }
    return process_run(scene.dir, NULL, &process, args);
}

/* Everything that the ledger says but the number of its openings. */
#define STATE                                                                                      \
    "SELECT (SELECT group_concat(seq || hex(key) || outcome || offset) FROM decisions) ||"         \
    " (SELECT group_concat(seq || hex(key) || outcome || offset) FROM repeats) ||"                 \
    " (SELECT group_concat(seq || reason || offset) FROM quarantine) ||"                           \
    " (SELECT group_concat(name || balance_minor) FROM accounts) ||"                               \
    " (SELECT group_concat(outcome || ' ' || count) FROM counters) ||"                             \
    " (SELECT group_concat(hex(key) || count) FROM repeat_counts) ||"                              \
    " (SELECT group_concat(partition || next_offset) FROM positions) ||"                           \
    " (SELECT chunks || hex(decisions_digest) FROM store)"

static char *state(void)
{
    char *text = strdup(scene_text(&scene, STATE));

    cr_assert_not_null(text);
    return text;
}

Test(replay, a_forecast_of_all_that_was_read_finds_nothing_new_and_changes_nothing)
{
    drain();
    char *before = state();
    cr_assert_eq(replay((const char *const[]){"--from", "beginning", "--json", NULL}), 0, "%s",
                 file_tail(process.err));
    expect_printed(&process,
                   "{\"executed\":false,\"topic\":\"others\",\"records\":61,\"outcomes\":{"
                   "\"applied\":{\"records\":0,\"amounts\":{}},"
                   "\"rejected\":{\"records\":0,\"amounts\":{}},"
                   "\"duplicate\":{\"records\":0,\"amounts\":{}},"
                   "\"conflict\":{\"records\":0,\"amounts\":{}},"
                   "\"redelivered\":{\"records\":61,\"amounts\":{\"EUR\":\"60.00\"}},"
                   "\"quarantined\":{\"records\":0,\"amounts\":{}},"
                   "\"stale\":{\"records\":0,\"amounts\":{}}},\"new\":[]}\n");
    cr_expect_str_eq(scene_text(&scene, STATE), before);
    free(before);
}

/* The position is moved over 20 records: 9 repeats of what was paid, 10 new ones, a bad one. */
static void skip_records(void)
{
    drain();
    scene_produce(&scene, "n1",
                  "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"carl\","
                  "\"amount\":\"500\"}");
    scene_produce(&scene, "n2",
                  "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"ann\","
                  "\"amount\":\"500\"}");
    scene_produce(&scene, "n1",
                  "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"carl\","
                  "\"amount\":\"500\"}");
    scene_produce(&scene, "k01",
                  "{\"v\":1,\"type\":\"payment\",\"src\":\"ann\",\"dest\":\"bob\","
                  "\"amount\":\"777\"}");
    scene_produce(&scene, "worse", "garbage");
    cr_assert_eq(
        process_run(scene.dir, NULL, &process,
                    (const char *const[]){PAY_BIN_DIR "/payd", "position", "--db", scene.db,
                                          "--partition", "0", "--to", "66", NULL}),
        0, "%s", file_tail(process.err));
}

#define NEWS                                                                                       \
    "\"outcomes\":{\"applied\":{\"records\":1,\"amounts\":{\"EUR\":\"5.00\"}},"                    \
    "\"rejected\":{\"records\":1,\"amounts\":{\"EUR\":\"5.00\"}},"                                 \
    "\"duplicate\":{\"records\":1,\"amounts\":{\"EUR\":\"5.00\"}},"                                \
    "\"conflict\":{\"records\":1,\"amounts\":{\"EUR\":\"7.77\"}},"                                 \
    "\"redelivered\":{\"records\":61,\"amounts\":{\"EUR\":\"60.00\"}},"                            \
    "\"quarantined\":{\"records\":1,\"amounts\":{}},"                                              \
    "\"stale\":{\"records\":0,\"amounts\":{}}},"                                                   \
    "\"new\":[\"others[0]@61 n1: applied: ann -> carl 5.00 EUR\","                                 \
    "\"others[0]@62 n2: rejected same_account: ann -> ann 5.00 EUR\","                             \
    "\"others[0]@65 worse: quarantined bad_json\"]}\n"

Test(replay, what_was_never_decided_is_decided_as_the_forecast_said)
{
    static const char *const all[] = {"--from", "beginning", "--json", NULL};
    static const char *const really[] = {"--from", "beginning", "--json", "--execute", NULL};

    skip_records();
    char *before = state();
    cr_assert_eq(replay(all), 0, "%s", file_tail(process.err));
    expect_printed(&process, "{\"executed\":false,\"topic\":\"others\",\"records\":66,");
    expect_printed(&process, NEWS);
    cr_expect_str_eq(scene_text(&scene, STATE), before, "the forecast changed something");
    free(before);

    cr_assert_eq(replay(really), 0, "%s", file_tail(process.err));
    expect_printed(&process, "{\"executed\":true,\"topic\":\"others\",\"records\":66,");
    expect_printed(&process, NEWS);
    cr_expect_eq(scene_int(&scene, "SELECT balance_minor FROM balances WHERE account = 'carl'"),
                 500);
    cr_expect_eq(scene_int(&scene, "SELECT next_offset FROM positions"), 66);
    scene_check_books(&scene);

    before = state();
    cr_assert_eq(replay(really), 0, "%s", file_tail(process.err));
    cr_expect(!file_has(process.out, "n1: applied"), "%s", file_tail(process.out));
    cr_expect_str_eq(scene_text(&scene, STATE), before, "the same again changed something");
    free(before);
    drain(); /* publishes */
    cr_expect_eq(scene_int(&scene, "SELECT published_seq FROM store"),
                 scene_int(&scene, "SELECT max(seq) FROM (SELECT seq FROM decisions UNION ALL"
                                   " SELECT seq FROM quarantine)"));
}

Test(replay, reading_random_ranges_again_two_hundred_times_changes_nothing)
{
    drain();
    char *before = state();
    srand(7);
    for (int i = 0; i < REPLAYS; i++) {
        char from[16];
        char to[16];
        int first = rand() % PAYMENTS;
        snprintf(from, sizeof(from), "%d", first);
        snprintf(to, sizeof(to), "%d", first + rand() % (PAYMENTS + 2 - first));
        cr_assert_eq(replay((const char *const[]){"--partition", "0", "--from", from, "--to", to,
                                                  "--execute", NULL}),
                     0, "%s to %s: %s", from, to, file_tail(process.err));
    }
    cr_expect_str_eq(scene_text(&scene, STATE), before);
    free(before);
    scene_check_books(&scene);
}

Test(replay, executing_is_refused_while_payd_runs_and_the_forecast_works)
{
    struct process payd = scene_start_payd(&scene, NULL, (const char *const[]){NULL});
    char pid[32];

    cr_assert(scene_comes_to(&scene, "SELECT next_offset FROM positions", 61, 60000));
    cr_expect_eq(replay((const char *const[]){"--from", "beginning", "--execute", NULL}), 74);
    snprintf(pid, sizeof(pid), "%d", (int)payd.pid);
    cr_expect(file_has(process.err, pid), "the holder is not named: %s", file_tail(process.err));
    cr_expect_eq(replay((const char *const[]){"--from", "beginning", NULL}), 0, "%s",
                 file_tail(process.err));
    expect_printed(&process, "61 records were read again, 0 would be decided. Nothing was changed");
    process_signal(&payd, SIGTERM);
    cr_expect_eq(process_wait(&payd, 30000), 0);
}

Test(replay, only_the_keys_of_a_file_are_read)
{
    char path[PROCESS_PATH_MAX + 8];

    drain();
    snprintf(path, sizeof(path), "%s/keys", scene.dir);
    file_write(path, "k03\r\nk49\n\nnobody");
    cr_assert_eq(replay((const char *const[]){"--from", "beginning", "--key-file", path, NULL}), 0,
                 "%s", file_tail(process.err));
    expect_printed(&process, "\n3 records were read again"); /* k03 was sent twice */
    file_write(path, "k03\n\x01\n");
    cr_expect_eq(replay((const char *const[]){"--from", "beginning", "--key-file", path, NULL}),
                 65);
    cr_expect(file_has(process.err, "/keys:2: "), "%s", file_tail(process.err));
    cr_expect_eq(replay((const char *const[]){"--from", "beginning", "--key-file", "/none", NULL}),
                 66);
}

/* Those that are left out count too: it is the brokers that are spared. */
Test(replay, no_more_records_a_second_are_read_than_the_rate)
{
    char path[PROCESS_PATH_MAX + 8];

    drain();
    snprintf(path, sizeof(path), "%s/keys", scene.dir);
    file_write(path, "k59");
    for (int filtered = 0; filtered <= 1; filtered++) {
        int64_t begin_ms = clock_monotonic_ms();
        cr_assert_eq(replay((const char *const[]){"--from", "beginning", "--rate", "30",
                                                  filtered ? "--key-file" : NULL, path, NULL}),
                     0, "%s", file_tail(process.err));
        cr_expect_geq(clock_monotonic_ms() - begin_ms, 2000, "61 records");
    }
}

#define RUN(...) scene_payd(&scene, &process, (const char *const[]){__VA_ARGS__, NULL})

static char rebuilt[PROCESS_PATH_MAX + 8];

static int rebuild(const char *decisions)
{
    snprintf(rebuilt, sizeof(rebuilt), "%s/new.db", scene.dir);
    return RUN("replay", "--into", rebuilt, "-b", scene.brokers, "-t", scene.topic, "--json",
               decisions ? "--decisions" : NULL, decisions);
}

Test(replay, a_rebuilt_ledger_is_the_same_and_passes_the_audit)
{
    drain();
    cr_assert_eq(rebuild(scene.db), 0, "%s", file_tail(process.err));
    expect_printed(&process, "\"applied\":{\"records\":50,\"amounts\":{\"EUR\":\"50.00\"}}");
    expect_printed(&process, "\"duplicate\":{\"records\":10,");
    expect_printed(&process, "\"quarantined\":{\"records\":1,");
    cr_expect_eq(RUN("diff", scene.db, rebuilt), 0, "%s", file_tail(process.out));
    cr_expect_eq(RUN("audit", "--db", rebuilt, "-b", scene.brokers, "-t", scene.topic), 0, "%s",
                 file_tail(process.out));
    cr_expect_eq(rebuild(scene.db), 73);
    cr_expect(file_has(process.err, "new.db: is there already"), "%s", file_tail(process.err));
    /* payd goes on with it, and knows the log again. All is answered already. */
    cr_expect_eq(scene_int(&scene, "SELECT published_seq FROM store"), 61);
    cr_assert(file_copy(rebuilt, scene.db));
    cr_expect_eq(scene_int(&scene, "SELECT published_seq FROM store"), 61);
    struct process payd =
        scene_start_payd(&scene, NULL, (const char *const[]){"--until-end", "--take-group", NULL});
    cr_expect_eq(process_wait(&payd, 60000), 0, "%s", file_tail(payd.err));
    scene_check_books(&scene);
}

Test(replay, recorded_decisions_bind_and_without_them_all_is_decided_anew)
{
    drain();
    /* As if it had been decided by rules that are not ours any more. */
    scene_change(&scene, "UPDATE decisions SET outcome = 2, reason = 9 WHERE key = x'026B3037';"
                         "UPDATE accounts SET balance_minor = balance_minor + 100"
                         " WHERE name = 'ann';"
                         "UPDATE accounts SET balance_minor = balance_minor - 100"
                         " WHERE name = 'bob'");
    cr_assert_eq(rebuild(scene.db), 0, "%s", file_tail(process.err));
    expect_printed(&process, "\"applied\":{\"records\":49,");
    expect_printed(&process, "\"rejected\":{\"records\":1,");
    cr_expect_eq(RUN("diff", scene.db, rebuilt), 0, "%s", file_tail(process.out));
    cr_assert_eq(remove(rebuilt), 0);
    cr_assert_eq(rebuild(NULL), 0, "%s", file_tail(process.err));
    expect_printed(&process, "\"applied\":{\"records\":50,");
    cr_expect_eq(RUN("diff", scene.db, rebuilt), 1);
    expect_printed(&process, "key k07: A rejected unknown_account (ann -> bob 1.00 EUR),"
                             " B applied (ann -> bob 1.00 EUR)\n"
                             "account ann: A used -49.00 EUR, B used -50.00 EUR\n"
                             "account bob: A used 49.00 EUR, B used 50.00 EUR\n");
    cr_expect_eq(RUN("verify", "--db", rebuilt), 0, "%s", file_tail(process.out));
}

Test(replay, a_rebuild_that_fails_leaves_no_ledger)
{
    char old[PROCESS_PATH_MAX + 8];

    drain();
    snprintf(old, sizeof(old), "%s/old.db", scene.dir);
    cr_assert_eq(RUN("backup", old, "--db", scene.db), 0, "%s", file_tail(process.err));
    snprintf(scene.topic, sizeof(scene.topic), "payments");
    cr_expect_eq(rebuild(old), 78);
    cr_expect_eq(access(rebuilt, F_OK), -1);
    cr_expect_eq(rebuild("/nowhere.db"), 74);
    cr_expect_eq(access(rebuilt, F_OK), -1);
}

static void expect_no_ledger(void)
{
    char path[sizeof(rebuilt) + 16];

    snprintf(path, sizeof(path), "%s.rebuilding", rebuilt);
    cr_expect_eq(access(rebuilt, F_OK), -1);
    cr_expect_eq(access(path, F_OK), -1);
}

Test(replay, what_the_topic_does_not_give_again_is_no_rebuilt_ledger)
{
    drain();
    /* Money that no message moved: a reset, or a hand. */
    scene_change(&scene, "UPDATE accounts SET balance_minor = 0");
    cr_expect_eq(rebuild(scene.db), 70);
    cr_expect(file_has(process.err, "0 keys and 2 accounts differ, the first is account ann"), "%s",
              file_tail(process.err));
    expect_no_ledger();
}

Test(replay, what_the_old_ledger_never_decided_is_decided_there_first)
{
    skip_records();
    cr_expect_eq(rebuild(scene.db), 78);
    cr_expect(file_has(process.err, "2 commands before the old ledger's positions were never"),
              "%s", file_tail(process.err));
    expect_no_ledger();
    cr_assert_eq(replay((const char *const[]){"--from", "beginning", "--execute", NULL}), 0, "%s",
                 file_tail(process.err));
    cr_expect_eq(RUN("audit", "--db", scene.db, "-b", scene.brokers, "-t", scene.topic), 0, "%s",
                 file_tail(process.out));
    cr_expect_eq(rebuild(scene.db), 0, "%s", file_tail(process.err));
    cr_expect_eq(RUN("diff", scene.db, rebuilt), 0, "%s", file_tail(process.out));
}

/* As if a payd of before could not read k20, of which this one makes a payment. */
static void quarantine_k20(const char *digest)
{
    char sql[1024];

    snprintf(sql, sizeof(sql),
             "INSERT INTO quarantine SELECT seq, log, partition, offset, 'unknown_type', '',"
             " CAST('k20' AS BLOB), NULL, 3, %zu, x'%s', 0, decided_ms FROM decisions"
             " WHERE key = x'026B3230';"
             "DELETE FROM decisions WHERE key = x'026B3230';"
             "DELETE FROM keys WHERE key = x'026B3230';"
             "UPDATE accounts SET balance_minor = balance_minor + 100 WHERE name = 'ann';"
             "UPDATE accounts SET balance_minor = balance_minor - 100 WHERE name = 'bob'",
             strlen(PAYMENT), digest);
    scene_change(&scene, sql);
}

Test(replay, what_the_old_ledger_has_in_quarantine_stays_there)
{
    unsigned char whole[DIGEST_SIZE];
    char hex[DIGEST_SHORT_HEX_SIZE];
    struct digest *digest;
    struct error err;

    cr_assert_eq(digest_open(&digest, &err), 0);
    cr_assert_eq(digest_add(digest, PAYMENT, strlen(PAYMENT), &err), 0);
    cr_assert_eq(digest_finish(digest, whole, &err), 0);
    digest_close(digest);
    drain();
    quarantine_k20(digest_hex(hex, whole, DIGEST_SHORT_SIZE));
    cr_assert_eq(rebuild(scene.db), 0, "%s", file_tail(process.err));
    expect_printed(&process, "\"quarantined\":{\"records\":2,");
    cr_expect_eq(RUN("diff", scene.db, rebuilt), 0, "%s", file_tail(process.out));
    cr_expect_eq(RUN("quarantine", "list", "--reason", "unknown_type", "--db", rebuilt), 0);
    expect_printed(&process, "0@20  unknown_type ");
    cr_expect_eq(RUN("audit", "--json", "--db", rebuilt, "-b", scene.brokers, "-t", scene.topic), 0,
                 "%s", file_tail(process.out));
    expect_printed(&process, "\"quarantined\":2,");
    expect_printed(&process, "\"readable\":1,");
}

/* What is recorded of a message belongs to that message alone. */
Test(replay, a_message_is_not_quarantined_for_another_that_was)
{
    drain();
    quarantine_k20("00112233445566778899aabbccddeeff");
    cr_expect_eq(rebuild(scene.db), 70);
    expect_said(&process, "key k20 at [0]@20 was quarantined, and can be read now\n");
    expect_no_ledger();
}

Test(replay, a_rebuilt_ledger_of_strict_accounts_is_strict)
{
    struct process payd = scene_start_payd(
        &scene, NULL, (const char *const[]){"--until-end", "--accounts", "strict", NULL});

    cr_assert_eq(process_wait(&payd, 60000), 0, "%s", file_tail(payd.err));
    cr_assert_eq(rebuild(scene.db), 0, "%s", file_tail(process.err));
    expect_printed(&process, "\"rejected\":{\"records\":50,");
    cr_expect_eq(RUN("stats", "--json", "--db", rebuilt), 0);
    expect_printed(&process, "\"mode\":\"strict\"");
}

Test(replay, what_cannot_be_meant_is_refused)
{
    static const struct {
        const char *args[8];
        int code;
        const char *says;
    } refused[] = {
        {{NULL}, 64, "from where?"},
        {{"--from", "5", "-t", "payments"}, 78, "belongs to topic"},
        {{"--from", "soon"}, 64, "neither \"beginning\" nor an offset"},
        {{"--from", "beginning", "--partition", "1"}, 64, "has 1 partitions, and no partition 1"},
        {{"--from", "beginning", "-b", "127.0.0.1:1", "-X", "socket.timeout.ms=300"}, 69, "broker"},
    };

    drain();
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        cr_expect_eq(replay(refused[i].args), refused[i].code, "row %zu: %s", i,
                     file_tail(process.err));
        cr_expect(file_has(process.err, refused[i].says), "row %zu: %s", i, file_tail(process.err));
    }
}
