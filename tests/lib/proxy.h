/*
 * Toxiproxy between the programs and Kafka: proxies, and connections that are reset while they
 * live.
 */
#ifndef TESTS_LIB_PROXY_H
#define TESTS_LIB_PROXY_H

#include "tests/lib/scene.h"

struct proxy_server {
    char dir[PROCESS_PATH_MAX];
    char work[PROCESS_PATH_MAX];
    char api[64]; /* HOST:PORT */
};

/* A TCP port that was free a moment ago. */
int free_port(void);

/* Start Toxiproxy in a folder of the scene's. */
void proxy_server_open(struct proxy_server *server, const struct scene *scene);
void proxy_server_close(struct proxy_server *server);

/* Make a proxy: listens on 127.0.0.1:listen, passes on to 127.0.0.1:upstream. */
void proxy_add(struct proxy_server *server, const char *name, int listen, int upstream);

/* Delay everything that passes in either direction. */
void proxy_delay(struct proxy_server *server, const char *name, int latency_ms);

/* From now on reset so many of a hundred connections with their first bytes, each way. */
void proxy_reset_some(struct proxy_server *server, const char *name, int percent);

/* One toxic on a proxy, for every connection: type and attributes (JSON) are Toxiproxy's. */
void proxy_add_toxic(struct proxy_server *server, const char *name, const char *toxic,
                     const char *type, const char *direction, const char *attributes);
void proxy_remove_toxic(struct proxy_server *server, const char *name, const char *toxic);

/* Close all of a proxy's connections and take no new ones; or take them again. */
void proxy_set_enabled(struct proxy_server *server, const char *name, bool is_enabled);

/*
 * Reset the live connections that next send something in a direction ("upstream": from client to
 * broker, "downstream": back), for as long as it is armed.
 */
void proxy_arm_reset(struct proxy_server *server, const char *name, const char *direction);
void proxy_disarm_reset(struct proxy_server *server, const char *name);

#endif
