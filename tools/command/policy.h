/* A policy file, as the command looks at it before the library does. */
#ifndef AIRLOCK_COMMAND_POLICY_H
#define AIRLOCK_COMMAND_POLICY_H

#include <limits.h>
#include <stdbool.h>

/* Whether the library could use the file without a mistake; complains of what it is and of the first mistake. On
 * success absolute is the file's name for every working directory. */
bool policy_accept(const char *file, char absolute[PATH_MAX]);

#endif
