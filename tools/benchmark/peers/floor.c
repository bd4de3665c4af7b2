/* What the kernel takes for its part, with nothing around it: what airlock costs above these is its own.
 *
 * cut: a child that shares its parent's descriptor table until it takes the low end of it for itself.
 * cut-calls: with the system calls, too, that block the signals, look whether the kernel cuts rightly, give SIGPIPE its
 * default, and set the mask.
 * append: vfork and exec, after which the parent appends a line as long as a record to the file in BENCH_APPEND. */
#include "native.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STACK_SIZE = 16 * 1024, UNSHARE = 1 << 1, FIRST_NOT_NEEDED = 3, FIRST_OF_NEXT_WORD = 64 };

struct child {
    const struct request *request;
    bool with_calls;
    volatile int code; /* the child's memory is ours */
};

static const uint64_t all_signals = ~(uint64_t)0;

static int run_child(void *argument) {
    static const struct {
        void *handler;
        unsigned long rest[5];
    } by_default;
    struct child *child = argument;
    uint64_t none = 0;
    if (child->with_calls)
        syscall(SYS_fcntl, FIRST_OF_NEXT_WORD, F_GETFD);
    if (syscall(SYS_close_range, FIRST_NOT_NEEDED, ~0U, UNSHARE) == 0) {
        if (child->with_calls) {
            syscall(SYS_rt_sigaction, SIGPIPE, &by_default, NULL, sizeof none);
            syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
        }
        execve(child->request->file, child->request->argv, environ);
    }
    child->code = errno;
    _exit(0);
}

static int spawn(const struct request *request, bool with_calls, pid_t *pid) {
    static _Thread_local char stack[STACK_SIZE] __attribute__((aligned(16)));
    struct child child = {.request = request, .with_calls = with_calls};
    uint64_t mask;
    if (request->output >= 0 || request->search)
        return ENOTSUP;
    if (with_calls)
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all_signals, &mask, sizeof mask);
    *pid = clone(run_child, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &child);
    int code = *pid < 0 ? errno : child.code;
    if (with_calls)
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
    return code;
}

static int start_with_cut(const struct request *request, pid_t *pid) {
    return spawn(request, false, pid);
}

static int start_with_calls(const struct request *request, pid_t *pid) {
    return spawn(request, true, pid);
}

static int start_and_append(const struct request *request, pid_t *pid) {
    const char *path = getenv("BENCH_APPEND");
    int code = path == NULL ? EINVAL : peer_vfork.start(request, pid);
    return code == 0 ? append_once(path) : code;
}

const struct peer peer_cut = {.name = "cut", .start = start_with_cut};
const struct peer peer_cut_calls = {.name = "cut-calls", .start = start_with_calls};
const struct peer peer_append = {.name = "append", .start = start_and_append};
