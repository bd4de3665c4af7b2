/* Times of the calls that a preload watches, made in ways that it has no interest in. None of them changes anything.
 *
 * Through the program's own binding, which a preload has taken over, or through libc's function behind it: two ways in
 * one process, for two processes differ by more than a wrapper costs. */
#include "worker.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

union function {
    void *address;
    int (*with_word)(int, int, ...);
    int (*with_long)(int, unsigned long, ...);
    int (*with_two)(int, int);
    int (*with_three)(int, int, int);
};

static void call_fcntl(union function function, int count) {
    for (int i = 0; i < count; i++)
        function.with_word(STDIN_FILENO, F_GETFD);
}

static void call_dup2(union function function, int count) {
    for (int i = 0; i < count; i++)
        function.with_two(STDIN_FILENO, STDIN_FILENO);
}

/* Refused, for the numbers are the same. */
static void call_dup3(union function function, int count) {
    for (int i = 0; i < count; i++)
        function.with_three(STDIN_FILENO, STDIN_FILENO, 0);
}

static void call_ioctl(union function function, int count) {
    int ready;
    for (int i = 0; i < count; i++)
        function.with_long(STDIN_FILENO, FIONREAD, &ready);
}

int time_calls(const char *name, const char *way, int count, uint64_t *elapsed) {
    const struct {
        const char *name;
        void (*call)(union function function, int count);
        union function bound;
    } known[] = {{"fcntl", call_fcntl, {.with_word = fcntl}},
                 {"dup2", call_dup2, {.with_two = dup2}},
                 {"dup3", call_dup3, {.with_three = dup3}},
                 {"ioctl", call_ioctl, {.with_long = ioctl}}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, name) != 0)
            continue;
        union function function = known[i].bound;
        if (strcmp(way, "libc") == 0) {
            void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
            function.address = libc != NULL ? dlsym(libc, name) : NULL;
        } else if (strcmp(way, "bound") != 0) {
            return EINVAL;
        }
        if (function.address == NULL)
            return ENOSYS;
        known[i].call(function, 1); /* the preload looks libc's function up */
        uint64_t start = now();
        known[i].call(function, count);
        *elapsed = now() - start;
        return 0;
    }
    return EINVAL;
}

int append_once(const char *path) {
    char line[500];
    memset(line, 'x', sizeof line);
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW, 0600);
    if (fd < 0)
        return errno;
    ssize_t written = write(fd, line, sizeof line);
    close(fd);
    return written == sizeof line ? 0 : EIO;
}

int time_appends(const char *path, int count, uint64_t *elapsed) {
    int code = 0;
    uint64_t start = now();
    for (int i = 0; i < count && code == 0; i++)
        code = append_once(path);
    *elapsed = now() - start;
    return code;
}
