/* A bounded line of text, put together without stdio: usable from a signal handler, and with every descriptor in use.
 * What does not fit is counted but not written. */
#ifndef AIRLOCK_TEXT_H
#define AIRLOCK_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct text {
    char *to;
    size_t size;
    size_t length; /* of the whole text, whether it fitted or not */
};

/* Functions, not inline: with a copy of these at each place a record's writer was more than twice as large. */
void text_bytes(struct text *text, const char *bytes, size_t count);
void text_string(struct text *text, const char *string);
void text_unsigned(struct text *text, uint64_t number);
void text_signed(struct text *text, int64_t number);
void text_hexadecimal(struct text *text, uint64_t number); /* with 0x */

/* The NUL at the end, which always fits. */
void text_end(struct text *text);

static inline void text_char(struct text *text, char c) {
    if (text->length + 1 < text->size)
        text->to[text->length] = c;
    text->length++;
}

#endif
