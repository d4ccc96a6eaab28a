#include "tests/lib/proxy.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Below the ports that the start scripts in compose/ choose, which come later. */
#define FIRST_PORT 12000
#define PORT_COUNT 8000

int free_port(void)
{
    static unsigned next; /* each is given once */
    struct sockaddr_in address = {.sin_family = AF_INET};
    bool is_free = false;

    if (next == 0) {
        unsigned seed = (unsigned)getpid();
        next = (unsigned)rand_r(&seed);
    }
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    while (!is_free) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        address.sin_port = htons((uint16_t)(FIRST_PORT + next++ % PORT_COUNT));
        is_free = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
        close(fd);
    }
    return ntohs(address.sin_port);
}

static int toxiproxy(struct proxy_server *server, struct process *process, const char *verb,
                     const char *option)
{
    return process_run(server->work, NULL, process,
                       (const char *const[]){PAY_SOURCE_DIR "/compose/toxiproxy", verb, "--dir",
                                             server->dir, option, NULL});
}

void proxy_server_open(struct proxy_server *server, const struct scene *scene)
{
    struct process process;

    snprintf(server->work, sizeof(server->work), "%s", scene->dir);
    snprintf(server->dir, sizeof(server->dir), "%.480s/toxiproxy", scene->dir);
    cr_assert_eq(toxiproxy(server, &process, "start", NULL), 0, "%s", file_tail(process.err));
    char *text = file_text(process.out);
    cr_assert_eq(sscanf(text, "api=%63s", server->api), 1, "Toxiproxy printed no api=");
    free(text);
}

void proxy_server_close(struct proxy_server *server)
{
    toxiproxy(server, &(struct process){0}, "stop", "--clean");
}

/* One request to the API; the answer must have a status below 300. */
static void request(struct proxy_server *server, const char *method, const char *path,
                    const char *body)
{
    char url[256];
    struct process process;

    snprintf(url, sizeof(url), "http://%s%s", server->api, path);
    int code = process_run(server->work, NULL, &process,
                           (const char *const[]){"curl", "-sS", "--fail", "-o", "/dev/null", "-X",
                                                 method, "-d", body, url, NULL});
    cr_assert_eq(code, 0, "%s %s %s: %s", method, url, body, file_tail(process.err));
    unlink(process.out);
    unlink(process.err);
}

void proxy_add(struct proxy_server *server, const char *name, int listen, int upstream)
{
    char body[256];

    snprintf(body, sizeof(body),
             "{\"name\":\"%s\",\"listen\":\"127.0.0.1:%d\",\"upstream\":\"127.0.0.1:%d\"}", name,
             listen, upstream);
    request(server, "POST", "/proxies", body);
}

static void add_toxic(struct proxy_server *server, const char *name, const char *toxic,
                      const char *type, const char *direction, const char *attributes, int percent)
{
    char path[128];
    char body[256];

    snprintf(path, sizeof(path), "/proxies/%s/toxics", name);
    snprintf(body, sizeof(body),
             "{\"name\":\"%s\",\"type\":\"%s\",\"stream\":\"%s\",\"toxicity\":%d.%02d,"
             "\"attributes\":%s}",
             toxic, type, direction, percent / 100, percent % 100, attributes);
    request(server, "POST", path, body);
}

void proxy_delay(struct proxy_server *server, const char *name, int latency_ms)
{
    char attributes[64];

    snprintf(attributes, sizeof(attributes), "{\"latency\":%d}", latency_ms);
    add_toxic(server, name, "delay-up", "latency", "upstream", attributes, 100);
    add_toxic(server, name, "delay-down", "latency", "downstream", attributes, 100);
}

void proxy_arm_reset(struct proxy_server *server, const char *name, const char *direction)
{
    add_toxic(server, name, "reset", "reset_peer", direction, "{\"timeout\":0}", 100);
}

void proxy_reset_some(struct proxy_server *server, const char *name, int percent)
{
    add_toxic(server, name, "some-up", "reset_peer", "upstream", "{\"timeout\":0}", percent);
    add_toxic(server, name, "some-down", "reset_peer", "downstream", "{\"timeout\":0}", percent);
}

void proxy_disarm_reset(struct proxy_server *server, const char *name)
{
    proxy_remove_toxic(server, name, "reset");
}

void proxy_add_toxic(struct proxy_server *server, const char *name, const char *toxic,
                     const char *type, const char *direction, const char *attributes)
{
    add_toxic(server, name, toxic, type, direction, attributes, 100);
}

void proxy_remove_toxic(struct proxy_server *server, const char *name, const char *toxic)
{
    char path[128];

    snprintf(path, sizeof(path), "/proxies/%s/toxics/%s", name, toxic);
    request(server, "DELETE", path, "");
}

void proxy_set_enabled(struct proxy_server *server, const char *name, bool is_enabled)
{
    char path[128];

    snprintf(path, sizeof(path), "/proxies/%s", name);
    request(server, "POST", path, is_enabled ? "{\"enabled\":true}" : "{\"enabled\":false}");
}
