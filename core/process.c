/* A child as a value: its three streams, waiting for it, ending it, collecting what it prints. What Rust's Command and
 * Child are, on top of airlock_spawn.
 *
 * Nothing here is on the way of a plain airlock_spawn, so the buffers of collected output may come from malloc. Raw
 * system calls otherwise: no cancellation point, and errno stays as it was. */
#include "plan.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

enum { STREAMS = 3, FIRST_OWN_NUMBER = 3 };

/* airlock_process.state, which several threads may look at. */
enum { RUNNING, ENDED, TAKEN };

enum { BY_PID = 1, BY_PIDFD = 3 }; /* P_PID, and P_PIDFD, which older headers lack */

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

/* Several threads may wait for one child: only one of them closes the number, which may be another file's by then. */
static void close_and_forget(int *fd) {
    int number = __atomic_exchange_n(fd, -1, __ATOMIC_ACQ_REL);
    if (number >= 0)
        raw_close(number);
}

/* A program that was started without its standard streams would otherwise get a pipe in their place. */
static int move_up(int *fd) {
    if (*fd >= FIRST_OWN_NUMBER)
        return 0;
    long moved = raw3(SYS_fcntl, *fd, F_DUPFD_CLOEXEC, FIRST_OWN_NUMBER);
    if (moved < 0)
        return (int)-moved;
    raw_close(*fd);
    *fd = (int)moved;
    return 0;
}

int airlock_pipe(int ends[2]) {
    int made[2];
    long result = raw2(SYS_pipe2, made, O_CLOEXEC);
    if (result < 0)
        return (int)-result;
    int code = move_up(&made[0]);
    if (code == 0)
        code = move_up(&made[1]);
    if (code != 0) {
        raw_close(made[0]);
        raw_close(made[1]);
        return code;
    }
    ends[0] = made[0];
    ends[1] = made[1];
    return 0;
}

/* The two sides of one stream: what the child gets as its descriptor, and what the parent keeps of a pipe. */
struct side {
    int child;  /* -1: inherited */
    int opened; /* the same when it was opened here and has to be closed here */
    int *parent;
};

