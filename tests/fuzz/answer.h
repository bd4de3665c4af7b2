/* For targets that run a whole subcommand of airlock: its log or program is a file in memory that holds the input, its
 * answers are files in memory, too. */
#ifndef FUZZ_ANSWER_H
#define FUZZ_ANSWER_H

#include "fuzz.h"

#include "command.h"

#include <getopt.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include <yajl/yajl_parse.h>

/* A file in memory. Its path is one that any function can open. */
struct memory {
    int fd;
    char path[32];
    char *text; /* what answer_take has read, with a NUL behind it */
    size_t length;
};

static inline void memory_make(struct memory *memory) {
    memory->fd = memfd_create("fuzz", MFD_CLOEXEC);
    must(memory->fd >= 0);
    snprintf(memory->path, sizeof memory->path, "/proc/self/fd/%d", memory->fd);
}

static inline void memory_fill(const struct memory *memory, const uint8_t *data, size_t size) {
    must(ftruncate(memory->fd, 0) == 0);
    must(pwrite(memory->fd, data, size, 0) == (ssize_t)size);
}

/* Reads what was written to it, and empties it. To be freed: memory->text. */
static inline void memory_take(struct memory *memory) {
    off_t end = lseek(memory->fd, 0, SEEK_END);
    must(end >= 0);
    memory->length = (size_t)end;
    memory->text = malloc(memory->length + 1);
    must(memory->text != NULL);
    must(pread(memory->fd, memory->text, memory->length, 0) == (ssize_t)memory->length);
    memory->text[memory->length] = '\0';
    must(ftruncate(memory->fd, 0) == 0 && lseek(memory->fd, 0, SEEK_SET) == 0);
}

/* Runs the subcommand with stdout in memory, up to an argument of NULL. Returns its exit code. */
static inline int run_subcommand(const struct subcommand *subcommand, struct memory *out, char **argv) {
    FILE *own = stdout;
    int argc = 0;
    while (argv[argc] != NULL)
        argc++;
    stdout = fdopen(dup(out->fd), "w");
    must(stdout != NULL);
    optind = 0; /* begins anew, in glibc and musl */
    int code = subcommand->main(argc, argv);
    fclose(stdout);
    stdout = own;
    memory_take(out);
    return code;
}

/* Text for people: lines that can do nothing to a terminal. */
static inline void must_be_plain(const struct memory *memory) {
    for (size_t i = 0; i < memory->length; i++) {
        unsigned char byte = (unsigned char)memory->text[i];
        must(byte == '\n' || (byte >= ' ' && byte != 127));
        must(byte != 0xc2 || (unsigned char)memory->text[i + 1] >= 0xa0); /* the controls above 127, in UTF-8 */
    }
    must(memory->length == 0 || memory->text[memory->length - 1] == '\n');
}

/* One value of JSON, in UTF-8. */
static inline void must_be_json(const struct memory *memory) {
    yajl_handle parser = yajl_alloc(NULL, NULL, NULL);
    must(parser != NULL);
    must(yajl_parse(parser, (const unsigned char *)memory->text, memory->length) == yajl_status_ok);
    must(yajl_complete_parse(parser) == yajl_status_ok);
    yajl_free(parser);
}

#endif
