/* The real functions, resolved once each: the address is looked up at the first use, by whichever thread comes first. A
 * program that never uses one does not pay for it at its start. */
#include "libc.h"

#include "export.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>

static const struct {
    const char *name;
    const char *version; /* NULL: the default one */
} names[LIBC_FUNCTION_COUNT] = {
    [LIBC_POSIX_SPAWN] = {"posix_spawn", NULL},
    [LIBC_POSIX_SPAWNP] = {"posix_spawnp", NULL},
    [LIBC_POSIX_SPAWN_OLD] = {"posix_spawn", OLD_SPAWN_VERSION},
    [LIBC_POSIX_SPAWNP_OLD] = {"posix_spawnp", OLD_SPAWN_VERSION},
    [LIBC_PIDFD_SPAWN] = {"pidfd_spawn", NULL},
    [LIBC_PIDFD_SPAWNP] = {"pidfd_spawnp", NULL},
    [LIBC_SYSTEM] = {"system", NULL},
    [LIBC_POPEN] = {"popen", NULL},
    [LIBC_PCLOSE] = {"pclose", NULL},
    [LIBC_FCLOSE] = {"fclose", NULL},
};

static _Atomic(void *) found[LIBC_FUNCTION_COUNT];

static void *look_up(const char *name, const char *version) {
#ifdef __GLIBC__
    if (version != NULL)
        return dlvsym(RTLD_NEXT, name, version);
#else
    (void)version;
#endif
    return dlsym(RTLD_NEXT, name);
}

static void *resolve(enum libc_function function) {
    void *address = atomic_load_explicit(&found[function], memory_order_relaxed);
    if (address == NULL) {
        int saved = errno;
        address = look_up(names[function].name, names[function].version);
        errno = saved;
        atomic_store_explicit(&found[function], address, memory_order_relaxed);
    }
    return address;
}

void *libc_optional(const char *name) {
    int saved = errno;
    void *address = dlsym(RTLD_NEXT, name);
    errno = saved;
    return address;
}

spawn_function *libc_spawn(enum libc_function function) {
    return (spawn_function *)resolve(function);
}

int libc_system(const char *line) {
    return ((int (*)(const char *))resolve(LIBC_SYSTEM))(line);
}

FILE *libc_popen(const char *line, const char *mode) {
    return ((FILE * (*)(const char *, const char *)) resolve(LIBC_POPEN))(line, mode);
}

int libc_pclose(FILE *stream) {
    return ((int (*)(FILE *))resolve(LIBC_PCLOSE))(stream);
}

#ifdef __GLIBC__
/* The same function under another name of glibc's. */
extern int _IO_fclose(FILE *stream) __attribute__((weak));
#else
static int (*const _IO_fclose)(FILE *) = NULL;
#endif

/* An allocator that is called by the lookup may close a file: that call must not look up again. */
int libc_fclose(FILE *stream) {
    static _Atomic int looking;
    int (*real)(FILE *) = (int (*)(FILE *))atomic_load_explicit(&found[LIBC_FCLOSE], memory_order_relaxed);
    if (real == NULL && (_IO_fclose == NULL || atomic_exchange(&looking, 1) == 0)) {
        real = (int (*)(FILE *))resolve(LIBC_FCLOSE);
        atomic_store(&looking, 0);
    }
    return real != NULL ? real(stream) : _IO_fclose(stream);
}
