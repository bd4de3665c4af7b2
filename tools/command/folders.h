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

/* Those of /etc/ld.so.conf and the files that it includes. Returns false when memory is out. */
bool folders_read(struct folders *folders);

/* Those that musl's loader, at the path loader, looks into. Returns false when memory is out. */
bool folders_read_of_musl(struct folders *folders, const char *loader);

/* Adds one folder, or several with colons between them. Returns false when memory is out. */
bool folders_add(struct folders *folders, const char *folder);

void folders_release(struct folders *folders);

/* What stands for the words of a search path: see ld.so(8). */
struct folder_words {
    const char *origin;   /* the path of the object whose folder is $ORIGIN */
    const char *lib;      /* $LIB; empty: not known */
    const char *platform; /* $PLATFORM; empty: not known */
};

/* Writes the folder that an element of a search path means. Returns false for one with another word in it, or with one
 * that is not known, and for one that is too long. */
bool folder_expand(const char *element, size_t length, const struct folder_words *words, char folder[PATH_MAX]);

/* What a glibc puts in the place of $LIB: the folder of its loader, without a leading /usr. Returns false when there is
 * no such loader. */
bool folder_of_loader(const char *loader, char folder[PATH_MAX]);

#endif
