/*
 * What payd takes from its surroundings, as the simulation gives it: time, signals, random bytes,
 * the log, failpoints. Client configuration is not looked at.
 */
#include "common/clock.h"
#include "common/failpoint.h"
#include "common/kafka_conf.h"
#include "common/log.h"
#include "common/stop.h"
#include "common/uuid7.h"
#include "tests/simulation/world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* ---- time; clock.c's own text stays ---- */

int64_t __wrap_clock_monotonic_ms(void);
int64_t __wrap_clock_unix_ms(void);

int64_t __wrap_clock_monotonic_ms(void)
{
    return world_now_ms();
}

int64_t __wrap_clock_unix_ms(void)
{
    if (world_strikes(EVENT_CLOCK_JUMPED, 20)) {
        world_jump_clock();
    }
    return world_unix_ms();
}

/* ---- signals ---- */

bool stop_requested(void)
{
    return world_stop_requested();
}

bool stop_wait(int timeout_ms)
{
    world_step("stop_wait");
    world_pass(timeout_ms);
    return world_stop_requested();
}

/* ---- random bytes ---- */

int uuid7_new(char text[UUID7_TEXT_SIZE], struct error *err)
{
    (void)err;
    snprintf(text, UUID7_TEXT_SIZE, "%08zx-%04zx-7%03zx-8%03zx-%012" PRIx64,
             world_below(UINT32_MAX), world_below(65536), world_below(4096), world_below(4096),
             (uint64_t)world_below(UINT64_C(1) << 48));
    return 0;
}

/* ---- the log goes into the trace ---- */

void log_event(enum log_level level, const char *event, const char *fmt, ...)
{
    char line[2048];
    va_list args;

    if (world_is_traced()) {
        va_start(args, fmt);
        vsnprintf(line, sizeof(line), fmt, args);
        va_end(args);
        world_note("log %d %s %s", (int)level, event, line);
    }
}

void log_error(enum log_level level, const char *event, const struct error *err)
{
    log_event(level, event, "code=%d error=\"%s\"", err->code, err->text);
}

/* ---- failpoints are steps ---- */

bool failpoint_visit(const char *name)
{
    world_step(name);
    return false; /* steps fail by the simulated store, broker and disk */
}

/* ---- configuration ---- */

int kafka_conf_check(const struct kafka_args *args, struct error *err)
{
    (void)args;
    (void)err;
    return 0;
}
