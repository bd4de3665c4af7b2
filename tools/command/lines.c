/* Splits what a descriptor gives into lines, in large blocks. A line that is too long to be a record is handed over as
 * its beginning, once, and the rest of it is skipped: a log full of zeros must not fill the memory. Empty lines are
 * none: they come about where a record follows half a one. */
#include "lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool lines_begin(struct lines *lines, int fd) {
    *lines = (struct lines){.fd = fd, .capacity = 2 * LINE_MAX_BYTES};
    lines->buffer = malloc(lines->capacity);
    return lines->buffer != NULL;
}

void lines_end(struct lines *lines) {
    free(lines->buffer);
    lines->buffer = NULL;
}

/* Takes the next block behind what is left. Returns false when there is none. */
static bool refill(struct lines *lines) {
    memmove(lines->buffer, lines->buffer + lines->start, lines->end - lines->start);
    lines->end -= lines->start;
    lines->start = 0;
    ssize_t count;
    do {
        count = read(lines->fd, lines->buffer + lines->end, lines->capacity - lines->end);
    } while (count < 0 && errno == EINTR);
    if (count < 0)
        lines->error = errno;
    if (count <= 0)
        return false;
    lines->end += (size_t)count;
    lines->offset += (uint64_t)count;
    return true;
}

/* A line up to its newline; what belongs to an overlong line that was told of before is no line. */
static bool cut_line(struct lines *lines, struct line *line) {
    char *begin = lines->buffer + lines->start;
    char *newline = memchr(begin + lines->scanned, '\n', lines->end - lines->start - lines->scanned);
    if (newline == NULL) {
        lines->scanned = lines->end - lines->start;
        return false;
    }
    *line = (struct line){.bytes = begin, .length = (size_t)(newline - begin)};
    lines->start += line->length + 1;
    lines->scanned = 0;
    return true;
}

bool lines_next(struct lines *lines, struct line *line) {
    for (;;) {
        if (cut_line(lines, line)) {
            if (!lines->overlong && line->length > 0)
                return true;
            lines->overlong = false;
            continue;
        }
        if (lines->end - lines->start >= LINE_MAX_BYTES) {
            *line = (struct line){.bytes = lines->buffer + lines->start, .length = LINE_MAX_BYTES, .overlong = true};
            lines->start = lines->end;
            lines->scanned = 0;
            if (!lines->overlong) {
                lines->overlong = true;
                return true;
            }
        }
        if (!refill(lines))
            return false;
    }
}

bool lines_rest(struct lines *lines, struct line *line) {
    size_t length = lines->end - lines->start;
    bool any = length > 0 && !lines->overlong;
    *line = (struct line){.bytes = lines->buffer + lines->start, .length = length};
    lines->start = lines->end;
    lines->scanned = 0;
    return any;
}
