/* An ELF program and the libraries that it needs: which calls each of them imports. Nothing of them is run. */
#ifndef AIRLOCK_COMMAND_OBJECT_H
#define AIRLOCK_COMMAND_OBJECT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a function means for the library's reach. */
enum call_role {
    CALL_COVERED, /* intercepted */
    CALL_FORK,    /* makes a process that can become a program, together with the next */
    CALL_EXEC,
    CALL_ALONE, /* starts a program inside libc, where nothing can be intercepted */
    CALL_LOADS, /* opens libraries later */
    CALL_RAW,   /* could be any of them */
};

struct call {
    const char *name;
    enum call_role role;
};

extern const struct call calls[];
extern const size_t call_count; /* at most 64: a set of calls is a bit each, in the order of the table */

/* The call of this name, or an empty set. */
uint64_t call_named(const char *name);

/* The calls with this role. */
uint64_t calls_of(enum call_role role);

struct object {
    char path[PATH_MAX];
    const char *name;    /* the last part of path, or the name of a library that was not found */
    const char *problem; /* why it could not be read, in words; NULL: it was read */
    uint64_t imports;    /* calls that it takes from elsewhere */
    uint64_t defines;    /* calls that it offers to others */
    bool is_libc;        /* the C library or its loader, which are what the library stands before */
    bool is_airlock;
    bool binds_itself; /* DF_SYMBOLIC: what it defines itself is not looked up elsewhere */
    char *needed;      /* names, each with its NUL, and an empty one at the end */
    char *runpath;     /* DT_RUNPATH, else DT_RPATH; NULL: none */
    bool runpath_is_rpath;
    bool skips_standard; /* DF_1_NODEFLIB: what it needs does not lie in the loader's own folders */
    size_t by;           /* the object that needs it; 0 for those that the program needs, and for the program */
};

/* The program first, then libraries in the order in which a loader finds them. */
struct objects {
    struct object *list;
    size_t count;
    size_t capacity;
};

/* Reads program and every library that it and its libraries need, searched as ld.so(8) says. Returns false when memory
 * is out. */
bool objects_of_program(const char *program, struct objects *objects);

/* Reads what process has mapped as code, its program first. Returns 0 or an errno value. */
int objects_of_process(int process, struct objects *objects);

void objects_release(struct objects *objects);

#endif
