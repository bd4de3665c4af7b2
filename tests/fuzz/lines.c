/* Feeds bytes to what splits a log into lines, in blocks of sizes that the input chooses (libFuzzer; tools/fuzz builds
 * and runs it). The limit of a line is small here, so that short inputs reach it. */
#include "fuzz.h"

#define LINE_MAX_BYTES LINE_MAX_BYTES_OF_LOGS
#include "lines.h"
#undef LINE_MAX_BYTES
enum { LINE_MAX_BYTES = 64 };

#include <unistd.h>

/* The input, and how much of it has been read. */
static const uint8_t *bytes;
static size_t left;

/* A block is as long as its first byte says, as from a pipe. */
static ssize_t read_block(int fd, void *to, size_t room) {
    (void)fd;
    size_t length = left == 0 ? 0 : 1 + (size_t)bytes[0];
    if (length > left)
        length = left;
    if (length > room)
        length = room;
    must(room > 0);
    memcpy(to, bytes, length);
    bytes += length;
    left -= length;
    return (ssize_t)length;
}

#define read read_block
#include "../../tools/command/lines.c"
#undef read

/* Lines with nothing in them are passed over. */
static const uint8_t *pass_over(const uint8_t *at, const uint8_t *end) {
    while (at < end && *at == '\n')
        at++;
    return at;
}

/* The line is the next one of the input, or its beginning. Returns what follows it. */
static const uint8_t *follow(const uint8_t *at, const uint8_t *end, const struct line *line) {
    at = pass_over(at, end);
    const uint8_t *newline = at == end ? NULL : memchr(at, '\n', (size_t)(end - at));
    size_t length = (size_t)((newline == NULL ? end : newline) - at);
    must(line->overlong ? line->length <= length && line->length == LINE_MAX_BYTES : line->length == length);
    must(memcmp(at, line->bytes, line->length) == 0);
    return newline == NULL ? end : newline + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *at = data, *end = data + size;
    struct lines lines;
    struct line line;
    bytes = data;
    left = size;
    must(lines_begin(&lines, 0));
    while (lines_next(&lines, &line))
        at = follow(at, end, &line);
    must(lines.error == 0 && lines.offset == size);
    if (lines_rest(&lines, &line)) {
        must(!line.overlong);
        at = follow(at, end, &line);
    }
    must(pass_over(at, end) == end);
    must(!lines_next(&lines, &line) && !lines_rest(&lines, &line));
    lines_end(&lines);
    return 0;
}
