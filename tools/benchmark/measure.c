/* Times of spawns: from the call to the end of the child, which does nothing. */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000U + (uint64_t)time.tv_nsec;
}

static int reap(pid_t pid) {
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static int finish(const struct peer *peer, pid_t pid) {
    return peer->finish != NULL ? peer->finish(pid) : reap(pid);
}

static void read_to_end(int fd) {
    char buffer[256];
    ssize_t length;
    do
        length = read(fd, buffer, sizeof buffer);
    while (length > 0 || (length < 0 && errno == EINTR));
}

/* As a caller does that wants the output: a pipe, its end in the child, and everything up to end of file. */
static int spawn_with_pipe(const struct peer *peer, struct request request) {
    int ends[2];
    pid_t pid = 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    request.output = ends[1];
    int code = peer->start(&request, &pid);
    if (!peer->closes_output)
        close(ends[1]);
    if (code == 0) {
        read_to_end(ends[0]);
        code = finish(peer, pid);
    }
    close(ends[0]);
    return code;
}

int spawn_once(const struct peer *peer, enum kind kind, const struct request *request) {
    pid_t pid = 0;
    if (kind == KIND_PIPE)
        return spawn_with_pipe(peer, *request);
    int code = peer->start(request, &pid);
    return code != 0 ? code : finish(peer, pid);
}

static struct request plain_request(const char *file, char **argv, bool search) {
    argv[0] = (char *)file;
    argv[1] = NULL;
    return (struct request){.file = file, .argv = argv, .search = search, .output = -1};
}

/* The first spawn of a batch is not counted: it pays for what the peer before has left in the caches, and, after a
 * fork, for the pages that have to be copied. */
int time_spawns(const struct peer *peer, enum kind kind, const char *file, int count, uint64_t *times) {
    char *argv[2];
    struct request request = plain_request(file, argv, kind == KIND_SEARCH);
    if (peer->begin != NULL)
        peer->begin();
    int code = spawn_once(peer, kind, &request);
    for (int i = 0; i < count && code == 0; i++) {
        uint64_t start = now();
        code = spawn_once(peer, kind, &request);
        times[i] = now() - start;
    }
    if (peer->end != NULL)
        peer->end();
    return code;
}

struct spawner {
    pthread_t thread;
    pthread_barrier_t *barrier;
    const struct peer *peer;
    const char *file;
    int count;
    int code;
    uint64_t from;
    uint64_t to;
};

static void *spawn_many(void *argument) {
    struct spawner *spawner = argument;
    char *argv[2];
    struct request request = plain_request(spawner->file, argv, false);
    if (spawner->peer->begin != NULL)
        spawner->peer->begin();
    spawner->code = spawn_once(spawner->peer, KIND_EXEC, &request);
    pthread_barrier_wait(spawner->barrier);
    spawner->from = now();
    for (int i = 0; i < spawner->count && spawner->code == 0; i++)
        spawner->code = spawn_once(spawner->peer, KIND_EXEC, &request);
    spawner->to = now();
    if (spawner->peer->end != NULL)
        spawner->peer->end();
    return NULL;
}

static void join_all(struct spawner *spawners, int threads, uint64_t *elapsed, int *code) {
    uint64_t from = UINT64_MAX;
    uint64_t to = 0;
    for (int i = 0; i < threads; i++) {
        pthread_join(spawners[i].thread, NULL);
        from = spawners[i].from < from ? spawners[i].from : from;
        to = spawners[i].to > to ? spawners[i].to : to;
        *code = *code != 0 ? *code : spawners[i].code;
    }
    *elapsed = to - from;
}

/* From the first thread's start, all being ready, to the last one's end. */
int time_threads(const struct peer *peer, const char *file, int threads, int count, uint64_t *elapsed) {
    pthread_barrier_t barrier;
    struct spawner *spawners = calloc((size_t)threads, sizeof *spawners);
    int code = 0;
    if (spawners == NULL)
        return ENOMEM;
    pthread_barrier_init(&barrier, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++) {
        spawners[i] = (struct spawner){.barrier = &barrier, .peer = peer, .file = file, .count = count};
        if (pthread_create(&spawners[i].thread, NULL, spawn_many, &spawners[i]) != 0)
            abort(); /* the others would wait at the barrier for good */
    }
    join_all(spawners, threads, elapsed, &code);
    pthread_barrier_destroy(&barrier);
    free(spawners);
    return code;
}
