/* For probes that are built with musl: what glibc has and musl has not. Included by probe.h. */
#ifndef COMPAT_H
#define COMPAT_H

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

struct compat_name {
    int number;
    const char *name;
};

__attribute__((unused)) static const char *compat_look_up(const struct compat_name *names, int number) {
    for (; names->name != NULL; names++)
        if (names->number == number)
            return names->name;
    return NULL;
}

#define ERROR(name)                                                                                                    \
    { name, #name }
#define SIGNAL(name)                                                                                                   \
    { SIG##name, #name }

/* The errors that tests speak of. */
__attribute__((unused)) static const char *strerrorname_np(int code) {
    static const struct compat_name names[] = {
        ERROR(EPERM),        ERROR(ENOENT),     ERROR(ESRCH),     ERROR(EINTR),  ERROR(EIO),     ERROR(E2BIG),
        ERROR(ENOEXEC),      ERROR(EBADF),      ERROR(ECHILD),    ERROR(EAGAIN), ERROR(ENOMEM),  ERROR(EACCES),
        ERROR(EFAULT),       ERROR(EBUSY),      ERROR(EEXIST),    ERROR(ENODEV), ERROR(ENOTDIR), ERROR(EISDIR),
        ERROR(EINVAL),       ERROR(ENFILE),     ERROR(EMFILE),    ERROR(ENOTTY), ERROR(ETXTBSY), ERROR(ENOSPC),
        ERROR(ESPIPE),       ERROR(EROFS),      ERROR(EPIPE),     ERROR(ELOOP),  ERROR(ENOSYS),  ERROR(ENOTEMPTY),
        ERROR(ENAMETOOLONG), ERROR(EOPNOTSUPP), ERROR(ETIMEDOUT), ERROR(ESTALE), ERROR(EUCLEAN), ERROR(ENOBUFS),
        {0, NULL},
    };
    return compat_look_up(names, code);
}

__attribute__((unused)) static const char *sigabbrev_np(int number) {
    static const struct compat_name names[] = {
        SIGNAL(HUP),  SIGNAL(INT),    SIGNAL(QUIT), SIGNAL(ILL),  SIGNAL(TRAP),   SIGNAL(ABRT), SIGNAL(BUS),
        SIGNAL(FPE),  SIGNAL(KILL),   SIGNAL(USR1), SIGNAL(SEGV), SIGNAL(USR2),   SIGNAL(PIPE), SIGNAL(ALRM),
        SIGNAL(TERM), SIGNAL(STKFLT), SIGNAL(CHLD), SIGNAL(CONT), SIGNAL(STOP),   SIGNAL(TSTP), SIGNAL(TTIN),
        SIGNAL(TTOU), SIGNAL(URG),    SIGNAL(XCPU), SIGNAL(XFSZ), SIGNAL(VTALRM), SIGNAL(PROF), SIGNAL(WINCH),
        SIGNAL(POLL), SIGNAL(PWR),    SIGNAL(SYS),  {0, NULL},
    };
    return compat_look_up(names, number);
}

/* File actions that musl does not know. */
__attribute__((unused)) static int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions,
                                                                            int fd) {
    (void)actions, (void)fd;
    return ENOSYS;
}

__attribute__((unused)) static int posix_spawn_file_actions_addtcsetpgrp_np(posix_spawn_file_actions_t *actions,
                                                                            int fd) {
    (void)actions, (void)fd;
    return ENOSYS;
}

__attribute__((unused)) static int execveat(int directory, const char *path, char *const *argv, char *const *envp,
                                            int flags) {
    return (int)syscall(SYS_execveat, directory, path, argv, envp, flags);
}

/* musl has one width of offsets. */
#define fcntl64 fcntl

#undef ERROR
#undef SIGNAL
#endif
