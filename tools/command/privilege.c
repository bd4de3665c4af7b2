/* Foretells AT_SECURE. It is a question of the file, of who runs it and of how its file system is mounted: a
 * set-user-id file of root is nothing special to root, and nothing special to anybody on a mount with nosuid. */
#include "privilege.h"

#include <endian.h>
#include <linux/capability.h>
#include <linux/xattr.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

struct capabilities {
    uint64_t permitted;
    uint64_t inheritable;
    bool effective; /* of a file: its capabilities are in force from the start */
};

static bool is_without_new_privileges(void) {
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

static bool is_mounted_nosuid(const char *file) {
    struct statvfs mount;
    return statvfs(file, &mount) == 0 && (mount.f_flag & ST_NOSUID) != 0;
}

static uint64_t join(uint32_t low, uint32_t high) {
    return (uint64_t)high << 32 | low;
}

static bool read_file_capabilities(const char *file, struct capabilities *out) {
    struct vfs_ns_cap_data data = {0};
    ssize_t size = getxattr(file, XATTR_NAME_CAPS, &data, sizeof data);
    if (size < (ssize_t)XATTR_CAPS_SZ_1)
        return false;
    uint32_t magic = le32toh(data.magic_etc);
    /* Revision 3 names the root of the user namespace it counts in; the kernel shows it as 0 where that is ours. */
    if ((magic & VFS_CAP_REVISION_MASK) == VFS_CAP_REVISION_3 && data.rootid != 0)
        return false;
    *out = (struct capabilities){
        .permitted = join(le32toh(data.data[0].permitted), le32toh(data.data[1].permitted)),
        .inheritable = join(le32toh(data.data[0].inheritable), le32toh(data.data[1].inheritable)),
        .effective = (magic & VFS_CAP_FLAGS_EFFECTIVE) != 0,
    };
    return true;
}

static struct capabilities own_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
    syscall(SYS_capget, &header, data);
    return (struct capabilities){
        .permitted = join(data[0].permitted, data[1].permitted),
        .inheritable = join(data[0].inheritable, data[1].inheritable),
    };
}

static uint64_t bounding_set(void) {
    uint64_t set = 0;
    for (int capability = 0; capability < 64; capability++) {
        if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1)
            set |= (uint64_t)1 << capability;
    }
    return set;
}

static bool gains_capabilities(const char *file) {
    struct capabilities of_file;
    if (getuid() == 0 || is_mounted_nosuid(file) || !read_file_capabilities(file, &of_file))
        return false;
    struct capabilities own = own_capabilities();
    uint64_t gained = (of_file.permitted & bounding_set()) | (of_file.inheritable & own.inheritable);
    if (is_without_new_privileges())
        gained &= own.permitted;
    return of_file.effective || gained != 0;
}

const char *privilege_gained(const char *file) {
    struct stat status;
    if (stat(file, &status) != 0)
        return NULL;
    bool honoured = !is_mounted_nosuid(file) && !is_without_new_privileges();
    /* Without the group's execute bit, set-group-id once meant mandatory locking. */
    bool set_user = honoured && (status.st_mode & S_ISUID) != 0;
    bool set_group = honoured && (status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
    if ((set_user ? status.st_uid : geteuid()) != getuid())
        return set_user ? "set-user-id" : "run with an effective user that is not the real one";
    if ((set_group ? status.st_gid : getegid()) != getgid())
        return set_group ? "set-group-id" : "run with an effective group that is not the real one";
    return gains_capabilities(file) ? "given file capabilities" : NULL;
}
