/* Those who make trouble while others start children, and the faults by which the storm is tried itself. Included once,
 * behind the books. */
#ifndef HURRICANE_TROUBLE_H
#define HURRICANE_TROUBLE_H

#include "hurricane_books.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <time.h>

enum { SIGNALS_A_SECOND = 5000, MOST_AT_ONCE = 20 };

static pid_t self;
static _Atomic long goal, done, progress, signals, cancelled, forked;
static _Atomic int stop, running;
static volatile int *in_child, *stop_sending;

static bool goes_on(void) {
    return !stop && done < goal;
}

/* ---- Handlers.
 *
 * ThreadSanitizer must not see them, nor account(). It delivers a signal that it held back at the next atomic operation
 * or libc call, with all signals blocked meanwhile; when a handler has such an operation itself and a second signal
 * came just before, it takes the full mask for the one to restore, and the thread keeps it. Then its children have it,
 * with libc's own posix_spawn as well. */

NOT_SANITIZED static void check_process(void) {
    if (syscall(SYS_getpid) != self)
        __atomic_fetch_add(in_child, 1, __ATOMIC_SEQ_CST);
}

NOT_SANITIZED static void count(int number) {
    (void)number;
    check_process();
    signals++;
}

/* waitpid, but no cancellation point: libc may act on a cancellation after a status has been taken, which is lost
 * then. */
NOT_SANITIZED static pid_t wait_uncancelled(pid_t pid, int *status, int options) {
    pid_t got;
    do {
        got = (pid_t)syscall(SYS_wait4, pid, status, options, NULL);
    } while (got < 0 && errno == EINTR);
    return got;
}

NOT_SANITIZED static void reap_all(int number) {
    int saved = errno, status;
    (void)number;
    check_process();
    while (wait_uncancelled(-1, &status, WNOHANG) > 0)
        account(status);
    errno = saved;
}

static void handle(int number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(number, &action, NULL);
}

/* The status is seen here or in the handler, and nowhere twice. */
static void collect(int code, pid_t pid) {
    int status;
    if (wait_uncancelled(pid, &status, 0) == pid)
        account_for(code, status);
}

/* ---- Threads. */

/* No dup2 and no fcntl: those would be signs that the program means to pass a descriptor on. */
static void *open_and_close(void *unused) {
    while (goes_on()) {
        int ends[2] = {-1, -1}, file = open("/dev/null", O_RDONLY), copy = dup(file);
        if (pipe(ends) != 0)
            ends[0] = ends[1] = -1;
        usleep(100);
        close(file);
        close(copy);
        close(ends[0]);
        close(ends[1]);
    }
    running--;
    return unused;
}

/* With all signals blocked: a handler in this child would be right, and counted as wrong. */
static pid_t fork_blocked(int code) {
    uint64_t all = ~(uint64_t)0, old;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, sizeof all);
    pid_t pid = fork();
    if (pid == 0)
        _exit(code);
    if (pid > 0)
        books.started[code]++;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, sizeof old);
    return pid;
}

static void *fork_by_hand(void *unused) {
    while (goes_on()) {
        pid_t pid = fork_blocked(FORK_STATUS);
        if (pid > 0) {
            collect(FORK_STATUS, pid);
            forked++;
        }
        usleep(2000);
    }
    running--;
    return unused;
}

static void *change_dispositions(void *unused) {
    void (*const handlers[])(int) = {SIG_IGN, count, SIG_DFL, count};
    for (unsigned i = 0; goes_on(); i++) {
        handle(SIGPIPE, handlers[i % 2]);
        handle(SIGURG, handlers[i % 4]);
        handle(SIGWINCH, handlers[(i + 1) % 4]);
        usleep(200);
    }
    running--;
    return unused;
}

/* A timer sends as many again. SIGUSR1 and SIGURG reach the whole group; the first ends a child whose mask is lifted,
 * the second would only ever be noticed by a handler. */
static _Noreturn void send_signals(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGURG, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (long sent = 0; !*stop_sending && getppid() == self;) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        int64_t microseconds = (int64_t)(now.tv_sec - begin.tv_sec) * 1000000 + (now.tv_nsec - begin.tv_nsec) / 1000;
        long due = (long)(microseconds * SIGNALS_A_SECOND / 1000000);
        if (due - sent > MOST_AT_ONCE)
            sent = due - MOST_AT_ONCE;
        for (; sent < due; sent++) {
            kill(self, sent % 2 ? SIGUSR2 : SIGRTMIN + 1);
            if (sent % 4 == 0)
                kill(0, sent % 64 == 0 ? SIGUSR1 : SIGURG);
        }
        usleep(200);
    }
    _exit(SENDER_STATUS);
}

static void set_timer(long microseconds) {
    struct itimerval timer = {{0, microseconds}, {0, microseconds}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* ---- Faults, each of which has to show in the tally. */

static void misuse_status(pid_t pid, int times) {
    int status;
    if (wait_uncancelled(pid, &status, 0) != pid)
        return;
    for (int i = 0; i < times; i++)
        account(status);
}

static void run_handler_in_child(void) {
    pid_t pid = fork();
    if (pid == 0) {
        kill((pid_t)syscall(SYS_getpid), SIGUSR2);
        _exit(FORK_STATUS);
    }
    books.started[FORK_STATUS]++;
    collect(FORK_STATUS, pid);
}

static void keep_memory(void) {
    static void *volatile kept;
    const size_t size = (size_t)4 << 20;
    kept = malloc(size);
    if (kept != NULL)
        memset(kept, 1, size);
}

static void do_harm(const char *fault) {
    if (is(fault, "leak"))
        fcntl(open("/dev/null", O_RDONLY | O_CLOEXEC), F_SETFD, 0); /* as if it were meant for the children */
    else if (is(fault, "lose"))
        misuse_status(fork_blocked(FORK_STATUS), 0);
    else if (is(fault, "double"))
        misuse_status(fork_blocked(FORK_STATUS), 2);
    else if (is(fault, "zombie"))
        fork_blocked(FORK_STATUS);
    else if (is(fault, "handler"))
        run_handler_in_child();
    else if (is(fault, "descriptor"))
        (void)!open("/dev/null", O_RDONLY | O_CLOEXEC);
    else if (is(fault, "memory"))
        keep_memory();
}

#endif
