/* Matches by following every possible position in the pattern at once, one bit each. A matcher that goes back and tries
 * again would take exponential time for patterns that somebody made for that purpose. */
#include "pattern.h"

#include <stdint.h>
#include <string.h>

/* The positions in the pattern at which the rest of the path may go on. */
struct positions {
    uint64_t bits[PATTERN_MAX / 64 + 1];
};

static void add(struct positions *to, size_t position) {
    to->bits[position / 64] |= (uint64_t)1 << position % 64;
}

static bool has(const struct positions *in, size_t position) {
    return (in->bits[position / 64] >> position % 64 & 1) != 0;
}

/* The length of the bracket expression at text, or 0 when it is not closed. A ] that comes first means itself. */
static size_t bracket_length(const char *text, size_t length) {
    size_t i = 1;
    if (i < length && (text[i] == '!' || text[i] == '^'))
        i++;
    if (i < length && text[i] == ']')
        i++;
    for (; i < length; i++) {
        if (text[i] == '\\')
            i++;
        else if (text[i] == ']')
            return i + 1;
    }
    return 0;
}

/* The length of what stands at text: a run of stars, a bracket expression, an escaped or a plain character. */
static size_t token_length(const char *text, size_t length) {
    size_t stars = 0;
    switch (text[0]) {
    case '*':
        while (stars < length && text[stars] == '*')
            stars++;
        return stars;
    case '[':
        return bracket_length(text, length) > 0 ? bracket_length(text, length) : 1;
    case '\\':
        return length > 1 ? 2 : 1;
    default:
        return 1;
    }
}

/* One character of a bracket expression, which may be escaped; moves *text behind it. */
static unsigned char bracket_character(const char **text) {
    if (**text == '\\')
        ++*text;
    return (unsigned char)*(*text)++;
}

/* text is a closed bracket expression up to and without its ]. */
static bool bracket_has(const char *text, const char *end, unsigned char c) {
    bool found = false;
    text++;
    bool inverted = *text == '!' || *text == '^';
    if (inverted)
        text++;
    while (text < end) {
        unsigned char first = bracket_character(&text);
        unsigned char last = first;
        if (end - text >= 2 && *text == '-') {
            text++;
            last = bracket_character(&text);
        }
        found = found || (first <= c && c <= last);
    }
    return c != '/' && found != inverted;
}

/* Whether the token, which is no star, stands for c. */
static bool stands_for(const char *token, size_t length, char c) {
    switch (token[0]) {
    case '?':
        return c != '/';
    case '[':
        return length > 1 ? bracket_has(token, token + length - 1, (unsigned char)c) : c == '[';
    case '\\':
        return c == token[length - 1];
    default:
        return c == token[0];
    }
}

/* A star may stand for nothing: what comes behind it is possible as well. */
static void step_over_stars(struct pattern pattern, struct positions *now) {
    for (size_t i = 0; i < pattern.length; i++) {
        if (has(now, i) && pattern.text[i] == '*')
            add(now, i + token_length(pattern.text + i, pattern.length - i));
    }
}

static struct positions step(struct pattern pattern, const struct positions *now, char c) {
    struct positions next = {{0}};
    for (size_t i = 0; i < pattern.length; i++) {
        if (!has(now, i))
            continue;
        const char *token = pattern.text + i;
        size_t length = token_length(token, pattern.length - i);
        if (token[0] != '*') {
            if (stands_for(token, length, c))
                add(&next, i + length);
        } else if (c != '/' || length > 1) {
            add(&next, i);
        }
    }
    step_over_stars(pattern, &next);
    return next;
}

bool pattern_is_about_paths(struct pattern pattern) {
    bool crosses = pattern.length >= 2 && memcmp(pattern.text, "**", 2) == 0;
    return crosses || memchr(pattern.text, '/', pattern.length) != NULL;
}

bool pattern_fits(struct pattern pattern, const char *path) {
    static const struct positions nowhere;
    const char *slash = strrchr(path, '/');
    if (slash != NULL && !pattern_is_about_paths(pattern))
        path = slash + 1;
    struct positions now = {{1}};
    step_over_stars(pattern, &now);
    for (; *path != '\0'; path++) {
        now = step(pattern, &now, *path);
        if (memcmp(&now, &nowhere, sizeof now) == 0)
            return false;
    }
    return has(&now, pattern.length);
}

const char *pattern_fault(struct pattern pattern, size_t *where) {
    *where = 0;
    if (pattern.length > PATTERN_MAX)
        return "is longer than 255 bytes";
    for (size_t i = 0; i < pattern.length; i += token_length(pattern.text + i, pattern.length - i)) {
        *where = i;
        if (pattern.text[i] == '[' && bracket_length(pattern.text + i, pattern.length - i) == 0)
            return "has a [ without its ]";
        if (pattern.text[i] == '\\' && i + 1 == pattern.length)
            return "ends in the middle of an escape";
    }
    return NULL;
}
