/* Patterns over paths, as the policy has them:
 *
 *     ?       one character, but no /
 *     *       any number of characters, but no /
 *     **      any number of characters, / as well
 *     [a-z]   one of these characters, never /; [!a-z] one of the others
 *     \c      the character c itself
 *
 * A pattern without / is compared with the last component of the path; one that has a / or begins with ** with the
 * whole of it. A character is a byte, whatever the locale says. Libc alone, no allocation, no errno; the time is
 * bounded by the product of the two lengths. */
#ifndef SHIM_PATTERN_H
#define SHIM_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

enum { PATTERN_MAX = 255 };

struct pattern {
    const char *text; /* not terminated */
    size_t length;    /* at most PATTERN_MAX */
};

/* What is wrong with a pattern and, in *where, at which byte; NULL when it is right. */
const char *pattern_fault(struct pattern pattern, size_t *where);

/* Whether path fits. A pattern that has a fault fits nothing or something, but is never read beyond its end. */
bool pattern_fits(struct pattern pattern, const char *path);

/* Whether the pattern is about the whole path and not only about its last component. */
bool pattern_is_about_paths(struct pattern pattern);

#endif
