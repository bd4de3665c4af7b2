/* The errors that the manual page of each system call lists, for the calls that a spawn makes. ENOSYS and EPERM are
 * tried for every call besides these: they are what an old kernel and a strict container answer. */
#ifndef FAULT_ERRORS_H
#define FAULT_ERRORS_H

#include "probe.h"

enum { ERRORS_MAX = 34 };

static const struct call_errors {
    const char *name;
    long number;
    short errors[ERRORS_MAX]; /* ends with 0 */
} call_errors[] = {
#ifdef SYS_access
    {"access", SYS_access, {EACCES, EFAULT, EINVAL, EIO, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR, EROFS, ETXTBSY}},
#endif
    {"brk", SYS_brk, {ENOMEM}},
    {"chdir", SYS_chdir, {EACCES, EFAULT, EIO, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR}},
    {"clock_gettime", SYS_clock_gettime, {EFAULT, EINVAL}},
    {"clone", SYS_clone, {EACCES, EAGAIN, EBUSY, EEXIST, EINVAL, ENOMEM, ENOSPC, EOPNOTSUPP, EUSERS}},
    /* The last three are those of a control group's descriptor that the page leaves out. */
    {"clone3",
     SYS_clone3,
     {EACCES, EAGAIN, EBUSY, EEXIST, EINVAL, ENOMEM, ENOSPC, EOPNOTSUPP, EUSERS, EBADF, ENODEV, ENOENT}},
    {"close", SYS_close, {EBADF, EDQUOT, EINTR, EIO, ENOSPC}},
    {"close_range", SYS_close_range, {EINVAL, EMFILE, ENOMEM}},
#ifdef SYS_dup2
    {"dup2", SYS_dup2, {EBADF, EBUSY, EINTR, EINVAL, EMFILE}},
#endif
    {"dup3", SYS_dup3, {EBADF, EBUSY, EINTR, EINVAL, EMFILE}},
    {"execve",
     SYS_execve,
     {E2BIG, EACCES, EAGAIN, EFAULT, EINVAL, EIO, EISDIR, ELIBBAD, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENOENT, ENOEXEC,
      ENOMEM, ENOTDIR, ETXTBSY}},
    {"faccessat",
     SYS_faccessat,
     {EACCES, EBADF, EFAULT, EINVAL, EIO, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR, EROFS, ETXTBSY}},
    {"fchdir", SYS_fchdir, {EACCES, EBADF, ENOTDIR}},
    {"fcntl", SYS_fcntl, {EACCES, EAGAIN, EBADF, EBUSY, EDEADLK, EFAULT, EINTR, EINVAL, EMFILE, ENOLCK, ENOTDIR}},
#ifdef SYS_fork
    {"fork", SYS_fork, {EAGAIN, ENOMEM}},
    {"vfork", SYS_vfork, {EAGAIN, ENOMEM}},
#endif
    {"futex", SYS_futex, {EACCES, EAGAIN, EDEADLK, EFAULT, EINTR, EINVAL, ENFILE, ENOMEM, ESRCH, ETIMEDOUT}},
    {"getcwd", SYS_getcwd, {EACCES, EFAULT, EINVAL, ENAMETOOLONG, ENOENT, ENOMEM, ERANGE}},
    {"getdents64", SYS_getdents64, {EBADF, EFAULT, EINVAL, ENOENT, ENOTDIR}},
    {"getegid", SYS_getegid, {0}},
    {"geteuid", SYS_geteuid, {0}},
    {"getgid", SYS_getgid, {0}},
    {"getpgid", SYS_getpgid, {ESRCH}},
    {"getpid", SYS_getpid, {0}},
    {"getppid", SYS_getppid, {0}},
    {"getrandom", SYS_getrandom, {EAGAIN, EFAULT, EINTR, EINVAL}},
    {"gettid", SYS_gettid, {0}},
    {"getuid", SYS_getuid, {0}},
    {"ioctl", SYS_ioctl, {EBADF, EFAULT, EINVAL, ENOTTY}},
    {"kill", SYS_kill, {EINVAL, ESRCH}},
    {"mmap", SYS_mmap, {EACCES, EAGAIN, EBADF, EEXIST, EINVAL, ENFILE, ENODEV, ENOMEM, EOVERFLOW, ETXTBSY}},
    {"mprotect", SYS_mprotect, {EACCES, EINVAL, ENOMEM}},
    {"munmap", SYS_munmap, {EINVAL, ENOMEM}},
    {"nanosleep", SYS_nanosleep, {EFAULT, EINTR, EINVAL}},
#ifdef SYS_newfstatat
    {"newfstatat",
     SYS_newfstatat,
     {EACCES, EBADF, EFAULT, EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR, EOVERFLOW}},
#endif
    {"openat", SYS_openat, {EACCES, EAGAIN,  EBADF, EBUSY,      EDQUOT,       EEXIST, EFAULT, EFBIG,  EINTR,
                            EINVAL, EISDIR,  ELOOP, EMFILE,     ENAMETOOLONG, ENFILE, ENODEV, ENOENT, ENOMEM,
                            ENOSPC, ENOTDIR, ENXIO, EOPNOTSUPP, EOVERFLOW,    EROFS,  ETXTBSY}},
    {"pidfd_getfd", SYS_pidfd_getfd, {EBADF, EINVAL, EMFILE, ESRCH}},
    {"pidfd_open", SYS_pidfd_open, {EINVAL, EMFILE, ENFILE, ENODEV, ENOMEM, ESRCH}},
    {"pidfd_send_signal", SYS_pidfd_send_signal, {EBADF, EINVAL, ESRCH}},
    {"pipe2", SYS_pipe2, {EFAULT, EINVAL, EMFILE, ENFILE, ENOPKG}},
    {"ppoll", SYS_ppoll, {EFAULT, EINTR, EINVAL, ENOMEM}},
    {"prctl", SYS_prctl, {EACCES, EBADF, EBUSY, EFAULT, EINVAL, ENODEV, ENXIO, EOPNOTSUPP, EOVERFLOW}},
    {"prlimit64", SYS_prlimit64, {EFAULT, EINVAL, ESRCH}},
    {"read", SYS_read, {EAGAIN, EBADF, EFAULT, EINTR, EINVAL, EIO, EISDIR}},
    {"readlinkat", SYS_readlinkat, {EACCES, EBADF, EFAULT, EINVAL, EIO, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR}},
    {"recvmsg", SYS_recvmsg, {EAGAIN, EBADF, ECONNREFUSED, EFAULT, EINTR, EINVAL, ENOMEM, ENOTCONN, ENOTSOCK}},
#ifdef SYS_rseq
    {"rseq", SYS_rseq, {EBUSY, EFAULT, EINVAL}},
#endif
    {"rt_sigaction", SYS_rt_sigaction, {EFAULT, EINVAL}},
    {"rt_sigpending", SYS_rt_sigpending, {EFAULT}},
    {"rt_sigprocmask", SYS_rt_sigprocmask, {EFAULT, EINVAL}},
    {"rt_sigtimedwait", SYS_rt_sigtimedwait, {EAGAIN, EINTR, EINVAL}},
    {"sched_get_priority_max", SYS_sched_get_priority_max, {EINVAL}},
    {"sched_get_priority_min", SYS_sched_get_priority_min, {EINVAL}},
    {"sched_getscheduler", SYS_sched_getscheduler, {EINVAL, ESRCH}},
    {"sched_setparam", SYS_sched_setparam, {EINVAL, ESRCH}},
    {"sched_setscheduler", SYS_sched_setscheduler, {EINVAL, ESRCH}},
    {"sched_yield", SYS_sched_yield, {0}},
    {"sendmsg",
     SYS_sendmsg,
     {EACCES, EAGAIN, EBADF, ECONNRESET, EDESTADDRREQ, EFAULT, EINTR, EINVAL, EISCONN, EMSGSIZE, ENOBUFS, ENOMEM,
      ENOTCONN, ENOTSOCK, EOPNOTSUPP, EPIPE}},
    {"sendto",
     SYS_sendto,
     {EACCES, EAGAIN, EBADF, ECONNREFUSED, ECONNRESET, EDESTADDRREQ, EFAULT, EINTR, EINVAL, EISCONN, EMSGSIZE, ENOBUFS,
      ENOENT, ENOMEM, ENOTCONN, ENOTSOCK, EOPNOTSUPP, EPIPE}},
    {"set_robust_list", SYS_set_robust_list, {EINVAL}},
    {"setgroups", SYS_setgroups, {EFAULT, EINVAL, ENOMEM}},
    {"setpgid", SYS_setpgid, {EACCES, EINVAL, ESRCH}},
    {"setresgid", SYS_setresgid, {EAGAIN, EINVAL}},
    {"setresuid", SYS_setresuid, {EAGAIN, EINVAL}},
    {"setsid", SYS_setsid, {0}},
    {"socket", SYS_socket, {EACCES, EAFNOSUPPORT, EINVAL, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTONOSUPPORT}},
    {"socketpair", SYS_socketpair, {EAFNOSUPPORT, EFAULT, EMFILE, ENFILE, EOPNOTSUPP, EPROTONOSUPPORT}},
    {"statx", SYS_statx, {EACCES, EBADF, EFAULT, EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR}},
    {"umask", SYS_umask, {0}},
    {"wait4", SYS_wait4, {ECHILD, EINTR, EINVAL, ESRCH}},
    {"waitid", SYS_waitid, {ECHILD, EINTR, EINVAL, ESRCH}},
    {"write", SYS_write, {EAGAIN, EBADF, EDESTADDRREQ, EDQUOT, EFAULT, EFBIG, EINTR, EINVAL, EIO, ENOSPC, EPIPE}},
    {NULL, -1, {0}},
};

SHARED const struct call_errors *find_call_errors(long number) {
    const struct call_errors *call = call_errors;
    while (call->name != NULL && call->number != number)
        call++;
    return call->name == NULL ? NULL : call;
}

#endif
