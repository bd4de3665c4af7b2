/* Reads libc's spawn attributes, through libc's own getters. */
#include "request.h"

#include "libc.h"

#include <sched.h>
#include <signal.h>
#include <string.h>

#ifndef POSIX_SPAWN_USEVFORK
#define POSIX_SPAWN_USEVFORK 0x40
#endif
#ifndef POSIX_SPAWN_SETSID
#define POSIX_SPAWN_SETSID 0x80
#endif
#ifndef POSIX_SPAWN_SETCGROUP
#define POSIX_SPAWN_SETCGROUP 0x100 /* glibc 2.39 */
#endif

enum {
    KNOWN_FLAGS = POSIX_SPAWN_RESETIDS | POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                  POSIX_SPAWN_SETSCHEDPARAM | POSIX_SPAWN_SETSCHEDULER | POSIX_SPAWN_USEVFORK | POSIX_SPAWN_SETSID |
                  POSIX_SPAWN_SETCGROUP
};

/* The first 64 bits of a sigset_t are the kernel's set. */
static airlock_signals kernel_set(const sigset_t *set) {
    airlock_signals signals;
    memcpy(&signals, set, sizeof signals);
    return signals;
}

static void read_signals(struct request *request, const posix_spawnattr_t *attributes, int flags) {
    sigset_t set;
    if (flags & POSIX_SPAWN_SETSIGDEF) {
        posix_spawnattr_getsigdefault(attributes, &set);
        request->command.default_signals = kernel_set(&set);
        request->signals_chosen = true;
    }
    if (flags & POSIX_SPAWN_SETSIGMASK) {
        posix_spawnattr_getsigmask(attributes, &set);
        request->command.mask = kernel_set(&set);
        request->command.flags |= AIRLOCK_SETMASK;
    }
}

static void read_scheduling(struct request *request, const posix_spawnattr_t *attributes, int flags) {
    struct sched_param parameter;
    if (!(flags & (POSIX_SPAWN_SETSCHEDPARAM | POSIX_SPAWN_SETSCHEDULER)))
        return;
    posix_spawnattr_getschedparam(attributes, &parameter);
    request->command.scheduling_priority = parameter.sched_priority;
    request->command.flags |= AIRLOCK_SETSCHEDPARAM;
    if (flags & POSIX_SPAWN_SETSCHEDULER) {
        posix_spawnattr_getschedpolicy(attributes, &request->command.scheduling_policy);
        request->command.flags |= AIRLOCK_SETSCHEDULER;
    }
}

/* The getter is as new as the flag. */
static void read_cgroup(struct request *request, const posix_spawnattr_t *attributes, int flags) {
    if (!(flags & POSIX_SPAWN_SETCGROUP))
        return;
    int (*get)(const posix_spawnattr_t *, int *) =
        (int (*)(const posix_spawnattr_t *, int *))libc_optional("posix_spawnattr_getcgroup_np");
    if (get == NULL) {
        request->obstacle = "an attribute flag that this libc does not know";
        return;
    }
    get(attributes, &request->command.cgroup);
    request->command.flags |= AIRLOCK_SETCGROUP;
}

int request_read_attributes(struct request *request, const posix_spawnattr_t *attributes) {
    struct airlock_command *command = &request->command;
    short stored = 0;
    if (attributes == NULL)
        return 0;
    posix_spawnattr_getflags(attributes, &stored);
    int flags = (unsigned short)stored;
    if (flags & ~KNOWN_FLAGS) {
        request->obstacle = "an attribute flag that this library does not know";
        return 0;
    }
    if (flags & POSIX_SPAWN_RESETIDS)
        command->flags |= AIRLOCK_RESETIDS;
    if (flags & POSIX_SPAWN_SETSID)
        command->flags |= AIRLOCK_SETSID;
    if (flags & POSIX_SPAWN_SETPGROUP) {
        command->flags |= AIRLOCK_SETPGROUP;
        posix_spawnattr_getpgroup(attributes, &command->process_group);
    }
    read_signals(request, attributes, flags);
    read_scheduling(request, attributes, flags);
    read_cgroup(request, attributes, flags);
    return 0;
}
