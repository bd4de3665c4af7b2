/* Counts by key, in bounded memory: what is frequent is counted, however many different keys there are.
 *
 * A key is one or more strings. When a tally is full, the rarest keys are forgotten and their counts go to `forgotten`
 * (lossy counting: a key that has a share of more than one in TALLY_KEYS is always there, and its count is short by
 * at most that share). */
#ifndef AIRLOCK_COMMAND_TALLY_H
#define AIRLOCK_COMMAND_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TALLY_KEYS = 16384, TALLY_KEY_BYTES = 2048 };

struct tally_entry {
    uint64_t count;
    uint64_t amount; /* of whatever is added up: nanoseconds, mostly */
    char *example;   /* owned; NULL until somebody sets it */
    uint32_t hash;
    uint32_t length;
    char key[]; /* the parts, each with its NUL */
};

struct tally {
    struct tally_entry **slots; /* a hash table, open addressing */
    size_t capacity, count;
    uint64_t forgotten;
    uint64_t total;
};

/* Counts the key of so many parts. Returns its entry, valid until the next call; NULL when memory is out. */
struct tally_entry *tally_add(struct tally *tally, const char *const *parts, size_t part_count, uint64_t amount);

/* tally_add with the parts one by one. */
#define TALLY_ADD(tally, amount, ...)                                                                                  \
    tally_add(tally, (const char *const[]){__VA_ARGS__},                                                               \
              sizeof(const char *const[]){__VA_ARGS__} / sizeof(const char *), amount)

/* The entries, most frequent first and then by key: an array of tally->count pointers to be freed. NULL when empty or
 * out of memory. */
const struct tally_entry **tally_sorted(const struct tally *tally);

/* Part number index of the key. */
const char *tally_part(const struct tally_entry *entry, size_t index);

void tally_clear(struct tally *tally);

#endif
