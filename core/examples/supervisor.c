/* A supervisor with pidfd and poll: keeps a shell command running, starts it again when it ends, and gives up after the
 * number of starts that it was told. It never waits for one child while another may need it.
 *
 *     example-supervisor STARTS COMMAND [COMMAND…] */
#include <airlock.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 16 };

struct service {
    const char *command;
    int starts_left;
    struct airlock_process process;
};

/* The service's children die with the supervisor. */
static int start(struct service *service) {
    struct airlock_command shell = {
        .path = "/bin/sh",
        .argv = (char *[]){"sh", "-c", (char *)service->command, NULL},
        .seal = AIRLOCK_SEAL,
        .death_signal = SIGTERM,
    };
    struct airlock_error error;
    char text[256];
    service->starts_left--;
    if (airlock_process_start(&shell, NULL, &service->process, &error, NULL) == 0)
        return 0;
    airlock_error_text(&error, &shell, text, sizeof text);
    fprintf(stderr, "example-supervisor: %s\n", text);
    return 1;
}

static void reap(struct service *service) {
    char text[64] = "ended, and its status is lost"; /* where SIGCHLD is ignored */
    int status;
    int code = airlock_process_try_wait(&service->process, &status);
    if (code == EAGAIN)
        return;
    if (code == 0)
        airlock_status_text(status, text, sizeof text);
    airlock_process_close(&service->process);
    printf("%s: %s\n", service->command, text);
    fflush(stdout);
    if (service->starts_left > 0)
        start(service);
}

int main(int argc, char **argv) {
    struct service services[MOST];
    struct pollfd ends[MOST];
    int count = argc - 2, running;
    if (count < 1 || count > MOST)
        return 2;
    for (int i = 0; i < count; i++) {
        services[i] = (struct service){argv[i + 2], atoi(argv[1]), AIRLOCK_PROCESS_NONE};
        if (start(&services[i]) != 0)
            return 1;
    }
    do {
        running = 0;
        for (int i = 0; i < count; i++) {
            ends[i] = (struct pollfd){.fd = services[i].process.pidfd, .events = POLLIN};
            running += ends[i].fd >= 0;
        }
        if (running > 0 && poll(ends, (nfds_t)count, -1) > 0)
            for (int i = 0; i < count; i++)
                if (ends[i].revents != 0)
                    reap(&services[i]);
    } while (running > 0);
    return 0;
}
