/* What can be said to be wrong with a description before anything is started: the error names the step that the field
 * belongs to. What only the kernel knows (an id that may not be taken, a file that is missing) is left to the child,
 * which reports it the same way and is gone when airlock_spawn returns.
 *
 * Runs in the parent, in the host program: no allocation, no call into libc. */
#include "plan.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <sys/resource.h>

enum { HIGHEST_SIGNAL = 64, HIGHEST_PRIORITY = 99, SCHED_RESET_ON_FORK_BIT = 0x40000000 };

static const unsigned every_flag = (AIRLOCK_SHELL_BY_NAME << 1) - 1;

static int at(struct airlock_error *error, enum airlock_step step, int index, int code) {
    *error = (struct airlock_error){.step = step, .index = index, .code = code};
    return code;
}

static int check_action(const struct airlock_action *action) {
    bool has_descriptor = action->kind != AIRLOCK_ACTION_CHDIR;
    bool has_path = action->kind == AIRLOCK_ACTION_OPEN || action->kind == AIRLOCK_ACTION_CHDIR;
    if ((unsigned)action->kind > AIRLOCK_ACTION_TCSETPGRP)
        return EINVAL;
    if (has_descriptor && action->fd < 0)
        return EBADF;
    if (action->kind == AIRLOCK_ACTION_DUP2 && action->source < 0)
        return EBADF;
    return has_path && action->path == NULL ? EINVAL : 0;
}

static int check_actions(const struct airlock_command *command, struct airlock_error *error) {
    if (command->action_count > INT_MAX || (command->actions == NULL && command->action_count > 0))
        return at(error, AIRLOCK_STEP_ACTION, -1, EINVAL);
    for (size_t i = 0; i < command->action_count; i++) {
        int code = check_action(&command->actions[i]);
        if (code != 0)
            return at(error, AIRLOCK_STEP_ACTION, (int)i, code);
    }
    return 0;
}

static int check_stdio(const struct airlock_command *command, struct airlock_error *error) {
    for (int i = 0; command->stdio != NULL && i < 3; i++)
        if (command->stdio[i] < -1)
            return at(error, AIRLOCK_STEP_STDIO, i, EBADF);
    return 0;
}

/* Here the index is that of the entry: a number that is wrong in itself says little. EINVAL, because with EBADF the
 * index of this step is a descriptor. */
static int check_keep(const struct airlock_command *command, struct airlock_error *error) {
    if (command->keep_count > INT_MAX || command->keep_range_count > INT_MAX ||
        (command->keep == NULL && command->keep_count > 0) ||
        (command->keep_ranges == NULL && command->keep_range_count > 0))
        return at(error, AIRLOCK_STEP_KEEP, -1, EINVAL);
    for (size_t i = 0; i < command->keep_count; i++)
        if (command->keep[i] < 0)
            return at(error, AIRLOCK_STEP_KEEP, (int)i, EINVAL);
    for (size_t i = 0; i < command->keep_range_count; i++)
        if (command->keep_ranges[i].first < 0 || command->keep_ranges[i].last < command->keep_ranges[i].first)
            return at(error, AIRLOCK_STEP_KEEP, (int)i, EINVAL);
    return 0;
}

static int check_limits(const struct airlock_command *command, struct airlock_error *error) {
    if (command->limit_count > INT_MAX || (command->limits == NULL && command->limit_count > 0))
        return at(error, AIRLOCK_STEP_LIMIT, -1, EINVAL);
    for (size_t i = 0; i < command->limit_count; i++) {
        const struct airlock_limit *limit = &command->limits[i];
        if ((unsigned)limit->resource >= RLIM_NLIMITS || limit->soft > limit->hard)
            return at(error, AIRLOCK_STEP_LIMIT, (int)i, EINVAL);
    }
    return 0;
}

