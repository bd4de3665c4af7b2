/* glibc's file actions: an array that grows, with a count. The layout is the same since 2.1; kinds were only ever
 * appended. */
#include "file_actions.h"

#include <stddef.h>

/* glibc's struct __spawn_action. */
enum glibc_kind { KIND_CLOSE, KIND_DUP2, KIND_OPEN, KIND_CHDIR, KIND_FCHDIR, KIND_CLOSEFROM, KIND_TCSETPGRP };

struct glibc_action {
    int kind;
    union {
        int fd; /* close, fchdir, closefrom, tcsetpgrp */
        struct {
            int from;
            int to;
        } dup2;
        struct {
            int fd;
            const char *path;
            int flags;
            mode_t mode;
        } open;
        const char *directory; /* chdir */
    };
};

/* glibc's posix_spawn_file_actions_t. */
struct glibc_actions {
    int allocated;
    int used;
    const struct glibc_action *actions;
};

_Static_assert(sizeof(posix_spawn_file_actions_t) >= sizeof(struct glibc_actions), "the object has room for its head");

static const struct glibc_actions *head_of(const posix_spawn_file_actions_t *object) {
    return (const void *)object;
}

static bool translate(const struct glibc_action *from, struct airlock_action *to) {
    *to = (struct airlock_action){.fd = from->fd};
    switch (from->kind) {
    case KIND_CLOSE:
        to->kind = AIRLOCK_ACTION_CLOSE;
        return true;
    case KIND_DUP2:
        to->kind = AIRLOCK_ACTION_DUP2;
        to->source = from->dup2.from;
        to->fd = from->dup2.to;
        return true;
    case KIND_OPEN:
        to->kind = AIRLOCK_ACTION_OPEN;
        to->path = from->open.path;
        to->flags = from->open.flags;
        to->mode = from->open.mode;
        return true;
    case KIND_CHDIR:
        *to = (struct airlock_action){.kind = AIRLOCK_ACTION_CHDIR, .path = from->directory, .fd = -1};
        return true;
    case KIND_FCHDIR:
        to->kind = AIRLOCK_ACTION_FCHDIR;
        return true;
    case KIND_CLOSEFROM:
        to->kind = AIRLOCK_ACTION_CLOSEFROM;
        return true;
    case KIND_TCSETPGRP:
        to->kind = AIRLOCK_ACTION_TCSETPGRP;
        return true;
    default:
        return false;
    }
}

bool layout_is_empty(const posix_spawn_file_actions_t *object) {
    return head_of(object)->used == 0;
}

int layout_count(const posix_spawn_file_actions_t *object) {
    const struct glibc_actions *head = head_of(object);
    return head->used >= 0 && head->allocated >= head->used ? head->used : -1;
}

int layout_read(const posix_spawn_file_actions_t *object, struct airlock_action *actions, int count) {
    for (int i = 0; i < count; i++)
        if (!translate(&head_of(object)->actions[i], &actions[i]))
            return -1;
    return count;
}
