/* Asks the kernel rather than its version: distributions carry features back, and sandboxes take them away. */
#include "kernel.h"

#include "syscall.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const kernel_feature_names[KERNEL_FEATURE_COUNT] = {
    [KERNEL_CLONE3] = "clone3",           [KERNEL_CLOSE_RANGE] = "close_range", [KERNEL_PIDFD] = "pidfd_open",
    [KERNEL_PIDFD_GETFD] = "pidfd_getfd", [KERNEL_CGROUP] = "cgroup version 2",
};

/* A structure of size 0 is refused with EINVAL by a kernel that has the call. */
static int probe_clone3(void) {
    long result = raw2(SYS_clone3, NULL, 0);
    return result == -EINVAL ? 0 : (int)-result;
}

/* There is no such descriptor. */
static int probe_close_range(void) {
    return (int)-raw3(SYS_close_range, ~0U, ~0U, 0);
}

static void probe_pidfd(struct kernel *kernel) {
    long pidfd = raw2(SYS_pidfd_open, getpid(), 0);
    kernel->features[KERNEL_PIDFD] = pidfd < 0 ? (int)-pidfd : 0;
    kernel->features[KERNEL_PIDFD_GETFD] = kernel->features[KERNEL_PIDFD];
    if (pidfd < 0)
        return;
    long copy = raw3(SYS_pidfd_getfd, pidfd, pidfd, 0);
    kernel->features[KERNEL_PIDFD_GETFD] = copy < 0 ? (int)-copy : 0;
    if (copy >= 0)
        close((int)copy);
    close((int)pidfd);
}

static int probe_cgroup(void) {
    struct statfs file_system;
    if (statfs("/sys/fs/cgroup", &file_system) != 0)
        return errno;
    return file_system.f_type == CGROUP2_SUPER_MAGIC ? 0 : ENOSYS;
}

static int probe_spawn(struct airlock_timing *timing) {
    struct airlock_child child;
    const struct airlock_action quiet[] = {
        AIRLOCK_OPEN(STDIN_FILENO, "/dev/null", O_RDONLY, 0),
        AIRLOCK_OPEN(STDOUT_FILENO, "/dev/null", O_WRONLY, 0),
        AIRLOCK_OPEN(STDERR_FILENO, "/dev/null", O_WRONLY, 0),
    };
    const struct airlock_command self = {
        .path = "/proc/self/exe",
        .argv = (char *[]){(char *)"airlock", (char *)"--version", NULL},
        .envp = (char *[]){NULL},
        .actions = quiet,
        .action_count = sizeof quiet / sizeof quiet[0],
        .seal = AIRLOCK_SEAL,
    };
    int error = airlock_spawn(&self, &child, NULL, timing);
    while (error == 0 && waitpid(child.pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    return error;
}

void kernel_probe(struct kernel *kernel) {
    struct utsname name;
    *kernel = (struct kernel){0};
    if (uname(&name) == 0)
        snprintf(kernel->release, sizeof kernel->release, "%s", name.release);
    kernel->features[KERNEL_CLONE3] = probe_clone3();
    kernel->features[KERNEL_CLOSE_RANGE] = probe_close_range();
    probe_pidfd(kernel);
    kernel->features[KERNEL_CGROUP] = probe_cgroup();
    kernel->spawn_error = probe_spawn(&kernel->timing);
}
