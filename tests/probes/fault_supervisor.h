/* Makes one system call of another process fail, on a chosen use: the process installs a filter that hands calls to
 * its supervisor (seccomp's user notification), and the supervisor answers each one with an error or lets it go on.
 * Unlike a plain filter it can count, and tell the parent of a spawn from its child; unlike ptrace it is quick enough
 * for tens of thousands of runs. */
#ifndef FAULT_SUPERVISOR_H
#define FAULT_SUPERVISOR_H

#include "probe.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <time.h>

/* What ioctl takes as its request differs between the libcs. */
#ifdef __GLIBC__
typedef unsigned long ioctl_request;
#else
typedef int ioctl_request;
#endif

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, uint64_t)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

enum { CALLS = 512, RULES_MAX = 6, TEXT_SIZE = 4096, PATIENCE_MS = 8000, NEWS = 320 };

/* Whose system call: that of the process under test, or of the child that it is making. After its exec a child is a
 * program like any other and its calls are left alone. */
enum who { PARENT, CHILD, WHO_COUNT };

/* A call that always fails, as on an old kernel: when argument ANDed with mask is not 0, or always for mask 0. */
struct rule {
    long number;
    int error;
    int argument;
    unsigned mask;
};

enum phase { IDLE, REFUSING, COUNTING };

/* What the process under test and its supervisor share. */
struct shared {
    volatile int phase; /* enum phase: nothing, rules alone, or rules and the one failure */
    volatile int wrong;
    char text[TEXT_SIZE]; /* the verdict in words */
};

struct fault {
    const struct rule *rules; /* ends with number -1 */
    enum who who;
    long number; /* -1: none fails, all are counted */
    int use;     /* from 1 */
    int error;
};

struct counts {
    int of[WHO_COUNT][CALLS];
    int hit;
    int hung;
};

static struct shared *shared;

/* Through these the process under test tells its supervisor which descriptor the listener is, and hears that it was
 * fetched: by calls that no spawn makes and that no filter hands on, for nobody would answer yet. */
static int news[2], thanks[2];

SHARED void make_shared(void) {
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        die("mmap");
    for (int i = 0; i < 2; i++) {
        int *ends = i == 0 ? news : thanks;
        if (pipe2(ends, O_CLOEXEC) != 0 || (ends[0] = fcntl(ends[0], F_DUPFD_CLOEXEC, NEWS)) < 0 ||
            (ends[1] = fcntl(ends[1], F_DUPFD_CLOEXEC, NEWS)) < 0)
            die("pipe");
    }
}

/* In the process under test. Counting hears of every call, a run with a failure of those that can fail alone. The
 * listener is closed here: when the supervisor ends, the calls that wait for its answer fail. */
SHARED void install_filter(const struct fault *fault) {
    struct sock_filter code[2 * RULES_MAX + 8];
    unsigned short length = 0;
    const struct sock_filter notify = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    code[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    if (fault->number < 0) {
        code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 3, 0);
        code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_writev, 2, 0);
        code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_readv, 1, 0);
        code[length++] = notify;
    } else {
        code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)fault->number, 0, 1);
        code[length++] = notify;
        for (const struct rule *rule = fault->rules; rule->number >= 0; rule++) {
            code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)rule->number, 0, 1);
            code[length++] = notify;
        }
    }
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = length, .filter = code};
    unsigned flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &program);
    if (fd < 0)
        fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    if (fd < 0)
        _exit(98);
    int listener = (int)fd;
    struct iovec message = {.iov_base = &listener, .iov_len = sizeof listener};
    if (writev(news[1], &message, 1) != (ssize_t)sizeof listener ||
        readv(thanks[0], &message, 1) != (ssize_t)sizeof listener)
        _exit(97);
    syscall(SYS_close, (int)fd);
}

static bool is_before_exec(pid_t pid, const char *own_program) {
    char link[64], target[4096];
    snprintf(link, sizeof link, "/proc/%d/exe", (int)pid);
    ssize_t length = readlink(link, target, sizeof target - 1);
    target[length > 0 ? length : 0] = '\0';
    return strcmp(target, own_program) == 0;
}

/* The error that this use of the call gets, or 0. */
static int decide(const struct fault *fault, const struct seccomp_notif *request, enum who who, struct counts *counts) {
    long number = request->data.nr;
    int use = shared->phase == COUNTING && number < CALLS ? ++counts->of[who][number] : 0;
    if (number == fault->number && who == fault->who && use == fault->use && use > 0) {
        counts->hit = 1;
        return fault->error;
    }
    for (const struct rule *rule = fault->rules; rule->number >= 0; rule++)
        if (rule->number == number && (rule->mask == 0 || (request->data.args[rule->argument] & rule->mask) != 0))
            return rule->error;
    return 0;
}

