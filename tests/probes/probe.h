/* What the probes share: names for numbers, a snapshot of the process that has to survive every call, and the words
 * by which a command line arranges the process before the call. Included once by each probe. */
#ifndef PROBE_H
#define PROBE_H

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __GLIBC__
#include "compat.h"
#endif

#define SHARED __attribute__((unused)) static

/* Above every limit that a test sets: descriptors from here on are not looked at. A probe that looks very often may
 * choose a lower one. */
#ifndef PROBE_HIGHEST
#define PROBE_HIGHEST 20480
#endif
enum { HIGHEST = PROBE_HIGHEST, SIGNALS = 64 };

/* Where a probe reports: a duplicate of standard output that no child inherits, so that 0 to 2 can be closed. */
static FILE *say;

SHARED _Noreturn void die(const char *what) {
    fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
    exit(99);
}

SHARED void start_reporting(void) {
    int fd = fcntl(1, F_DUPFD_CLOEXEC, 200);
    if (fd < 0 || (say = fdopen(fd, "w")) == NULL)
        die("standard output");
    setvbuf(say, NULL, _IOLBF, BUFSIZ);
}

SHARED const char *error_name(int code) {
    const char *name = code == 0 ? "ok" : strerrorname_np(code);
    return name == NULL ? "E?" : name;
}

SHARED int error_number(const char *name) {
    for (int code = 1; code < 200; code++) {
        const char *known = strerrorname_np(code);
        if (known != NULL && strcmp(known, name) == 0)
            return code;
    }
    fprintf(stderr, "probe: no error is called %s\n", name);
    exit(99);
}

SHARED int signal_number(const char *name) {
    for (int number = 1; number <= SIGNALS; number++) {
        const char *known = sigabbrev_np(number);
        if (known != NULL && strcmp(known, name) == 0)
            return number;
    }
    int number = atoi(name);
    if (number >= 1 && number <= SIGNALS)
        return number;
    fprintf(stderr, "probe: no signal is called %s\n", name);
    exit(99);
}

SHARED void print_signal(FILE *out, int number) {
    const char *name = sigabbrev_np(number);
    if (name != NULL)
        fprintf(out, " %s", name);
    else
        fprintf(out, " %d", number);
}

SHARED void print_status(const char *what, int status) {
    fprintf(say, "%s:", what);
    if (WIFEXITED(status)) {
        fprintf(say, " exit %d\n", WEXITSTATUS(status));
    } else if (WIFSIGNALED(status)) {
        fputs(" signal", say);
        print_signal(say, WTERMSIG(status));
        fputc('\n', say);
    } else {
        fprintf(say, " status %#x\n", (unsigned)status);
    }
}

/* waitpid for a probe whose handlers may run meanwhile. */
SHARED pid_t wait_for(pid_t pid, int *status) {
    pid_t got;
    do {
        got = waitpid(pid, status, 0);
    } while (got < 0 && errno == EINTR);
    return got;
}

SHARED void report_children(void) {
    int status;
    pid_t left = waitpid(-1, &status, WNOHANG);
    if (left > 0)
        print_status("a zombie was left behind", status);
    else if (left == 0)
        fputs("a running child was left behind\n", say);
}

/* A signal set "A,B,C", "none" or "all". */
SHARED void parse_signals(const char *list, sigset_t *set) {
    sigemptyset(set);
    if (strcmp(list, "all") == 0)
        sigfillset(set);
    if (strcmp(list, "all") == 0 || strcmp(list, "none") == 0)
        return;
    char *copy = strdup(list), *rest = copy;
    for (char *name; (name = strsep(&rest, ",")) != NULL;)
        sigaddset(set, signal_number(name));
    free(copy);
}

/* What getdents64 answers; libc has no name for it. */
struct directory_entry {
    uint64_t inode;
    int64_t next;
    unsigned short length;
    unsigned char type;
    char name[];
};

