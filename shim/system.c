/* system: while the shell runs, SIGINT and SIGQUIT are ignored and SIGCHLD is blocked (POSIX).
 *
 * Overlapping calls in several threads share the ignoring: the first one sets it, the last one restores it. A thread
 * that is cancelled while it waits kills and reaps its shell and restores all the same (glibc). */
#include "event.h"
#include "export.h"
#include "libc.h"
#include "policy.h"
#include "shell.h"
#include "syscall.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* The kernel's struct sigaction, whose handler comes first everywhere. What was read is written back as it is. */
struct disposition {
    uintptr_t handler;
    unsigned long rest[5];
};

/* The dispositions that the overlapping calls share. The lock is held for a few instructions, never across a clone,
 * with signals blocked. It carries the process id of its holder: in a child of fork, threads that held it do not
 * exist. */
static struct {
    _Atomic int lock;
    int process; /* whose users are counted */
    int users;
    struct disposition interrupt;
    struct disposition quit;
    bool interrupt_changed; /* false where the kernel refused */
    bool quit_changed;
} shared;

static void lock_shared(int process) {
    int seen = 0;
    while (!atomic_compare_exchange_strong(&shared.lock, &seen, process)) {
        if (seen != process) {
            if (atomic_compare_exchange_strong(&shared.lock, &seen, process))
                return;
            continue;
        }
        struct timespec pause = {.tv_nsec = 1000000};
        raw4(SYS_futex, &shared.lock, FUTEX_WAIT_PRIVATE, seen, &pause);
        seen = 0;
    }
}

static void unlock_shared(void) {
    atomic_store(&shared.lock, 0);
    raw3(SYS_futex, &shared.lock, FUTEX_WAKE_PRIVATE, 1);
}

/* What one call has to undo. */
struct system_call {
    airlock_signals old_mask;
    pid_t pid;
    uint64_t started_ns;
};

static const airlock_signals every_signal = ~(airlock_signals)0;

/* What restores is tried once more when it is refused. */
enum { TRIES = 2 };

static void set_mask(airlock_signals mask) {
    for (int i = 0; i < TRIES; i++)
        if (raw4(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, sizeof mask) >= 0)
            return;
}

static bool ignore(int signal, struct disposition *old) {
    const struct disposition ignored = {.handler = (uintptr_t)SIG_IGN};
    return raw4(SYS_rt_sigaction, signal, &ignored, old, sizeof(airlock_signals)) >= 0;
}

static void restore(int signal, const struct disposition *old) {
    for (int i = 0; i < TRIES; i++)
        if (raw4(SYS_rt_sigaction, signal, old, 0, sizeof(airlock_signals)) >= 0)
            return;
}

/* Ignores the two signals and blocks SIGCHLD. In *reset are the signals that the shell has to have at their default:
 * those that the program itself does not ignore. An errno value when signals cannot be blocked; then nothing is done.
 */
static int enter(struct system_call *call, airlock_signals *reset) {
    long result = raw4(SYS_rt_sigprocmask, SIG_SETMASK, &every_signal, &call->old_mask, sizeof every_signal);
    if (result < 0)
        return (int)-result;
    int process = (int)raw0(SYS_getpid);
    lock_shared(process);
    if (shared.process != process) {
        shared.process = process;
        shared.users = 0;
    }
    if (shared.users++ == 0) {
        shared.interrupt_changed = ignore(SIGINT, &shared.interrupt);
        shared.quit_changed = ignore(SIGQUIT, &shared.quit);
    }
    *reset = 0;
    if (shared.interrupt_changed && shared.interrupt.handler != (uintptr_t)SIG_IGN)
        *reset |= AIRLOCK_SIGNAL(SIGINT);
    if (shared.quit_changed && shared.quit.handler != (uintptr_t)SIG_IGN)
        *reset |= AIRLOCK_SIGNAL(SIGQUIT);
    unlock_shared();
    set_mask(call->old_mask | AIRLOCK_SIGNAL(SIGCHLD));
    return 0;
}

static void leave(const struct system_call *call) {
    set_mask(every_signal);
    lock_shared((int)raw0(SYS_getpid));
    if (--shared.users == 0) {
        if (shared.interrupt_changed)
            restore(SIGINT, &shared.interrupt);
        if (shared.quit_changed)
            restore(SIGQUIT, &shared.quit);
    }
    unlock_shared();
    set_mask(call->old_mask);
}

static void cancelled(void *argument) {
    const struct system_call *call = argument;
    struct rusage usage;
    pid_t waited;
    int status;
    raw2(SYS_kill, call->pid, SIGKILL);
    do
        waited = wait4(call->pid, &status, 0, &usage); /* a thread that is cancelled is not cancelled again */
    while (waited < 0 && errno == EINTR);
    if (waited == call->pid)
        event_reaped("system", call->pid, status, call->started_ns, &usage);
    leave(call);
}

/* wait4 is what makes system a cancellation point. */
static int wait_for_shell(struct system_call *call) {
    int status = -1;
    pid_t waited;
    struct rusage usage;
    pthread_cleanup_push(cancelled, call);
    do
        waited = wait4(call->pid, &status, 0, &usage);
    while (waited < 0 && errno == EINTR);
    pthread_cleanup_pop(0);
    if (waited != call->pid)
        return -1;
    event_reaped("system", call->pid, status, call->started_ns, &usage);
    return status;
}

/* A shell that cannot be executed counts as one that ended with 127 (POSIX). */
static int status_of_failure(int code) {
    errno = code;
    return LIBC_SYSTEM_SAYS_127 ? 127 << 8 : -1;
}

static int run(const char *line, const void *caller) {
    struct system_call call;
    struct shell_call shell;
    struct airlock_child child;
    struct airlock_error error;
    shell_prepare(&shell, "system", caller, line);
    struct airlock_command *command = &shell.request.command;
    call.started_ns = event_clock();
    int code = enter(&call, &command->default_signals);
    if (code != 0)
        return status_of_failure(code);
    shell.request.ignored_by_call = command->default_signals;
    command->flags |= AIRLOCK_SETMASK;
    command->mask = call.old_mask;
    code = request_spawn(&shell.request, &child, &error);
    request_release(&shell.request);
    int status;
    if (code == 0) {
        call.pid = child.pid;
        status = wait_for_shell(&call);
    } else {
        status = status_of_failure(code);
    }
    leave(&call);
    return status;
}

EXPORT int system(const char *line) {
    if (policy()->mode == MODE_OFF)
        return libc_system(line);
    if (line == NULL && !LIBC_SYSTEM_TRIES_SHELL)
        return 1;
    if (line == NULL)
        return run("exit 0", __builtin_return_address(0)) == 0;
    return run(line, __builtin_return_address(0));
}
