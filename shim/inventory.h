/* The descriptors that a child would hold right before exec: its parent's, after the file actions. */
#ifndef SHIM_INVENTORY_H
#define SHIM_INVENTORY_H

#include "airlock.h"

#include <stdbool.h>

enum { INVENTORY_MAX = 512 };

struct held {
    int fd;             /* in the child */
    int origin;         /* in the parent, or -1: an action opens it */
    const char *opened; /* the path that the action opens */
    bool close_on_exec;
    bool by_action; /* the target of a file action */
};

struct inventory {
    size_t count; /* ascending by fd */
    bool cut;     /* there were more */
    struct held held[INVENTORY_MAX];
};

/* Fills the inventory for this command. Raw system calls, no allocation. */
void inventory_take(struct inventory *inventory, const struct airlock_command *command);

/* What a descriptor of this process is, in words: a path, "pipe:[7]", "socket:[9] tcp 127.0.0.1:80". At most size bytes
 * with the final NUL. */
void inventory_describe(const struct held *held, char *words, size_t size);

#endif
