/* Drives a fuzz target without libFuzzer, for machines that have no clang: every file of a folder, and then inputs made
 * of them by chance, for so many seconds. It looks at no coverage and finds less; what it runs into, the sanitizers
 * say.
 *
 *     gcc -g -fsanitize=address,undefined … tests/fuzz/alone.c tests/fuzz/TARGET.c … -o fuzz    (tools/fuzz does)
 *     ./fuzz SECONDS FOLDER */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_MAX = 4096, CORPUS_MAX = 256 };

static struct input {
    uint8_t bytes[INPUT_MAX];
    size_t size;
} corpus[CORPUS_MAX];
static size_t corpus_size;

static uint64_t state = 0x9e3779b97f4a7c15U;

/* xorshift: the same inputs in every run of the same length. */
static size_t random_below(size_t limit) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return limit == 0 ? 0 : (size_t)(state % limit);
}

static void run(const struct input *input) {
    /* A buffer of exactly this size shows a read behind its end. */
    uint8_t *copy = malloc(input->size > 0 ? input->size : 1);
    if (copy == NULL)
        exit(99);
    memcpy(copy, input->bytes, input->size);
    LLVMFuzzerTestOneInput(copy, input->size);
    free(copy);
}

static void read_corpus(const char *folder) {
    char path[4096];
    DIR *directory = opendir(folder);
    if (directory == NULL)
        exit(99);
    for (struct dirent *entry = readdir(directory); entry != NULL && corpus_size < CORPUS_MAX;
         entry = readdir(directory)) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        FILE *file = fopen(path, "r");
        if (file == NULL)
            exit(99);
        corpus[corpus_size].size = fread(corpus[corpus_size].bytes, 1, INPUT_MAX, file);
        fclose(file);
        run(&corpus[corpus_size++]);
    }
    closedir(directory);
}

/* A piece of another input takes the place of a piece of this one. */
static void splice(struct input *input) {
    const struct input *other = &corpus[random_below(corpus_size)];
    size_t from = random_below(other->size), at = random_below(input->size + 1);
    size_t length = random_below(other->size - from + 1);
    if (at + length > INPUT_MAX)
        length = INPUT_MAX - at;
    memcpy(input->bytes + at, other->bytes + from, length);
    if (at + length > input->size)
        input->size = at + length;
}

static void change(struct input *input) {
    static const char telling[] = "\n\t #\\[]*?-,\0\377 09a/=:";
    switch (random_below(4)) {
    case 0:
        splice(input);
        break;
    case 1:
        input->size = random_below(input->size + 1);
        break;
    case 2:
        if (input->size > 0)
            input->bytes[random_below(input->size)] = (uint8_t)random_below(256);
        break;
    default:
        if (input->size > 0)
            input->bytes[random_below(input->size)] = (uint8_t)telling[random_below(sizeof telling - 1)];
        break;
    }
}

int main(int argc, char **argv) {
    static struct input input;
    unsigned long runs = 0;
    if (argc != 3)
        return 99;
    read_corpus(argv[2]);
    time_t end = time(NULL) + atoi(argv[1]);
    while (corpus_size > 0 && time(NULL) < end) {
        input = corpus[random_below(corpus_size)];
        for (size_t changes = 1 + random_below(6); changes > 0; changes--)
            change(&input);
        run(&input);
        runs++;
    }
    printf("Done %lu runs\n", runs);
    return 0;
}
