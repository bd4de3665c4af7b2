/* The shell as libc's system and popen start it. */
#ifndef SHIM_SHELL_H
#define SHIM_SHELL_H

#include "request.h"

struct shell_call {
    struct request request;
    char *argv[5];
};

/* Describes "/bin/sh -c line" with the program's environment. */
void shell_prepare(struct shell_call *call, const char *name, const void *caller, const char *line);

#endif
