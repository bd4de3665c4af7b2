/* Can this program be covered? Everything that keeps the loader from mapping the library is visible from the outside:
 * no loader, the wrong one, another machine, or privileges that make the loader deaf to LD_PRELOAD. It never decides
 * whether a program runs; the worst a wrong forecast does is one line too many or too few. */
#include "program.h"

#include "privilege.h"

#include <elf.h>
#include <errno.h>
#include <paths.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The kernel follows five interpreters and then answers ELOOP. */
enum { MAX_INTERPRETERS = 5 };

static bool is_runnable(const char *file) {
    struct stat status;
    return stat(file, &status) == 0 && S_ISREG(status.st_mode) && eaccess(file, X_OK) == 0;
}

/* PATH as execvp(3) in glibc reads it: an empty element is the current directory, without PATH it is confstr's. */
static bool search_path(const char *name, char file[PATH_MAX]) {
    char standard[PATH_MAX] = "";
    const char *element = getenv("PATH");
    if (element == NULL) {
        confstr(_CS_PATH, standard, sizeof standard);
        element = standard;
    }
    for (;;) {
        size_t length = strcspn(element, ":");
        int size = snprintf(file, PATH_MAX, "%.*s%s%s", (int)length, element, length > 0 ? "/" : "./", name);
        if (size > 0 && size < PATH_MAX && is_runnable(file))
            return true;
        if (element[length] == '\0') {
            file[0] = '\0';
            return false;
        }
        element += length + 1;
    }
}

/* A name with a slash is not searched. One that cannot be run is exec's to refuse. */
static bool locate(const char *name, char file[PATH_MAX]) {
    if (strchr(name, '/') == NULL)
        return name[0] != '\0' && search_path(name, file);
    size_t size = strlen(name) + 1;
    if (size > PATH_MAX || !is_runnable(name))
        return false;
    memcpy(file, name, size);
    return true;
}

/* Follows scripts to the program that runs them. A file that is neither script nor ELF is run by the shell, as
 * execvp(3) says; the shell itself is then the last chance. */
static int resolve(char file[PATH_MAX], struct image *image) {
    bool shell_tried = false;
    for (int interpreters = 0; interpreters <= MAX_INTERPRETERS; interpreters++) {
        int error = image_read(file, image);
        if (error != 0 || image->kind == IMAGE_ELF)
            return error;
        if (image->kind == IMAGE_SCRIPT) {
            memcpy(file, image->interpreter, PATH_MAX);
        } else if (!shell_tried) {
            shell_tried = true;
            memcpy(file, _PATH_BSHELL, sizeof _PATH_BSHELL);
        } else {
            return ENOEXEC;
        }
    }
    return ELOOP;
}

static const char *base_name(const char *file) {
    const char *slash = strrchr(file, '/');
    return slash == NULL ? file : slash + 1;
}

static bool is_same_file(const char *one, const char *other) {
    struct stat first, second;
    return stat(one, &first) == 0 && stat(other, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

__attribute__((format(printf, 2, 3))) static void obstruct(struct program *program, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(program->obstacle, sizeof program->obstacle, format, arguments);
    va_end(arguments);
}

static bool is_obstructed(const struct program *program) {
    return program->obstacle[0] != '\0';
}

static bool is_for(const struct image *one, const struct image *other) {
    return one->class == other->class && one->machine == other->machine && one->encoding == other->encoding;
}

/* A loader run by hand, `ld.so ./program`, has no loader of its own and heeds LD_PRELOAD. */
static bool is_loader(const char *file, const struct image *image) {
    const char *name = base_name(file);
    return image->type == ET_DYN &&
           (strncmp(name, "ld-", 3) == 0 || strncmp(name, "ld64.", 5) == 0 || strncmp(name, "ld.so", 5) == 0);
}

static bool is_musl(const char *loader) {
    return strncmp(base_name(loader), "ld-musl-", 8) == 0;
}

/* The library is made for the C library whose loader started this command. On one machine another loader of the same
 * name is that C library in another place, and one of another name is another C library. */
static bool is_foreign(const char *loader, const char *own, bool same_machine) {
    if (own[0] == '\0')
        return false;
    return is_musl(loader) != is_musl(own) || (same_machine && strcmp(base_name(loader), base_name(own)) != 0);
}

/* Whether the name in LD_PRELOAD is completed by this loader to a library for its own machine. Writes where that one
 * would be, or an empty path. */
static bool is_completed_for(const char *loader, const struct image *image, char path[PATH_MAX]) {
    struct image twin;
    if (!library_of_loader(loader, path))
        path[0] = '\0';
    return path[0] != '\0' && image_read(path, &twin) == 0 && twin.kind == IMAGE_ELF && is_for(&twin, image);
}

/* Says what to do about it, where something can be done. */
static void judge_machine(const char *loader, const struct image *image, const struct library *library,
                          struct program *program) {
    char twin[PATH_MAX], name[PATH_MAX], advice[2 * PATH_MAX] = "";
    bool there = is_completed_for(loader, image, twin);
    if (there && library_is_completed(library))
        return;
    if (there && library_installed_name(name))
        snprintf(advice, sizeof advice, "; LD_PRELOAD='%s' covers both", name);
    else if (library_is_completed(library) && twin[0] != '\0')
        snprintf(advice, sizeof advice, "; one built for %s and installed as %s would cover it",
                 image_machine_name(image), twin);
    else if (twin[0] != '\0' && library_name_to_install(name))
        snprintf(advice, sizeof advice, "; one for each, both installed as %s, would cover it", name);
    obstruct(program, "%s is a %d-bit %s program, the library is %d-bit %s%s", program->file, image_bits(image),
             image_machine_name(image), image_bits(&library->image), image_machine_name(&library->image), advice);
}

static void judge_loader(const struct image *image, const struct library *library, struct program *program) {
    struct image self;
    bool same_machine = is_for(image, &library->image);
    const char *loader = image->interpreter;
    if (image_read("/proc/self/exe", &self) != 0)
        self.interpreter[0] = '\0';
    if (loader[0] == '\0' && (is_same_file(program->file, self.interpreter) || is_loader(program->file, image)))
        loader = program->file;
    program->is_musl = is_musl(loader);
    program->foreign = loader[0] != '\0' && is_foreign(loader, self.interpreter, same_machine);
    if (program->foreign)
        obstruct(program, "%s is loaded by %s, the library by %s", program->file, loader, self.interpreter);
    else if (!same_machine)
        judge_machine(loader, image, library, program);
    else if (loader[0] == '\0')
        obstruct(program, "%s is statically linked", program->file);
}

static void judge_privileges(struct program *program) {
    const char *gained = privilege_gained(program->file);
    if (gained != NULL)
        obstruct(program, "%s is %s, its loader ignores LD_PRELOAD", program->file, gained);
}

void program_examine(const char *name, const struct library *library, struct program *program) {
    struct image image;
    *program = (struct program){0};
    if (!locate(name, program->found))
        return;
    memcpy(program->file, program->found, PATH_MAX);
    program->error = resolve(program->file, &image);
    if (program->error != 0) {
        program->unreadable = program->error == EACCES && is_runnable(program->file);
        return;
    }
    judge_loader(&image, library, program);
    if (!is_obstructed(program))
        judge_privileges(program);
}
