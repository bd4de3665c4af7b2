/* The child half: one straight line of steps from the clone to exec, and one way out.
 *
 * Every line here runs in the memory of the parent, which may be any program in any state, with one of its threads
 * suspended and the others running. So: raw system calls on what the plan holds, and nothing else. No allocation, no
 * lock, no stdio, no errno, no function of libc. The order of the steps is glibc's for what posix_spawn can ask for,
 * and CPython's for the rest. */
#include "plan.h"

#include <asm/ioctls.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/prctl.h>
#include <sys/resource.h>

_Noreturn void child_fail(struct plan *plan, int step, int index, long error) {
    struct report *report = plan->report;
    report->step = step;
    report->index = index;
    report->code = error < 0 ? (int)-error : ECHILD;
    /* One write, not repeated: when the parent is gone there is nobody to tell, and SIGPIPE is blocked. */
    if (plan->report_descriptor >= 0)
        raw3(SYS_write, plan->report_descriptor, report, sizeof *report);
    for (;;)
        raw1(SYS_exit_group, 127);
}

static void check(struct plan *plan, int step, int index, long result) {
    if (result < 0)
        child_fail(plan, step, index, result);
}

static uint64_t now(const struct plan *plan) {
    uint64_t nanoseconds = 0;
    if (plan->measure)
        raw_clock_gettime_ns(&nanoseconds);
    return nanoseconds;
}

static long clear_close_on_exec(int fd) {
    long flags = raw2(SYS_fcntl, fd, F_GETFD);
    return flags < 0 ? flags : raw3(SYS_fcntl, fd, F_SETFD, flags & ~FD_CLOEXEC);
}

/* dup2(n, n) leaves the flag alone; a file action must clear it (Austin Group 411). */
static long duplicate(int from, int to) {
    if (from == to)
        return clear_close_on_exec(to);
    long result;
    do
        result = raw_dup2(from, to);
    while (result == -EINTR || result == -EBUSY);
    return result;
}

/* A number that is not open is fine, one that can never be open is not (glibc). close is never repeated: on Linux the
 * descriptor is gone after EINTR. */
static long do_close(int fd) {
    long result = raw1(SYS_close, fd);
    if (result >= 0)
        return 0;
    struct {
        uint64_t soft, hard;
    } limit = {0, 0};
    raw4(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &limit);
    return fd < 0 || (uint64_t)fd >= limit.soft ? result : 0;
}

/* The target is closed first (POSIX): with every number in use there would be no other for the new file. */
static long do_open(const struct airlock_action *action) {
    raw1(SYS_close, action->fd);
    long opened = raw4(SYS_openat, AT_FDCWD, action->path, action->flags | O_LARGEFILE, action->mode);
    if (opened < 0 || opened == action->fd)
        return opened;
    long result = duplicate((int)opened, action->fd);
    raw1(SYS_close, opened);
    return result;
}

static long do_tcsetpgrp(const struct plan *plan, int fd) {
    const struct airlock_command *command = plan->command;
    int group = command->process_group;
    if (!(command->flags & AIRLOCK_SETPGROUP) || group == 0)
        group = (int)raw1(SYS_getpgid, 0);
    /* From the background this would stop the child by SIGTTOU; that is blocked like all others. */
    return raw3(SYS_ioctl, fd, TIOCSPGRP, &group);
}

static long do_action(const struct plan *plan, const struct airlock_action *action) {
    switch (action->kind) {
    case AIRLOCK_ACTION_CLOSE:
        return do_close(action->fd);
    case AIRLOCK_ACTION_DUP2:
        return duplicate(child_local_number(plan, action->source), action->fd);
    case AIRLOCK_ACTION_OPEN:
        return do_open(action);
    case AIRLOCK_ACTION_CHDIR:
        return raw1(SYS_chdir, action->path);
    case AIRLOCK_ACTION_FCHDIR:
        return raw1(SYS_fchdir, child_local_number(plan, action->fd));
    case AIRLOCK_ACTION_CLOSEFROM:
        return child_close_from(plan, action->fd);
    case AIRLOCK_ACTION_TCSETPGRP:
        return do_tcsetpgrp(plan, child_local_number(plan, action->fd));
    }
    return -EINVAL;
}

/* The three move at once: what sits on 0 to 2 and is still needed is first duplicated out of the way. */
static void set_stdio(struct plan *plan) {
    int source[3];
    if (plan->command->stdio == NULL)
        return;
    for (int i = 0; i < 3; i++) {
        source[i] = plan->command->stdio[i];
        if (source[i] < 0)
            continue;
        source[i] = child_local_number(plan, source[i]);
        if (source[i] < 0)
            child_fail(plan, AIRLOCK_STEP_STDIO, i, -EBADF);
        if (source[i] > 2 || source[i] == i)
            continue;
        long moved = raw3(SYS_fcntl, source[i], F_DUPFD_CLOEXEC, plan->first_free_number);
        if (moved == -EINVAL || moved == -EMFILE)
            moved = raw3(SYS_fcntl, source[i], F_DUPFD_CLOEXEC, 3);
        check(plan, AIRLOCK_STEP_STDIO, i, moved);
        source[i] = (int)moved;
    }
    for (int i = 0; i < 3; i++)
        if (source[i] >= 0)
            check(plan, AIRLOCK_STEP_STDIO, i, duplicate(source[i], i));
}

static void set_scheduling(struct plan *plan) {
    const struct airlock_command *command = plan->command;
    int priority = command->scheduling_priority;
    if (command->flags & AIRLOCK_SETSCHEDULER)
        check(plan, AIRLOCK_STEP_SCHEDULING, 0, raw3(SYS_sched_setscheduler, 0, command->scheduling_policy, &priority));
    else if (command->flags & AIRLOCK_SETSCHEDPARAM)
        check(plan, AIRLOCK_STEP_SCHEDULING, 0, raw2(SYS_sched_setparam, 0, &priority));
}

