/* A small memory of descriptors: which number, and which file it was at the time. Without a lock: usable from signal
 * handlers, from several threads at once, and in a child of fork. */
#ifndef SHIM_MARKS_H
#define SHIM_MARKS_H

#include "request.h"

#include <stdatomic.h>

/* One word for each descriptor, so that it is read and replaced in one piece: the number in the upper half, a digest
 * of device and inode in the lower one. 0 is an empty place. */
struct marks {
    _Atomic uint64_t places[KEPT_MAX];
    _Atomic int used; /* no place from here on was ever filled */
    _Atomic bool overflowed;
};

/* Remembers what descriptor fd is now. A number that is not open is forgotten. */
void marks_note(struct marks *marks, int fd);

void marks_forget(struct marks *marks, int fd);

/* Adds to kept, by this rule, every remembered descriptor that is still the same file and inheritable. The others are
 * forgotten. When there were ever more than can be remembered, everything is kept. */
void marks_keep(struct marks *marks, const char *rule, struct kept *kept);

#endif
