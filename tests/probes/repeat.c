/* repeat N FILE [copied]: executes FILE N times, one after the other, with ten descriptors open. What tools/cost
 * counts. The environment is the program's own, or a copy of it. */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char **copy_of(char **environment) {
    size_t count = 0;
    while (environment[count] != NULL)
        count++;
    char **copy = calloc(count + 1, sizeof *copy);
    for (size_t i = 0; copy != NULL && i < count; i++)
        copy[i] = strdup(environment[i]);
    return copy;
}

int main(int argc, char **argv) {
    if (argc < 3 || argc > 4)
        return 2;
    char **environment = argc == 4 ? copy_of(environ) : environ;
    while (open("/dev/null", O_RDONLY) < 9)
        continue;
    for (int i = atoi(argv[1]); i > 0; i--) {
        pid_t pid;
        int status;
        char *arguments[] = {argv[2], NULL};
        if (posix_spawn(&pid, argv[2], NULL, NULL, arguments, environment) != 0 || waitpid(pid, &status, 0) != pid)
            return 1;
    }
    return 0;
}
