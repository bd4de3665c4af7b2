/* Times of the calls that a preload watches, made in ways that it has no interest in. None of them changes anything. */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void call_fcntl(int count) {
    for (int i = 0; i < count; i++)
        fcntl(STDIN_FILENO, F_GETFD);
}

static void call_dup2(int count) {
    for (int i = 0; i < count; i++)
        dup2(STDIN_FILENO, STDIN_FILENO);
}

/* Refused, for the numbers are the same. */
static void call_dup3(int count) {
    for (int i = 0; i < count; i++)
        dup3(STDIN_FILENO, STDIN_FILENO, 0);
}

static void call_ioctl(int count) {
    int ready;
    for (int i = 0; i < count; i++)
        ioctl(STDIN_FILENO, FIONREAD, &ready);
}

int time_calls(const char *name, int count, uint64_t *elapsed) {
    static const struct {
        const char *name;
        void (*call)(int count);
    } known[] = {{"fcntl", call_fcntl}, {"dup2", call_dup2}, {"dup3", call_dup3}, {"ioctl", call_ioctl}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].name, name) != 0)
            continue;
        known[i].call(1); /* the preload looks libc's function up */
        uint64_t start = now();
        known[i].call(count);
        *elapsed = now() - start;
        return 0;
    }
    return EINVAL;
}
