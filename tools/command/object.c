/* The ELF objects of a program or a process, with libelf. */
#include "object.h"

#include "dynamic.h"
#include "search.h"

#include <errno.h>
#include <fcntl.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct call calls[] = {
    {"posix_spawn", CALL_COVERED}, {"posix_spawnp", CALL_COVERED},
    {"pidfd_spawn", CALL_COVERED}, {"pidfd_spawnp", CALL_COVERED},
    {"system", CALL_COVERED},      {"popen", CALL_COVERED},
    {"fork", CALL_FORK},           {"_Fork", CALL_FORK},
    {"vfork", CALL_FORK},          {"clone", CALL_FORK},
    {"forkpty", CALL_FORK},        {"execve", CALL_EXEC},
    {"execv", CALL_EXEC},          {"execvp", CALL_EXEC},
    {"execvpe", CALL_EXEC},        {"execl", CALL_EXEC},
    {"execlp", CALL_EXEC},         {"execle", CALL_EXEC},
    {"fexecve", CALL_EXEC},        {"execveat", CALL_EXEC},
    {"wordexp", CALL_ALONE},       {"dlopen", CALL_LOADS},
    {"dlmopen", CALL_LOADS},       {"syscall", CALL_RAW},
};
const size_t call_count = sizeof calls / sizeof calls[0];
_Static_assert(sizeof calls / sizeof calls[0] <= 64, "a call has a bit");

uint64_t calls_of(enum call_role role) {
    uint64_t set = 0;
    for (size_t i = 0; i < call_count; i++) {
        if (calls[i].role == role)
            set |= (uint64_t)1 << i;
    }
    return set;
}

uint64_t call_named(const char *name) {
    for (size_t i = 0; i < call_count; i++) {
        if (strcmp(calls[i].name, name) == 0)
            return (uint64_t)1 << i;
    }
    return 0;
}

