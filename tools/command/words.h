/* What records hold, in words for people: safe on a terminal whatever bytes somebody chose, and one line each. */
#ifndef AIRLOCK_COMMAND_WORDS_H
#define AIRLOCK_COMMAND_WORDS_H

#include "record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A line under construction. What does not fit is left out; the text is always NUL-terminated. */
struct words {
    char *text;
    size_t length, size;
};

/* Words in an array, which is empty then, whatever it held. */
#define WORDS(buffer) ((struct words){.text = ((buffer)[0] = '\0', (buffer)), .size = sizeof(buffer)})

void words_add(struct words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The bytes as they are when they are printable UTF-8; else \n, \x1b, \xff. */
void words_add_plain(struct words *words, const char *string);

/* The string as one word of a shell: bare where that is safe, else quoted so that it can be pasted. */
void words_add_quoted(struct words *words, const char *string);

/* What a spawn executes: the shell line of system and popen, else path and arguments as a shell would take them. */
void words_add_command(struct words *words, const struct record *record);

/* "812 ns", "65 us", "1.2 ms", "3.4 s", "2 min 5 s": three digits at most where it matters. */
void words_add_duration(struct words *words, double nanoseconds);

/* "12,345,678" */
void words_add_count(struct words *words, uint64_t count);

/* What a descriptor is, without the kernel's number for it: "pipe:[123]" is "pipe". */
void words_add_descriptor(struct words *words, const char *what);

/* The same without what differs from one connection to the next, either the peer or the own end: "socket tcp
 * 10.0.0.7:80 <- *", "socket tcp * <- 10.0.0.1:5432". */
void words_add_kind(struct words *words, const char *what);

/* The byte that an escape of the record stands for, with *length the bytes of the string that it takes; else -1. */
int escaped_byte(const char *string, size_t *length);

/* How much of the first length bytes of the text are whole characters and whole escapes: less when the end cuts one. */
size_t whole_length(const char *text, size_t length);

/* How many columns of a terminal the text takes; bytes that are no character count as one. */
size_t columns_of(const char *text);

/* Cuts the text to at most so many columns, with an ellipsis in the last. */
void words_fit(struct words *words, size_t columns);

/* The part behind the last slash. */
const char *base_name(const char *path);

/* Marks of the user's character set: an arrow, an ellipsis and a block bar, or their likes in ASCII. */
struct marks {
    const char *arrow, *ellipsis, *failure, *levels[8];
};
const struct marks *marks(void);

#endif
