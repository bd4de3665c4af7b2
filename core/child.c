/* The child half: one straight line of steps from the clone to exec, and one way out. The table at the end is that
 * line.
 *
 * Every line here runs in the memory of the parent, which may be any program in any state, with one of its threads
 * suspended and the others running. So: raw system calls on what the plan holds, and nothing else. No allocation, no
 * lock, no stdio, no errno, no function of libc. The order of the steps is glibc's for what posix_spawn can ask for,
 * and CPython's for the rest. */
#include "plan.h"

#include <asm/ioctls.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

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
    long result = raw_close(fd);
    if (result >= 0)
        return 0;
    struct {
        uint64_t soft, hard;
    } limit = {UINT64_MAX, UINT64_MAX};
    raw4(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &limit);
    return fd < 0 || (uint64_t)fd >= limit.soft ? result : 0;
}

/* The target is closed first (POSIX): with every number in use there would be no other for the new file. */
static long do_open(const struct airlock_action *action) {
    raw_close(action->fd);
    long opened = raw4(SYS_openat, AT_FDCWD, action->path, action->flags | O_LARGEFILE, action->mode);
    if (opened < 0 || opened == action->fd)
        return opened;
    long result = duplicate((int)opened, action->fd);
    raw_close((int)opened);
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
static long set_stdio(struct plan *plan, int *index) {
    int source[3];
    long result = 0;
    if (plan->command->stdio == NULL)
        return 0;
    for (int i = *index = 0; i < 3; *index = ++i) {
        source[i] = plan->command->stdio[i];
        if (source[i] < 0)
            continue;
        source[i] = child_local_number(plan, source[i]);
        if (source[i] < 0) /* not open in the parent; reported in its turn */
            source[i] = INT_MAX;
        if (source[i] > 2 || source[i] == i)
            continue;
        result = raw3(SYS_fcntl, source[i], F_DUPFD_CLOEXEC, plan->first_free_number);
        if (result == -EINVAL || result == -EMFILE)
            result = raw3(SYS_fcntl, source[i], F_DUPFD_CLOEXEC, 3);
        if (result < 0)
            return result;
        source[i] = (int)result;
    }
    for (int i = *index = 0; i < 3 && result >= 0; i++) {
        *index = i;
        if (source[i] >= 0)
            result = duplicate(source[i], i);
    }
    return result;
}

/* From here on the table is the child's own. What the parent opened for this spawn goes first, as no action may find
 * it: its end of the report pipe and, where the table was shared for a moment, the pidfd that the kernel put there. */
static long own_table(struct plan *plan, int *index) {
    (void)index;
    long result = plan->cut ? child_cut(plan) : 0;
    if (result >= 0 && plan->report_read_end >= 0)
        raw1(SYS_close, plan->report_read_end);
    if (result >= 0 && plan->cut && plan->report->pidfd >= 0)
        raw1(SYS_close, plan->report->pidfd);
    return result;
}

static long fetch(struct plan *plan, int *index) {
    return plan->fetch_count > 0 ? child_fetch(plan, index) : 0;
}

static long set_scheduling(struct plan *plan, int *index) {
    const struct airlock_command *command = plan->command;
    int priority = command->scheduling_priority;
    (void)index;
    if (command->flags & AIRLOCK_SETSCHEDULER)
        return raw3(SYS_sched_setscheduler, 0, command->scheduling_policy, &priority);
    if (command->flags & AIRLOCK_SETSCHEDPARAM)
        return raw2(SYS_sched_setparam, 0, &priority);
    return 0;
}

static long set_session(struct plan *plan, int *index) {
    (void)index;
    return plan->command->flags & AIRLOCK_SETSID ? raw0(SYS_setsid) : 0;
}

static long set_process_group(struct plan *plan, int *index) {
    (void)index;
    return plan->command->flags & AIRLOCK_SETPGROUP ? raw2(SYS_setpgid, 0, plan->command->process_group) : 0;
}

static bool is_refused(long id) {
    return id < 0 && id >= -4095;
}

static long reset_ids(struct plan *plan, int *index) {
    const int unchanged = -1;
    if (!(plan->command->flags & AIRLOCK_RESETIDS))
        return 0;
    /* A refusal must not be taken for an id. */
    long user = raw0(SYS_AIRLOCK_getuid), group = raw0(SYS_AIRLOCK_getgid);
    long result = is_refused(user) ? user : raw3(SYS_AIRLOCK_setresuid, unchanged, user, unchanged);
    if (result < 0)
        return result;
    *index = 1;
    return is_refused(group) ? group : raw3(SYS_AIRLOCK_setresgid, unchanged, group, unchanged);
}

static long run_actions(struct plan *plan, int *index) {
    const struct airlock_command *command = plan->command;
    for (size_t i = 0; i < command->action_count; i++) {
        *index = (int)i;
        long result = do_action(plan, &command->actions[i]);
        if (result < 0)
            return result;
    }
    return 0;
}

static long change_directory(struct plan *plan, int *index) {
    (void)index;
    return plan->command->cwd != NULL ? raw1(SYS_chdir, plan->command->cwd) : 0;
}

static long set_umask(struct plan *plan, int *index) {
    (void)index;
    return plan->command->flags & AIRLOCK_SETUMASK ? raw1(SYS_umask, plan->command->umask) : 0;
}

/* Groups before the user: afterwards the right to change them is gone. Root's own groups are not handed to another
 * user by oversight (Rust). */
static long set_groups(struct plan *plan, int *index) {
    const struct airlock_command *command = plan->command;
    *index = -1;
    if (command->flags & AIRLOCK_SETGROUPS)
        return raw2(SYS_AIRLOCK_setgroups, command->group_count, command->groups);
    if ((command->flags & AIRLOCK_SETUID) && !(command->flags & AIRLOCK_KEEP_GROUPS) && command->uid != 0 &&
        raw0(SYS_AIRLOCK_geteuid) == 0)
        return raw2(SYS_AIRLOCK_setgroups, 0, 0);
    return 0;
}

static long set_gid(struct plan *plan, int *index) {
    const struct airlock_command *command = plan->command;
    (void)index;
    if (!(command->flags & AIRLOCK_SETGID))
        return 0;
    return raw3(SYS_AIRLOCK_setresgid, command->gid, command->gid, command->gid);
}

static long set_uid(struct plan *plan, int *index) {
    const struct airlock_command *command = plan->command;
    (void)index;
    if (!(command->flags & AIRLOCK_SETUID))
        return 0;
    return raw3(SYS_AIRLOCK_setresuid, command->uid, command->uid, command->uid);
}

/* After the ids, whose change clears it. A parent that died before the call will send nothing: then end at once. A
 * parent outside of a new process namespace shows as 0 and cannot be checked. */
static long set_death_signal(struct plan *plan, int *index) {
    int signal = plan->command->death_signal;
    (void)index;
    if (signal == 0)
        return 0;
    long result = raw2(SYS_prctl, PR_SET_PDEATHSIG, signal);
    if (result < 0)
        return result;
    long parent = raw0(SYS_getppid);
    if (parent < 0)
        return parent;
    return parent != plan->parent && parent != 0 ? -ESRCH : 0;
}

static long set_mask(const struct plan *plan) {
    return raw4(SYS_rt_sigprocmask, SIG_SETMASK, &plan->mask, 0, sizeof plan->mask);
}

/* The callback sees the mask of the program to come and may change it. That is safe here and not earlier: the
 * parent's handlers are gone, and this child has memory of its own. */
static long call_back(struct plan *plan, int *index) {
    const struct airlock_command *command = plan->command;
    (void)index;
    if (command->before_exec == NULL)
        return 0;
    long result = set_mask(plan);
    if (result < 0)
        return result;
    int code = command->before_exec(command->before_exec_argument);
    return code > 0 ? -code : code;
}

static long seal(struct plan *plan, int *index) {
    (void)index;
    return plan->command->seal == AIRLOCK_SEAL ? child_seal(plan) : 0;
}

/* The number of descriptors comes last: a lower limit must not hinder the others' preparation. */
static long set_limits(struct plan *plan, int *index) {
    const struct airlock_command *command = plan->command;
    for (int last = 0; last <= 1; last++) {
        for (size_t i = 0; i < command->limit_count; i++) {
            const struct airlock_limit *limit = &command->limits[i];
            if ((limit->resource == RLIMIT_NOFILE) != (last == 1))
                continue;
            *index = (int)i;
            long result = raw4(SYS_prlimit64, 0, limit->resource, &limit->soft, 0);
            if (result < 0)
                return result;
        }
    }
    return 0;
}

static long lift_mask(struct plan *plan, int *index) {
    (void)index;
    plan->report->exec_ns = now(plan);
    return plan->command->before_exec == NULL ? set_mask(plan) : 0;
}

static const struct {
    enum airlock_step step;
    long (*take)(struct plan *plan, int *index);
} steps[] = {
    {AIRLOCK_STEP_UNSHARE, own_table},
    {AIRLOCK_STEP_FETCH, fetch},
    {AIRLOCK_STEP_SIGNALS, child_reset_signals},
    {AIRLOCK_STEP_SCHEDULING, set_scheduling},
    {AIRLOCK_STEP_SESSION, set_session},
    {AIRLOCK_STEP_PROCESS_GROUP, set_process_group},
    {AIRLOCK_STEP_RESET_IDS, reset_ids},
    {AIRLOCK_STEP_STDIO, set_stdio},
    {AIRLOCK_STEP_ACTION, run_actions},
    {AIRLOCK_STEP_CHDIR, change_directory},
    {AIRLOCK_STEP_UMASK, set_umask},
    {AIRLOCK_STEP_GROUPS, set_groups},
    {AIRLOCK_STEP_GID, set_gid},
    {AIRLOCK_STEP_UID, set_uid},
    {AIRLOCK_STEP_DEATH_SIGNAL, set_death_signal},
    {AIRLOCK_STEP_CALLBACK, call_back},
    {AIRLOCK_STEP_KEEP, child_keep},
    {AIRLOCK_STEP_SEAL, seal},
    {AIRLOCK_STEP_LIMIT, set_limits},
    {AIRLOCK_STEP_MASK, lift_mask},
    {AIRLOCK_STEP_EXEC, child_exec},
};

/* Returns only when a step failed, and the report says which. */
void child_take_steps(struct plan *plan) {
    struct report *report = plan->report;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        report->index = 0;
        long result = steps[i].take(plan, &report->index);
        if (result >= 0)
            continue;
        report->code = (int)-result;
        report->step = (int)steps[i].step;
        return;
    }
}

_Noreturn void child_main(struct plan *plan) {
    struct report *report = plan->report;
    report->started = 1;
    report->started_ns = now(plan);
    long result = plan->pidfd_sockets[1] >= 0 ? child_send_pidfd(plan->pidfd_sockets) : 0;
    if (result < 0) {
        report->code = (int)-result;
        report->step = AIRLOCK_STEP_CLONE;
    } else {
        child_take_steps(plan);
    }
    /* One write, not repeated: when the parent is gone there is nobody to tell, and no signal ends this child
     * otherwise than by the status that everybody expects. After a failed exec the mask is the program's: block again.
     */
    if (plan->report_descriptor >= 0) {
        const airlock_signals all = ~(airlock_signals)0;
        raw4(SYS_rt_sigprocmask, SIG_SETMASK, &all, 0, sizeof all);
        raw3(SYS_write, plan->report_descriptor, report, sizeof *report);
    }
    for (;;)
        raw1(SYS_exit_group, 127);
}
