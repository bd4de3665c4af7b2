/* Linked into every program and library of a coverage build. It lays the counters of the image that it is part of over
 * a segment of shared memory, one for all processes that run this image. So nothing has to be written when a process
 * ends: what a child counted counts, whether it executed another program, used _exit, was killed or was a copy.
 *
 * System V's memory needs no descriptor, no path and no call that a test makes fail. Segments are made beforehand; a
 * program that finds none counts for itself and nobody asks it.
 *
 * AIRLOCK_COVERAGE=make, write or remove does that with the segments of the images of a process, and the process ends.
 * FOLDER in AIRLOCK_COVERAGE_FOLDER is where "write" puts what gcov reads. */
#include "../../core/syscall.h"

#include <gcov.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#define OF_THE_IMAGE extern __attribute__((visibility("hidden")))

/* From counters.ld. */
OF_THE_IMAGE uint64_t coverage_begin[], coverage_end[];
OF_THE_IMAGE const unsigned char coverage_build_id[];
/* The linker's, around what -fprofile-info-section=gcov_info makes. */
OF_THE_IMAGE __attribute__((weak)) const struct gcov_info *const __start_gcov_info[], *const __stop_gcov_info[];

/* Compilers refer to it for a runtime that adds files up. Here memory does. */
__attribute__((visibility("hidden"))) void __gcov_merge_add(void *counters, unsigned count) {
    (void)counters, (void)count;
}

/* A note is three numbers, the name GNU and the id. */
static key_t key_of_image(void) {
    key_t key;
    memcpy(&key, coverage_build_id + 16, sizeof key);
    return key & INT_MAX;
}

/* The data of each object, for each image that has it: FOLDER/KEY#path#of#the#object.gcda. gcov wants the compiler's
 * notes beside it. */
static void open_data(const char *path, void *argument) {
    FILE **file = (FILE **)argument;
    char data[PATH_MAX], notes[PATH_MAX], original[PATH_MAX];
    size_t end = strlen(path) - strlen("gcda");
    size_t prefix =
        (size_t)snprintf(data, sizeof data, "%s/%08x", getenv("AIRLOCK_COVERAGE_FOLDER"), (unsigned)key_of_image());
    snprintf(data + prefix, sizeof data - prefix, "%s", path);
    for (char *c = data + prefix; *c != '\0'; c++)
        if (*c == '/')
            *c = '#';
    snprintf(notes, sizeof notes, "%.*sgcno", (int)(prefix + end), data);
    snprintf(original, sizeof original, "%.*sgcno", (int)end, path);
    *file = fopen(data, "w");
    if (*file == NULL || symlink(original, notes) != 0) {
        perror(data);
        _Exit(EXIT_FAILURE);
    }
}

static void write_data(const void *data, unsigned length, void *argument) {
    fwrite(data, 1, length, *(FILE **)argument);
}

static void *allocate(unsigned length, void *argument) {
    (void)argument;
    return malloc(length);
}

static void write_counters(void) {
    for (const struct gcov_info *const *info = __start_gcov_info; info != __stop_gcov_info; info++) {
        FILE *file = NULL;
        __gcov_info_to_gcda(*info, open_data, write_data, allocate, &file);
        if (file == NULL || fclose(file) != 0)
            _Exit(EXIT_FAILURE);
    }
}

/* What was counted before this ran, by constructors of other libraries, is taken along. */
static bool share_counters(long segment) {
    long place = raw3(SYS_shmat, segment, 0, 0);
    if (place < 0 && place >= -4095)
        return false;
    uint64_t *shared = (uint64_t *)place;
    for (size_t i = 0; i < (size_t)(coverage_end - coverage_begin); i++)
        if (coverage_begin[i] != 0)
            __atomic_fetch_add(&shared[i], coverage_begin[i], __ATOMIC_RELAXED);
    raw3(SYS_shmat, segment, coverage_begin, SHM_REMAP);
    raw1(SYS_shmdt, place);
    return true;
}

__attribute__((constructor(101))) static void begin(void) {
    size_t size = (size_t)(coverage_end - coverage_begin) * sizeof *coverage_begin;
    if (size == 0)
        return;
    const char *order = getenv("AIRLOCK_COVERAGE");
    long segment =
        raw3(SYS_shmget, key_of_image(), size, order != NULL && strcmp(order, "make") == 0 ? IPC_CREAT | 0666 : 0);
    bool done = segment >= 0;
    if (done && order != NULL && strcmp(order, "remove") == 0)
        done = raw3(SYS_shmctl, segment, IPC_RMID, 0) == 0;
    else if (done)
        done = share_counters(segment);
    if (done && order != NULL && strcmp(order, "write") == 0)
        write_counters();
    if (order != NULL)
        _Exit(done ? EXIT_SUCCESS : EXIT_FAILURE);
}
