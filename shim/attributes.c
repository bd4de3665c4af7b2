/* Reads libc's spawn attributes.
 *
 * The object is laid out by the header that programs are compiled with, so its fields can be read where they lie; a
 * call of libc's getters would only add symbols to resolve. */
#include "libc.h"
#include "request.h"

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
                  POSIX_SPAWN_SETSCHEDPARAM | POSIX_SPAWN_SETSCHEDULER | POSIX_SPAWN_USEVFORK | POSIX_SPAWN_SETSID
};

#ifdef __GLIBC__
#define DEFAULT_SET(attributes) (&(attributes)->__sd)
#define MASK_SET(attributes) (&(attributes)->__ss)
#define PRIORITY(attributes) ((attributes)->__sp.sched_priority)
#define POLICY(attributes) ((attributes)->__policy)
/* The cgroup came in 2.39 into what was padding, right behind the policy; older versions refuse the flag. */
#define HAS_CGROUP POSIX_SPAWN_SETCGROUP
#define CGROUP(attributes) ((&(attributes)->__policy)[1])
#else /* musl */
#define DEFAULT_SET(attributes) (&(attributes)->__def)
#define MASK_SET(attributes) (&(attributes)->__mask)
#define PRIORITY(attributes) ((attributes)->__prio)
#define POLICY(attributes) ((attributes)->__pol)
#define HAS_CGROUP 0
#define CGROUP(attributes) (-1)
#endif

/* The first 64 bits of a sigset_t are the kernel's set. */
static airlock_signals kernel_set(const sigset_t *set) {
    airlock_signals signals;
    memcpy(&signals, set, sizeof signals);
    return signals;
}

static void read_signals(struct request *request, const posix_spawnattr_t *attributes, int flags) {
    if (flags & POSIX_SPAWN_SETSIGDEF) {
        request->command.default_signals = kernel_set(DEFAULT_SET(attributes));
        request->signals_chosen = true;
    }
    if (flags & POSIX_SPAWN_SETSIGMASK) {
        request->command.mask = kernel_set(MASK_SET(attributes));
        request->command.flags |= AIRLOCK_SETMASK;
    }
}

static void read_scheduling(struct request *request, const posix_spawnattr_t *attributes, int flags) {
    if (!LIBC_SPAWN_SCHEDULES || !(flags & (POSIX_SPAWN_SETSCHEDPARAM | POSIX_SPAWN_SETSCHEDULER)))
        return;
    request->command.scheduling_priority = PRIORITY(attributes);
    request->command.flags |= AIRLOCK_SETSCHEDPARAM;
    if (flags & POSIX_SPAWN_SETSCHEDULER) {
        request->command.scheduling_policy = POLICY(attributes);
        request->command.flags |= AIRLOCK_SETSCHEDULER;
    }
}

void request_read_attributes(struct request *request, const posix_spawnattr_t *attributes) {
    struct airlock_command *command = &request->command;
    if (attributes == NULL)
        return;
    int flags = (unsigned short)attributes->__flags;
    if (flags & ~(KNOWN_FLAGS | HAS_CGROUP)) {
        request->obstacle = "an attribute flag that this library does not know";
        return;
    }
    if (flags & POSIX_SPAWN_RESETIDS)
        command->flags |= AIRLOCK_RESETIDS;
    if (flags & POSIX_SPAWN_SETSID)
        command->flags |= AIRLOCK_SETSID;
    if (flags & POSIX_SPAWN_SETPGROUP) {
        command->flags |= AIRLOCK_SETPGROUP;
        command->process_group = attributes->__pgrp;
    }
    if (flags & HAS_CGROUP) {
        command->flags |= AIRLOCK_SETCGROUP;
        command->cgroup = CGROUP(attributes);
    }
    read_signals(request, attributes, flags);
    read_scheduling(request, attributes, flags);
}
