/* A pipeline of three programs, as the shell's "A | B | C": each is a shell command.
 *
 *     example-pipeline A B C
 *
 * No program holds a pipe that is not its own, so each sees the end of its input when the one before it ends. */
#include <airlock.h>

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { PROGRAMS = 3 };

/* input becomes the program's standard input (-1: as it is); with piped, *output is the pipe that it writes to. */
static int start(const char *command, int input, int piped, struct airlock_process *process) {
    const struct airlock_stream streams[3] = {
        {.kind = input < 0 ? AIRLOCK_STREAM_INHERIT : AIRLOCK_STREAM_GIVEN, .fd = input},
        {.kind = piped ? AIRLOCK_STREAM_PIPE : AIRLOCK_STREAM_INHERIT},
        {.kind = AIRLOCK_STREAM_INHERIT},
    };
    struct airlock_command shell = {
        .path = "/bin/sh",
        .argv = (char *[]){"sh", "-c", (char *)command, NULL},
        .seal = AIRLOCK_SEAL,
        .default_signals = AIRLOCK_SIGNAL(SIGPIPE), /* it is how a program learns that nobody reads on */
    };
    struct airlock_error error;
    char text[256];
    int code = airlock_process_start(&shell, streams, process, &error, NULL);
    if (code != 0) {
        airlock_error_text(&error, &shell, text, sizeof text);
        fprintf(stderr, "example-pipeline: %s\n", text);
    }
    return code;
}

int main(int argc, char **argv) {
    struct airlock_process programs[PROGRAMS] = {AIRLOCK_PROCESS_NONE, AIRLOCK_PROCESS_NONE, AIRLOCK_PROCESS_NONE};
    char text[64];
    int input = -1, code = 0;
    if (argc != PROGRAMS + 1)
        return 2;
    for (int i = 0; i < PROGRAMS && code == 0; i++) {
        code = start(argv[i + 1], input, i < PROGRAMS - 1, &programs[i]);
        if (input >= 0)
            close(input);
        input = programs[i].out;
        programs[i].out = -1; /* taken out of the handle: the next program reads it, and we close it */
    }
    for (int i = 0; i < PROGRAMS; i++) {
        int status;
        if (airlock_process_wait(&programs[i], &status) == 0) {
            airlock_status_text(status, text, sizeof text);
            fprintf(stderr, "%s: %s\n", argv[i + 1], text);
        }
        airlock_process_close(&programs[i]);
    }
    return code == 0 ? 0 : 1;
}
