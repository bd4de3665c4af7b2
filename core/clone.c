/* The primitive that makes the child: clone3, else clone, else vfork, else fork. Each step down is taken only when the
 * one above is missing or refused (old kernels, seccomp profiles of containers), and remembered.
 *
 * The caller has blocked every signal. */
#include "plan.h"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Flags that older headers lack. */
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

/* clone3's argument up to Linux 5.7 (with cgroup). */
struct clone3_arguments {
    uint64_t flags;
    uint64_t pidfd;
    uint64_t child_tid;
    uint64_t parent_tid;
    uint64_t exit_signal;
    uint64_t stack;
    uint64_t stack_size;
    uint64_t tls;
    uint64_t set_tid;
    uint64_t set_tid_size;
    uint64_t cgroup;
};

enum { SIZE_WITHOUT_CGROUP = 64 }; /* the structure's first published size; enough unless a cgroup is named */

static _Atomic unsigned lacks;

unsigned lacking(void) {
    return atomic_load_explicit(&lacks, memory_order_relaxed);
}

void remember_lack(unsigned lack) {
    atomic_fetch_or_explicit(&lacks, lack, memory_order_relaxed);
}

/* A function in which the child begins its life. A sanitizer's bookkeeping there would be the parent's. */
#if defined __has_attribute
#if __has_attribute(no_sanitize)
#define CHILD_BEGINS __attribute__((no_sanitize("address", "undefined", "thread")))
#endif
#endif
#ifndef CHILD_BEGINS
#define CHILD_BEGINS
#endif

CHILD_BEGINS static int run_child(void *argument) {
    child_main(argument);
}

/* What a child finds at the top of a stack of its own: it must call a function, for there is no frame to return to. */
struct beginning {
    int (*function)(void *);
    void *argument;
} __attribute__((aligned(16)));

static struct beginning *begin_with(int (*function)(void *), void *argument, void *stack, size_t stack_size) {
    struct beginning *beginning = (struct beginning *)(void *)((char *)stack + stack_size) - 1;
    *beginning = (struct beginning){function, argument};
    return beginning;
}

/* clone3 or clone for a child whose stack is such a beginning. libc offers no clone3, and its clone is one that
 * ThreadSanitizer takes over: where the child shares memory, what it notes down about itself is the parent's. */
#if defined __x86_64__
CHILD_BEGINS static long call_on_stack(long number, long first, long second, long third) {
    __asm__ volatile("syscall\n\t"
                     "testq %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xorl %%ebp, %%ebp\n\t"
                     "movq 8(%%rsp), %%rdi\n\t"
                     "callq *(%%rsp)\n\t"
                     "hlt\n"
                     "1:"
                     : "+a"(number)
                     : "D"(first), "S"(second), "d"(third)
                     : "rcx", "r11", "memory", "cc");
    return number;
}
#elif defined __aarch64__
CHILD_BEGINS static long call_on_stack(long number, long first, long second, long third) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = first;
    register long x1 __asm__("x1") = second;
    register long x2 __asm__("x2") = third;
    __asm__ volatile("svc 0\n\t"
                     "cbnz x0, 1f\n\t"
                     "mov x29, xzr\n\t"
                     "ldp x9, x0, [sp]\n\t"
                     "blr x9\n\t"
                     "brk 0\n"
                     "1:"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2)
                     : "memory", "cc");
    return x0;
}
#elif defined __riscv && __riscv_xlen == 64
CHILD_BEGINS static long call_on_stack(long number, long first, long second, long third) {
    register long a7 __asm__("a7") = number;
    register long a0 __asm__("a0") = first;
    register long a1 __asm__("a1") = second;
    register long a2 __asm__("a2") = third;
    __asm__ volatile("ecall\n\t"
                     "bnez a0, 1f\n\t"
                     "li s0, 0\n\t"
                     "ld a0, 8(sp)\n\t"
                     "ld t0, 0(sp)\n\t"
                     "jalr t0\n\t"
                     "ebreak\n"
                     "1:"
                     : "+r"(a0)
                     : "r"(a7), "r"(a1), "r"(a2)
                     : "memory");
    return a0;
}
#elif defined __i386__
/* ebx may be the address of the global offset table. The child's stack has no copy of what was pushed here, so only the
 * parent takes it back; the call wants a stack that is a multiple of 16 where the argument lies. */
