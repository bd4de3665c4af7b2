/* A table without a lock: popen, pclose, fclose and fork may run in any threads at once, and a child of fork inherits
 * a table that nobody holds. Entries are never freed, only used again. */
#include "streams.h"

#include "syscall.h"

#include <stdatomic.h>
#include <sys/mman.h>

enum { CHUNK_SIZE = 32 };

struct chunk {
    struct stream streams[CHUNK_SIZE];
    _Atomic(struct chunk *) next;
};

static struct chunk first;
static _Atomic int published; /* most programs have none: then fclose looks at this alone */

/* What an entry holds between reserve and publish: the address of no stream. */
static char reserved_marker;
#define RESERVED ((FILE *)(void *)&reserved_marker)

static struct stream *reserve_in(struct chunk *chunk) {
    for (int i = 0; i < CHUNK_SIZE; i++) {
        FILE *expected = NULL;
        if (atomic_compare_exchange_strong(&chunk->streams[i].file, &expected, RESERVED))
            return &chunk->streams[i];
    }
    return NULL;
}

/* Two threads may both add one: the second goes behind the first. */
static struct chunk *add_chunk(struct chunk *last) {
    struct chunk *fresh = raw_map(sizeof *fresh, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    if (fresh == NULL)
        return NULL;
    struct chunk *expected = NULL;
    while (!atomic_compare_exchange_strong(&last->next, &expected, fresh)) {
        last = expected;
        expected = NULL;
    }
    return fresh;
}

struct stream *stream_reserve(void) {
    struct chunk *chunk = &first;
    while (chunk != NULL) {
        struct stream *stream = reserve_in(chunk);
        if (stream != NULL)
            return stream;
        struct chunk *next = atomic_load(&chunk->next);
        chunk = next != NULL ? next : add_chunk(chunk);
    }
    return NULL;
}

void stream_publish(struct stream *stream, FILE *file, int fd, pid_t pid, uint64_t started_ns) {
    stream->fd = fd;
    stream->started_ns = started_ns;
    stream->pid = pid;
    atomic_fetch_add(&published, 1);
    atomic_store(&stream->file, file);
}

void stream_cancel(struct stream *stream) {
    atomic_store(&stream->file, NULL);
}

bool stream_take(FILE *file, pid_t *pid, uint64_t *started_ns) {
    if (atomic_load_explicit(&published, memory_order_relaxed) == 0)
        return false;
    for (struct chunk *chunk = &first; chunk != NULL; chunk = atomic_load(&chunk->next)) {
        for (int i = 0; i < CHUNK_SIZE; i++) {
            struct stream *stream = &chunk->streams[i];
            FILE *expected = file;
            if (atomic_load_explicit(&stream->file, memory_order_relaxed) != file)
                continue;
            *pid = stream->pid;
            *started_ns = stream->started_ns;
            if (atomic_compare_exchange_strong(&stream->file, &expected, NULL)) {
                atomic_fetch_sub(&published, 1);
                return true;
            }
        }
    }
    return false;
}

size_t stream_count(void) {
    return (size_t)atomic_load_explicit(&published, memory_order_relaxed);
}

size_t stream_close_actions(struct airlock_action *actions, size_t size, int except) {
    size_t count = 0;
    if (stream_count() == 0)
        return 0;
    for (struct chunk *chunk = &first; chunk != NULL; chunk = atomic_load(&chunk->next)) {
        for (int i = 0; i < CHUNK_SIZE && count < size; i++) {
            FILE *file = atomic_load(&chunk->streams[i].file);
            if (file == NULL || file == RESERVED || chunk->streams[i].fd == except)
                continue;
            actions[count++] = AIRLOCK_CLOSE(chunk->streams[i].fd);
        }
    }
    return count;
}
