/* Where records go. The program that records are written about must not notice: nothing stays open, nothing blocks, no
 * signal is raised, and a place that cannot take a record costs it that record and nothing more. */
#include "log.h"

#include "policy.h"
#include "statx.h"
#include "syscall.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum kind { KIND_NONE, KIND_FILE, KIND_SOCKET, KIND_STDERR };

enum {
    FILE_LIMIT = 16384,
    PIPE_LIMIT = 4096, /* PIPE_BUF: what a pipe takes whole */
};

static struct {
    enum kind kind;
    bool descriptors;
    char *path; /* absolute: the program may change its directory; PATH_MAX bytes, mapped only when there is a log */
} place;

static _Atomic uint64_t dropped;

/* Half a record of this process stands at the end of what was written. A word: riscv64 exchanges no bytes without
 * libatomic. */
static _Atomic int torn;

/* Copied at load, because a program may change or free its environment. */
static bool remember_path(const char *path) {
    size_t used = 0;
    place.path = raw_map(PATH_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    if (place.path == NULL)
        return false;
    if (path[0] != '/') {
        long length = raw2(SYS_getcwd, place.path, PATH_MAX - 1); /* with its NUL */
        if (length <= 0)
            return false;
        used = (size_t)length;
        place.path[used - 1] = '/';
    }
    size_t length = strlen(path);
    if (length == 0 || used + length >= PATH_MAX)
        return false;
    memcpy(place.path + used, path, length + 1);
    return true;
}

static const char *variable(const char *name_and_sign) {
    size_t length = strlen(name_and_sign);
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
        if (strncmp(*entry, name_and_sign, length) == 0)
            return *entry + length;
    return NULL;
}

__attribute__((constructor)) static void read_place(void) {
    if (!policy_is_in_environment() || policy()->mode == MODE_OFF)
        return;
    const char *value = variable("AIRLOCK_LOG=");
    const char *descriptors = variable("AIRLOCK_LOG_FDS=");
    enum kind kind = KIND_FILE;
    if (value == NULL || *value == '\0')
        return;
    if (strcmp(value, "stderr") == 0) {
        place.kind = KIND_STDERR;
    } else {
        if (strncmp(value, "unix:", 5) == 0) {
            kind = KIND_SOCKET;
            value += 5;
        }
        if (remember_path(value))
            place.kind = kind;
    }
    place.descriptors = descriptors != NULL && strcmp(descriptors, "1") == 0;
}

bool log_is_wanted(void) {
    return place.kind != KIND_NONE;
}

bool log_wants_descriptors(void) {
    return place.descriptors;
}

size_t log_record_limit(void) {
    return place.kind == KIND_STDERR ? PIPE_LIMIT : FILE_LIMIT;
}

uint64_t log_dropped(void) {
    return atomic_load_explicit(&dropped, memory_order_relaxed);
}

void log_told(uint64_t count) {
    atomic_fetch_sub_explicit(&dropped, count, memory_order_relaxed);
}

/* Through a link only when it belongs to this user or to root: in a shared folder somebody else could have put it. */
static long open_log(void) {
    const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    long fd = raw4(SYS_openat, AT_FDCWD, place.path, flags | O_NOFOLLOW, 0600);
    if (fd != -ELOOP)
        return fd;
    struct statx link = {.stx_uid = 0};
    long result = raw5(SYS_statx, AT_FDCWD, place.path, AT_SYMLINK_NOFOLLOW, STATX_UID, &link);
    bool trusted = result == 0 && (link.stx_uid == (unsigned)raw0(SYS_AIRLOCK_geteuid) || link.stx_uid == 0);
    return trusted ? raw4(SYS_openat, AT_FDCWD, place.path, flags, 0600) : -ELOOP;
}

/* On a disk that is nearly full the beginning of a record may be all that fits. The next one must not be lost with it,
 * so it ends that line first, in the same write. */
static bool write_whole(long fd, const char *record, size_t length) {
    bool after_half = atomic_exchange_explicit(&torn, 0, memory_order_relaxed) != 0;
    const struct iovec parts[] = {{(char *)"\n", 1}, {(char *)record, length}};
    long written = after_half ? raw3(SYS_writev, fd, parts, 2) : raw3(SYS_write, fd, record, length);
    if (written == (long)length + after_half)
        return true;
    if (written > 0 || after_half)
        atomic_store_explicit(&torn, 1, memory_order_relaxed);
    return false;
}

static bool write_to_file(const char *record, size_t length) {
    long fd = open_log();
    if (fd < 0)
        return false;
    bool whole = write_whole(fd, record, length);
    raw_close((int)fd);
    return whole;
}

static bool write_to_socket(const char *record, size_t length) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t path_length = strlen(place.path);
    if (path_length >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, place.path, path_length);
    long fd = raw3(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    long sent = raw6(SYS_sendto, fd, (long)record, (long)length, MSG_NOSIGNAL, (long)&address, sizeof address);
    raw_close((int)fd);
    return sent == (long)length;
}

/* The program's own stderr may be a pipe whose reader has stopped. A pipe that is ready takes PIPE_BUF bytes. */
static bool write_to_stderr(const char *record, size_t length) {
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    struct timespec no_time = {0, 0};
    long count = raw5(SYS_ppoll, &ready, 1, &no_time, 0, 0);
    if (count != 1 || !(ready.revents & POLLOUT))
        return false;
    return write_whole(STDERR_FILENO, record, length);
}

static bool write_somewhere(const char *record, size_t length) {
    switch (place.kind) {
    case KIND_FILE:
        return write_to_file(record, length);
    case KIND_SOCKET:
        return write_to_socket(record, length);
    case KIND_STDERR:
        return write_to_stderr(record, length);
    case KIND_NONE:
        break;
    }
    return true;
}

/* A reader that is gone or a file that is full would raise SIGPIPE or SIGXFSZ in this thread: with every signal
 * blocked it stays pending and is taken away, unless one was pending before, as it can only where it is blocked. */
void log_write(const char *record, size_t length) {
    const airlock_signals all = ~(airlock_signals)0;
    const airlock_signals raised = AIRLOCK_SIGNAL(SIGPIPE) | AIRLOCK_SIGNAL(SIGXFSZ);
    airlock_signals old = 0, before = 0, after = 0;
    struct timespec no_time = {0, 0};
    if (raw4(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, sizeof all) < 0) {
        atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
        return;
    }
    if ((old & raised) != 0)
        raw2(SYS_rt_sigpending, &before, sizeof before);
    if (!write_somewhere(record, length)) {
        atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
        raw2(SYS_rt_sigpending, &after, sizeof after);
        airlock_signals ours = after & ~before & raised;
        if (ours != 0)
            raw4(SYS_rt_sigtimedwait, &ours, 0, &no_time, sizeof ours);
    }
    /* Once more when it is refused: the program must not be left deaf to signals. */
    for (int i = 0; i < 2 && raw4(SYS_rt_sigprocmask, SIG_SETMASK, &old, 0, sizeof old) < 0; i++)
        continue;
}
