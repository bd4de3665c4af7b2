/* The folders in which a loader looks for libraries. */
#ifndef AIRLOCK_COMMAND_FOLDERS_H
#define AIRLOCK_COMMAND_FOLDERS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct folders {
    char *list; /* with colons between them; NULL: none */
    size_t length;
};

/* Those of /etc/ld.so.conf and the files that it includes, and then the loader's own. Returns false when memory is
 * out. */
bool folders_read(struct folders *folders);
void folders_release(struct folders *folders);

/* Writes the folder that an element of a search path means for an object at the path origin: $ORIGIN stands for the
 * object's own folder. Returns false for an element with another variable, or one too long. */
bool folder_expand(const char *element, size_t length, const char *origin, char folder[PATH_MAX]);

#endif
