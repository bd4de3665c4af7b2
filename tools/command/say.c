/* What the command says, and where: answers go to stdout, complaints to stderr, one line each. */
#include "command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* A complaint quotes what the user typed. A newline or an escape sequence in there must not become a line or a colour
 * of ours. Bytes above 127 stay: they are somebody's language. */
static void blunt_control_bytes(char *text) {
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == '\177')
            *text = '?';
    }
}

void complain(const char *format, ...) {
    char fallback[] = "out of memory";
    char *message = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&message, format, arguments) < 0)
        message = fallback;
    va_end(arguments);
    blunt_control_bytes(message);
    struct iovec line[] = {{"airlock: ", strlen("airlock: ")}, {message, strlen(message)}, {"\n", 1}};
    ssize_t written = writev(STDERR_FILENO, line, 3);
    (void)written; /* when stderr is gone, there is nobody left to tell */
    if (message != fallback)
        free(message);
}

int finish_answer(void) {
    if (fflush(stdout) != 0 || ferror(stdout)) {
        complain("standard output: %s", strerror(errno));
        return EXIT_OWN_ERROR;
    }
    return EXIT_SUCCESS;
}
