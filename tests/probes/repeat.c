/* repeat N FILE: executes FILE N times, one after the other, with ten descriptors open. What tools/cost counts. */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    while (open("/dev/null", O_RDONLY) < 9)
        continue;
    for (int i = atoi(argv[1]); i > 0; i--) {
        pid_t pid;
        int status;
        char *arguments[] = {argv[2], NULL};
        if (posix_spawn(&pid, argv[2], NULL, NULL, arguments, environ) != 0 || waitpid(pid, &status, 0) != pid)
            return 1;
    }
    return 0;
}
