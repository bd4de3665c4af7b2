/* Reads libc's file actions.
 *
 * libc has no getters for them, programs copy the object by value and some never initialise it, so it is read where it
 * lies (file_actions_glibc.c, file_actions_musl.c). Before the first object is believed, one that libc itself has built
 * is read and compared; on any surprise every call with file actions goes to libc. */
#include "file_actions.h"

#include "libc.h"
#include "request.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>

static bool same_path(const char *a, const char *b) {
    return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static bool same(const struct airlock_action *a, const struct airlock_action *b) {
    return a->kind == b->kind && a->fd == b->fd && a->source == b->source && a->flags == b->flags &&
           a->mode == b->mode && same_path(a->path, b->path);
}

/* libc's functions that fill the object. They are asked for by name when they are needed: a program that never has
 * file actions does not pay for them at its start, and the later ones do not exist everywhere. */
struct builder {
    int (*init)(posix_spawn_file_actions_t *);
    int (*destroy)(posix_spawn_file_actions_t *);
    int (*close)(posix_spawn_file_actions_t *, int);
    int (*dup2)(posix_spawn_file_actions_t *, int, int);
    int (*open)(posix_spawn_file_actions_t *, int, const char *, int, mode_t);
    int (*chdir)(posix_spawn_file_actions_t *, const char *);
    int (*fchdir)(posix_spawn_file_actions_t *, int);
    int (*closefrom)(posix_spawn_file_actions_t *, int);
    int (*tcsetpgrp)(posix_spawn_file_actions_t *, int);
};

static bool find_builder(struct builder *builder) {
#define FIND(member, name)                                                                                             \
    builder->member = (__typeof__(builder->member))libc_optional("posix_spawn_file_actions_" name)
    FIND(init, "init");
    FIND(destroy, "destroy");
    FIND(close, "addclose");
    FIND(dup2, "adddup2");
    FIND(open, "addopen");
    FIND(chdir, "addchdir_np");
    FIND(fchdir, "addfchdir_np");
    FIND(closefrom, "addclosefrom_np");
    FIND(tcsetpgrp, "addtcsetpgrp_np");
#undef FIND
    return builder->init && builder->destroy && builder->close && builder->dup2 && builder->open;
}

/* Adds one action of each kind that this libc knows. */
static size_t build_sample(const struct builder *add, posix_spawn_file_actions_t *object,
                           struct airlock_action *expected) {
    size_t count = 0;
    if (add->close(object, 1) == 0)
        expected[count++] = AIRLOCK_CLOSE(1);
    if (add->dup2(object, 4, 5) == 0)
        expected[count++] = AIRLOCK_DUP2(4, 5);
    if (add->open(object, 6, "/", O_CLOEXEC, 0644) == 0)
        expected[count++] = AIRLOCK_OPEN(6, "/", O_CLOEXEC, 0644);
    if (add->chdir != NULL && add->chdir(object, "/") == 0) {
        expected[count] = AIRLOCK_CHDIR("/");
        expected[count++].fd = -1;
    }
    if (add->fchdir != NULL && add->fchdir(object, 7) == 0)
        expected[count++] = AIRLOCK_FCHDIR(7);
    if (add->closefrom != NULL && add->closefrom(object, 8) == 0)
        expected[count++] = AIRLOCK_CLOSEFROM(8);
    if (add->tcsetpgrp != NULL && add->tcsetpgrp(object, 9) == 0)
        expected[count++] = AIRLOCK_TCSETPGRP(9);
    return count;
}

static bool layout_is_as_expected(void) {
    enum { KINDS = 7 };
    posix_spawn_file_actions_t object;
    struct airlock_action expected[KINDS], read[KINDS];
    struct builder builder;
    if (!find_builder(&builder) || builder.init(&object) != 0)
        return false;
    bool right = layout_is_empty(&object);
    int count = (int)build_sample(&builder, &object, expected);
    right = right && count >= 3 && layout_count(&object) == count && layout_read(&object, read, count) == count;
    for (int i = 0; right && i < count; i++)
        right = same(&read[i], &expected[i]);
    builder.destroy(&object);
    return right;
}

/* Checked once, at the first spawn that has file actions. Two threads may both do it, with the same result. */
static bool layout_is_known(void) {
    enum { UNCHECKED, KNOWN, UNKNOWN };
    static _Atomic int verdict;
    int known = atomic_load_explicit(&verdict, memory_order_relaxed);
    if (known == UNCHECKED) {
        int saved = errno;
        known = layout_is_as_expected() ? KNOWN : UNKNOWN;
        errno = saved;
        atomic_store_explicit(&verdict, known, memory_order_relaxed);
    }
    return known == KNOWN;
}

int request_read_file_actions(struct request *request, const posix_spawn_file_actions_t *object) {
    if (object == NULL || layout_is_empty(object))
        return 0;
    int count = layout_is_known() ? layout_count(object) : -1;
    if (count < 0) {
        request->obstacle = "file actions in a layout that this library does not know";
        return 0;
    }
    struct airlock_action *room = request_action_room(request, (size_t)count);
    if (room == NULL)
        return ENOMEM;
    count = layout_read(object, room, count);
    if (count < 0) {
        request->obstacle = "a file action of a kind that this library does not know";
        return 0;
    }
    request->command.action_count = (size_t)count;
    return 0;
}
