/* Becomes a program with the library preloaded: the one way in which the command starts anything. */
#include "command.h"
#include "library.h"
#include "program.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* One line before the program's own output, or none: it is about what the user believes, so it is said before. */
static void announce(const char *name, const struct program *program) {
    if (program->obstacle[0] != '\0') {
        complain("'%s' cannot be covered and runs without airlock: %s", name, program->obstacle);
    } else if (program->unreadable) {
        complain("'%s' may run without airlock: %s cannot be read to tell", name, program->file);
    }
}

/* "No such file" about a script that is there is a riddle; what is missing is its interpreter. */
static int explain(const char *name, const struct program *program, int error) {
    if (error == program->error && strcmp(program->file, program->found) != 0) {
        complain("'%s': its interpreter '%s': %s", name, program->file, strerror(error));
    } else {
        complain("'%s': %s", name, strerror(error));
    }
    return error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE;
}

/* Even a program that the library does not reach may start others that it does. But one C library's loader, given a
 * library made for another, ends the program. */
static bool set_environment(const struct library *library, const struct program *program) {
    bool passed_over = program->is_musl && library_is_completed(library);
    return program->foreign && !passed_over ? library_withdraw(library) : library_preload(library);
}

int launch(char **argv) {
    struct library library;
    struct program program;
    if (!library_find(&library))
        return EXIT_OWN_ERROR;
    program_examine(argv[0], &library, &program);
    if (!set_environment(&library, &program))
        return EXIT_OWN_ERROR;
    announce(argv[0], &program);
    execvp(argv[0], argv);
    return explain(argv[0], &program, errno);
}
