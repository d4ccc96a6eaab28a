#include "tests/lib/scene.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 16

/* Kafka looks for records to remove 30 s after its start: in the middle of a slow test, which
 * removes its records itself. So it looks after an hour. */
#define NO_RETENTION "log.initial.task.delay.ms=3600000"

static const char *node_folder(const struct scene *scene, int node, char path[PROCESS_PATH_MAX])
{
    snprintf(path, PROCESS_PATH_MAX, "%.480s/kafka-%d", scene->dir, node);
    return path;
}

/* compose/kafka with the words, ended by NULL, on the node's folder; returns its exit code. */
static int kafka(const struct scene *scene, int node, struct process *process,
                 const char *const *words)
{
    const char *args[PROCESS_ARGS_MAX] = {PAY_SOURCE_DIR "/compose/kafka"};
    char dir[PROCESS_PATH_MAX];
    int count = 1;

    while (*words) {
        args[count++] = *words++;
    }
    if (strcmp(args[1], "start") == 0) {
        args[count++] = "--override";
        args[count++] = NO_RETENTION;
    }
    args[count++] = "--dir";
    args[count] = node_folder(scene, node, dir);
    /* Brokers that live for seconds: what starts soon beats what runs fast. */
    setenv("KAFKA_JVM_PERFORMANCE_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC", 0);
    return process_run(scene->dir, NULL, process, args);
}

#define STARTS_MAX 3

/* Others that start beside it may take a port that was free a moment ago: then with other ports. */
static void start_new(const struct scene *scene, struct process *process, const char *const *words)
{
    struct process clean;
    int code = kafka(scene, scene->nodes, process, words);

    for (int starts = 1; code != 0 && starts < STARTS_MAX; starts++) {
        kafka(scene, scene->nodes, &clean, (const char *const[]){"stop", "--clean", NULL});
        code = kafka(scene, scene->nodes, process, words);
    }
    cr_assert_eq(code, 0, "Kafka did not start: %s", file_tail(process->err));
}

void scene_open_kafka(struct scene *scene, const char *const *advertised, int *proxied)
{
    const char *args[PROCESS_ARGS_MAX] = {"start"};
    struct process process;
    char value[64];
    char name[32];
    int count = 1;

    scene_open_on(scene, "");
    scene->is_embedded = false;
    scene->nodes = 1;
    for (int i = 0; advertised && advertised[i]; i++) {
        args[count++] = "--advertise";
        args[count++] = advertised[i];
    }
    start_new(scene, &process, args);
    process_value(&process, "bootstrap", scene->brokers, sizeof(scene->brokers));
    for (int i = 0; advertised && advertised[i]; i++) {
        snprintf(name, sizeof(name), "proxied_%d", i + 1);
        process_value(&process, name, value, sizeof(value));
        proxied[i] = atoi(strrchr(value, ':') + 1);
    }
    scene_make_topic(scene, scene->topic, "4");
    scene_make_topic(scene, "payments.outcomes", "4");
}

void scene_make_topic_with(const struct scene *scene, const char *name, const char *const *more)
{
    const char *args[OPTIONS_MAX] = {PAY_BIN_DIR "/pay-make-topic", "-b", scene->brokers, "-t",
                                     name};
    struct process process;
    int count = 5;

    while (*more) {
        args[count++] = *more++;
    }
    cr_assert_eq(process_run(scene->dir, NULL, &process, args), 0, "%s", file_tail(process.err));
}

void scene_make_topic(const struct scene *scene, const char *name, const char *partitions)
{
    scene_make_topic_with(scene, name, (const char *const[]){"--partitions", partitions, NULL});
}

void scene_delete_topic(const struct scene *scene, const char *name)
{
    scene_make_topic_with(scene, name, (const char *const[]){"--delete", NULL});
}

/* ---- nodes ---- */

void scene_kafka_add(struct scene *scene)
{
    struct process process;
    char first[PROCESS_PATH_MAX];
    size_t len = strlen(scene->brokers);

    scene->nodes++;
    start_new(scene, &process,
              (const char *const[]){"start", "--join", node_folder(scene, 1, first), NULL});
    cr_assert_lt(len + 1, sizeof(scene->brokers));
    scene->brokers[len] = ',';
    process_value(&process, "bootstrap", scene->brokers + len + 1,
                  sizeof(scene->brokers) - len - 1);
}

void scene_kafka_signal(const struct scene *scene, int node, int signo)
{
    char dir[PROCESS_PATH_MAX];
    char path[PROCESS_PATH_MAX + 8];

    snprintf(path, sizeof(path), "%s/pid", node_folder(scene, node, dir));
    char *text = file_text(path);
    int pid = atoi(text);
    free(text);
    cr_assert(pid > 1 && kill(pid, signo) == 0, "node %d does not run", node);
}

void scene_kafka_kill(const struct scene *scene, int node)
{
    struct process process;

    cr_assert_eq(kafka(scene, node, &process, (const char *const[]){"kill", NULL}), 0);
}

void scene_kafka_start(const struct scene *scene, int node)
{
    struct process process;

    cr_assert_eq(kafka(scene, node, &process, (const char *const[]){"start", NULL}), 0, "%s",
                 file_tail(process.err));
}

void scene_kafka_stop(const struct scene *scene)
{
    struct process process;

    /* At once: a node that was stopped by a signal, or whose controller is gone, would wait. */
    for (int node = scene->nodes; node >= 1; node--) {
        kafka(scene, node, &process, (const char *const[]){"kill", NULL});
        kafka(scene, node, &process, (const char *const[]){"stop", "--clean", NULL});
    }
}