/* Which of the descriptors below count are open: as /proc has it, which takes three system calls, or one question for
 * each where there is none, it cannot be listed, or no descriptor is left to open it. */
SHARED void find_open(bool *open, int count) {
    static char entries[65536];
    long length = -1, own = syscall(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int fd = 0; fd < count; fd++)
        open[fd] = false;
    while (own >= 0 && (length = syscall(SYS_getdents64, own, entries, sizeof entries)) > 0) {
        for (long at = 0; at < length;) {
            const struct directory_entry *entry = (const void *)(entries + at);
            int fd = entry->name[0] == '.' ? count : atoi(entry->name);
            if (fd < count)
                open[fd] = fd != own;
            at += entry->length;
        }
    }
    if (own >= 0)
        syscall(SYS_close, own);
    for (int fd = 0; fd < count && length < 0; fd++)
        open[fd] = fcntl(fd, F_GETFD) >= 0;
}

/* ---- The state of this process that a call may not change. The kernel's own view: libc hides signals 32 and 33. */

struct kernel_action {
    unsigned long handler;
    unsigned long flags;
    unsigned long rest[3]; /* the restorer, and the mask: 64 bits of it everywhere */
};

struct snapshot {
    uint64_t mask;
    uint64_t pending;
    struct kernel_action actions[SIGNALS + 1];
    short descriptor_flags[HIGHEST];
    int status_flags[HIGHEST];
    ino_t inodes[HIGHEST];
    int cancel_state, cancel_type;
    mode_t file_mask;
    stack_t stack;
    nlink_t threads;
    char directory[4096];
};

SHARED void take_snapshot(struct snapshot *now) {
    static bool open[HIGHEST];
    int saved = errno;
    memset(now, 0, sizeof *now);
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &now->mask, sizeof now->mask);
    syscall(SYS_rt_sigpending, &now->pending, sizeof now->pending);
    for (int number = 1; number <= SIGNALS; number++)
        syscall(SYS_rt_sigaction, number, NULL, &now->actions[number], sizeof now->mask);
    find_open(open, HIGHEST);
    for (int fd = 0; fd < HIGHEST; fd++) {
        struct stat info;
        now->descriptor_flags[fd] = open[fd] ? (short)fcntl(fd, F_GETFD) : -1;
        if (now->descriptor_flags[fd] < 0)
            continue;
        now->status_flags[fd] = fcntl(fd, F_GETFL);
        now->inodes[fd] = fstat(fd, &info) == 0 ? info.st_ino : 0;
    }
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &now->cancel_state);
    pthread_setcancelstate(now->cancel_state, NULL);
    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &now->cancel_type);
    pthread_setcanceltype(now->cancel_type, NULL);
    now->file_mask = umask(0);
    umask(now->file_mask);
    sigaltstack(NULL, &now->stack);
    struct stat tasks;
    now->threads = stat("/proc/self/task", &tasks) == 0 ? tasks.st_nlink : 0;
    if (getcwd(now->directory, sizeof now->directory) == NULL)
        now->directory[0] = '\0';
    errno = saved;
}

SHARED void report_descriptor_changes(const struct snapshot *before, const struct snapshot *after) {
    for (int fd = 0; fd < HIGHEST; fd++) {
        if (before->descriptor_flags[fd] < 0 && after->descriptor_flags[fd] >= 0)
            fprintf(say, "descriptor %d is new\n", fd);
        else if (before->descriptor_flags[fd] >= 0 && after->descriptor_flags[fd] < 0)
            fprintf(say, "descriptor %d is gone\n", fd);
        else if (before->descriptor_flags[fd] != after->descriptor_flags[fd])
            fprintf(say, "the close-on-exec flag of descriptor %d changed\n", fd);
        else if (before->inodes[fd] != after->inodes[fd] || before->status_flags[fd] != after->status_flags[fd])
            fprintf(say, "descriptor %d is something else\n", fd);
    }
}

