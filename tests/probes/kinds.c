/* Becomes a program that holds one descriptor of each kind, all of them inheritable:
 *
 *     kinds FILE PROGRAM [ARG…]
 *
 * 10 a socket, 11 and 12 the ends of a pipe, 13 the file, 14 its folder, 15 a device, 16 an eventfd, 17 a file that has
 * been removed (FILE.removed). */
#include "probe.h"

#include <libgen.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static void place(int fd, int number) {
    if (fd < 0 || dup2(fd, number) != number || close(fd) != 0)
        die("descriptor");
}

int main(int argc, char **argv) {
    char removed[4096];
    int ends[2];
    if (argc < 3 || pipe(ends) != 0)
        return 99;
    snprintf(removed, sizeof removed, "%s.removed", argv[1]);
    place(ends[0], 11);
    place(ends[1], 12);
    place(socket(AF_UNIX, SOCK_STREAM, 0), 10);
    place(open(argv[1], O_RDONLY), 13);
    place(open(removed, O_RDWR | O_CREAT, 0600), 17);
    unlink(removed);
    place(open("/dev/null", O_RDONLY), 15);
    place(eventfd(0, 0), 16);
    place(open(dirname(argv[1]), O_RDONLY | O_DIRECTORY), 14);
    execv(argv[2], argv + 2);
    die(argv[2]);
    return 99;
}
