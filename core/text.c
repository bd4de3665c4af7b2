/* A bounded line of text: see text.h. */
#include "text.h"

#include <string.h>

void text_bytes(struct text *text, const char *bytes, size_t count) {
    if (text->length + 1 < text->size) {
        size_t room = text->size - 1 - text->length;
        memcpy(text->to + text->length, bytes, count < room ? count : room);
    }
    text->length += count;
}

void text_string(struct text *text, const char *string) {
    text_bytes(text, string, strlen(string));
}

void text_unsigned(struct text *text, uint64_t number) {
    char digits[20];
    size_t first = sizeof digits;
    do
        digits[--first] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    text_bytes(text, digits + first, sizeof digits - first);
}

void text_signed(struct text *text, int64_t number) {
    if (number < 0)
        text_char(text, '-');
    text_unsigned(text, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

void text_hexadecimal(struct text *text, uint64_t number) {
    int shift = 60;
    while (shift > 0 && (number >> shift) == 0)
        shift -= 4;
    text_bytes(text, "0x", 2);
    for (; shift >= 0; shift -= 4)
        text_char(text, "0123456789abcdef"[(number >> shift) & 15]);
}

void text_end(struct text *text) {
    if (text->size > 0)
        text->to[text->length < text->size ? text->length : text->size - 1] = '\0';
}
