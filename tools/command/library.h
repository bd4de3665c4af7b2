/* The preload library as the command sees it: where it is, and its place in LD_PRELOAD. */
#ifndef AIRLOCK_COMMAND_LIBRARY_H
#define AIRLOCK_COMMAND_LIBRARY_H

#include "image.h"

#include <limits.h>
#include <stdbool.h>

struct library {
    char path[PATH_MAX]; /* absolute, and such that LD_PRELOAD can name it */
    struct image image;
};

/* Finds the library of this build or of this installation. Complains and returns false when there is none that a loader
 * could be told to use. */
bool library_find(struct library *library);

/* Makes the library the first entry of LD_PRELOAD in the environment; the others stay in their order. Complains and
 * returns false when memory is out. */
bool library_preload(const struct library *library);

#endif
