/* system and popen, which bring their own waiting with them; the request is not looked at. */
#include "native.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int run_system(const struct request *request, pid_t *pid) {
    (void)request;
    *pid = 0;
    return system(":") == 0 ? 0 : EIO;
}

static int run_popen(const struct request *request, pid_t *pid) {
    (void)request;
    *pid = 0;
    FILE *stream = popen(":", "r");
    if (stream == NULL)
        return errno;
    return pclose(stream) == 0 ? 0 : EIO;
}

static int nothing_left(pid_t pid) {
    (void)pid;
    return 0;
}

const struct peer peer_system = {.name = "system", .start = run_system, .finish = nothing_left};
const struct peer peer_popen = {.name = "popen", .start = run_popen, .finish = nothing_left};
