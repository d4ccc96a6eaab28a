/*
 * A scene: a folder of its own, a broker, and the programs of the test build (with failpoints) on
 * one topic. Used by the integration tests (embedded broker) and the end-to-end tests (Kafka).
 */
#ifndef TESTS_LIB_SCENE_H
#define TESTS_LIB_SCENE_H

#include "tests/lib/process.h"

#include <stdint.h>

struct scene {
    char dir[PROCESS_PATH_MAX];
    char db[PROCESS_PATH_MAX];     /* the ledger */
    char sample[PROCESS_PATH_MAX]; /* the 1,000 payments */
    char brokers[128];             /* where both programs connect, unless a test says otherwise */
    char topic[64];
    bool is_embedded;
    struct process broker; /* the embedded one */
    int nodes;             /* of Kafka */
};

/* A new folder, and no broker. */
void scene_open_bare(struct scene *scene);

/*
 * A new folder, and the embedded broker in it with `payments` and `payments.outcomes`
 * of 4 partitions, `others` and `others.outcomes` of 1.
 */
void scene_open_embedded(struct scene *scene);

/* A new folder, and a broker without topic settings that the test runs itself. */
void scene_open_on(struct scene *scene, const char *brokers);

/*
 * A new folder and Apache Kafka in it, with `payments` and `payments.outcomes` of 4 partitions.
 * advertised is
 * NULL-ended: each HOST:PORT gets a listener of its own that advertises it; the real ports are
 * written to proxied.
 */
void scene_open_kafka(struct scene *scene, const char *const *advertised, int *proxied);

/* Kafka only: make a topic with the right settings, or delete one. */
void scene_make_topic(const struct scene *scene, const char *name, const char *partitions);
void scene_delete_topic(const struct scene *scene, const char *name);

/* As scene_make_topic(), with more options of pay-make-topic, ended by NULL. */
void scene_make_topic_with(const struct scene *scene, const char *name, const char *const *more);

/* End all of it and remove the folder. The folder stays when the environment has PAY_KEEP. */
void scene_close(struct scene *scene);

/* End the broker; the folder stays, without the broker's data. */
void scene_stop(struct scene *scene);

/*
 * Kafka only. Nodes are numbered from 1, which scene_open_kafka() starts and which alone is the
 * controller. scene_kafka_add() starts one more broker and adds its address to scene->brokers.
 */
void scene_kafka_add(struct scene *scene);
void scene_kafka_signal(const struct scene *scene, int node, int signo);
/* SIGKILL it; start it again on the same data and ports. */
void scene_kafka_kill(const struct scene *scene, int node);
void scene_kafka_start(const struct scene *scene, int node);
/* End all nodes and remove their data. */
void scene_kafka_stop(const struct scene *scene);

/*
 * payd on the scene's ledger: args are added to `payd run --db ... -b ... -g test`. env may be
 * NULL. Ended by NULL.
 */
struct process scene_start_payd(const struct scene *scene, const char *env,
                                const char *const *args);

/* The same as the last arguments of another program: before is its command, ended by NULL. */
struct process scene_start_payd_under(const struct scene *scene, const char *const *before,
                                      const char *env, const char *const *args);

/* payd --until-end on the scene's ledger; returns its exit code. */
int scene_drain(const struct scene *scene, const char *env, struct process *process);

/* payd with args and nothing else, ended by NULL; returns its exit code. */
int scene_payd(const struct scene *scene, struct process *process, const char *const *args);

/* Expect that a process that has ended printed a text, or said it on stderr. */
void expect_printed(const struct process *process, const char *text);
void expect_said(const struct process *process, const char *text);

/* pay with args, which the scene's -b and -t follow; returns its exit code. */
int scene_pay(const struct scene *scene, const char *env, struct process *process,
              const char *const *args);
struct process scene_start_pay(const struct scene *scene, const char *env, const char *const *args);

/* One number or text out of the ledger, by SQL. The text is valid until the next call. */
int64_t scene_int(const struct scene *scene, const char *sql);
const char *scene_text(const struct scene *scene, const char *sql);

/* Change the ledger by SQL, behind payd's back: the test hook for positions. */
void scene_change(const struct scene *scene, const char *sql);

/* True once the SQL gives the number, false when it does not within the time. */
bool scene_comes_to(const struct scene *scene, const char *sql, int64_t wanted, int timeout_ms);

/* Assert the invariants that need only the ledger: postings, balances, keys, totals. */
void scene_check_books(const struct scene *scene);

/* A message as any client would send it. NULL = no key, no value. Waits for the acknowledgement. */
void scene_produce(const struct scene *scene, const char *key, const char *value);
/* headers: names and values in turn, ended by NULL. */
void scene_produce_with_headers(const struct scene *scene, const char *key, const char *value,
                                const char *const *headers);
void scene_produce_bytes(const struct scene *scene, const char *key, const void *value,
                         size_t value_len);
void scene_produce_to(const struct scene *scene, const char *topic, const char *key,
                      const void *value, size_t value_len);

#endif