static int open_stream(int number, const struct airlock_stream *stream, struct side *side) {
    int ends[2] = {-1, -1};
    long opened;
    switch (stream->kind) {
    case AIRLOCK_STREAM_INHERIT:
        return 0;
    case AIRLOCK_STREAM_NULL:
        opened = raw4(SYS_openat, AT_FDCWD, "/dev/null", (number == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC, 0);
        if (opened < 0)
            return (int)-opened;
        side->child = side->opened = (int)opened;
        return 0;
    case AIRLOCK_STREAM_PIPE:;
        int code = airlock_pipe(ends);
        if (code != 0)
            return code;
        side->child = side->opened = ends[number == 0 ? 0 : 1];
        *side->parent = ends[number == 0 ? 1 : 0];
        return 0;
    case AIRLOCK_STREAM_GIVEN:
        side->child = stream->fd;
        return stream->fd < 0 ? EBADF : 0;
    }
    return EINVAL;
}

/* The handle needs a pidfd; only a kernel that has none at all (before 5.3) is forgiven, unless it was asked for. */
static int spawn_with_pidfd(struct airlock_command *command, struct airlock_child *child, struct airlock_error *error,
                            struct airlock_timing *timing) {
    bool insists = command->flags & AIRLOCK_WANT_PIDFD;
    command->flags |= AIRLOCK_WANT_PIDFD;
    int code = airlock_spawn(command, child, error, timing);
    if (code == ENOSYS && error->step == AIRLOCK_STEP_CLONE && !insists) {
        command->flags &= ~(unsigned)AIRLOCK_WANT_PIDFD;
        code = airlock_spawn(command, child, error, timing);
    }
    return code;
}

static int fail(struct airlock_error *error, enum airlock_step step, int index, int code) {
    *error = (struct airlock_error){.step = step, .index = index, .code = code};
    return code;
}

int airlock_process_start(const struct airlock_command *described, const struct airlock_stream streams[3],
                          struct airlock_process *process, struct airlock_error *error, struct airlock_timing *timing) {
    struct airlock_process started = AIRLOCK_PROCESS_NONE;
    struct side sides[STREAMS] = {{-1, -1, &started.in}, {-1, -1, &started.out}, {-1, -1, &started.err}};
    struct airlock_error unwanted;
    struct airlock_command command;
    struct airlock_child child;
    int stdio[STREAMS] = {-1, -1, -1};
    int code = 0;
    if (error == NULL)
        error = &unwanted;
    if (described == NULL || process == NULL || (streams != NULL && described->stdio != NULL))
        return fail(error, AIRLOCK_STEP_CHECK, -1, EINVAL);
    command = *described;
    for (int i = 0; i < STREAMS && streams != NULL && code == 0; i++) {
        code = open_stream(i, &streams[i], &sides[i]);
        if (code != 0)
            fail(error, AIRLOCK_STEP_STDIO, i, code);
        stdio[i] = sides[i].child;
    }
    if (code == 0 && streams != NULL)
        command.stdio = stdio;
    if (code == 0)
        code = spawn_with_pidfd(&command, &child, error, timing);
    for (int i = 0; i < STREAMS; i++) {
        close_and_forget(&sides[i].opened);
        if (code != 0)
            close_and_forget(sides[i].parent);
    }
    if (code == 0) {
        started.pid = child.pid;
        started.pidfd = child.pidfd;
        *process = started;
    }
    return code;
}

static bool is_settled(const struct airlock_process *process) {
    return __atomic_load_n(&process->state, __ATOMIC_ACQUIRE) != RUNNING;
}

static void settle(struct airlock_process *process, int state) {
    __atomic_store_n(&process->state, state, __ATOMIC_RELEASE);
}

static int status_of(const siginfo_t *info) {
    if (info->si_code == CLD_EXITED)
        return (info->si_status & 0xff) << 8;
    return info->si_status | (info->si_code == CLD_DUMPED ? 0x80 : 0);
}

static long wait_id(const struct airlock_process *process, siginfo_t *info, int options) {
    long result = -EINVAL;
    do {
        if (process->pidfd >= 0)
            result = raw5(SYS_waitid, BY_PIDFD, process->pidfd, info, options, 0);
        if (result == -EINVAL) /* no pidfd, or Linux 5.3, which cannot wait for one */
            result = raw5(SYS_waitid, BY_PID, process->pid, info, options, 0);
    } while (result == -EINTR);
    return result;
}

/* In two steps, so that threads which wait for the same child all learn its status: the first looks and remembers,
 * then the child may go. From then on its number is never used again. */
static int wait_for(struct airlock_process *process, int options) {
    siginfo_t info = {0};
    if (is_settled(process))
        return 0;
    long result = wait_id(process, &info, WEXITED | WNOWAIT | options);
    if (is_settled(process))
        return 0;
    if (result == -ECHILD) {
        settle(process, TAKEN);
        return 0;
    }
    if (result < 0)
        return (int)-result;
    if (info.si_pid == 0)
        return EAGAIN;
    __atomic_store_n(&process->status, status_of(&info), __ATOMIC_RELAXED);
    settle(process, ENDED);
    wait_id(process, &info, WEXITED | WNOHANG);
    return 0;
}

static int answer(const struct airlock_process *process, int *status) {
    if (__atomic_load_n(&process->state, __ATOMIC_ACQUIRE) == TAKEN)
        return ECHILD;
    if (status != NULL)
        *status = __atomic_load_n(&process->status, __ATOMIC_RELAXED);
    return 0;
}

int airlock_process_wait(struct airlock_process *process, int *status) {
    if (process->pid <= 0)
        return ECHILD;
    close_and_forget(&process->in); /* a child that reads to the end would wait for us */
    int code = wait_for(process, 0);
    return code == 0 ? answer(process, status) : code;
}

int airlock_process_try_wait(struct airlock_process *process, int *status) {
    if (process->pid <= 0)
        return ECHILD;
    int code = wait_for(process, WNOHANG);
    return code == 0 ? answer(process, status) : code;
}

int airlock_process_kill(struct airlock_process *process, int signal) {
    long result = -ENOSYS;
    if (process->pid <= 0)
        return ESRCH;
    if (is_settled(process))
        return 0;
    if (process->pidfd >= 0)
        result = raw4(SYS_pidfd_send_signal, process->pidfd, signal, 0, 0);
    if (result == -ENOSYS)
        result = raw2(SYS_kill, process->pid, signal);
    return result < 0 && result != -ESRCH ? (int)-result : 0;
}

void airlock_process_close(struct airlock_process *process) {
    /* The zeros of a handle that nothing was started in are no descriptors. */
    if (process->pid == 0)
        *process = AIRLOCK_PROCESS_NONE;
    close_and_forget(&process->in);
    close_and_forget(&process->out);
    close_and_forget(&process->err);
    close_and_forget(&process->pidfd);
    process->pid = -1;
}
