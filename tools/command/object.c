/* Reads one ELF object with libelf, and finds the libraries that it needs the way a loader does. The loader itself is
 * not asked: `ld.so --list` runs code of the program's own choosing, namely its loader. */
#include "object.h"

#include "folders.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
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

static uint64_t call_named(const char *name) {
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

/* Adds a name and its NUL to a list that ends with an empty name. */
static bool add_name(char **list, size_t *size, const char *name) {
    size_t more = strlen(name) + 1;
    char *grown = realloc(*list, *size + more + 1);
    if (grown == NULL)
        return false;
    memcpy(grown + *size, name, more);
    *size += more;
    grown[*size] = '\0';
    *list = grown;
    return true;
}

static void set_runpath(struct object *object, const char *path, bool is_rpath) {
    /* DT_RUNPATH wins over DT_RPATH, whichever comes first (ld.so(8)). */
    if (path == NULL || (is_rpath && object->runpath != NULL))
        return;
    free(object->runpath);
    object->runpath = strdup(path);
    object->runpath_is_rpath = is_rpath;
}

static void read_entry(Elf *elf, size_t strings, const GElf_Dyn *entry, struct object *object, size_t *needed_size) {
    const char *text;
    switch (entry->d_tag) {
    case DT_NEEDED:
        text = elf_strptr(elf, strings, (size_t)entry->d_un.d_val);
        if (text != NULL && *text != '\0')
            add_name(&object->needed, needed_size, text);
        break;
    case DT_RPATH:
    case DT_RUNPATH:
        set_runpath(object, elf_strptr(elf, strings, (size_t)entry->d_un.d_val), entry->d_tag == DT_RPATH);
        break;
    case DT_SYMBOLIC:
        object->binds_itself = true;
        break;
    case DT_FLAGS:
        object->binds_itself |= (entry->d_un.d_val & DF_SYMBOLIC) != 0;
        break;
    default:
        break;
    }
}

/* The number of whole entries in a section; 0 for one that lies about their size. */
static size_t entries_of(const Elf_Data *data, const GElf_Shdr *header) {
    return data == NULL || header->sh_entsize == 0 ? 0 : data->d_size / header->sh_entsize;
}

static void read_dynamic(Elf *elf, Elf_Data *data, const GElf_Shdr *header, struct object *object) {
    size_t count = entries_of(data, header);
    size_t needed_size = 0;
    GElf_Dyn entry;
    for (size_t i = 0; i < count && i < INT_MAX && gelf_getdyn(data, (int)i, &entry) != NULL; i++) {
        if (entry.d_tag == DT_NULL)
            break;
        read_entry(elf, header->sh_link, &entry, object, &needed_size);
    }
}

static void read_symbols(Elf *elf, Elf_Data *data, const GElf_Shdr *header, struct object *object) {
    size_t count = entries_of(data, header);
    GElf_Sym symbol;
    for (size_t i = 0; i < count && i < INT_MAX && gelf_getsym(data, (int)i, &symbol) != NULL; i++) {
        const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);
        uint64_t call = name == NULL ? 0 : call_named(name);
        if (symbol.st_shndx == SHN_UNDEF)
            object->imports |= call;
        else if (GELF_ST_BIND(symbol.st_info) != STB_LOCAL)
            object->defines |= call;
    }
}

static const char *read_sections(Elf *elf, struct object *object) {
    bool symbols_seen = false;
    for (Elf_Scn *section = elf_nextscn(elf, NULL); section != NULL; section = elf_nextscn(elf, section)) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) == NULL)
            continue;
        if (header.sh_type == SHT_DYNAMIC) {
            read_dynamic(elf, elf_getdata(section, NULL), &header, object);
        } else if (header.sh_type == SHT_DYNSYM) {
            read_symbols(elf, elf_getdata(section, NULL), &header, object);
            symbols_seen = true;
        }
    }
    return symbols_seen ? NULL : "has no table of dynamic symbols";
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

/* The identity that a needed library must share with the program. */
struct machine {
    int class;
    int machine;
};

