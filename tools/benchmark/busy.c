/* The stress of golang/go#22315: threads that write a script, close it and execute it. A child that another thread has
 * just made may still hold the writing descriptor, copied at the wrong moment, and then exec fails with ETXTBSY. */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct writer {
    pthread_t thread;
    const struct peer *peer;
    enum kind kind;
    const char *interpreter;
    char script[256];
    int count;
    int code;
    struct busy busy;
};

static int write_script(const struct writer *writer) {
    int fd = open(writer->script, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    if (fd < 0)
        return errno;
    int code = dprintf(fd, "#!%s\n", writer->interpreter) < 0 ? errno : 0;
    return close(fd) != 0 && code == 0 ? errno : code;
}

/* A script of its own each time, as a build does that compiles and runs. */
static void *write_and_execute(void *argument) {
    struct writer *writer = argument;
    char *argv[] = {writer->script, NULL};
    struct request request = {.file = writer->script, .argv = argv, .output = -1};
    if (writer->peer->begin != NULL)
        writer->peer->begin();
    for (int i = 0; i < writer->count && writer->code == 0; i++) {
        writer->code = write_script(writer);
        if (writer->code != 0)
            break;
        int code = spawn_once(writer->peer, writer->kind, &request);
        if (code == ETXTBSY)
            writer->busy.text_busy++;
        else if (code != 0)
            writer->busy.otherwise++;
        unlink(writer->script);
    }
    if (writer->peer->end != NULL)
        writer->peer->end();
    return NULL;
}

int stress_text_busy(const struct peer *peer, enum kind kind, const char *interpreter, const char *directory,
                     int threads, int count, struct busy *busy) {
    struct writer *writers = calloc((size_t)threads, sizeof *writers);
    int started = 0;
    int code = writers == NULL ? ENOMEM : 0;
    *busy = (struct busy){0};
    for (; started < threads && code == 0; started += code == 0) {
        struct writer *writer = &writers[started];
        *writer = (struct writer){.peer = peer, .kind = kind, .interpreter = interpreter};
        writer->count = count / threads + (started < count % threads);
        int length = snprintf(writer->script, sizeof writer->script, "%s/script-%d", directory, started);
        if (length < 0 || (size_t)length >= sizeof writer->script)
            code = ENAMETOOLONG;
        else
            code = pthread_create(&writer->thread, NULL, write_and_execute, writer);
    }
    for (int i = 0; i < started; i++) {
        pthread_join(writers[i].thread, NULL);
        busy->text_busy += writers[i].busy.text_busy;
        busy->otherwise += writers[i].busy.otherwise;
        code = code != 0 ? code : writers[i].code;
    }
    free(writers);
    return code;
}
