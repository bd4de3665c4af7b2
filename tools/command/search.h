/* Where a program's loader looks for the libraries that it needs. */
#ifndef AIRLOCK_COMMAND_SEARCH_H
#define AIRLOCK_COMMAND_SEARCH_H

#include "folders.h"
#include "image.h"
#include "loader.h"
#include "object.h"

struct search {
    struct image program;  /* whose machine a library must share */
    char origin[PATH_MAX]; /* the program's own path, without symbolic links, as the kernel tells it to its loader */
    bool musl;
    struct loader loader;
    struct folders standard; /* of the system's configuration, and then the loader's own */
};

/* Returns false when memory is out. */
bool search_begin(struct search *search, const char *program);
void search_end(struct search *search);

/* Writes the path of the library name, which object number `by` needs. Returns false when there is none for this
 * machine. */
bool search_find(const struct search *search, const struct objects *objects, size_t by, const char *name,
                 char path[PATH_MAX]);

#endif
