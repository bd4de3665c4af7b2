/* posix_spawn, posix_spawnp, pidfd_spawn and pidfd_spawnp: what the caller asked for, turned into one core call.
 *
 * Returns an error number and leaves errno alone (POSIX). Writes the child's id only on success (glibc). */
#include "request.h"

#include "event.h"
#include "export.h"
#include "libc.h"
#include "policy.h"

#include <errno.h>

struct spawn_call {
    const char *name;
    enum libc_function in_libc;
    enum airlock_search search;
    unsigned flags; /* enum airlock_flag */
};

struct spawn_arguments {
    int *result; /* the child's pid or pidfd */
    const char *path;
    const posix_spawn_file_actions_t *actions;
    const posix_spawnattr_t *attributes;
    char *const *argv;
    char *const *envp;
};

static int hand_to_libc(const struct spawn_call *call, const struct spawn_arguments *given) {
    spawn_function *function = libc_spawn(call->in_libc);
    if (function == NULL)
        return ENOSYS;
    return function(given->result, given->path, given->actions, given->attributes, given->argv, given->envp);
}

static int read_request(const struct spawn_call *call, const struct spawn_arguments *given, struct request *request) {
    static char *const no_environment[] = {NULL};
    request->command = (struct airlock_command){
        .path = given->path,
        .argv = given->argv,
        .envp = given->envp != NULL ? given->envp : no_environment,
        .search = call->search,
        .flags = call->flags,
    };
    request_read_attributes(request, given->attributes);
    return request_read_file_actions(request, given->actions);
}

/* What this library does not understand libc has to do, unhardened; the record says so. */
static int pass_through(const struct spawn_call *call, const struct spawn_arguments *given, struct request *request) {
    struct spawn_arguments own = *given;
    int child = 0;
    request_decide(request);
    if (own.result == NULL && !(call->flags & AIRLOCK_WANT_PIDFD))
        own.result = &child;
    struct event *event = event_begin(request);
    int code = hand_to_libc(call, &own);
    event_passed_through(event, request, call->flags & AIRLOCK_WANT_PIDFD || code != 0 ? 0 : *own.result, code);
    return code;
}

static int carry_out(const struct spawn_call *call, const struct spawn_arguments *given, const void *caller) {
    struct request request;
    struct airlock_child child;
    struct airlock_error error;
    request.call = call->name;
    request.caller = caller;
    request.signals_chosen = false;
    request.ignored_by_call = 0;
    request.shell_line = NULL;
    request.obstacle = NULL;
    request.mapped = 0;
    int code = read_request(call, given, &request);
    if (code != 0)
        goto out;
    if (request.obstacle != NULL) {
        code = pass_through(call, given, &request);
        goto out;
    }
    code = request_spawn(&request, &child, &error);
    if (code == 0 && given->result != NULL)
        *given->result = call->flags & AIRLOCK_WANT_PIDFD ? child.pidfd : child.pid;
out:
    request_release(&request);
    return code;
}

static int spawn(const struct spawn_call *call, const struct spawn_arguments *given, const void *caller) {
    /* A libc without pidfd_spawn leaves nothing to hand the call to; the core does it unsealed. */
    if (policy()->mode == MODE_OFF && libc_spawn(call->in_libc) != NULL)
        return hand_to_libc(call, given);
    if (given->path == NULL)
        return EFAULT;
    return carry_out(call, given, caller);
}

#define DEFINE_SPAWN(function, ...)                                                                                    \
    EXPORT int function(int *result, const char *path, const posix_spawn_file_actions_t *actions,                      \
                        const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]) {                 \
        static const struct spawn_call call = {__VA_ARGS__};                                                           \
        struct spawn_arguments given = {result, path, actions, attributes, argv, envp};                                \
        return spawn(&call, &given, __builtin_return_address(0));                                                      \
    }

EXPORT spawn_function shim_posix_spawn, shim_posix_spawnp, pidfd_spawn, pidfd_spawnp;
EXPORT_VERSION(shim_posix_spawn, posix_spawn, NEW)
EXPORT_VERSION(shim_posix_spawnp, posix_spawnp, NEW)

DEFINE_SPAWN(shim_posix_spawn, "posix_spawn", LIBC_POSIX_SPAWN, AIRLOCK_SEARCH_NONE, 0)
DEFINE_SPAWN(shim_posix_spawnp, "posix_spawnp", LIBC_POSIX_SPAWNP, AIRLOCK_SEARCH_PARENT_PATH, 0)
DEFINE_SPAWN(pidfd_spawn, "pidfd_spawn", LIBC_PIDFD_SPAWN, AIRLOCK_SEARCH_NONE, AIRLOCK_WANT_PIDFD)
DEFINE_SPAWN(pidfd_spawnp, "pidfd_spawnp", LIBC_PIDFD_SPAWNP, AIRLOCK_SEARCH_PARENT_PATH, AIRLOCK_WANT_PIDFD)

#if HAVE_OLD_SPAWN
/* What programs built against glibc before 2.15 call: a file without #! is run by the shell. */
EXPORT spawn_function shim_posix_spawn_old, shim_posix_spawnp_old;
EXPORT_VERSION(shim_posix_spawn_old, posix_spawn, OLD)
EXPORT_VERSION(shim_posix_spawnp_old, posix_spawnp, OLD)

DEFINE_SPAWN(shim_posix_spawn_old, "posix_spawn", LIBC_POSIX_SPAWN_OLD, AIRLOCK_SEARCH_NONE, AIRLOCK_SHELL_FALLBACK)
DEFINE_SPAWN(shim_posix_spawnp_old, "posix_spawnp", LIBC_POSIX_SPAWNP_OLD, AIRLOCK_SEARCH_PARENT_PATH,
             AIRLOCK_SHELL_FALLBACK | AIRLOCK_SHELL_BY_NAME)
#endif
