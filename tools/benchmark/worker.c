/* A worker's dialogue with the driver: one request a line on standard input, one answer a line on standard output.
 *
 *     peers                             -> ok NAME...
 *     descriptors N                     -> ok             0 to N-1 are open from now on
 *     memory BYTES                      -> ok             that much is resident from now on
 *     spawn PEER KIND FILE N            -> ok NS...       kind: exec, search or pipe
 *     threads PEER FILE THREADS N       -> ok NS          for N spawns in each thread
 *     busy PEER KIND FILE DIR THREADS N -> ok ETXTBSY OTHER
 *     calls NAME WAY N                  -> ok NS          for N calls of fcntl, dup2, dup3 or ioctl; WAY: bound or libc
 *     append FILE N                     -> ok NS          for N times opening FILE, appending to it and closing it
 *
 * Whatever cannot be done is answered with "error TEXT". */
#include "worker.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORDS = 8, MAX_SPAWNS = 5000, MAX_THREADS = 256 };

static const struct peer *find_peer(const char *name) {
    for (const struct peer *const *peer = peers; *peer != NULL; peer++)
        if (strcmp((*peer)->name, name) == 0)
            return *peer;
    return NULL;
}

static int answer(int code) {
    if (code != 0)
        printf("error %s\n", strerror(code));
    return code;
}

static int answer_time(int code, uint64_t elapsed) {
    if (code == 0)
        printf("ok %" PRIu64 "\n", elapsed);
    return answer(code);
}

static int list_peers(void) {
    fputs("ok", stdout);
    for (const struct peer *const *peer = peers; *peer != NULL; peer++)
        printf(" %s", (*peer)->name);
    putchar('\n');
    return 0;
}

/* The kind of that name, or -1. */
static int find_kind(const char *name) {
    static const char *const kinds[] = {[KIND_EXEC] = "exec", [KIND_SEARCH] = "search", [KIND_PIPE] = "pipe"};
    for (int kind = KIND_EXEC; kind <= KIND_PIPE; kind++)
        if (strcmp(kinds[kind], name) == 0)
            return kind;
    return -1;
}

static int answer_spawn(char **words) {
    static uint64_t times[MAX_SPAWNS];
    const struct peer *peer = find_peer(words[1]);
    int kind = find_kind(words[2]);
    int count = atoi(words[4]);
    if (peer == NULL || kind < 0 || count < 1 || count > MAX_SPAWNS)
        return answer(EINVAL);
    int code = time_spawns(peer, (enum kind)kind, words[3], count, times);
    if (code != 0)
        return answer(code);
    fputs("ok", stdout);
    for (int i = 0; i < count; i++)
        printf(" %" PRIu64, times[i]);
    putchar('\n');
    return 0;
}

static int answer_threads(char **words) {
    uint64_t elapsed = 0;
    const struct peer *peer = find_peer(words[1]);
    int threads = atoi(words[3]);
    int count = atoi(words[4]);
    if (peer == NULL || threads < 1 || threads > MAX_THREADS || count < 1)
        return answer(EINVAL);
    int code = time_threads(peer, words[2], threads, count, &elapsed);
    return answer_time(code, elapsed);
}

static int answer_calls(char **words) {
    uint64_t elapsed = 0;
    int count = atoi(words[3]);
    if (count < 1)
        return answer(EINVAL);
    int code = time_calls(words[1], words[2], count, &elapsed);
    return answer_time(code, elapsed);
}

static int answer_appends(char **words) {
    uint64_t elapsed = 0;
    int count = atoi(words[2]);
    int code = count < 1 ? EINVAL : time_appends(words[1], count, &elapsed);
    return answer_time(code, elapsed);
}

static int answer_busy(char **words) {
    struct busy busy;
    const struct peer *peer = find_peer(words[1]);
    int kind = find_kind(words[2]);
    int threads = atoi(words[5]);
    int count = atoi(words[6]);
    if (peer == NULL || kind < 0 || threads < 1 || threads > MAX_THREADS || count < 1)
        return answer(EINVAL);
    int code = stress_text_busy(peer, (enum kind)kind, words[3], words[4], threads, count, &busy);
    if (code != 0)
        return answer(code);
    printf("ok %d %d\n", busy.text_busy, busy.otherwise);
    return 0;
}

static int answer_holding(int code) {
    if (code != 0)
        return answer(code);
    puts("ok");
    return 0;
}

static int answer_request(char **words, int count) {
    if (count == 1 && strcmp(words[0], "peers") == 0)
        return list_peers();
    if (count == 2 && strcmp(words[0], "descriptors") == 0)
        return answer_holding(hold_descriptors(atoi(words[1])));
    if (count == 2 && strcmp(words[0], "memory") == 0)
        return answer_holding(hold_memory(strtoull(words[1], NULL, 10)));
    if (count == 5 && strcmp(words[0], "spawn") == 0)
        return answer_spawn(words);
    if (count == 5 && strcmp(words[0], "threads") == 0)
        return answer_threads(words);
    if (count == 7 && strcmp(words[0], "busy") == 0)
        return answer_busy(words);
    if (count == 4 && strcmp(words[0], "calls") == 0)
        return answer_calls(words);
    if (count == 3 && strcmp(words[0], "append") == 0)
        return answer_appends(words);
    return answer(EINVAL);
}

int main(void) {
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        char *words[MAX_WORDS];
        int count = 0;
        char *rest = NULL;
        for (char *word = strtok_r(line, " \n", &rest); word != NULL && count < MAX_WORDS;
             word = strtok_r(NULL, " \n", &rest))
            words[count++] = word;
        answer_request(words, count);
        fflush(stdout);
    }
    free(line);
    return 0;
}
