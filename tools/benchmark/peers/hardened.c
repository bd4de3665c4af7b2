/* posix_spawn as a careful program calls it: every descriptor from 3 on closed, every signal at its default, and an
 * empty mask. */
#include "native.h"

#include <signal.h>
#include <spawn.h>
#include <unistd.h>

static int prepare_attributes(posix_spawnattr_t *attributes) {
    sigset_t all;
    sigset_t none;
    sigfillset(&all);
    sigemptyset(&none);
    int code = posix_spawnattr_setsigdefault(attributes, &all);
    if (code == 0)
        code = posix_spawnattr_setsigmask(attributes, &none);
    if (code == 0)
        code = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    return code;
}

static int prepare_actions(posix_spawn_file_actions_t *actions, int output) {
    int code = output >= 0 ? posix_spawn_file_actions_adddup2(actions, output, 1) : 0;
    return code != 0 ? code : posix_spawn_file_actions_addclosefrom_np(actions, 3);
}

static int start(const struct request *request, pid_t *pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int code = posix_spawn_file_actions_init(&actions);
    if (code != 0)
        return code;
    code = posix_spawnattr_init(&attributes);
    if (code == 0)
        code = prepare_attributes(&attributes);
    if (code == 0)
        code = prepare_actions(&actions, request->output);
    if (code == 0 && request->search)
        code = posix_spawnp(pid, request->file, &actions, &attributes, request->argv, environ);
    else if (code == 0)
        code = posix_spawn(pid, request->file, &actions, &attributes, request->argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

const struct peer peer_hardened = {.name = "hardened", .start = start};