/* Reads the file at real into object. When machine is given, a file that is not made for it is refused. */
static bool read_object(const char *real, const struct machine *machine, struct object *object) {
    Elf *elf = NULL;
    GElf_Ehdr header;
    int fd = open_file(real, &object->problem);
    if (fd < 0)
        return false;
    elf_version(EV_CURRENT);
    elf = elf_begin(fd, ELF_C_READ, NULL);
    if (elf == NULL || elf_kind(elf) != ELF_K_ELF || gelf_getehdr(elf, &header) == NULL)
        object->problem = "is no ELF file";
    else if (machine != NULL && (header.e_ident[EI_CLASS] != machine->class || header.e_machine != machine->machine))
        object->problem = "is made for another machine";
    else
        object->problem = read_sections(elf, object);
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

struct search {
    struct machine machine;
    struct folders standard;
};

static bool is_usable(const char *path, const struct search *search) {
    struct object trial = {0};
    bool usable = read_object(path, &search->machine, &trial);
    free(trial.needed);
    free(trial.runpath);
    return usable;
}

/* Looks for name in folders with colons between them; $ORIGIN is the folder of origin. */
static bool find_along(const char *list, const char *origin, const char *name, const struct search *search,
                       char path[PATH_MAX]) {
    for (const char *element = list; element != NULL && *element != '\0';) {
        size_t length = strcspn(element, ":;");
        char folder[PATH_MAX];
        if (folder_expand(element, length, origin, folder) &&
            snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX && is_usable(path, search))
            return true;
        element += length + (element[length] != '\0');
    }
    return false;
}

/* The order is that of ld.so(8). The cache holds what the standard folders hold. */
static bool find_library(const struct objects *objects, size_t by, const char *name, const struct search *search,
                         char path[PATH_MAX]) {
    const struct object *user = &objects->list[by];
    const struct object *program = &objects->list[0];
    if (strchr(name, '/') != NULL)
        return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX && is_usable(path, search);
    if (user->runpath_is_rpath && find_along(user->runpath, user->path, name, search, path))
        return true;
    if (program->runpath_is_rpath && find_along(program->runpath, program->path, name, search, path))
        return true;
    if (find_along(getenv("LD_LIBRARY_PATH"), program->path, name, search, path))
        return true;
    if (!user->runpath_is_rpath && find_along(user->runpath, user->path, name, search, path))
        return true;
    return find_along(search->standard.list, "/", name, search, path);
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
        bool found = find_library(objects, by, name, search, path);
        if (!found && snprintf(path, sizeof path, "%s", name) >= (int)sizeof path)
            continue;
        struct object *object = add_object(objects, path);
        if (object == NULL)
            return false;
        if (found)
            read_object(path, &search->machine, object);
        else
            object->problem = "was not found";
    }
    return true;
}

static bool read_machine(const char *program, struct machine *machine) {
    GElf_Ehdr header;
    const char *problem;
    int fd = open_file(program, &problem);
    if (fd < 0)
        return false;
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
    bool known = elf != NULL && elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &header) != NULL;
    if (known)
        *machine = (struct machine){header.e_ident[EI_CLASS], header.e_machine};
    elf_end(elf);
    close(fd);
    return known;
}

bool objects_of_program(const char *program, struct objects *objects) {
    struct search search = {0};
    bool done = false;
    struct object *object = add_object(objects, program);
    if (object == NULL || !folders_read(&search.standard))
        goto out;
    if (read_object(program, NULL, object) || object->needed != NULL) {
        read_machine(program, &search.machine);
        for (size_t i = 0; i < objects->count; i++) {
            if (!add_needed(objects, i, &search))
                goto out;
        }
    }
    done = true;
out:
    folders_release(&search.standard);
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
    read_object(real, NULL, object);
}

static void read_program_of(int process, struct object *object) {
    char link[64];
    snprintf(link, sizeof link, "/proc/%d/exe", process);
    ssize_t length = readlink(link, object->path, sizeof object->path - 1);
    object->path[length > 0 ? length : 0] = '\0';
    read_object(link, NULL, object);
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
