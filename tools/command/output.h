/* A file that a command writes: there as a whole or not at all, whoever looks at it meanwhile. */
#ifndef AIRLOCK_COMMAND_OUTPUT_H
#define AIRLOCK_COMMAND_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

struct output {
    FILE *stream;
    const char *path; /* "-" is standard output */
    char *draft;      /* what is renamed to path at the end; NULL when path is written to itself */
};

/* Complains and returns false when the file cannot be made. */
bool output_open(struct output *output, const char *path);

/* Puts the file in its place. Complains and returns false when it could not be written; path is then as it was. */
bool output_finish(struct output *output);

/* Forgets what was written, unless it is finished already. */
void output_abandon(struct output *output);

/* A string of JSON with its quotes. Bytes that are not text have the record's escape already and pass. */
void json_write_string(FILE *stream, const char *string);

#endif
