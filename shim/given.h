/* The variables that this process was started with. */
#ifndef SHIM_GIVEN_H
#define SHIM_GIVEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A part of memory with strings one behind the other; length 0: none. */
struct given {
    const char *start;
    size_t length;
};

/* To be called while the library is loaded. */
void given_find(void);

/* The variables, wherever an environment may hold them by now, if not one of them matters and not one byte has changed.
 * Asks whether they matter once, and not in the order of the environment. Async-signal-safe. */
struct given given_without_meaning(bool (*matters)(const char *entry));

/* Whether entry is one of the strings, and not the end of one. */
static inline bool given_has(struct given given, const char *entry) {
    size_t at = (uintptr_t)entry - (uintptr_t)given.start;
    return at < given.length && (at == 0 || entry[-1] == '\0');
}

#endif
