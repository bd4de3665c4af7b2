/* JSON on one line: see json.h for how bytes that are not text are kept. */
#include "json.h"

static const char hexadecimal[] = "0123456789abcdef";

void json_comma(struct text *text) {
    if (text->length == 0 || text->length >= text->size)
        return;
    char last = text->to[text->length - 1];
    if (last != '{' && last != '[')
        text_char(text, ',');
}

void json_key(struct text *text, const char *key, size_t length) {
    json_comma(text);
    text_bytes(text, key, length);
}

void json_number(struct text *text, const char *key, size_t length, int64_t number) {
    json_key(text, key, length);
    text_signed(text, number);
}

static bool is_continuation(unsigned char byte) {
    return (byte & 0xc0) == 0x80;
}

/* The length of the valid UTF-8 sequence at bytes, or 0: no overlong forms, no surrogates, nothing above U+10FFFF. */
static size_t sequence_length(const unsigned char *bytes) {
    if (bytes[0] < 0x80)
        return 1;
    if (bytes[0] >= 0xc2 && bytes[0] <= 0xdf)
        return is_continuation(bytes[1]) ? 2 : 0;
    if (bytes[0] >= 0xe0 && bytes[0] <= 0xef) {
        unsigned char low = bytes[0] == 0xe0 ? 0xa0 : 0x80;
        unsigned char high = bytes[0] == 0xed ? 0x9f : 0xbf;
        return bytes[1] >= low && bytes[1] <= high && is_continuation(bytes[2]) ? 3 : 0;
    }
    if (bytes[0] >= 0xf0 && bytes[0] <= 0xf4) {
        unsigned char low = bytes[0] == 0xf0 ? 0x90 : 0x80;
        unsigned char high = bytes[0] == 0xf4 ? 0x8f : 0xbf;
        return bytes[1] >= low && bytes[1] <= high && is_continuation(bytes[2]) && is_continuation(bytes[3]) ? 4 : 0;
    }
    return 0;
}

static void put_hexadecimal(struct text *text, unsigned char byte) {
    text_char(text, hexadecimal[byte >> 4]);
    text_char(text, hexadecimal[byte & 15]);
}

static void put_one(struct text *text, const unsigned char *bytes, size_t length) {
    if (length == 0 || bytes[0] == 0x1a) {
        text_string(text, "\\u001a");
        put_hexadecimal(text, bytes[0]);
    } else if (bytes[0] == '"' || bytes[0] == '\\') {
        text_char(text, '\\');
        text_char(text, (char)bytes[0]);
    } else if (bytes[0] < 0x20 || bytes[0] == 0x7f) {
        text_string(text, "\\u00");
        put_hexadecimal(text, bytes[0]);
    } else {
        for (size_t i = 0; i < length; i++)
            text_char(text, (char)bytes[i]);
    }
}

/* The bytes that are written as they are, and are a character each. */
static const bool is_plain[256] = {
    [0x20 ... '"' - 1] = true, ['"' + 1 ... '\\' - 1] = true, ['\\' + 1 ... 0x7e] = true};

/* Most strings are nothing else: copied in one piece, they cost a fraction. */
static size_t plain_length(const unsigned char *bytes, size_t most) {
    size_t length = 0;
    while (length < most && is_plain[bytes[length]])
        length++;
    return length;
}

bool json_string(struct text *text, const char *string, size_t budget) {
    enum { LONGEST_ESCAPE = 8 };
    const unsigned char *bytes = (const unsigned char *)string;
    size_t end = text->length + budget;
    text_char(text, '"');
    while (*bytes != '\0' && text->length + LONGEST_ESCAPE + 1 <= end) {
        size_t plain = plain_length(bytes, end - LONGEST_ESCAPE - text->length);
        if (plain > 0) {
            text_bytes(text, (const char *)bytes, plain);
            bytes += plain;
            continue;
        }
        size_t length = sequence_length(bytes);
        put_one(text, bytes, length);
        bytes += length > 0 ? length : 1;
    }
    text_char(text, '"');
    return *bytes == '\0';
}
