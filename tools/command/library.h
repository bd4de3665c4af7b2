/* The preload library as the command sees it: where it is, and its place in LD_PRELOAD. */
#ifndef AIRLOCK_COMMAND_LIBRARY_H
#define AIRLOCK_COMMAND_LIBRARY_H

#include "image.h"

#include <limits.h>
#include <stdbool.h>

struct library {
    char path[PATH_MAX]; /* absolute */
    char name[PATH_MAX]; /* what LD_PRELOAD is given: path, or a name that each loader completes to its own library */
    struct image image;
};

/* Finds the library of this build or of this installation. Complains and returns false when there is none that a loader
 * could be told to use. */
bool library_find(struct library *library);

/* Whether the name holds $LIB, which glibc's loaders complete (ld.so(8)). musl's take it as it stands, find no such
 * file and go on, while a library of glibc would end their program. */
bool library_is_completed(const struct library *library);

/* Writes the file that the loader of a program, of another word size say, takes for the installed library's name.
 * Returns false when the installed library has no such name. */
bool library_of_loader(const char *loader, char path[PATH_MAX]);

/* The name of the installed library with $LIB in it, or the one under which it would be installed. Returns false when
 * there is no such library, or no such name. */
bool library_installed_name(char name[PATH_MAX]);
bool library_name_to_install(char name[PATH_MAX]);

/* Makes the library the first entry of LD_PRELOAD in the environment; the others stay in their order. Complains and
 * returns false when memory is out. */
bool library_preload(const struct library *library);

/* Takes the library out of LD_PRELOAD, for a program that would not survive it. Complains and returns false when memory
 * is out. */
bool library_withdraw(const struct library *library);

#endif
