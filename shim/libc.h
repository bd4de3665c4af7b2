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

/* Where libcs differ in what their functions do. A program that is linked with one gets what that one promises. */
#ifdef __GLIBC__
#define IS_GLIBC 1
#else
#define IS_GLIBC 0
#endif
enum {
    LIBC_FCLOSE_REAPS = IS_GLIBC,       /* fclose ends a stream of popen as pclose does; musl leaves its child alone */
    LIBC_POPEN_SAYS_ENOMEM = IS_GLIBC,  /* whatever went wrong; musl says what it was */
    LIBC_POPEN_IS_STRICT = IS_GLIBC,    /* nothing but r, w and e; musl looks at the first letter and for an e */
    LIBC_SYSTEM_SAYS_127 = IS_GLIBC,    /* without a shell; musl answers -1 */
    LIBC_SYSTEM_TRIES_SHELL = IS_GLIBC, /* when asked whether there is one; musl says that there is */
    LIBC_SPAWN_SCHEDULES = IS_GLIBC,    /* musl accepts the flags and does nothing about them */
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