CHILD_BEGINS static long call_on_stack(long number, long first, long second, long third) {
    __asm__ volatile("pushl %%ebx\n\t"
                     "movl %%esi, %%ebx\n\t"
                     "int $0x80\n\t"
                     "testl %%eax, %%eax\n\t"
                     "jnz 1f\n\t"
                     "xorl %%ebp, %%ebp\n\t"
                     "movl (%%esp), %%eax\n\t"
                     "movl 4(%%esp), %%ecx\n\t"
                     "movl %%ecx, (%%esp)\n\t"
                     "calll *%%eax\n\t"
                     "hlt\n"
                     "1:\n\t"
                     "popl %%ebx"
                     : "+a"(number)
                     : "S"(first), "c"(second), "d"(third)
                     : "memory", "cc");
    return number;
}
#else
CHILD_BEGINS static long call_on_stack(long number, long first, long second, long third) {
    const struct beginning *beginning = (const struct beginning *)second;
    int saved = errno;
    if (number != SYS_clone)
        return -ENOSYS;
    long result =
        clone(beginning->function, (void *)second, (int)first, beginning->argument, (void *)third, NULL, NULL);
    if (result < 0)
        result = -errno;
    errno = saved;
    return result;
}
#endif

CHILD_BEGINS static long try_clone3(struct plan *plan, void *stack, size_t stack_size, struct launch *launch) {
    const struct airlock_command *command = plan->command;
    size_t size = SIZE_WITHOUT_CGROUP;
    struct clone3_arguments arguments = {.flags = CLONE_VFORK | CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD};
    if (plan->cut)
        arguments.flags |= CLONE_FILES;
    if (command->flags & AIRLOCK_WANT_PIDFD) {
        arguments.flags |= CLONE_PIDFD;
        arguments.pidfd = (uintptr_t)&plan->report->pidfd;
    }
    if (command->flags & AIRLOCK_SETCGROUP) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)command->cgroup;
        size = sizeof arguments;
    }
    launch->primitive = AIRLOCK_PRIMITIVE_CLONE3;
    plan->clear_handlers = true;
    if (plan->share_memory) {
        arguments.flags |= CLONE_VM;
        arguments.stack = (uintptr_t)stack;
        arguments.stack_size = (uintptr_t)begin_with(run_child, plan, stack, stack_size) - arguments.stack;
        return call_on_stack(SYS_clone3, (long)&arguments, (long)size, 0);
    }
    long result = raw2(SYS_clone3, &arguments, size);
    if (result == 0)
        child_main(plan);
    return result;
}

CHILD_BEGINS static long try_clone(struct plan *plan, void *stack, size_t stack_size, struct launch *launch) {
    int flags = CLONE_VFORK | SIGCHLD;
    if (plan->cut)
        flags |= CLONE_FILES;
    if (plan->command->flags & AIRLOCK_WANT_PIDFD)
        flags |= CLONE_PIDFD;
    launch->primitive = AIRLOCK_PRIMITIVE_CLONE;
    plan->clear_handlers = false;
    if (plan->share_memory)
        return call_on_stack(SYS_clone, flags | CLONE_VM, (long)begin_with(run_child, plan, stack, stack_size),
                             (long)&plan->report->pidfd);
    long result = raw5(SYS_clone, flags, 0, &plan->report->pidfd, 0, 0);
    if (result == 0)
        child_main(plan);
    return result;
}

/* On the caller's own stack: the child only calls downwards from here, and this frame is not used again before it is
 * done. Never inlined, so that no caller keeps anything in it that the child could change. */
__attribute__((noinline)) CHILD_BEGINS static long vfork_into(int (*function)(void *), void *argument) {
    int saved = errno;
    long result = vfork();
    if (result == 0)
        function(argument);
    if (result < 0)
        result = -errno;
    errno = saved;
    return result;
}

static long try_vfork(struct plan *plan, struct launch *launch) {
    launch->primitive = AIRLOCK_PRIMITIVE_VFORK;
    plan->clear_handlers = false;
    return vfork_into(run_child, plan);
}

/* With a callback, libc's fork, so that its atfork handlers run; otherwise the bare call. */
CHILD_BEGINS static long try_fork(struct plan *plan, struct launch *launch) {
    launch->primitive = AIRLOCK_PRIMITIVE_FORK;
    plan->clear_handlers = false;
    long result;
    if (plan->command->before_exec != NULL) {
        int saved = errno;
        result = fork();
        if (result < 0)
            result = -errno;
        errno = saved;
    } else {
#ifdef SYS_fork
        result = raw0(SYS_fork);
#else
        result = raw5(SYS_clone, SIGCHLD, 0, 0, 0, 0);
#endif
    }
    if (result == 0)
        child_main(plan);
    return result;
}

/* Answers of a kernel or a filter that does not offer the call, as against one that could not do it this time. */
static bool is_refusal(long result) {
    return result == -ENOSYS || result == -EPERM || result == -EINVAL || result == -ENOTSUP;
}

/* Valgrind knows no clone3, and ends a program whose clone shares the descriptor table. It puts a library of its own
 * into LD_PRELOAD. */
static bool runs_under_valgrind(void) {
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
        if (strncmp(*entry, "LD_PRELOAD=", 11) == 0)
            return strstr(*entry, "/vgpreload_") != NULL;
    return false;
}

