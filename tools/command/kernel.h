/* What this kernel offers, and how the core makes a child on it. */
#ifndef AIRLOCK_COMMAND_KERNEL_H
#define AIRLOCK_COMMAND_KERNEL_H

#include "airlock.h"

#include <stdbool.h>

enum kernel_feature {
    KERNEL_CLONE3,
    KERNEL_CLOSE_RANGE,
    KERNEL_PIDFD,
    KERNEL_PIDFD_GETFD,
    KERNEL_CGROUP,
    KERNEL_FEATURE_COUNT,
};

struct kernel {
    char release[256]; /* as uname(2) has it */
    /* 0: offered. Else an errno value: ENOSYS where it is missing, EPERM where a sandbox refuses it. */
    int features[KERNEL_FEATURE_COUNT];
    /* How a child was made here just now. */
    int spawn_error;
    struct airlock_timing timing;
};

extern const char *const kernel_feature_names[KERNEL_FEATURE_COUNT];

/* Asks for each feature in a way that changes nothing, and starts one child: this command itself, with --version. */
void kernel_probe(struct kernel *kernel);

#endif
