/* A bounded line of text, put together without stdio: usable from a signal handler, and with every descriptor in use.
 * What does not fit is counted but not written. */
#ifndef AIRLOCK_TEXT_H
#define AIRLOCK_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
    char *to;
    size_t size;
    size_t length; /* of the whole text, whether it fitted or not */
};

static inline void text_char(struct text *text, char c) {
    if (text->length + 1 < text->size)
        text->to[text->length] = c;
    text->length++;
}

static inline void text_bytes(struct text *text, const char *bytes, size_t count) {
    if (text->length + 1 < text->size) {
        size_t room = text->size - 1 - text->length;
        memcpy(text->to + text->length, bytes, count < room ? count : room);
    }
    text->length += count;
}

static inline void text_string(struct text *text, const char *string) {
    text_bytes(text, string, strlen(string));
}

static inline void text_unsigned(struct text *text, uint64_t number) {
    char digits[20];
    size_t first = sizeof digits;
    do
        digits[--first] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    text_bytes(text, digits + first, sizeof digits - first);
}

static inline void text_hexadecimal(struct text *text, uint64_t number) {
    int shift = 60;
    while (shift > 0 && (number >> shift) == 0)
        shift -= 4;
    text_string(text, "0x");
    for (; shift >= 0; shift -= 4)
        text_char(text, "0123456789abcdef"[(number >> shift) & 15]);
}

static inline void text_signed(struct text *text, int64_t number) {
    if (number < 0)
        text_char(text, '-');
    text_unsigned(text, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

static inline void text_end(struct text *text) {
    if (text->size > 0)
        text->to[text->length < text->size ? text->length : text->size - 1] = '\0';
}

#endif
