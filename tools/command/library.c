/* Finds the preload library, and puts it first into LD_PRELOAD. First, because the first definition of posix_spawn
 * wins; beside the others, because they are there for somebody's reason. */
#include "library.h"

#include "command.h"
#include "folders.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char file_name[] = "libairlock-preload.so";

static const char installed_file[] = AIRLOCK_INSTALLED_LIBRARY;

/* glibc's loaders put the folder of their own libraries in its place. */
static const char completed[] = "$LIB";

/* The loader splits LD_PRELOAD at these and knows no way to quote them (ld.so(8)). */
static const char separators[] = " :";

/* In a build tree the library lies beside the command's folder. Returns false when there is no such file. */
static bool find_in_build_tree(char path[PATH_MAX]) {
    char self[PATH_MAX];
    char beside[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0)
        return false;
    self[length] = '\0';
    *(strrchr(self, '/') + 1) = '\0';
    int size = snprintf(beside, sizeof beside, "%s../shim/%s", self, file_name);
    return size < PATH_MAX && realpath(beside, path) != NULL;
}

static bool is_absent(const char *file) {
    struct stat status;
    return stat(file, &status) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

static bool find_installed(char path[PATH_MAX]) {
    _Static_assert(sizeof installed_file <= PATH_MAX, "the configured library folder fits a path");
    memcpy(path, installed_file, sizeof installed_file);
    return !is_absent(installed_file);
}

/* The last place in path where folder stands between slashes, or NULL. */
static const char *find_folder(const char *path, const char *folder) {
    size_t length = strlen(folder);
    const char *last = NULL;
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        if (strncmp(slash + 1, folder, length) == 0 && slash[1 + length] == '/')
            last = slash + 1;
    }
    return last;
}

/* Asks this process's own loader whether it completes name to a file that is there: it then refuses to look for
 * something below that file in words of its own. Nothing is loaded. */
static bool is_completed_to_file(const char *name) {
    char below[PATH_MAX + 8];
    snprintf(below, sizeof below, "%s/none", name);
    if (dlopen(below, RTLD_LAZY) != NULL)
        return false;
    const char *error = dlerror();
    return error != NULL && strstr(error, strerror(ENOTDIR)) != NULL;
}

bool library_name_to_install(char name[PATH_MAX]) {
    char folder[PATH_MAX];
    struct image self;
    if (image_read("/proc/self/exe", &self) != 0 || !folder_of_loader(self.interpreter, folder))
        return false;
    const char *place = find_folder(installed_file, folder);
    if (place == NULL)
        return false;
    int size = snprintf(name, PATH_MAX, "%.*s%s%s", (int)(place - installed_file), installed_file, completed,
                        place + strlen(folder));
    return size < PATH_MAX;
}

bool library_installed_name(char name[PATH_MAX]) {
    return library_name_to_install(name) && is_completed_to_file(name);
}

bool library_of_loader(const char *loader, char path[PATH_MAX]) {
    char name[PATH_MAX], folder[PATH_MAX];
    if (!library_name_to_install(name) || !folder_of_loader(loader, folder))
        return false;
    const char *place = strstr(name, completed);
    int size = snprintf(path, PATH_MAX, "%.*s%s%s", (int)(place - name), name, folder, place + sizeof completed - 1);
    return size < PATH_MAX;
}

bool library_is_completed(const struct library *library) {
    return strstr(library->name, completed) != NULL;
}

/* A build tree has one library; of an installation there may be one for each loader. */
static bool find(struct library *library) {
    if (find_in_build_tree(library->path)) {
        memcpy(library->name, library->path, PATH_MAX);
        return true;
    }
    if (!find_installed(library->path))
        return false;
    if (!library_installed_name(library->name))
        memcpy(library->name, library->path, PATH_MAX);
    return true;
}

bool library_find(struct library *library) {
    if (!find(library)) {
        complain("the library %s is neither beside this command's build nor installed as %s", file_name, library->path);
        return false;
    }
    int error = image_read(library->path, &library->image);
    if (error != 0) {
        complain("the library '%s' cannot be read: %s", library->path, strerror(error));
        return false;
    }
    if (library->image.kind != IMAGE_ELF || library->image.type != ET_DYN) {
        complain("the library '%s' is not a shared library", library->path);
        return false;
    }
    if (strpbrk(library->path, separators) != NULL) {
        complain("LD_PRELOAD cannot name the library '%s': its path contains a space or a colon", library->path);
        return false;
    }
    return true;
}

/* An entry is ours when it is the same file or bears our file name: two airlocks in one process, say one built and one
 * installed, would harden every spawn twice. */
static bool is_ours(const char *entry, const struct library *library) {
    const char *slash = strrchr(entry, '/');
    struct stat one, other;
    return strcmp(slash == NULL ? entry : slash + 1, file_name) == 0 ||
           (stat(entry, &one) == 0 && stat(library->path, &other) == 0 && one.st_dev == other.st_dev &&
            one.st_ino == other.st_ino);
}

/* LD_PRELOAD with first as its first entry, or with none of the library's, and the entries of others in their order. */
static bool set_preload(const struct library *library, const char *first) {
    bool done = false;
    char *merged = NULL;
    const char *present = getenv("LD_PRELOAD");
    char *entries = strdup(present == NULL ? "" : present);
    if (entries == NULL)
        goto out;
    merged = malloc(strlen(first) + strlen(entries) + sizeof ":");
    if (merged == NULL)
        goto out;
    char *end = stpcpy(merged, first);
    char *rest = NULL;
    for (char *entry = strtok_r(entries, separators, &rest); entry != NULL; entry = strtok_r(NULL, separators, &rest)) {
        if (!is_ours(entry, library))
            end = stpcpy(stpcpy(end, end == merged ? "" : ":"), entry);
    }
    done = (end == merged ? unsetenv("LD_PRELOAD") : setenv("LD_PRELOAD", merged, 1)) == 0;
out:
    if (!done)
        complain("LD_PRELOAD: %s", strerror(errno));
    free(merged);
    free(entries);
    return done;
}

bool library_preload(const struct library *library) {
    return set_preload(library, library->name);
}

bool library_withdraw(const struct library *library) {
    return set_preload(library, "");
}
