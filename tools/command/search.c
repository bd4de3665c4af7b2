/* Looks for libraries as ld.so(8) says, or as musl's loader does, which knows less. The loader of the program is not
 * asked: `ld.so --list` runs code of the program's own choosing, namely its loader. This command's own is, about what
 * no file tells. */
#include "search.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Where a glibc of another word size, which is not asked, may have its folders. */
static const char usual_folders[] = "/lib64:/usr/lib64:/lib:/usr/lib:/lib32:/usr/lib32";

static bool is_same_file(const char *one, const char *other) {
    struct stat first, second;
    return stat(one, &first) == 0 && stat(other, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

static void ask_loader(struct search *search) {
    struct image self;
    struct loader *loader = &search->loader;
    const char *path = search->program.interpreter;
    if (image_read("/proc/self/exe", &self) == 0 && is_same_file(path, self.interpreter) && loader_ask(path, loader))
        return;
    char folder[PATH_MAX];
    *loader = (struct loader){.lib = ""};
    if (folder_of_loader(path, folder))
        snprintf(loader->lib, sizeof loader->lib, "%.*s", (int)sizeof loader->lib - 1, folder);
    if (search->program.machine == EM_386)
        snprintf(loader->platform, sizeof loader->platform, "i686");
    snprintf(loader->folders, sizeof loader->folders, "%s", usual_folders);
}

bool search_begin(struct search *search, const char *program) {
    *search = (struct search){.musl = false};
    if (realpath(program, search->origin) == NULL)
        snprintf(search->origin, sizeof search->origin, "%s", program);
    if (image_read(program, &search->program) != 0)
        search->program.interpreter[0] = '\0';
    const char *slash = strrchr(search->program.interpreter, '/');
    search->musl = slash != NULL && strncmp(slash, "/ld-musl-", 9) == 0;
    if (search->musl)
        return folders_read_of_musl(&search->standard, search->program.interpreter);
    ask_loader(search);
    return folders_read(&search->standard) && folders_add(&search->standard, search->loader.folders);
}

void search_end(struct search *search) {
    folders_release(&search->standard);
}

static bool is_usable(const struct search *search, const char *path) {
    struct image image;
    return image_read(path, &image) == 0 && image.kind == IMAGE_ELF && image.class == search->program.class &&
           image.encoding == search->program.encoding && image.machine == search->program.machine;
}

/* Tries a library in a folder, at first in the folder's own folders for processors like this one. */
static bool is_in(const struct search *search, const char *folder, const char *name, char path[PATH_MAX]) {
    for (const char *level = search->loader.levels; *level != '\0';) {
        size_t length = strcspn(level, ":");
        if (snprintf(path, PATH_MAX, "%s/glibc-hwcaps/%.*s/%s", folder, (int)length, level, name) < PATH_MAX &&
            is_usable(search, path))
            return true;
        level += length + (level[length] != '\0');
    }
    return snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX && is_usable(search, path);
}

/* Looks for name in folders with colons between them; $ORIGIN is the folder of origin. */
static bool is_along(const struct search *search, const char *list, const char *origin, const char *name,
                     char path[PATH_MAX]) {
    const struct folder_words words = {origin, search->loader.lib, search->loader.platform};
    for (const char *element = list; element != NULL && *element != '\0';) {
        size_t length = strcspn(element, ":;");
        char folder[PATH_MAX];
        if (folder_expand(element, length, &words, folder) && is_in(search, folder, name, path))
            return true;
        element += length + (element[length] != '\0');
    }
    return false;
}

static bool is_listed(const char *list, const char *folder, size_t length) {
    for (const char *element = list; *element != '\0';) {
        size_t element_length = strcspn(element, ":");
        if (element_length == length && strncmp(element, folder, length) == 0)
            return true;
        element += element_length + (element[element_length] != '\0');
    }
    return false;
}

/* The cache holds what the standard folders hold. An object that was linked with -z nodefaultlib has nothing of what
 * lies in the loader's own ones. */
static bool is_standard(const struct search *search, bool skips_own, const char *name, char path[PATH_MAX]) {
    for (const char *element = search->standard.list; element != NULL && *element != '\0';) {
        char folder[PATH_MAX];
        size_t length = strcspn(element, ":");
        bool skipped = skips_own && is_listed(search->loader.folders, element, length);
        if (!skipped && snprintf(folder, sizeof folder, "%.*s", (int)length, element) < PATH_MAX &&
            is_in(search, folder, name, path))
            return true;
        element += length + (element[length] != '\0');
    }
    return false;
}

static const char *origin_of(const struct search *search, const struct objects *objects, size_t index) {
    return index == 0 ? search->origin : objects->list[index].path;
}

/* DT_RPATH counts for everything that is needed below it. musl makes no difference between the two. */
static bool is_along_ancestors(const struct search *search, const struct objects *objects, size_t by, const char *name,
                               char path[PATH_MAX]) {
    for (;;) {
        const struct object *object = &objects->list[by];
        if ((search->musl || object->runpath_is_rpath) &&
            is_along(search, object->runpath, origin_of(search, objects, by), name, path))
            return true;
        if (by == 0)
            return false;
        by = object->by;
    }
}

/* musl is one library under all the names that others give to its parts. */
static bool is_part_of_musl(const char *name) {
    static const char *const parts[] = {"libc.", "libpthread.", "librt.", "libm.", "libdl.", "libutil.", "libxnet."};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (strncmp(name, parts[i], strlen(parts[i])) == 0)
            return true;
    }
    return false;
}

static bool find_of_musl(const struct search *search, const struct objects *objects, size_t by, const char *name,
                         char path[PATH_MAX]) {
    if (is_part_of_musl(name))
        return snprintf(path, PATH_MAX, "%s", search->program.interpreter) < PATH_MAX && is_usable(search, path);
    return is_along(search, getenv("LD_LIBRARY_PATH"), search->origin, name, path) ||
           is_along_ancestors(search, objects, by, name, path) || is_standard(search, false, name, path);
}

bool search_find(const struct search *search, const struct objects *objects, size_t by, const char *name,
                 char path[PATH_MAX]) {
    const struct object *user = &objects->list[by];
    const char *runpath = user->runpath_is_rpath ? NULL : user->runpath;
    if (strchr(name, '/') != NULL)
        return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX && is_usable(search, path);
    if (search->musl)
        return find_of_musl(search, objects, by, name, path);
    return (runpath == NULL && is_along_ancestors(search, objects, by, name, path)) ||
           is_along(search, getenv("LD_LIBRARY_PATH"), search->origin, name, path) ||
           is_along(search, runpath, origin_of(search, objects, by), name, path) ||
           is_standard(search, user->skips_standard, name, path);
}
