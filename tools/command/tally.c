/* A hash table of counts that forgets what is rare instead of growing without end. */
#include "tally.h"

#include "words.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a. */
static uint32_t hash_of(const char *bytes, size_t length) {
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 16777619U;
    return hash;
}

/* A part that is too long is counted by its beginning. */
static size_t join(char key[TALLY_KEY_BYTES], const char *const *parts, size_t part_count) {
    size_t room = TALLY_KEY_BYTES / part_count;
    size_t length = 0;
    for (size_t i = 0; i < part_count; i++) {
        const char *part = parts[i] == NULL ? "" : parts[i];
        size_t size = strnlen(part, room);
        if (size == room)
            size = whole_length(part, room - 1);
        memcpy(key + length, part, size);
        key[length + size] = '\0';
        length += size + 1;
    }
    return length;
}

/* The slot of the key: taken by it, or free. */
static struct tally_entry **find(const struct tally *tally, const char *key, size_t length, uint32_t hash) {
    for (size_t i = hash & (tally->capacity - 1);; i = (i + 1) & (tally->capacity - 1)) {
        struct tally_entry *entry = tally->slots[i];
        if (entry == NULL || (entry->hash == hash && entry->length == length && memcmp(entry->key, key, length) == 0))
            return &tally->slots[i];
    }
}

/* Moves the entries into a table of so many slots. */
static bool rehash(struct tally *tally, size_t capacity) {
    struct tally_entry **slots = calloc(capacity, sizeof(struct tally_entry *));
    if (slots == NULL)
        return false;
    struct tally old = *tally;
    tally->slots = slots;
    tally->capacity = capacity;
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.slots[i] != NULL)
            *find(tally, old.slots[i]->key, old.slots[i]->length, old.slots[i]->hash) = old.slots[i];
    }
    free(old.slots);
    return true;
}

static void forget(struct tally *tally, struct tally_entry **slot) {
    tally->forgotten += (*slot)->count;
    free((*slot)->example);
    free(*slot);
    *slot = NULL;
    tally->count--;
}

/* Forgets the rarest until there is room again for a quarter. */
static bool make_room(struct tally *tally) {
    for (uint64_t floor = 1; tally->count > TALLY_KEYS / 4 * 3; floor *= 2) {
        for (size_t i = 0; i < tally->capacity; i++) {
            if (tally->slots[i] != NULL && tally->slots[i]->count <= floor)
                forget(tally, &tally->slots[i]);
        }
    }
    return rehash(tally, tally->capacity);
}

static bool have_room(struct tally *tally) {
    if (tally->count >= TALLY_KEYS)
        return make_room(tally);
    if (tally->capacity > 2 * tally->count)
        return true;
    return rehash(tally, tally->capacity == 0 ? 64 : 2 * tally->capacity);
}

struct tally_entry *tally_add(struct tally *tally, const char *const *parts, size_t part_count, uint64_t amount) {
    char key[TALLY_KEY_BYTES];
    size_t length = join(key, parts, part_count);
    uint32_t hash = hash_of(key, length);
    tally->total++;
    if (!have_room(tally))
        return NULL;
    struct tally_entry **slot = find(tally, key, length, hash);
    if (*slot == NULL) {
        *slot = calloc(1, sizeof **slot + length);
        if (*slot == NULL)
            return NULL;
        (*slot)->hash = hash;
        (*slot)->length = (uint32_t)length;
        memcpy((*slot)->key, key, length);
        tally->count++;
    }
    (*slot)->count++;
    (*slot)->amount += amount;
    return *slot;
}

static int compare(const void *left, const void *right) {
    const struct tally_entry *one = *(const struct tally_entry *const *)left;
    const struct tally_entry *other = *(const struct tally_entry *const *)right;
    if (one->count != other->count)
        return one->count > other->count ? -1 : 1;
    uint32_t shorter = one->length < other->length ? one->length : other->length;
    int order = memcmp(one->key, other->key, shorter);
    return order != 0 ? order : (one->length > other->length) - (one->length < other->length);
}

const struct tally_entry **tally_sorted(const struct tally *tally) {
    const struct tally_entry **sorted = tally->count == 0 ? NULL : calloc(tally->count, sizeof *sorted);
    size_t count = 0;
    if (sorted == NULL)
        return NULL;
    for (size_t i = 0; i < tally->capacity; i++) {
        if (tally->slots[i] != NULL)
            sorted[count++] = tally->slots[i];
    }
    qsort(sorted, count, sizeof *sorted, compare);
    return sorted;
}

const char *tally_part(const struct tally_entry *entry, size_t index) {
    const char *part = entry->key;
    while (index-- > 0)
        part += strlen(part) + 1;
    return part;
}

void tally_clear(struct tally *tally) {
    for (size_t i = 0; i < tally->capacity; i++) {
        if (tally->slots[i] != NULL)
            forget(tally, &tally->slots[i]);
    }
    free(tally->slots);
    *tally = (struct tally){0};
}
