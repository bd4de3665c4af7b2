/* What a descriptor is, asked with system calls that touch no errno and are no cancellation point. */
#ifndef SHIM_DESCRIPTOR_H
#define SHIM_DESCRIPTOR_H

#include "syscall.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>

/* Open, and not closed by exec. */
static inline bool descriptor_is_inheritable(int fd) {
    long flags = raw2(SYS_fcntl, fd, F_GETFD);
    return flags >= 0 && !(flags & FD_CLOEXEC);
}

/* The kernel's own structure, which is libc's on 64 bits. */
#ifdef SYS_fstat64
typedef struct stat64 descriptor_status;
#define DESCRIPTOR_STATUS SYS_fstat64
#else
typedef struct stat descriptor_status;
#define DESCRIPTOR_STATUS SYS_fstat
#endif

static inline bool descriptor_is_fifo(int fd) {
    descriptor_status status;
    return raw2(DESCRIPTOR_STATUS, fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

/* A number for the file behind fd: device and inode in 32 bits. Files of the kernel's own without a name (eventfd,
 * epoll and their like) all share one inode, and so one number. */
static inline bool descriptor_digest(int fd, uint32_t *digest) {
    descriptor_status status;
    if (raw2(DESCRIPTOR_STATUS, fd, &status) != 0)
        return false;
    uint64_t mixed = (uint64_t)status.st_ino * 0x9e3779b97f4a7c15U + (uint64_t)status.st_dev;
    mixed = (mixed ^ mixed >> 32) * 0xd6e8feb86659fd93U;
    *digest = (uint32_t)(mixed >> 32);
    return true;
}

#endif