/* vfork and fork, which share no descriptor table and know no pidfd. */
static long launch_without_clone(struct plan *plan, struct launch *launch) {
    bool want_pidfd = plan->command->flags & AIRLOCK_WANT_PIDFD;
    long result = -EMFILE; /* nothing would tell when the child is done */
    plan->cut = false;
    plan->fetch_count = 0;
    if (want_pidfd)
        open_pidfd_sockets(plan);
    if (plan->share_memory) {
        result = try_vfork(plan, launch);
        if (is_refusal(result)) {
            remember_lack(LACK_VFORK);
            result = -LAUNCH_CANNOT_SHARE;
        }
    } else if (plan->report_descriptor >= 0) {
        result = try_fork(plan, launch);
    }
    if (result > 0 && want_pidfd) {
        long pidfd = receive_pidfd(plan, result);
        plan->report->pidfd = (int)pidfd;
        result = pidfd < 0 ? pidfd : result;
    }
    close_pidfd_sockets(plan);
    return result;
}

static long launch_by_older_means(struct plan *plan, void *stack, size_t stack_size, struct launch *launch) {
    unsigned lack = lacking();
    /* A filter may refuse the flag that shares memory and nothing else. */
    unsigned without_clone = plan->share_memory ? LACK_CLONE : LACK_COPYING_CLONE;
    long result = -ENOSYS;
    if (plan->command->flags & AIRLOCK_SETCGROUP)
        /* Only clone3 can do it. EOPNOTSUPP is glibc's answer where the kernel has none; without memory for a stack,
         * which another time may be had, that would be a false reason. */
        return (lack & LACK_CLONE3) || plan->command->before_exec != NULL ? -EOPNOTSUPP : -ENOMEM;
    if (!(lack & without_clone) && (stack != NULL || !plan->share_memory) && plan->command->before_exec == NULL) {
        result = try_clone(plan, stack, stack_size, launch);
        if (!is_refusal(result))
            return result;
        remember_lack(without_clone);
    }
    return launch_without_clone(plan, launch);
}

int launch_child(struct plan *plan, void *stack, size_t stack_size, struct launch *launch) {
    bool own_stack = stack != NULL || !plan->share_memory, into_cgroup = plan->command->flags & AIRLOCK_SETCGROUP;
    long result = -ENOSYS;
    plan->report->pidfd = -1;
    /* There is no other way into a cgroup, whatever was refused before. */
    if (own_stack && plan->command->before_exec == NULL && (into_cgroup || !(lacking() & LACK_CLONE3))) {
        result = try_clone3(plan, stack, stack_size, launch);
        /* With a cgroup these may be about the cgroup. */
        if (is_refusal(result) && (!into_cgroup || result == -ENOSYS)) {
            remember_lack(runs_under_valgrind() ? LACK_CLONE3 | LACK_CUT : LACK_CLONE3);
            result = -ENOSYS;
        }
    }
    if (lacking() & LACK_CUT)
        plan->cut = false;
    if (result == -ENOSYS)
        result = launch_by_older_means(plan, stack, stack_size, launch);
    if (result < 0)
        return (int)-result;
    launch->pid = (pid_t)result;
    launch->pidfd = plan->report->pidfd;
    return 0;
}

CHILD_BEGINS static int probe_child(void *argument) {
    *(volatile int *)argument = 1;
    raw1(SYS_exit_group, 0);
    return 0;
}

/* The probe sends no SIGCHLD, and waitpid(-1) of another thread does not see it. Where only vfork is allowed it has to
 * be an ordinary child. */
CHILD_BEGINS int probe_sharing(void *stack, size_t stack_size) {
    volatile int canary = 0;
    unsigned kind = __WCLONE;
    /* It touches no descriptor, so a table of its own would only keep other threads' files open for a moment. */
    int flags = CLONE_VM | CLONE_VFORK | (runs_under_valgrind() ? 0 : CLONE_FILES);
    long pid = call_on_stack(SYS_clone, flags, (long)begin_with(probe_child, (void *)&canary, stack, stack_size), 0);
    if (pid < 0) {
        kind = 0;
        pid = vfork_into(probe_child, (void *)&canary);
    }
    if (pid < 0)
        return -1;
    while (raw4(SYS_wait4, pid, 0, kind, 0) == -EINTR)
        continue;
    return canary;
}

/* The child takes its time: a parent that was not suspended looks before the canary is set. */
int probe_suspending(void) {
    struct timespec pause = {.tv_nsec = 2000000};
    volatile int *canary = raw_map(sizeof *canary, PROT_READ | PROT_WRITE, MAP_SHARED);
    if (canary == NULL)
        return -1;
    long pid = raw5(SYS_clone, CLONE_VFORK, 0, 0, 0, 0);
    if (pid == 0) {
        raw2(SYS_nanosleep, &pause, 0);
        probe_child((void *)canary);
    }
    int found = pid < 0 ? -1 : *canary;
    while (pid > 0 && raw4(SYS_wait4, pid, 0, __WCLONE, 0) == -EINTR)
        continue;
    raw2(SYS_munmap, canary, sizeof *canary);
    return found;
}
