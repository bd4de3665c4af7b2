/* fcntl, ioctl, dup2 and dup3, in order to notice when the program makes a descriptor inheritable by itself.
 *
 * Everything else about the call is libc's: its result, its errno, its being a cancellation point. What is noticed is
 * kept in a table without a lock, for these functions are called in signal handlers and by several threads. They are
 * also called in children of vfork, which share this memory and have a table of descriptors of their own: what those
 * do is ignored.
 *
 * fcntl.h may say that fcntl is another name of fcntl64; here both are defined. */
#undef _FILE_OFFSET_BITS
#include "intent.h"

#include "descriptor.h"
#include "export.h"
#include "libc.h"
#include "marks.h"

#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifdef __GLIBC__
typedef unsigned long ioctl_request;
#else
typedef int ioctl_request;
#endif

typedef int fcntl_function(int, int, ...);
typedef int ioctl_function(int, ioctl_request, ...);
typedef int dup2_function(int, int);
typedef int dup3_function(int, int, int);
typedef fcntl_function fcntl64_function;

/* libc's, or those of another preloaded library that wraps them as well. Looked up at the first call: at the start of
 * every program it would be most of what loading this library costs. */
static fcntl_function *_Atomic real_fcntl;
#ifdef __GLIBC__
static fcntl_function *_Atomic real_fcntl64;
#endif
static ioctl_function *_Atomic real_ioctl;
static dup2_function *_Atomic real_dup2;
static dup3_function *_Atomic real_dup3;

/* An allocator below the lookup may call these functions: then the system call itself has to do, NULL. */
static void *look_up(void *_Atomic *function, const char *name) {
    static _Atomic int looking;
    void *found = NULL;
    if (atomic_exchange(&looking, 1) == 0) {
        found = libc_optional(name);
        atomic_store_explicit(function, found, memory_order_relaxed);
        atomic_store(&looking, 0);
    }
    return found;
}

#define KNOWN(name) atomic_load_explicit(&real_##name, memory_order_relaxed)

