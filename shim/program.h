/* Which program a child is going to execute. */
#ifndef SHIM_PROGRAM_H
#define SHIM_PROGRAM_H

#include "airlock.h"

#include <limits.h>

/* The path that exec will be given: command's own, or, for a name that is searched, the first file in the parent's PATH
 * that could be executed, written into room. The name itself where there is none. NULL: the command names nothing. */
const char *program_of(const struct airlock_command *command, char room[PATH_MAX]);

#endif
