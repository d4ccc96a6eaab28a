/*
 * pay and payd together: each command gets its answer, and a repeat the first one.
 */
#include "tests/lib/scene.h"

#include <criterion/criterion.h>
#include <signal.h>

static struct scene scene;
static struct process payd;

static void open_scene(void)
{
    scene_open_embedded(&scene);
    payd = scene_start_payd(&scene, NULL, NULL);
}

static void close_scene(void)
{
    process_kill(&payd);
    scene_close(&scene);
}

TestSuite(pay_payd, .init = open_scene, .fini = close_scene);

#define ARGS_MAX 10

Test(pay_payd, each_command_is_answered)
{
    static const struct {
        const char *args[ARGS_MAX];
        int code;
        const char *says;
    } rows[] = {
        {{"send", "ann", "bob", "12.34", "--key", "k1", "--wait"}, 0, "\napplied k1\n"},
        {{"send", "ann", "bob", "12.34", "--key", "k1", "--wait"},
         0,
         "\napplied k1 (duplicate of payments["},
        {{"send", "ann", "bob", "12.35", "--key", "k1", "--wait"},
         2,
         "\nconflict k1: amount differs from the first payload (ann -> bob 12.34 EUR, applied"},
        {{"status", "k1"}, 0, "repeats 1, conflicts 1, quarantined 0\n"},
        {{"status", "k2"}, 4, "k2: unknown, may still be paid; resend with the same key\n"},
        {{"cancel", "k1"}, 1, "\ntoo late: k1 was applied (ann -> bob 12.34 EUR; payments["},
        {{"cancel", "k2"}, 0, "\ncancelled k2: it will not be paid\n"},
        {{"cancel", "k2"}, 0, "\ncancelled k2: it will not be paid\n"},
        {{"send", "ann", "bob", "1", "--key", "k2", "--wait"}, 1, "\nrejected k2: cancelled ("},
        {{"status", "k1", "k2"}, 1, "k2: rejected: cancelled (cancel; payments["},
        {{"account", "open", "zoe"}, 0, "\napplied account-open:zoe\n"},
        {{"account", "open", "zoe"}, 0, "\napplied account-open:zoe (duplicate of payments["},
        {{"account", "open", "ann", "--key", "k3"}, 1, "\nrejected k3: account_exists\n"},
        {{"account", "open", "yan", "--min-balance", "-50.00"},
         1,
         "\nrejected account-open:yan: needs_one_partition (limits"},
        {{"account", "close", "zoe", "--key", "k4"}, 0, "\napplied k4\n"},
        {{"send", "ann", "zoe", "1", "--key", "k5", "--wait"},
         1,
         "\nrejected k5: account_closed\n"},
    };
    struct process pay;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(scene_pay(&scene, NULL, &pay, rows[i].args), rows[i].code, "row %zu: %s", i,
                     file_tail(pay.err));
        cr_expect(file_has(pay.out, rows[i].says), "row %zu: %s", i, file_tail(pay.out));
    }
    scene_check_books(&scene);
}

Test(pay_payd, a_batch_is_answered_in_full_also_when_payd_is_killed_on_the_way)
{
    static const char *const batch[] = {"batch", "--batch-id", "b", scene.sample, "--wait", NULL};
    struct process pay;

    process_kill(&payd);
    payd = scene_start_payd(&scene, "PAY_FAILPOINT=outbox-sent=kill@100", NULL);
    pay = scene_start_pay(&scene, NULL, batch);
    cr_assert(file_comes_to_have(payd.err, "failpoint outbox-sent kill", 60000));
    process_kill(&payd);
    payd = scene_start_payd(&scene, NULL, NULL);
    cr_assert_eq(process_wait(&pay, 60000), 0, "%s", file_tail(pay.err));
    cr_expect(file_has(pay.out, "decided: 1000 applied, 0 rejected"), "%s", file_tail(pay.out));

    cr_assert_eq(scene_pay(&scene, NULL, &pay, batch), 0, "%s", file_tail(pay.err));
    cr_expect(file_has(pay.out, "decided: 1000 applied, 0 rejected"), "%s", file_tail(pay.out));
    cr_expect_eq(scene_int(&scene, "SELECT count(*) FROM payments"), 1000);
    scene_check_books(&scene);
}