/* On Linux a close that fails has closed all the same, whatever its error. It must not be left undone here, so
 * something else takes the descriptor's place, which sweep_closed() takes away. */
static const char closed_mark[] = "/memfd:closed";

static void close_all_the_same(int listener, const struct seccomp_notif *request, int error) {
    static int nothing = -1;
    if (request->data.nr != SYS_close || error == 0 || error == ENOSYS || error == EPERM)
        return;
    if (nothing < 0)
        nothing = (int)syscall(SYS_memfd_create, closed_mark + strlen("/memfd:"), 0);
    struct seccomp_notif_addfd instead = {.id = request->id,
                                          .flags = SECCOMP_ADDFD_FLAG_SETFD,
                                          .srcfd = (unsigned)nothing,
                                          .newfd = (unsigned)request->data.args[0],
                                          .newfd_flags = O_CLOEXEC};
    ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &instead);
}

SHARED void sweep_closed(const struct fault *fault) {
    static bool open[HIGHEST];
    char link[64], target[64];
    if (fault->number != SYS_close)
        return;
    find_open(open, HIGHEST);
    for (int fd = 0; fd < HIGHEST; fd++) {
        if (!open[fd])
            continue;
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(link, target, sizeof target - 1);
        target[length > 0 ? length : 0] = '\0';
        if (strncmp(target, closed_mark, strlen(closed_mark)) == 0)
            close(fd);
    }
}

static bool answer_one(int listener, pid_t subject, const struct fault *fault, struct counts *counts) {
    static char own_program[4096];
    struct seccomp_notif request;
    struct seccomp_notif_resp response;
    if (own_program[0] == '\0' && readlink("/proc/self/exe", own_program, sizeof own_program - 1) < 0)
        die("/proc/self/exe");
    memset(&request, 0, sizeof request);
    if (ioctl(listener, (ioctl_request)SECCOMP_IOCTL_NOTIF_RECV, &request) != 0)
        return errno == EINTR || errno == ENOENT;
    memset(&response, 0, sizeof response);
    response.id = request.id;
    enum who who = (pid_t)request.pid == subject ? PARENT : CHILD;
    int error = 0;
    if (shared->phase != IDLE && (who == PARENT || is_before_exec((pid_t)request.pid, own_program)))
        error = decide(fault, &request, who, counts);
    close_all_the_same(listener, &request, error);
    if (error != 0)
        response.error = -error;
    else
        response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    return ioctl(listener, (ioctl_request)SECCOMP_IOCTL_NOTIF_SEND, &response) == 0 || errno == ENOENT;
}

static long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The listener of the process under test, as a descriptor of this one; -1 when it ended first. */
static int fetch_listener(int pidfd) {
    struct pollfd events[2] = {{.fd = news[0], .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
    int number, listener;
    while (poll(events, 2, -1) < 0)
        continue;
    if (!(events[0].revents & POLLIN) || read(news[0], &number, sizeof number) != (ssize_t)sizeof number)
        return -1;
    listener = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
    if (write(thanks[1], &number, sizeof number) != (ssize_t)sizeof number)
        die("pipe");
    /* Linux 6.6: the process under test goes on where its supervisor was running. Without it all is slower. */
    if (listener >= 0)
        ioctl(listener, (ioctl_request)SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
    return listener;
}

/* Answers until the process has ended; one that does not is killed with all of its group. */
SHARED void supervise(pid_t subject, const struct fault *fault, struct counts *counts) {
    int pidfd = (int)syscall(SYS_pidfd_open, subject, 0), status = 0;
    int listener = pidfd < 0 ? -1 : fetch_listener(pidfd);
    long deadline = now_ms() + PATIENCE_MS;
    struct pollfd events[2] = {{.fd = listener, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
    for (bool going = listener >= 0; going;) {
        int ready = poll(events, 2, 1000);
        if (ready > 0 && (events[0].revents & POLLIN))
            going = answer_one(listener, subject, fault, counts);
        else if (ready > 0 && events[1].revents != 0)
            going = false;
        else if (ready > 0)
            events[0].fd = -1; /* nobody is left whose calls it hears of; the end is near */
        counts->hung = now_ms() > deadline;
        going = going && !counts->hung;
    }
    kill(-subject, SIGKILL);
    kill(subject, SIGKILL);
    close(listener);
    close(pidfd);
    wait_for(subject, &status);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 98) {
        fputs("faults: this kernel has no user notification of seccomp\n", stderr);
        exit(98);
    }
    if (!counts->hung && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
        shared->wrong = 1;
        snprintf(shared->text, TEXT_SIZE, "the process ended with status %#x", (unsigned)status);
    }
}

#endif
