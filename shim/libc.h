/* The functions of libc that lie behind the ones of the same name in this library. */
#ifndef SHIM_LIBC_H
#define SHIM_LIBC_H

#include <spawn.h>
#include <stdio.h>

enum libc_function {
    LIBC_POSIX_SPAWN,
    LIBC_POSIX_SPAWNP,
    LIBC_POSIX_SPAWN_OLD, /* the symbol version that runs a file without #! through the shell */
    LIBC_POSIX_SPAWNP_OLD,
    LIBC_PIDFD_SPAWN,
    LIBC_PIDFD_SPAWNP,
    LIBC_SYSTEM,
    LIBC_POPEN,
    LIBC_PCLOSE,
    LIBC_FCLOSE,
    LIBC_FUNCTION_COUNT
};

typedef int spawn_function(int *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
                           char *const[], char *const[]);

/* NULL where this libc does not have the function. */
spawn_function *libc_spawn(enum libc_function function);

int libc_system(const char *line);
FILE *libc_popen(const char *line, const char *mode);
int libc_pclose(FILE *stream);
int libc_fclose(FILE *stream);

/* A function of libc that exists in newer versions only, or NULL. */
void *libc_optional(const char *name);

#endif
