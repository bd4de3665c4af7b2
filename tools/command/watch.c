/* The way from a watched program to the watcher is a file in a folder of its own, which is read as it grows.
 *
 * Not a socket or a FIFO: the library waits for nobody, so that what does not fit into their buffers would be lost, in
 * a parallel build within a moment. What was read is given back to the file system at once, so that the file stays
 * small however long the program runs. */
#include "watch.h"

#include "command.h"
#include "lines.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Beside inotify, the file is looked at this often: some file systems tell nobody. */
enum { LOOK_MS = 250, PUNCH_BYTES = 4 << 20 };

struct session {
    struct watch *watch;
    char folder[PATH_MAX];
    char log[PATH_MAX + 32];
    int fd;      /* of the log */
    int changes; /* inotify, or -1 */
    int signals; /* signalfd */
    pid_t child;
    int status; /* of the child, once it has ended */
    sigset_t mask;
    struct sigaction ended, unread; /* what SIGCHLD and SIGPIPE did before */
    struct lines lines;
    struct record_reader *reader;
    uint64_t freed; /* bytes given back */
};

/* Root may watch a program that becomes another user. That user can then add to the log, whose name nobody else
 * learns, but not list the folder. */
static bool make_log(struct session *session) {
    const char *base = getenv("TMPDIR");
    bool shared = geteuid() == 0;
    int size = snprintf(session->folder, sizeof session->folder, "%s/airlock.XXXXXX",
                        base == NULL || *base != '/' ? "/tmp" : base);
    if (size >= (int)sizeof session->folder || mkdtemp(session->folder) == NULL) {
        complain("a folder for the log cannot be made in '%s': %s", base == NULL ? "/tmp" : base, strerror(errno));
        session->folder[0] = '\0';
        return false;
    }
    snprintf(session->log, sizeof session->log, "%s/records.XXXXXX", session->folder);
    session->fd = mkostemp(session->log, O_CLOEXEC);
    if (session->fd < 0 || (shared && (chmod(session->folder, 0711) != 0 || fchmod(session->fd, 0622) != 0))) {
        complain("the log '%s' cannot be made: %s", session->log, strerror(errno));
        return false;
    }
    return true;
}

static void remove_log(struct session *session) {
    if (session->folder[0] == '\0')
        return;
    unlink(session->log);
    rmdir(session->folder);
    session->folder[0] = '\0';
}

/* Whoever started airlock may ignore SIGCHLD, and then the program's status would be lost; and the end of the one who
 * reads the lines must not be the end of the watch. The program gets both signals as they were. */
static void watch_signals(struct session *session) {
    const struct sigaction reset = {.sa_handler = SIG_DFL}, ignore = {.sa_handler = SIG_IGN};
    sigset_t wanted;
    sigaction(SIGCHLD, &reset, &session->ended);
    sigaction(SIGPIPE, &ignore, &session->unread);
    sigemptyset(&wanted);
    const int signals[] = {SIGCHLD, SIGINT, SIGQUIT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaddset(&wanted, signals[i]);
    sigprocmask(SIG_BLOCK, &wanted, &session->mask);
    session->signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool open_session(struct session *session) {
    if (!make_log(session))
        return false;
    session->reader = record_reader_new();
    if (session->reader == NULL || !lines_begin(&session->lines, session->fd)) {
        complain("%s", strerror(ENOMEM));
        return false;
    }
    session->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (session->changes >= 0)
        inotify_add_watch(session->changes, session->log, IN_MODIFY);
    watch_signals(session);
    if (session->signals < 0)
        complain("signals cannot be watched: %s", strerror(errno));
    return session->signals >= 0;
}

static void close_session(struct session *session) {
    remove_log(session);
    lines_end(&session->lines);
    record_reader_free(session->reader);
    if (session->fd >= 0)
        close(session->fd);
    if (session->changes >= 0)
        close(session->changes);
    if (session->signals >= 0)
        close(session->signals);
    sigprocmask(SIG_SETMASK, &session->mask, NULL);
}

static bool start(struct session *session, char **argv) {
    fflush(NULL);
    session->child = fork();
    if (session->child != 0) {
        if (session->child < 0)
            complain("'%s' cannot be started: %s", argv[0], strerror(errno));
        return session->child > 0;
    }
    sigaction(SIGCHLD, &session->ended, NULL);
    sigaction(SIGPIPE, &session->unread, NULL);
    sigprocmask(SIG_SETMASK, &session->mask, NULL);
    if (setenv("AIRLOCK_LOG", session->log, 1) != 0 || setenv("AIRLOCK_LOG_FDS", "1", 1) != 0)
        _exit(EXIT_OWN_ERROR);
    _exit(launch(argv));
}

static void take_line(struct session *session, const struct line *line) {
    struct record record;
    if (line->overlong || record_read(session->reader, line->bytes, line->length, &record) != RECORD_GOOD) {
        session->watch->bad++;
        return;
    }
    if (record.dropped > 0)
        session->watch->dropped += (uint64_t)record.dropped;
    session->watch->take(session->watch->context, &record);
}

/* Gives back what was read. Where the file system cannot, the file grows. */
static void free_read(struct session *session) {
    uint64_t read_up_to = session->lines.offset;
    if (read_up_to - session->freed < PUNCH_BYTES)
        return;
    if (fallocate(session->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)session->freed,
                  (off_t)(read_up_to - session->freed)) == 0)
        session->freed = read_up_to;
}

static void read_log(struct session *session) {
    struct line line;
    while (lines_next(&session->lines, &line))
        take_line(session, &line);
    free_read(session);
}

/* Signals from the terminal reach the program by themselves: it is in the same process group. Those that somebody sends
 * to this process are meant for the program, too. */
static void pass_on(const struct session *session, const struct signalfd_siginfo *signal) {
    bool from_terminal = signal->ssi_code == SI_KERNEL;
    if (!from_terminal)
        kill(session->child, (int)signal->ssi_signo);
}

/* Whether the program still runs. */
static bool handle_signals(struct session *session) {
    struct signalfd_siginfo signal;
    while (read(session->signals, &signal, sizeof signal) == (ssize_t)sizeof signal) {
        if (signal.ssi_signo != SIGCHLD)
            pass_on(session, &signal);
    }
    return waitpid(session->child, &session->status, WNOHANG) == 0;
}

static void drain_changes(const struct session *session) {
    char events[4096];
    while (session->changes >= 0 && read(session->changes, events, sizeof events) > 0)
        continue;
}

static void follow(struct session *session) {
    struct pollfd sources[] = {{.fd = session->signals, .events = POLLIN}, {.fd = session->changes, .events = POLLIN}};
    while (handle_signals(session)) {
        poll(sources, 2, LOOK_MS);
        drain_changes(session);
        read_log(session);
    }
    read_log(session);
    struct line line;
    if (lines_rest(&session->lines, &line))
        take_line(session, &line);
}

static int exit_code(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int watch_program(char **argv, struct watch *watch) {
    struct session session = {.watch = watch, .fd = -1, .changes = -1, .signals = -1};
    int code = EXIT_OWN_ERROR;
    sigprocmask(SIG_BLOCK, NULL, &session.mask);
    if (open_session(&session) && start(&session, argv)) {
        watch->started = true;
        follow(&session);
        code = exit_code(session.status);
    }
    close_session(&session);
    return code;
}
