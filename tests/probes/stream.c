/* popen(), pclose() and fclose(): carries out its words in their order. Streams are numbered from 0 as they are made.
 *
 *     stream [WORD…]
 *
 * popen MODE CMD   fopen PATH MODE   make a stream
 * read K           prints all that stream K gives
 * write K TEXT     writes TEXT and a newline
 * flags K          prints whether its descriptor is close-on-exec
 * number K         prints the number of its descriptor
 * pclose K  fclose K  print what the function returned
 * pending WHAT     calls popen or pclose in a thread that has a cancellation request waiting
 * children         prints what children are left
 * interrupt K      sends this process a signal twenty times while pclose waits
 * count            prints whether a handler of the word "handle" has run
 * Everything else arranges the process (probe.h). */
#include "probe.h"

static FILE *streams[64];
static size_t stream_count;

static FILE *numbered(const char *number) {
    size_t k = (size_t)atoi(number);
    if (k >= stream_count || streams[k] == NULL) {
        fprintf(stderr, "stream: there is no stream %s\n", number);
        exit(99);
    }
    return streams[k];
}

static void make(const char *what, FILE *stream) {
    int code = errno;
    fprintf(say, "%s: %s\n", what, stream == NULL ? error_name(code) : "ok");
    streams[stream_count++] = stream;
}

static void open_pipe(const char *mode, const char *command) {
    static struct snapshot before, after;
    take_snapshot(&before);
    FILE *stream = popen(command, mode);
    int code = errno;
    take_snapshot(&after);
    if (stream != NULL) {
        int fd = fileno(stream);
        after.descriptor_flags[fd] = before.descriptor_flags[fd];
        after.status_flags[fd] = before.status_flags[fd];
        after.inodes[fd] = before.inodes[fd];
    }
    report_changes(&before, &after);
    errno = code;
    make("popen", stream);
}

static void read_all(const char *number) {
    FILE *stream = numbered(number);
    for (int byte; (byte = getc(stream)) != EOF;)
        putc(byte, say);
    if (ferror(stream))
        fprintf(say, "read: error\n");
}

static void finish(const char *what, const char *number) {
    FILE *stream = numbered(number);
    errno = 0;
    int status = is(what, "pclose") ? pclose(stream) : fclose(stream);
    int code = errno;
    streams[atoi(number)] = NULL;
    if (status == -1)
        fprintf(say, "%s: -1 %s\n", what, error_name(code));
    else
        print_status(what, status);
}

static void *use_cancelled(void *what) {
    pthread_cancel(pthread_self());
    if (is(what, "popen"))
        streams[stream_count] = popen("exit 3", "r");
    else if (is(what, "pclose"))
        pclose(streams[stream_count]);
    fprintf(say, "%s returned\n", (char *)what);
    pthread_testcancel();
    return NULL;
}

/* A function is a cancellation point when it does not return to a thread that is to be cancelled. */
static void try_cancellation(char *what) {
    pthread_t thread;
    if (is(what, "pclose"))
        streams[stream_count] = popen("exit 3", "r");
    if (pthread_create(&thread, NULL, use_cancelled, what) != 0)
        die("pthread_create");
    pthread_join(thread, NULL);
    if (is(what, "popen") && streams[stream_count] != NULL)
        print_status("pclose", pclose(streams[stream_count]));
    stream_count++;
    report_children();
}

static void *send_signals(void *thread) {
    for (int i = 0; i < 20; i++) {
        usleep(5000);
        pthread_kill(*(pthread_t *)thread, SIGUSR1);
    }
    return NULL;
}

static void finish_interrupted(const char *number) {
    pthread_t sender, self = pthread_self();
    set_disposition(SIGUSR1, count_signal);
    if (pthread_create(&sender, NULL, send_signals, &self) != 0)
        die("pthread_create");
    finish("pclose", number);
    pthread_join(sender, NULL);
}

static bool take_stream_word(char ***words) {
    char **w = *words;
    if (is(w[0], "read"))
        read_all(w[1]), *words += 2;
    else if (is(w[0], "write")) {
        fprintf(numbered(w[1]), "%s\n", w[2]);
        fflush(numbered(w[1]));
        *words += 3;
    } else if (is(w[0], "flags")) {
        bool set = fcntl(fileno(numbered(w[1])), F_GETFD) & FD_CLOEXEC;
        fprintf(say, "close-on-exec: %s\n", set ? "yes" : "no");
        *words += 2;
    } else if (is(w[0], "number"))
        fprintf(say, "descriptor %d\n", fileno(numbered(w[1]))), *words += 2;
    else if (is(w[0], "pclose") || is(w[0], "fclose"))
        finish(w[0], w[1]), *words += 2;
    else if (is(w[0], "interrupt"))
        finish_interrupted(w[1]), *words += 2;
    else
        return false;
    return true;
}

int main(int argc, char **argv) {
    char **words = argv + 1;
    start_reporting();
    while (*words != NULL) {
        if (is(words[0], "popen"))
            open_pipe(words[1], words[2]), words += 3;
        else if (is(words[0], "fopen"))
            make("fopen", fopen(words[1], words[2])), words += 3;
        else if (is(words[0], "pending"))
            try_cancellation(words[1]), words += 2;
        else if (is(words[0], "children"))
            report_children(), words += 1;
        else if (is(words[0], "count"))
            fprintf(say, "a handler ran: %s\n", handled > 0 ? "yes" : "no"), words += 1;
        else if (!take_stream_word(&words) && !arrange(&words)) {
            fprintf(stderr, "stream: no such word: %s\n", *words);
            return 99;
        }
    }
    return argc < 1;
}