/* -1 means "unchanged" to the kernel, so the call would succeed and do nothing. */
static int check_ids(const struct airlock_command *command, struct airlock_error *error) {
    if ((command->flags & AIRLOCK_SETUID) && command->uid == (uid_t)-1)
        return at(error, AIRLOCK_STEP_UID, 0, EINVAL);
    if ((command->flags & AIRLOCK_SETGID) && command->gid == (gid_t)-1)
        return at(error, AIRLOCK_STEP_GID, 0, EINVAL);
    if (command->group_count > NGROUPS_MAX || (command->groups == NULL && command->group_count > 0))
        return at(error, AIRLOCK_STEP_GROUPS, -1, EINVAL);
    for (size_t i = 0; i < command->group_count; i++)
        if (command->groups[i] == (gid_t)-1)
            return at(error, AIRLOCK_STEP_GROUPS, (int)i, EINVAL);
    return 0;
}

static int check_attributes(const struct airlock_command *command, struct airlock_error *error) {
    if (command->death_signal < 0 || command->death_signal > HIGHEST_SIGNAL)
        return at(error, AIRLOCK_STEP_DEATH_SIGNAL, 0, EINVAL);
    if ((command->flags & AIRLOCK_SETPGROUP) && command->process_group < 0)
        return at(error, AIRLOCK_STEP_PROCESS_GROUP, 0, EINVAL);
    if ((command->flags & AIRLOCK_SETCGROUP) && command->cgroup < 0)
        return at(error, AIRLOCK_STEP_CLONE, 0, EBADF);
    if ((command->flags & (AIRLOCK_SETSCHEDULER | AIRLOCK_SETSCHEDPARAM)) &&
        (command->scheduling_priority < 0 || command->scheduling_priority > HIGHEST_PRIORITY))
        return at(error, AIRLOCK_STEP_SCHEDULING, 0, EINVAL);
    return check_ids(command, error);
}

static int check_program(const struct airlock_command *command, struct airlock_error *error) {
    bool named = command->path != NULL || (command->argv != NULL && command->argv[0] != NULL);
    if (command->candidates != NULL ? command->candidates[0] == NULL : !named)
        return at(error, AIRLOCK_STEP_EXEC, -1, EINVAL);
    if ((unsigned)command->search > AIRLOCK_SEARCH_CHILD_PATH)
        return at(error, AIRLOCK_STEP_EXEC, -1, EINVAL);
    return 0;
}

int check_command(const struct airlock_command *command, struct airlock_error *error) {
    *error = (struct airlock_error){0};
    if (command == NULL || (command->flags & ~every_flag) || (unsigned)command->seal > AIRLOCK_SEAL)
        return at(error, AIRLOCK_STEP_CHECK, -1, EINVAL);
    int code = check_program(command, error);
    if (code == 0)
        code = check_stdio(command, error);
    if (code == 0)
        code = check_actions(command, error);
    if (code == 0)
        code = check_keep(command, error);
    if (code == 0)
        code = check_limits(command, error);
    return code == 0 ? check_attributes(command, error) : code;
}

static bool is_open(int fd) {
    return raw2(SYS_fcntl, fd, F_GETFD) != -EBADF;
}

/* Whether fd is open in the child when the steps before action number `count` have been taken. */
static bool will_be_open(const struct airlock_command *command, size_t count, int fd) {
    for (size_t i = count; i > 0; i--) {
        const struct airlock_action *action = &command->actions[i - 1];
        if (action->fd == fd && (action->kind == AIRLOCK_ACTION_DUP2 || action->kind == AIRLOCK_ACTION_OPEN))
            return true;
        if (action->fd == fd && action->kind == AIRLOCK_ACTION_CLOSE)
            return false;
        if (action->fd <= fd && action->kind == AIRLOCK_ACTION_CLOSEFROM)
            return false;
    }
    if (command->stdio != NULL && fd <= 2 && command->stdio[fd] >= 0)
        return true;
    return is_open(fd);
}

