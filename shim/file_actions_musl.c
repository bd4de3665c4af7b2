/* musl's file actions: a list of allocated entries, the latest first, each linked both ways.
 *
 * musl 1.2.3 knows the five kinds below. Later versions may append some: those are then not understood, and libc does
 * the call. */
#include "file_actions.h"

#include "syscall.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <sys/resource.h>

enum musl_kind { KIND_CLOSE = 1, KIND_DUP2, KIND_OPEN, KIND_CHDIR, KIND_FCHDIR };

struct musl_entry {
    const struct musl_entry *earlier;
    const struct musl_entry *later;
    int kind;
    int fd;
    int source;
    int flags;
    mode_t mode;
    char path[]; /* open, chdir: musl keeps a copy of its own */
};

struct musl_actions {
    int unused[2];
    const struct musl_entry *latest;
};

_Static_assert(sizeof(posix_spawn_file_actions_t) >= sizeof(struct musl_actions), "the object has room for its head");

static const struct musl_entry *latest_of(const posix_spawn_file_actions_t *object) {
    const struct musl_actions *head = (const void *)object;
    return head->latest;
}

static bool translate(const struct musl_entry *from, struct airlock_action *to) {
    *to = (struct airlock_action){.fd = from->fd};
    switch (from->kind) {
    case KIND_CLOSE:
        to->kind = AIRLOCK_ACTION_CLOSE;
        return true;
    case KIND_DUP2:
        to->kind = AIRLOCK_ACTION_DUP2;
        to->source = from->source;
        return true;
    case KIND_OPEN:
        to->kind = AIRLOCK_ACTION_OPEN;
        to->path = from->path;
        to->flags = from->flags;
        to->mode = from->mode;
        return true;
    case KIND_CHDIR:
        to->kind = AIRLOCK_ACTION_CHDIR;
        to->path = from->path;
        to->fd = -1; /* where musl says nothing */
        return true;
    case KIND_FCHDIR:
        to->kind = AIRLOCK_ACTION_FCHDIR;
        return true;
    default:
        return false;
    }
}

bool layout_is_empty(const posix_spawn_file_actions_t *object) {
    return latest_of(object) == NULL;
}

/* Each link has to be matched by the one that leads back. */
int layout_count(const posix_spawn_file_actions_t *object) {
    int count = 0;
    const struct musl_entry *later = NULL;
    for (const struct musl_entry *entry = latest_of(object); entry != NULL; entry = entry->earlier) {
        if (count == INT_MAX || (later != NULL && entry->later != later))
            return -1;
        later = entry;
        count++;
    }
    return count;
}

/* musl ignores whatever close answers, the core says EBADF for a number that no descriptor can have (glibc). Programs
 * close hundreds of numbers without asking for the limit, so such an action is left out. */
static bool can_do_nothing(const struct musl_entry *entry) {
    struct {
        uint64_t soft, hard;
    } limit = {0, 0};
    if (entry->kind != KIND_CLOSE || raw2(SYS_fcntl, entry->fd, F_GETFD) >= 0)
        return false;
    return raw4(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &limit) == 0 && (uint64_t)entry->fd >= limit.soft;
}

int layout_read(const posix_spawn_file_actions_t *object, struct airlock_action *actions, int count) {
    const struct musl_entry *entry = latest_of(object);
    int used = 0;
    while (entry->earlier != NULL)
        entry = entry->earlier;
    for (; entry != NULL && used < count; entry = entry->later) {
        if (can_do_nothing(entry))
            continue;
        if (!translate(entry, &actions[used++]))
            return -1;
    }
    return used;
}
