/* statx(2), also where libc's headers lack it (musl before 1.2.5). The call itself is made raw. */
#ifndef SHIM_STATX_H
#define SHIM_STATX_H

#include <stdint.h>
#include <sys/stat.h>

#ifndef STATX_TYPE
#define STATX_TYPE 0x0001U
#define STATX_MODE 0x0002U
#define STATX_NLINK 0x0004U
#define STATX_UID 0x0008U
#define STATX_BASIC_STATS 0x07ffU

/* The kernel's, which is the same on every architecture. */
struct statx {
    uint32_t stx_mask;
    uint32_t stx_blksize;
    uint64_t stx_attributes;
    uint32_t stx_nlink;
    uint32_t stx_uid;
    uint32_t stx_gid;
    uint16_t stx_mode;
    uint16_t stx_padding;
    uint64_t stx_ino;
    uint64_t stx_size;
    uint64_t stx_rest[26]; /* what is not looked at here, up to the 256 bytes that the kernel may write */
};
_Static_assert(sizeof(struct statx) == 256, "the kernel's size");
#endif

#endif
