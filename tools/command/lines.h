/* The lines of a log: any number of them, from a file, a pipe or a file that still grows. */
#ifndef AIRLOCK_COMMAND_LINES_H
#define AIRLOCK_COMMAND_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No record comes near: what is longer was never written by the library. */
enum { LINE_MAX_BYTES = 1 << 20 };

struct lines {
    int fd;          /* not owned */
    uint64_t offset; /* bytes read from fd so far */
    int error;       /* the errno value that ended reading, or 0 */
    char *buffer;
    size_t start, end, scanned, capacity;
    bool overlong; /* the rest of a line that was too long is being skipped */
};

/* The line without its newline; it stays until the next call. */
struct line {
    const char *bytes;
    size_t length;
    bool overlong; /* bytes is only its beginning */
};

/* Returns false when memory is out. */
bool lines_begin(struct lines *lines, int fd);
void lines_end(struct lines *lines);

/* The next whole line. False at the end of what there is now: the file may have grown by the next call. */
bool lines_next(struct lines *lines, struct line *line);

/* What follows the last newline, when there is anything: a line that was cut off, or the last one of a file without a
 * newline at its end. */
bool lines_rest(struct lines *lines, struct line *line);

#endif