#define REAL(name)                                                                                                     \
    ({                                                                                                                 \
        __typeof__(real_##name) *place_ = &real_##name;                                                                \
        void *known_ = (void *)atomic_load_explicit(place_, memory_order_relaxed);                                     \
        if (__builtin_expect(known_ == NULL, 0))                                                                       \
            known_ = look_up((void *_Atomic *)place_, #name);                                                          \
        (name##_function *)known_;                                                                                     \
    })

static struct marks made_inheritable;
static struct marks inherited;

/* Whose memory this is, as far as is known; 0 until something was noticed. */
static _Atomic int process;

/* The thread id that libc has stored for this thread. A child of fork has a new one; a child of vfork runs on its
 * parent's thread structure and has its parent's. A mutex that checks for errors shows it, as its owner. */
static int stored_thread_id(void) {
    pthread_mutexattr_t checking;
    pthread_mutex_t mutex;
    pthread_mutexattr_init(&checking);
    pthread_mutexattr_settype(&checking, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&mutex, &checking);
    pthread_mutex_lock(&mutex);
#ifdef __GLIBC__
    int owner = mutex.__data.__owner;
#else
    int owner = ((int *)&mutex)[1] & 0x3fffffff; /* musl: _m_lock */
#endif
    pthread_mutex_unlock(&mutex);
    return owner;
}

static bool is_own_process(void) {
    int current = (int)raw0(SYS_getpid);
    if (current == atomic_load_explicit(&process, memory_order_relaxed))
        return true;
    if (stored_thread_id() != (int)raw0(SYS_gettid))
        return false;
    atomic_store_explicit(&process, current, memory_order_relaxed);
    return true;
}

static bool is_noticed(int fd) {
    return fd > STDERR_FILENO && policy()->mode != MODE_OFF && is_own_process();
}

static void notice(int fd, bool inheritable) {
    if (!is_noticed(fd))
        return;
    if (inheritable)
        marks_note(&made_inheritable, fd);
    else
        marks_forget(&made_inheritable, fd);
}

void intent_keep(const char *rule, struct kept *kept) {
    marks_keep(&made_inheritable, rule, kept);
}

/* Descriptors above the first thousand are not what a parent hands over at start. */
void inherited_remember(void) {
    enum { HIGHEST = 1023 };
    for (int fd = STDERR_FILENO + 1; fd <= HIGHEST; fd++)
        if (descriptor_is_inheritable(fd))
            marks_note(&inherited, fd);
}

void inherited_keep(const char *rule, struct kept *kept) {
    marks_keep(&inherited, rule, kept);
}

/* ---- For calls from inside the lookup of the real functions. */

static int answer(long result) {
    if (result >= 0 || result < -4095)
        return (int)result;
    errno = (int)-result;
    return -1;
}

/* F_GETOWN answers a process group as a negative number, which could be taken for an error (glibc). */
static int bare_fcntl(long number, int fd, int command, void *argument) {
    if (command == F_GETOWN) {
        struct f_owner_ex owner;
        long result = raw3(number, fd, F_GETOWN_EX, &owner);
        return result < 0 ? answer(result) : owner.type == F_OWNER_PGRP ? -owner.pid : owner.pid;
    }
    return answer(raw3(number, fd, command, argument));
}

/* Where dup3 stands in for dup2, it refuses equal numbers. */
static int bare_dup2(int from, int to) {
    if (from != to)
        return answer(raw_dup2(from, to));
    long flags = raw2(SYS_fcntl, from, F_GETFD);
    return flags < 0 ? answer(flags) : to;
}

/* ---- What the program calls. A third argument may be missing, a number or a pointer: it is passed on as it came. What
 * is of no interest is handed on by a jump, for to return to here right after a system call would be the dearest part.
 */

/* F_DUPFD mostly moves a descriptor out of the way, to 10 and above. ksh93 redirects with it: it closes the number that
 * the command is to have, one digit, and duplicates onto it. */
static void notice_fcntl(int fd, int command, void *argument, int result) {
    enum { REDIRECTABLE = 10 };
    unsigned long number = (unsigned long)argument;
    if (command == F_SETFD && result == 0)
        notice(fd, (number & FD_CLOEXEC) == 0);
    else if (command == F_DUPFD && result == (int)number && result < REDIRECTABLE)
        notice(result, true);
}

/* A function that reads its arguments with va_arg cannot jump. On every architecture that Linux has here, a third
 * argument lies where that of a function with three arguments does, so each of these has three, and its real name only
 * as a symbol: the headers declare that name otherwise. */
#define AS(name) __asm__(#name)

#define APART __attribute__((noinline))

static bool is_of_interest(int command) {
    return command == F_SETFD || command == F_DUPFD;
}

APART static int watch_fcntl(int fd, int command, void *argument) {
    fcntl_function *real = REAL(fcntl);
    int result = real != NULL ? real(fd, command, argument) : bare_fcntl(SYS_fcntl, fd, command, argument);
    notice_fcntl(fd, command, argument, result);
    return result;
}

EXPORT int shim_fcntl(int fd, int command, void *argument) AS(fcntl);

int shim_fcntl(int fd, int command, void *argument) {
    fcntl_function *real = KNOWN(fcntl);
    return real == NULL || is_of_interest(command) ? watch_fcntl(fd, command, argument) : real(fd, command, argument);
}

#ifdef __GLIBC__
#ifndef SYS_fcntl64
#define SYS_fcntl64 SYS_fcntl
#endif

APART static int watch_fcntl64(int fd, int command, void *argument) {
    fcntl_function *real = REAL(fcntl64);
    int result = real != NULL ? real(fd, command, argument) : bare_fcntl(SYS_fcntl64, fd, command, argument);
    notice_fcntl(fd, command, argument, result);
    return result;
}

EXPORT int shim_fcntl64(int fd, int command, void *argument) AS(fcntl64);

int shim_fcntl64(int fd, int command, void *argument) {
    fcntl_function *real = KNOWN(fcntl64);
    return real == NULL || is_of_interest(command) ? watch_fcntl64(fd, command, argument) : real(fd, command, argument);
}
#endif

/* The kernel looks at 32 bits of the request. */
APART static int watch_ioctl(int fd, ioctl_request request, void *argument) {
    ioctl_function *real = REAL(ioctl);
    int result = real != NULL ? real(fd, request, argument) : answer(raw3(SYS_ioctl, fd, request, argument));
    if (result == 0 && ((unsigned)request == FIONCLEX || (unsigned)request == FIOCLEX))
        notice(fd, (unsigned)request == FIONCLEX);
    return result;
}

EXPORT int shim_ioctl(int fd, ioctl_request request, void *argument) AS(ioctl);

int shim_ioctl(int fd, ioctl_request request, void *argument) {
    ioctl_function *real = KNOWN(ioctl);
    if (real == NULL || (unsigned)request == FIONCLEX || (unsigned)request == FIOCLEX)
        return watch_ioctl(fd, request, argument);
    return real(fd, request, argument);
}

/* Onto itself, dup2 changes nothing. */
APART static int watch_dup2(int from, int to) {
    dup2_function *real = REAL(dup2);
    int result = real != NULL ? real(from, to) : bare_dup2(from, to);
    if (result == to && from != to)
        notice(to, true);
    return result;
}

EXPORT int dup2(int from, int to) {
    dup2_function *real = KNOWN(dup2);
    return real == NULL || to > STDERR_FILENO ? watch_dup2(from, to) : real(from, to);
}

APART static int watch_dup3(int from, int to, int flags) {
    dup3_function *real = REAL(dup3);
    int result = real != NULL ? real(from, to, flags) : answer(raw3(SYS_dup3, from, to, flags));
    if (result == to)
        notice(to, (flags & O_CLOEXEC) == 0);
    return result;
}

EXPORT int dup3(int from, int to, int flags) {
    dup3_function *real = KNOWN(dup3);
    return real == NULL || to > STDERR_FILENO ? watch_dup3(from, to, flags) : real(from, to, flags);
}
