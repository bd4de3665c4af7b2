/* Finds the preload library, and puts it first into LD_PRELOAD. First, because the first definition of posix_spawn
 * wins; beside the others, because they are there for somebody's reason. */
#include "library.h"

#include "command.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char file_name[] = "libairlock-preload.so";

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
    static const char installed[] = AIRLOCK_INSTALLED_LIBRARY;
    _Static_assert(sizeof installed <= PATH_MAX, "the configured library folder fits a path");
    memcpy(path, installed, sizeof installed);
    return !is_absent(installed);
}

bool library_find(struct library *library) {
    if (!find_in_build_tree(library->path) && !find_installed(library->path)) {
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

bool library_preload(const struct library *library) {
    bool done = false;
    char *merged = NULL;
    const char *present = getenv("LD_PRELOAD");
    char *entries = strdup(present == NULL ? "" : present);
    if (entries == NULL)
        goto out;
    merged = malloc(strlen(library->path) + strlen(entries) + sizeof ":");
    if (merged == NULL)
        goto out;
    char *end = stpcpy(merged, library->path);
    char *rest = NULL;
    for (char *entry = strtok_r(entries, separators, &rest); entry != NULL; entry = strtok_r(NULL, separators, &rest)) {
        if (!is_ours(entry, library))
            end = stpcpy(stpcpy(end, ":"), entry);
    }
    done = setenv("LD_PRELOAD", merged, 1) == 0;
out:
    if (!done)
        complain("LD_PRELOAD: %s", strerror(errno));
    free(merged);
    free(entries);
    return done;
}
