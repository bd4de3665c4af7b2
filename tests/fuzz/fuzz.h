/* What the fuzz targets share. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise of the code under test. */
#define must(condition) ((condition) ? (void)0 : must_fail(__FILE__, __LINE__, #condition))

static inline void must_fail(const char *file, int line, const char *condition) {
    fprintf(stderr, "%s:%d: it does not hold that %s\n", file, line, condition);
    abort();
}

/* The input as a string of exactly its size, so that a read behind its end is seen. To be freed. */
static inline char *copy_of(const uint8_t *data, size_t size) {
    char *copy = malloc(size + 1);
    must(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

/* Cuts the copy at its NULs into at most limit strings, and ends the list with NULL. Returns how many there are. */
static inline size_t strings_of(char *copy, size_t size, char *strings[], size_t limit) {
    size_t count = 0;
    for (char *at = copy; at < copy + size && count < limit; at += strlen(at) + 1)
        strings[count++] = at;
    strings[count] = NULL;
    return count;
}

#endif