/* The kernel knows the policies and the priorities of each. Where it does not say, the child will find out. */
static bool can_be_scheduled(const struct airlock_command *command) {
    long policy = command->scheduling_policy;
    if (!(command->flags & (AIRLOCK_SETSCHEDULER | AIRLOCK_SETSCHEDPARAM)))
        return true;
    if (!(command->flags & AIRLOCK_SETSCHEDULER) && (policy = raw1(SYS_sched_getscheduler, 0)) < 0)
        return true;
    policy &= ~(long)SCHED_RESET_ON_FORK_BIT;
    long lowest = raw1(SYS_sched_get_priority_min, policy), highest = raw1(SYS_sched_get_priority_max, policy);
    if (lowest < 0 || highest < 0)
        return lowest != -EINVAL && highest != -EINVAL;
    return command->scheduling_priority >= lowest && command->scheduling_priority <= highest;
}

/* As the kernel counts, the final NUL is part of it. */
static bool is_longer_than(size_t limit, const char *path) {
    size_t length = 0;
    while (length < limit && path[length] != '\0')
        length++;
    return length == limit;
}

static bool has_long_path(const struct airlock_action *action) {
    return (action->kind == AIRLOCK_ACTION_OPEN || action->kind == AIRLOCK_ACTION_CHDIR) &&
           is_longer_than(PATH_MAX, action->path);
}

/* Of a list the child tries every file. */
static bool has_long_name(const struct airlock_command *command) {
    const char *file = command->path != NULL ? command->path : command->argv != NULL ? command->argv[0] : NULL;
    return command->candidates == NULL && file != NULL && is_longer_than(PATH_MAX, file);
}

/* Most numbers are low, and need no look at the limit. */
static bool can_be_open(int fd) {
    uint64_t limit[2] = {UINT64_MAX, UINT64_MAX};
    if (fd > LOW_DESCRIPTORS)
        raw4(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, limit);
    return (uint64_t)fd < limit[0];
}

static bool finds_its_descriptors(const struct airlock_command *command, size_t index) {
    const struct airlock_action *action = &command->actions[index];
    switch (action->kind) {
    case AIRLOCK_ACTION_DUP2:
        return can_be_open(action->fd) && will_be_open(command, index, action->source);
    case AIRLOCK_ACTION_OPEN:
        return can_be_open(action->fd);
    case AIRLOCK_ACTION_FCHDIR:
    case AIRLOCK_ACTION_TCSETPGRP:
        return will_be_open(command, index, action->fd);
    case AIRLOCK_ACTION_CLOSE:
    case AIRLOCK_ACTION_CHDIR:
    case AIRLOCK_ACTION_CLOSEFROM:
        break;
    }
    return true;
}

int check_state(const struct airlock_command *command, struct airlock_error *error) {
    if (command->flags & AIRLOCK_IN_ORDER)
        return 0;
    if (!can_be_scheduled(command))
        return at(error, AIRLOCK_STEP_SCHEDULING, 0, EINVAL);
    /* A leader of a session cannot change its group (setpgid(2)). */
    if ((command->flags & AIRLOCK_SETSID) && (command->flags & AIRLOCK_SETPGROUP))
        return at(error, AIRLOCK_STEP_PROCESS_GROUP, 0, EPERM);
    for (int i = 0; command->stdio != NULL && i < 3; i++)
        if (command->stdio[i] >= 0 && !is_open(command->stdio[i]))
            return at(error, AIRLOCK_STEP_STDIO, i, EBADF);
    for (size_t i = 0; i < command->action_count; i++) {
        if (!finds_its_descriptors(command, i))
            return at(error, AIRLOCK_STEP_ACTION, (int)i, EBADF);
        if (has_long_path(&command->actions[i]))
            return at(error, AIRLOCK_STEP_ACTION, (int)i, ENAMETOOLONG);
    }
    if (command->cwd != NULL && is_longer_than(PATH_MAX, command->cwd))
        return at(error, AIRLOCK_STEP_CHDIR, 0, ENAMETOOLONG);
    for (size_t i = 0; (command->flags & AIRLOCK_MAKE_INHERITABLE) && i < command->keep_count; i++)
        if (!will_be_open(command, command->action_count, command->keep[i]))
            return at(error, AIRLOCK_STEP_KEEP, command->keep[i], EBADF);
    return has_long_name(command) ? at(error, AIRLOCK_STEP_EXEC, 0, ENAMETOOLONG) : 0;
}
