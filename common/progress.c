#include "common/progress.h"

#include "common/clock.h"

#include <inttypes.h>

#define REDRAW_MS 200
#define BAR_WIDTH 24

void progress_init(struct progress *progress, FILE *out)
{
    *progress = (struct progress){.out = out, .decided = -1};
}

void progress_begin(struct progress *progress, const char *label, int64_t total)
{
    progress_clear(progress);
    progress->label = label;
    progress->total = total;
    progress->started_ms = clock_monotonic_ms();
    progress->drawn_ms = progress->started_ms;
}

static void draw_bar(const struct progress *progress, int64_t done, int64_t rate)
{
    int64_t full = done * BAR_WIDTH / progress->total;
    int64_t left_s = rate > 0 ? (progress->total - done + rate - 1) / rate : 0;

    fprintf(progress->out, " [");
    for (int i = 0; i < BAR_WIDTH; i++) {
        putc(i < full ? '#' : '.', progress->out);
    }
    fprintf(progress->out, "] %3" PRId64 "%%", done * 100 / progress->total);
    fprintf(progress->out, " %" PRId64 " rows/s", rate);
    if (rate > 0) {
        fprintf(progress->out, ", %" PRId64 ":%02" PRId64 " left", left_s / 60, left_s % 60);
    }
}

void progress_decided(struct progress *progress, int64_t decided)
{
    progress->decided = decided;
}

void progress_update(struct progress *progress, int64_t done)
{
    if (!progress->out) {
        return;
    }
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms - progress->drawn_ms < REDRAW_MS) {
        return;
    }
    int64_t rate = done * 1000 / (now_ms - progress->started_ms);
    fprintf(progress->out, "\r\033[K%s", progress->label);
    if (progress->total > 0) {
        draw_bar(progress, done, rate);
    } else {
        fprintf(progress->out, " %" PRId64 " rows, %" PRId64 " rows/s", done, rate);
    }
    if (progress->decided >= 0) {
        fprintf(progress->out, ", %" PRId64 " decided", progress->decided);
    }
    fflush(progress->out);
    progress->drawn_ms = now_ms;
    progress->visible = true;
}

void progress_clear(struct progress *progress)
{
    if (progress->visible) {
        fprintf(progress->out, "\r\033[K");
        fflush(progress->out);
        progress->visible = false;
    }
}
