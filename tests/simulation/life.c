#include "tests/simulation/life.h"

#include "consumer/outbox.h"
#include "consumer/run.h"
#include "consumer/worker.h"
#include "tests/simulation/inbox_internal.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/topic.h"

#include <sysexits.h>

/* What is open now, to be freed when the life ends by a crash. */
static struct {
    struct worker *worker;
    struct outbox *outbox;
} open_parts;

int __real_worker_new(struct worker **ret, struct store *store, const struct kafka_args *kafka,
                      const struct worker_options *options, struct error *err);
int __wrap_worker_new(struct worker **ret, struct store *store, const struct kafka_args *kafka,
                      const struct worker_options *options, struct error *err);
void __real_worker_free(struct worker *worker);
void __wrap_worker_free(struct worker *worker);
int __real_outbox_open(struct outbox **ret, struct store *store, struct store *reader,
                       const struct kafka_args *args, const char *topic, struct error *err);
int __wrap_outbox_open(struct outbox **ret, struct store *store, struct store *reader,
                       const struct kafka_args *args, const char *topic, struct error *err);
int __real_outbox_close(struct outbox *outbox, bool store_is_good, struct error *err);
int __wrap_outbox_close(struct outbox *outbox, bool store_is_good, struct error *err);
struct chunk *__real_chunk_new(size_t capacity);
struct chunk *__wrap_chunk_new(size_t capacity);

/* No larger than the simulated inbox needs: room for 20,000 messages takes its time to make. */
struct chunk *__wrap_chunk_new(size_t capacity)
{
    return __real_chunk_new(capacity < INBOX_MESSAGES ? capacity : INBOX_MESSAGES);
}

int __wrap_worker_new(struct worker **ret, struct store *store, const struct kafka_args *kafka,
                      const struct worker_options *options, struct error *err)
{
    int result = __real_worker_new(ret, store, kafka, options, err);

    open_parts.worker = result == 0 ? *ret : NULL;
    return result;
}

void __wrap_worker_free(struct worker *worker)
{
    open_parts.worker = NULL;
    __real_worker_free(worker);
}

int __wrap_outbox_open(struct outbox **ret, struct store *store, struct store *reader,
                       const struct kafka_args *args, const char *topic, struct error *err)
{
    world_step("outbox_open");
    world_hold(true);
    int result = __real_outbox_open(ret, store, reader, args, topic, err);
    world_hold(false);
    open_parts.outbox = result == 0 ? *ret : NULL;
    return result;
}

int __wrap_outbox_close(struct outbox *outbox, bool store_is_good, struct error *err)
{
    int result = __real_outbox_close(outbox, store_is_good, err);

    open_parts.outbox = NULL;
    return result;
}

/* Frees what a dead payd has left. Nothing of it has an effect any more. */
static void bury(bool power_lost)
{
    struct error err;

    (void)__real_outbox_close(open_parts.outbox, false, &err);
    open_parts.outbox = NULL;
    inbox_bury();
    __real_worker_free(open_parts.worker);
    open_parts.worker = NULL;
    ledger_bury(power_lost);
}

static void judge(int code, bool until_end)
{
    bool early = code == EX_TEMPFAIL && until_end && world_stop_requested();

    world_event(EVENT_END, code, 0);
    if (code != EX_OK && !early && !world_excused()) {
        world_violated("payd ended with code %d, and nothing was wrong", code);
    }
    if (code == EX_OK && world_has_to_end()) {
        world_violated("payd ended with code 0, in spite of %s", world_excused());
    }
}

enum life_end life_run(bool until_end, const struct life_plan *plan)
{
    static struct options options = {.command = SUBCOMMAND_RUN,
                                     .db = LEDGER_PATH,
                                     .group = "payd",
                                     .kafka = {.topic = TOPIC_NAME},
                                     .from_log_start = true,
                                     .outcomes = TOPIC_NAME ".outcomes"};

    options.until_end = until_end;
    switch (setjmp(*world_enter(plan))) {
    case LIFE_RETURNED:
        judge(run(&options), until_end);
        world_leave();
        return LIFE_RETURNED;
    case LIFE_CRASHED:
        bury(world_chance(300));
        world_leave();
        return LIFE_CRASHED;
    default:
        bury(false);
        world_leave();
        return LIFE_VIOLATED;
    }
}