static const char *name_in(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* By its name: every libc that there is for Linux, and glibc's loaders. */
static bool is_libc(const char *name) {
    return strncmp(name, "libc.so", 7) == 0 || strncmp(name, "ld-linux", 8) == 0 || strncmp(name, "ld-musl", 7) == 0 ||
           strncmp(name, "ld64.so", 7) == 0 || strncmp(name, "libc-2.", 7) == 0 || strncmp(name, "ld-2.", 5) == 0;
}

/* Opens a regular file, and nothing that would wait. */
static int open_file(const char *path, const char **problem) {
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        *problem = errno == EACCES ? "may not be read" : errno == ENOENT ? "was not found" : "cannot be opened";
    } else if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        *problem = "is no regular file";
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool read_object(const char *real, struct object *object) {
    Elf *elf = NULL;
    int fd = open_file(real, &object->problem);
    if (fd < 0)
        return false;
    elf_version(EV_CURRENT);
    elf = elf_begin(fd, ELF_C_READ, NULL);
    if (elf == NULL || elf_kind(elf) != ELF_K_ELF)
        object->problem = "is no ELF file";
    else
        object->problem = dynamic_read(elf, object);
    elf_end(elf);
    close(fd);
    return object->problem == NULL;
}

static struct object *add_object(struct objects *objects, const char *path) {
    if (objects->count == objects->capacity) {
        size_t capacity = objects->capacity == 0 ? 32 : objects->capacity * 2;
        struct object *grown = realloc(objects->list, capacity * sizeof *grown);
        if (grown == NULL)
            return NULL;
        objects->list = grown;
        objects->capacity = capacity;
    }
    struct object *object = &objects->list[objects->count++];
    *object = (struct object){0};
    snprintf(object->path, sizeof object->path, "%s", path);
    return object;
}

/* Names point into the paths, which move when the list grows: set when it is complete. */
static void name_objects(struct objects *objects) {
    for (size_t i = 0; i < objects->count; i++) {
        struct object *object = &objects->list[i];
        object->name = name_in(object->path);
        object->is_libc = i > 0 && is_libc(object->name);
        object->is_airlock = strcmp(object->name, "libairlock-preload.so") == 0;
    }
}

static bool is_listed(const struct objects *objects, const char *path) {
    for (size_t i = 0; i < objects->count; i++) {
        if (strcmp(objects->list[i].path, path) == 0)
            return true;
    }
    return false;
}

/* A loader takes two libraries of one name for the same. */
static bool is_named(const struct objects *objects, const char *name) {
    for (size_t i = 0; i < objects->count; i++) {
        if (strcmp(name_in(objects->list[i].path), name) == 0)
            return true;
    }
    return false;
}

/* Breadth first, as a loader goes. A name that is there already is not looked for again. */
static bool add_needed(struct objects *objects, size_t by, const struct search *search) {
    char path[PATH_MAX];
    size_t offset = 0;
    while (objects->list[by].needed != NULL && objects->list[by].needed[offset] != '\0') {
        const char *name = objects->list[by].needed + offset;
        offset += strlen(name) + 1;
        if (is_named(objects, name_in(name)))
            continue;
        bool found = search_find(search, objects, by, name, path);
        if (found && is_listed(objects, path))
            continue;
        if (!found && snprintf(path, sizeof path, "%s", name) >= (int)sizeof path)
            continue;
        struct object *object = add_object(objects, path);
        if (object == NULL)
            return false;
        object->by = by;
        if (found)
            read_object(path, object);
        else
            object->problem = "was not found";
    }
    return true;
}

bool objects_of_program(const char *program, struct objects *objects) {
    struct search search = {0};
    bool done = false;
    struct object *object = add_object(objects, program);
    if (object == NULL || !search_begin(&search, program))
        goto out;
    if (read_object(program, object) || object->needed != NULL) {
        for (size_t i = 0; i < objects->count; i++) {
            if (!add_needed(objects, i, &search))
                goto out;
        }
    }
    done = true;
out:
    search_end(&search);
    name_objects(objects);
    return done;
}

/* The path of an executable mapping of a file, or NULL. The line is changed. */
static char *mapped_path(char *line) {
    char permissions[5];
    int at = 0;
    line[strcspn(line, "\n")] = '\0';
    if (sscanf(line, "%*s %4s %*s %*s %*s %n", permissions, &at) != 1 || at == 0 || permissions[2] != 'x' ||
        line[at] != '/')
        return NULL;
    return line + at;
}

/* As the process sees it: it may have another root folder. */
static void read_mapped(int process, const char *path, struct object *object) {
    char real[PATH_MAX + 64];
    snprintf(real, sizeof real, "/proc/%d/root%s", process, path);
    read_object(real, object);
}

static void read_program_of(int process, struct object *object) {
    char link[64];
    snprintf(link, sizeof link, "/proc/%d/exe", process);
    ssize_t length = readlink(link, object->path, sizeof object->path - 1);
    object->path[length > 0 ? length : 0] = '\0';
    read_object(link, object);
}

int objects_of_process(int process, struct objects *objects) {
    char name[64], *line = NULL;
    size_t size = 0;
    int error = 0;
    snprintf(name, sizeof name, "/proc/%d/maps", process);
    FILE *maps = fopen(name, "re");
    if (maps == NULL)
        return errno;
    struct object *object = add_object(objects, "");
    if (object != NULL)
        read_program_of(process, object);
    while (object != NULL && getline(&line, &size, maps) > 0) {
        const char *path = mapped_path(line);
        if (path == NULL || is_listed(objects, path))
            continue;
        object = add_object(objects, path);
        if (object != NULL)
            read_mapped(process, path, object);
    }
    if (object == NULL)
        error = ENOMEM;
    else if (ferror(maps))
        error = errno;
    free(line);
    fclose(maps);
    name_objects(objects);
    return error;
}

void objects_release(struct objects *objects) {
    for (size_t i = 0; i < objects->count; i++) {
        free(objects->list[i].needed);
        free(objects->list[i].runpath);
    }
    free(objects->list);
    *objects = (struct objects){0};
}
