/* Where a libc keeps its file actions. One of file_actions_glibc.c and file_actions_musl.c is built. */
#ifndef SHIM_FILE_ACTIONS_H
#define SHIM_FILE_ACTIONS_H

#include "airlock.h"

#include <spawn.h>
#include <stdbool.h>

/* Whether the object holds nothing; asked before the layout has been checked, of an object that may be all zero. */
bool layout_is_empty(const posix_spawn_file_actions_t *object);

/* How many actions it holds, or -1 when what lies there makes no sense. */
int layout_count(const posix_spawn_file_actions_t *object);

/* Reads that many actions in the order in which they were added. Returns how many are to be carried out, or -1 for one
 * of a kind that is not known here. */
int layout_read(const posix_spawn_file_actions_t *object, struct airlock_action *actions, int count);

#endif
