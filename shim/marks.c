/* A small memory of descriptors. Never allocates, never waits: a place that another thread takes first is passed by. */
#include "marks.h"

#include "descriptor.h"

static uint64_t word_of(int fd, uint32_t digest) {
    return (uint64_t)(uint32_t)fd << 32 | digest;
}

static int number_in(uint64_t word) {
    return (int)(word >> 32);
}

/* Whether the descriptor is what it was when the word was made. */
static bool is_current(uint64_t word) {
    uint32_t digest;
    return descriptor_digest(number_in(word), &digest) && word == word_of(number_in(word), digest);
}

static void cover(struct marks *marks, int place) {
    int used = atomic_load(&marks->used);
    while (used <= place && !atomic_compare_exchange_weak(&marks->used, &used, place + 1))
        continue;
}

/* Puts word where fits() accepts what is there. */
static bool put(struct marks *marks, uint64_t word, bool (*fits)(uint64_t, uint64_t)) {
    for (int i = 0; i < KEPT_MAX; i++) {
        uint64_t there = atomic_load(&marks->places[i]);
        if (fits(there, word) && atomic_compare_exchange_strong(&marks->places[i], &there, word)) {
            cover(marks, i);
            return true;
        }
    }
    return false;
}

static bool has_same_number(uint64_t there, uint64_t word) {
    return there != 0 && number_in(there) == number_in(word);
}

static bool is_empty(uint64_t there, uint64_t word) {
    (void)word;
    return there == 0;
}

static bool is_stale(uint64_t there, uint64_t word) {
    (void)word;
    return there != 0 && !is_current(there);
}

void marks_note(struct marks *marks, int fd) {
    uint32_t digest;
    if (!descriptor_digest(fd, &digest)) {
        marks_forget(marks, fd);
        return;
    }
    uint64_t word = word_of(fd, digest);
    if (!put(marks, word, has_same_number) && !put(marks, word, is_empty) && !put(marks, word, is_stale))
        atomic_store(&marks->overflowed, true);
}

void marks_forget(struct marks *marks, int fd) {
    int used = atomic_load(&marks->used);
    for (int i = 0; i < used; i++) {
        uint64_t there = atomic_load(&marks->places[i]);
        if (there != 0 && number_in(there) == fd)
            atomic_compare_exchange_strong(&marks->places[i], &there, 0);
    }
}

void marks_keep(struct marks *marks, const char *rule, struct kept *kept) {
    int used = atomic_load_explicit(&marks->used, memory_order_acquire);
    if (atomic_load_explicit(&marks->overflowed, memory_order_relaxed))
        kept->all = "more descriptors made inheritable than can be remembered";
    for (int i = 0; i < used; i++) {
        uint64_t there = atomic_load(&marks->places[i]);
        if (there == 0)
            continue;
        if (is_current(there) && descriptor_is_inheritable(number_in(there)))
            kept_add(kept, number_in(there), number_in(there), rule);
        else
            atomic_compare_exchange_strong(&marks->places[i], &there, 0);
    }
}
