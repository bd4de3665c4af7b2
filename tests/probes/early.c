/* Starts processes before any constructor of a library has run, and after main, when destructors may have run.
 *
 *     early        prints what each call did, at both moments */
#include "probe.h"

#include <spawn.h>

static void report(const char *moment, const char *what, int error, int status) {
    char line[128];
    int length = snprintf(line, sizeof line, "%s, %s: %s %d\n", moment, what, error_name(error), WEXITSTATUS(status));
    if (write(1, line, (size_t)length) < 0)
        _exit(99);
}

static void make_calls(const char *moment) {
    char *arguments[] = {"sh", "-c", "exit 5", NULL};
    pid_t pid;
    int status = 0, error = posix_spawn(&pid, "/bin/sh", NULL, NULL, arguments, arguments + 3);
    if (error == 0)
        wait_for(pid, &status);
    report(moment, "posix_spawn", error, status);
    status = system("exit 6");
    report(moment, "system", status == -1 ? errno : 0, status);
    FILE *stream = popen("exit 7", "r");
    status = stream == NULL ? -1 : pclose(stream);
    report(moment, "popen", status == -1 ? errno : 0, status);
}

static void before_constructors(void) {
    make_calls("before constructors");
}

__attribute__((section(".preinit_array"), used)) static void (*const preinit)(void) = before_constructors;

__attribute__((destructor)) static void at_the_end(void) {
    make_calls("at the end");
}

int main(void) {
    make_calls("in main");
    return 0;
}
