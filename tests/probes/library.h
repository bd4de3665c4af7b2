/* What the probes of the C library share: cases by name, and a look around after each of them. A case prints what it
 * saw; when it left anything behind (a child, a descriptor, a blocked signal, another errno) that is printed, too.
 * Included once by each probe. */
#ifndef LIBRARY_H
#define LIBRARY_H

#include "probe.h"

#include <airlock.h>

struct test_case {
    const char *name;
    void (*run)(void);
};

static char error_text[512];

/* A shell command as a child that gets what was meant for it. */
#define SHELL(text) .path = "/bin/sh", .argv = (char *[]){"sh", "-c", (char *)(text), NULL}, .seal = AIRLOCK_SEAL

SHARED const char *text_of(const struct airlock_error *error, const struct airlock_command *command) {
    airlock_error_text(error, command, error_text, sizeof error_text);
    return error_text;
}

SHARED const char *words(int status) {
    static char text[64];
    airlock_status_text(status, text, sizeof text);
    return text;
}

/* Starts a child with the parent's streams and says how it ended, or why it did not begin. */
SHARED void spawn_and_tell(const struct airlock_command *command) {
    struct airlock_child child;
    struct airlock_error error;
    int status;
    fflush(stdout);
    if (airlock_spawn(command, &child, &error, NULL) != 0) {
        printf("%s\n", text_of(&error, command));
        return;
    }
    wait_for(child.pid, &status);
    printf("%s\n", words(status));
    if (child.pidfd >= 0)
        close(child.pidfd);
}

/* Prints what the child prints and how it ended. */
SHARED void collect_and_tell(const struct airlock_command *command) {
    struct airlock_output output;
    struct airlock_error error;
    int code = airlock_collect(command, 0, &output, &error);
    if (code != 0)
        printf("%s\n", text_of(&error, command));
    else
        printf("%s%s%s\n", output.out, output.err, words(output.status));
    airlock_output_free(&output);
}

/* What the kernel knows of every signal, to be put back: sigaction of libc would leave flags of its own. */
static struct kernel_action dispositions[SIGNALS + 1];

SHARED void save_dispositions(void) {
    for (int number = 1; number <= SIGNALS; number++)
        syscall(SYS_rt_sigaction, number, NULL, &dispositions[number], sizeof(uint64_t));
}

SHARED void restore_dispositions(void) {
    for (int number = 1; number <= SIGNALS; number++)
        if (number != SIGKILL && number != SIGSTOP)
            syscall(SYS_rt_sigaction, number, &dispositions[number], NULL, sizeof(uint64_t));
}

/* The words of a command line after the name of the case. */
static char **case_words;

SHARED int run_case(int argc, char **argv, const struct test_case *cases) {
    static struct snapshot before, after;
    if (argc < 2)
        return 2;
    case_words = argv + 2;
    while (cases->name != NULL && strcmp(cases->name, argv[1]) != 0)
        cases++;
    if (cases->name == NULL) {
        fprintf(stderr, "probe: no such case: %s\n", argv[1]);
        return 99;
    }
    start_reporting();
    take_snapshot(&before);
    errno = 4711;
    cases->run();
    if (errno != 4711)
        fprintf(say, "errno is now %d\n", errno);
    fflush(stdout);
    take_snapshot(&after);
    report_changes(&before, &after);
    report_children();
    return 0;
}

#endif