/* libc's way back from a handler says nothing where there is no handler, nor without the flag for it (SA_RESTORER): on
 * aarch64 libc hands over whatever the stack held there. riscv64 has no place for it. */
SHARED bool same_action(const struct kernel_action *one, const struct kernel_action *other) {
    const unsigned long restorer = 0x04000000;
#ifdef __riscv
    const size_t first = 0;
#else
    const size_t first = (one->flags & restorer) != 0 ? 0 : 1;
#endif
    if (one->handler != other->handler || (one->flags & ~restorer) != (other->flags & ~restorer))
        return false;
    return one->handler <= 1 ||
           (one->flags == other->flags &&
            memcmp(&one->rest[first], &other->rest[first], sizeof one->rest - first * sizeof *one->rest) == 0);
}

/* What libc itself changes when a first thread is made or cancelled, or what ends only a moment after pthread_join. */
SHARED void forget_threads(const struct snapshot *before, struct snapshot *after) {
    after->threads = before->threads;
    after->actions[32] = before->actions[32];
    after->actions[33] = before->actions[33];
}

/* One line for each thing that is not as it was; nothing when all is well. */
SHARED void report_changes(const struct snapshot *before, const struct snapshot *after) {
    if (before->mask != after->mask)
        fprintf(say, "the signal mask changed from %016" PRIx64 " to %016" PRIx64 "\n", before->mask, after->mask);
    for (int number = 1; number <= SIGNALS; number++)
        if (!same_action(&before->actions[number], &after->actions[number]))
            fprintf(say, "the disposition of signal %d changed\n", number);
    report_descriptor_changes(before, after);
    if (before->cancel_state != after->cancel_state)
        fputs("the cancellation state changed\n", say);
    if (before->cancel_type != after->cancel_type)
        fputs("the cancellation type changed\n", say);
    if (before->file_mask != after->file_mask)
        fputs("the umask changed\n", say);
    if (before->stack.ss_sp != after->stack.ss_sp || before->stack.ss_flags != after->stack.ss_flags)
        fputs("the alternate signal stack changed\n", say);
    if (before->threads != after->threads)
        fprintf(say, "there were %ju threads, now there are %ju\n", (uintmax_t)before->threads - 2,
                (uintmax_t)after->threads - 2);
    if (strcmp(before->directory, after->directory) != 0)
        fprintf(say, "the working directory changed to %s\n", after->directory);
}

/* ---- Words that arrange this process before the call. */

static volatile sig_atomic_t handled;

SHARED void count_signal(int number) {
    (void)number;
    handled++;
}

SHARED void set_disposition(int number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler};
    if (sigaction(number, &action, NULL) != 0)
        die("sigaction");
}

/* A duplicate that the library takes for no intent of the program, as it would one that libc's dup2 makes. */
SHARED bool leak_as(int fd, int number) {
    return fd == number || syscall(SYS_dup3, fd, number, 0) == number;
}

/* path becomes descriptor number, inherited by children unless flags say otherwise. */
SHARED void have_descriptor(int number, const char *path, bool close_on_exec) {
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        die(path);
    if (fd != number && (!leak_as(fd, number) || close(fd) != 0))
        die("dup2");
    if (close_on_exec && fcntl(number, F_SETFD, FD_CLOEXEC) != 0)
        die("fcntl");
}

SHARED void have_pipe(int reading, int writing) {
    int ends[2];
    if (pipe(ends) != 0 || !leak_as(ends[0], reading) || !leak_as(ends[1], writing))
        die("pipe");
    for (int i = 0; i < 2; i++)
        if (ends[i] != reading && ends[i] != writing)
            close(ends[i]);
}

SHARED void have_many(int count) {
    for (int i = 0; i < count; i++)
        if (open("/dev/null", O_RDWR) < 0)
            die("/dev/null");
}

