/* What glibc's loader says of itself: the parts of a search that depend on how it was built and on the processor. */
#ifndef AIRLOCK_COMMAND_LOADER_H
#define AIRLOCK_COMMAND_LOADER_H

#include <stdbool.h>

enum { LOADER_TEXT = 1024 };

struct loader {
    char lib[LOADER_TEXT];      /* what it puts in the place of $LIB */
    char platform[LOADER_TEXT]; /* of $PLATFORM */
    char levels[LOADER_TEXT];   /* folders below glibc-hwcaps that it looks into here, best first, with colons */
    char folders[LOADER_TEXT];  /* its own ones, with colons between them */
};

/* Asks the loader at path, which has to be one that may be run: this command's own. Returns false when it tells nothing
 * (glibc does since 2.33, musl never). */
bool loader_ask(const char *path, struct loader *loader);

#endif
