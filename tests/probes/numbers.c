/* The child: prints the numbers of its descriptors in one line, whatever its arguments are. */
#include <fcntl.h>
#include <stdio.h>

int main(void) {
    for (int fd = 0; fd < 1200; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            printf(fd == 0 ? "%d" : " %d", fd);
    putchar('\n');
    return 0;
}
