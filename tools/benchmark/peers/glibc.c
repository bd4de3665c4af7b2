/* posix_spawn as most programs call it. Under the preload this is what airlock takes over. */
#include "native.h"

#include <spawn.h>
#include <stddef.h>
#include <unistd.h>

static int call(const struct request *request, const posix_spawn_file_actions_t *actions, pid_t *pid) {
    if (request->search)
        return posix_spawnp(pid, request->file, actions, NULL, request->argv, environ);
    return posix_spawn(pid, request->file, actions, NULL, request->argv, environ);
}

static int start(const struct request *request, pid_t *pid) {
    posix_spawn_file_actions_t actions;
    if (request->output < 0)
        return call(request, NULL, pid);
    int code = posix_spawn_file_actions_init(&actions);
    if (code != 0)
        return code;
    code = posix_spawn_file_actions_adddup2(&actions, request->output, 1);
    if (code == 0)
        code = call(request, &actions, pid);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

const struct peer peer_glibc = {.name = "glibc", .start = start};
