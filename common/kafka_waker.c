#include "common/kafka_waker.h"

#include "common/thread.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* How long an answer is waited for; nobody needs it. */
#define ANSWER_MS 250

/* Offsets of a question stand for times; this one for "the end". */
#define AT_THE_END (-1)

struct kafka_waker {
    rd_kafka_t *rk;
    pthread_t thread;
    pthread_mutex_t lock; /* over all below */
    pthread_cond_t changed;
    rd_kafka_topic_partition_list_t *asked; /* NULL = nothing to do */
    bool ending;
};

static void *ask_all(void *user)
{
    struct kafka_waker *waker = user;

    pthread_mutex_lock(&waker->lock);
    while (!waker->ending) {
        rd_kafka_topic_partition_list_t *asked = waker->asked;
        if (!asked) {
            pthread_cond_wait(&waker->changed, &waker->lock);
            continue;
        }
        waker->asked = NULL;
        pthread_mutex_unlock(&waker->lock);
        (void)rd_kafka_offsets_for_times(waker->rk, asked, ANSWER_MS);
        rd_kafka_topic_partition_list_destroy(asked);
        pthread_mutex_lock(&waker->lock);
    }
    pthread_mutex_unlock(&waker->lock);
    return NULL;
}

int kafka_waker_open(struct kafka_waker **ret, struct rd_kafka_s *rk, struct error *err)
{
    struct kafka_waker *waker = calloc(1, sizeof(*waker));

    if (!waker) {
        return error_set(err, EX_OSERR, "out of memory");
    }
    waker->rk = rk;
    pthread_mutex_init(&waker->lock, NULL);
    pthread_cond_init(&waker->changed, NULL);
    int code = thread_start(&waker->thread, ask_all, waker);
    if (code != 0) {
        free(waker);
        return error_set(err, EX_OSERR, "no thread can be started: %s", strerror(code));
    }
    *ret = waker;
    return 0;
}

void kafka_waker_close(struct kafka_waker *waker)
{
    if (!waker) {
        return;
    }
    pthread_mutex_lock(&waker->lock);
    waker->ending = true;
    pthread_cond_signal(&waker->changed);
    pthread_mutex_unlock(&waker->lock);
    pthread_join(waker->thread, NULL);
    if (waker->asked) {
        rd_kafka_topic_partition_list_destroy(waker->asked);
    }
    pthread_cond_destroy(&waker->changed);
    pthread_mutex_destroy(&waker->lock);
    free(waker);
}

void kafka_waker_wake(struct kafka_waker *waker, struct rd_kafka_topic_partition_list_s *partitions)
{
    for (int i = 0; i < partitions->cnt; i++) {
        partitions->elems[i].offset = AT_THE_END;
    }
    pthread_mutex_lock(&waker->lock);
    if (waker->asked) { /* the one before has not even been asked: this one may go instead */
        rd_kafka_topic_partition_list_destroy(waker->asked);
    }
    waker->asked = partitions;
    pthread_cond_signal(&waker->changed);
    pthread_mutex_unlock(&waker->lock);
}