static void set_session_and_group(struct plan *plan) {
    const struct airlock_command *command = plan->command;
    if (command->flags & AIRLOCK_SETSID)
        check(plan, AIRLOCK_STEP_SESSION, 0, raw0(SYS_setsid));
    if (command->flags & AIRLOCK_SETPGROUP)
        check(plan, AIRLOCK_STEP_PROCESS_GROUP, 0, raw2(SYS_setpgid, 0, command->process_group));
}

static void reset_ids(struct plan *plan) {
    if (!(plan->command->flags & AIRLOCK_RESETIDS))
        return;
    const int unchanged = -1;
    long user = raw0(SYS_AIRLOCK_getuid);
    check(plan, AIRLOCK_STEP_RESET_IDS, 0, raw3(SYS_AIRLOCK_setresuid, unchanged, user, unchanged));
    long group = raw0(SYS_AIRLOCK_getgid);
    check(plan, AIRLOCK_STEP_RESET_IDS, 1, raw3(SYS_AIRLOCK_setresgid, unchanged, group, unchanged));
}

/* Groups before the user: afterwards the right to change them is gone. */
static void set_ids(struct plan *plan) {
    const struct airlock_command *command = plan->command;
    if (command->flags & AIRLOCK_SETGROUPS)
        check(plan, AIRLOCK_STEP_GROUPS, 0, raw2(SYS_AIRLOCK_setgroups, command->group_count, command->groups));
    if (command->flags & AIRLOCK_SETGID)
        check(plan, AIRLOCK_STEP_GID, 0, raw3(SYS_AIRLOCK_setresgid, command->gid, command->gid, command->gid));
    if (command->flags & AIRLOCK_SETUID)
        check(plan, AIRLOCK_STEP_UID, 0, raw3(SYS_AIRLOCK_setresuid, command->uid, command->uid, command->uid));
}

/* After the ids, whose change clears it. A parent that died before the call will send nothing: then end at once. */
static void set_death_signal(struct plan *plan) {
    int signal = plan->command->death_signal;
    if (signal == 0)
        return;
    check(plan, AIRLOCK_STEP_DEATH_SIGNAL, 0, raw2(SYS_prctl, PR_SET_PDEATHSIG, signal));
    if (raw0(SYS_getppid) != plan->parent)
        child_fail(plan, AIRLOCK_STEP_DEATH_SIGNAL, 0, -ESRCH);
}

/* The number of descriptors comes last: a lower limit must not hinder the others' preparation. */
static void set_limits(struct plan *plan) {
    const struct airlock_command *command = plan->command;
    for (int last = 0; last <= 1; last++) {
        for (size_t i = 0; i < command->limit_count; i++) {
            const struct airlock_limit *limit = &command->limits[i];
            if ((limit->resource == RLIMIT_NOFILE) == (last == 1))
                check(plan, AIRLOCK_STEP_LIMIT, (int)i, raw4(SYS_prlimit64, 0, limit->resource, &limit->soft, 0));
        }
    }
}

static void own_table(struct plan *plan) {
    int index = 0;
    if (plan->cut)
        check(plan, AIRLOCK_STEP_UNSHARE, 0, child_cut(plan));
    if (plan->fetch_count > 0) {
        long result = child_fetch(plan, &index);
        check(plan, AIRLOCK_STEP_FETCH, index, result);
    }
}

static void run_actions(struct plan *plan) {
    const struct airlock_command *command = plan->command;
    for (size_t i = 0; i < command->action_count; i++)
        check(plan, AIRLOCK_STEP_ACTION, (int)i, do_action(plan, &command->actions[i]));
    if (command->cwd != NULL)
        check(plan, AIRLOCK_STEP_CHDIR, 0, raw1(SYS_chdir, command->cwd));
    if (command->flags & AIRLOCK_SETUMASK)
        raw1(SYS_umask, command->umask);
}

static void call_back(struct plan *plan) {
    const struct airlock_command *command = plan->command;
    if (command->before_exec == NULL)
        return;
    int code = command->before_exec(command->before_exec_argument);
    if (code != 0)
        child_fail(plan, AIRLOCK_STEP_CALLBACK, 0, code > 0 ? -code : code);
}

static void seal(struct plan *plan) {
    int index = 0;
    long result = child_keep(plan, &index);
    check(plan, AIRLOCK_STEP_KEEP, index, result);
    if (plan->command->seal == AIRLOCK_SEAL)
        check(plan, AIRLOCK_STEP_SEAL, 0, child_seal(plan));
}

_Noreturn void child_main(struct plan *plan) {
    const int set_mask = 2; /* SIG_SETMASK */
    int index = 0;

    plan->report->started = 1;
    plan->report->started_ns = now(plan);

    own_table(plan);
    long result = child_reset_signals(plan, &index);
    check(plan, AIRLOCK_STEP_SIGNALS, index, result);
    set_scheduling(plan);
    set_session_and_group(plan);
    reset_ids(plan);
    set_stdio(plan);
    run_actions(plan);
    set_ids(plan);
    set_death_signal(plan);
    call_back(plan);
    seal(plan);
    set_limits(plan);
    plan->report->exec_ns = now(plan);
    check(plan, AIRLOCK_STEP_MASK, 0, raw4(SYS_rt_sigprocmask, set_mask, &plan->mask, 0, sizeof plan->mask));

    index = 0;
    result = child_exec(plan, &index);
    child_fail(plan, AIRLOCK_STEP_EXEC, index, result);
}
