/* Preloaded into a program under test, opens what a careless program would have open, without close-on-exec: a file, a
 * listening socket and a lock, from number 100 on, so that they stay out of the way of what the program itself opens.
 * Only in the first process whose name is in LEAK_IN: its children are not to open them, but may inherit them. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

static void leak(int fd) {
    if (fcntl(fd, F_DUPFD, 100) < 100)
        abort();
    close(fd);
}

static int listening(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1) != 0)
        abort();
    return fd;
}

__attribute__((constructor)) static void open_all(void) {
    const char *name = getenv("LEAK_IN");
    if (name == NULL || strcmp(name, program_invocation_short_name) != 0)
        return;
    unsetenv("LEAK_IN");
    int lock = open(getenv("LOCK"), O_RDWR | O_CREAT, 0600);
    if (flock(lock, LOCK_EX | LOCK_NB) != 0)
        abort();
    leak(open(getenv("LEAK"), O_RDONLY));
    leak(listening());
    leak(lock);
}
