/* Can this program be covered by the library? A forecast from the outside, made before the program is run. */
#ifndef AIRLOCK_COMMAND_PROGRAM_H
#define AIRLOCK_COMMAND_PROGRAM_H

#include "library.h"

#include <limits.h>
#include <stdbool.h>

struct program {
    char found[PATH_MAX];              /* where name was found; empty when it was not */
    char file[PATH_MAX];               /* what the kernel loads in the end: found itself or a script's interpreter */
    int error;                         /* an errno value when there is no such file or it could not be read, else 0 */
    bool unreadable;                   /* file may be executed but not read: nothing can be told about it */
    bool is_musl;                      /* its loader is musl's */
    bool foreign;                      /* file is of another C library: what LD_PRELOAD names could end it */
    char obstacle[4 * PATH_MAX + 256]; /* why file cannot be covered, a sentence; empty when it can */
};

/* Follows name as execvp(3) would, through PATH and scripts, to the file that is loaded, and judges that one against
 * the library. Only a race with somebody who changes these files makes it differ from what exec then does. */
void program_examine(const char *name, const struct library *library, struct program *program);

#endif