/* What this process has mapped by now: as a limit, no further mapping is possible. */
SHARED uint64_t memory_in_use(void) {
    char text[64] = "";
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof text - 1) < 0 || close(fd) != 0)
        die("/proc/self/statm");
    return strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

SHARED void set_limit(int resource, const char *value) {
    struct {
        uint64_t soft, hard;
    } limit;
    if (syscall(SYS_prlimit64, 0, resource, NULL, &limit) != 0)
        die("prlimit");
    limit.soft = strcmp(value, "now") == 0 ? memory_in_use() : strtoull(value, NULL, 10);
    if (limit.soft > limit.hard)
        limit.hard = limit.soft;
    if (syscall(SYS_prlimit64, 0, resource, &limit, NULL) != 0)
        die("prlimit");
}

SHARED void use_every_descriptor(void) {
    int fd;
    do {
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    } while (fd >= 0);
    if (errno != EMFILE)
        die("/dev/null");
}

SHARED void block_signals(const char *list) {
    sigset_t set;
    parse_signals(list, &set);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Makes the effective group another than the real one, so that RESETIDS has something to change: a child that changes
 * its ids is made in another way. Where that is not allowed RESETIDS is still asked for. */
SHARED void differ_in_ids(void) {
    if (getgid() == getegid() && setegid(65534) != 0 && getuid() == 0 && geteuid() == 0)
        die("setegid");
}

/* Into a file that is there, like those of a control group. */
SHARED void put_into(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd) != 0)
        die(path);
}

SHARED void change_user(const char *real, const char *effective) {
    if (setresuid((uid_t)atoi(real), (uid_t)atoi(effective), (uid_t)-1) != 0)
        die("setresuid");
}

SHARED bool is(const char *word, const char *name) {
    return word != NULL && strcmp(word, name) == 0;
}

SHARED bool arrange_descriptors(char ***words) {
    char **w = *words;
    if (is(w[0], "have"))
        have_descriptor(atoi(w[1]), w[2], false), *words += 3;
    else if (is(w[0], "have-cloexec"))
        have_descriptor(atoi(w[1]), w[2], true), *words += 3;
    else if (is(w[0], "pipe"))
        have_pipe(atoi(w[1]), atoi(w[2])), *words += 3;
    else if (is(w[0], "many"))
        have_many(atoi(w[1])), *words += 2;
    else if (is(w[0], "shut"))
        close(atoi(w[1])), *words += 2;
    else if (is(w[0], "nofile"))
        set_limit(RLIMIT_NOFILE, w[1]), *words += 2;
    else if (is(w[0], "fill"))
        use_every_descriptor(), *words += 1;
    else
        return false;
    return true;
}

/* Carries out the word at *words and moves behind it; false when it is none of these. */
SHARED bool arrange(char ***words) {
    char **w = *words;
    if (arrange_descriptors(words))
        return true;
    if (is(w[0], "ignore"))
        set_disposition(signal_number(w[1]), SIG_IGN), *words += 2;
    else if (is(w[0], "handle"))
        set_disposition(signal_number(w[1]), count_signal), *words += 2;
    else if (is(w[0], "block"))
        block_signals(w[1]), *words += 2;
    else if (is(w[0], "setenv"))
        setenv(w[1], w[2], 1), *words += 3;
    else if (is(w[0], "unsetenv"))
        unsetenv(w[1]), *words += 2;
    else if (is(w[0], "enter")) {
        if (chdir(w[1]) != 0)
            die(w[1]);
        *words += 2;
    } else if (is(w[0], "put"))
        put_into(w[1], w[2]), *words += 3;
    else if (is(w[0], "user"))
        change_user(w[1], w[2]), *words += 3;
    else if (is(w[0], "memory"))
        set_limit(RLIMIT_AS, w[1]), *words += 2;
    else if (is(w[0], "nproc"))
        set_limit(RLIMIT_NPROC, w[1]), *words += 2;
    else
        return false;
    return true;
}

#endif
