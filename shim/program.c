/* Looks a name up as execvp(3) will. Between this look and the exec somebody may change what lies there: it is good for
 * choosing among rules that the user wrote about friends, not for keeping enemies apart. */
#include "program.h"

#include "statx.h"
#include "syscall.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_program(const char *path) {
    struct statx status;
    if (raw3(SYS_faccessat, AT_FDCWD, path, X_OK) != 0)
        return false;
    return raw5(SYS_statx, AT_FDCWD, path, 0, STATX_TYPE, &status) != 0 || S_ISREG(status.stx_mode);
}

/* An empty element of PATH is the current directory. */
static bool join(char room[PATH_MAX], const char *folder, size_t folder_length, const char *name) {
    size_t name_size = strlen(name) + 1;
    if (folder_length + 1 + name_size > PATH_MAX)
        return false;
    memcpy(room, folder, folder_length);
    if (folder_length > 0)
        room[folder_length++] = '/';
    memcpy(room + folder_length, name, name_size);
    return true;
}

const char *program_of(const struct airlock_command *command, char room[PATH_MAX]) {
    const char *name = command->path != NULL ? command->path : command->argv != NULL ? command->argv[0] : NULL;
    if (name == NULL || name[0] == '\0' || strchr(name, '/') != NULL || command->search == AIRLOCK_SEARCH_NONE)
        return name;
    const char *element = getenv("PATH");
    if (element == NULL)
        element = "/bin:/usr/bin"; /* glibc's */
    for (;;) {
        size_t length = strcspn(element, ":");
        if (join(room, element, length, name) && is_program(room))
            return room;
        if (element[length] == '\0')
            return name;
        element += length + 1;
    }
}
