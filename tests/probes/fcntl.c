/* fcntl, ioctl, dup2 and dup3 as any program uses them, with every type of argument that they take: prints what each
 * call returned and errno, so that the output with and without the preload can be compared. */
#undef _FILE_OFFSET_BITS /* with it, fcntl would be another name of fcntl64 */
#include "probe.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

static char file_name[] = "/tmp/fcntl-XXXXXX";

/* errno after a success is what it was before. */
static void report(const char *what, long result, int code) {
    printf("%s: %ld %s\n", what, result, code == 4242 ? "untouched" : error_name(code));
}

#define CALL(expression)                                                                                               \
    do {                                                                                                               \
        errno = 4242;                                                                                                  \
        long result_of_call = (expression);                                                                            \
        report(#expression, result_of_call, errno);                                                                    \
    } while (0)

static void print_lock(const struct flock *lock) {
    printf("lock: %d %d %ld %ld %d\n", lock->l_type, lock->l_whence, (long)lock->l_start, (long)lock->l_len,
           lock->l_pid != 0);
}

static void use_locks(int fd) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 10};
    struct flock asked = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    CALL(fcntl(fd, F_SETLK, &lock));
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        CALL(fcntl(fd, F_GETLK, &asked));
        print_lock(&asked);
        CALL(fcntl(fd, F_SETLK, &lock));
        CALL(fcntl64(fd, F_GETLK, &asked));
        fflush(stdout);
        _exit(0);
    }
    wait_for(pid, &status);
    CALL(fcntl(fd, F_OFD_SETLK, &asked));
    lock.l_type = F_UNLCK;
    CALL(fcntl(fd, F_SETLKW, &lock));
    CALL(fcntl(fd, F_OFD_SETLKW, &asked));
    asked.l_type = F_UNLCK;
    CALL(fcntl(fd, F_OFD_SETLK, &asked));
}

static void use_owners(int fd) {
    struct f_owner_ex owner = {.type = F_OWNER_PGRP, .pid = getpgrp()};
    CALL(fcntl(fd, F_SETOWN, getpid()));
    printf("owner is this process: %d\n", fcntl(fd, F_GETOWN) == getpid());
    CALL(fcntl(fd, F_SETOWN_EX, &owner));
    printf("owner is this group: %d\n", fcntl(fd, F_GETOWN) == -getpgrp());
    CALL(fcntl(fd, F_GETOWN_EX, &owner));
    CALL(fcntl(fd, F_SETSIG, SIGUSR2));
    CALL(fcntl(fd, F_GETSIG));
}

static void use_flags(int fd) {
    CALL(fcntl(fd, F_GETFD));
    CALL(fcntl(fd, F_SETFD, FD_CLOEXEC));
    CALL(fcntl(fd, F_GETFD));
    CALL(fcntl(fd, F_SETFD, 0L));
    CALL(fcntl(fd, F_GETFD));
    CALL(fcntl(fd, F_GETFL) & O_ACCMODE);
    CALL(fcntl(fd, F_SETFL, O_NONBLOCK | O_APPEND));
    CALL(fcntl64(fd, F_GETFL) & (O_NONBLOCK | O_APPEND));
    CALL(fcntl(fd, F_DUPFD, 50));
    CALL(fcntl(fd, F_DUPFD_CLOEXEC, 50));
    CALL(fcntl(51, F_GETFD));
    CALL(fcntl(-1, F_SETFD, 0));
    CALL(fcntl(fd, 12345, 0));
    CALL(fcntl(fd, F_GETLK, NULL));
}

static void use_ioctls(void) {
    int ends[2], waiting = -1, on = 1;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || write(ends[0], "seven..", 7) != 7)
        die("socketpair");
    CALL(ioctl(ends[1], FIONREAD, &waiting));
    printf("waiting: %d\n", waiting);
    CALL(ioctl(ends[1], FIONBIO, &on));
    CALL(ioctl(ends[1], FIONCLEX));
    CALL(ioctl(ends[1], FIOCLEX));
    CALL(fcntl(ends[1], F_GETFD));
    CALL(ioctl(ends[1], TIOCGWINSZ, &on));
    CALL(ioctl(-1, FIONCLEX));
    CALL(ioctl(ends[1], 0x12345678UL, 99L));
    close(ends[0]);
    close(ends[1]);
}

static void use_duplicates(int fd) {
    CALL(dup2(fd, 60));
    CALL(dup2(60, 60));
    CALL(dup2(-1, 61));
    CALL(dup2(99, 99));
    CALL(dup2(fd, -1));
    CALL(dup2(fd, 1 << 30));
    CALL(dup3(fd, 62, O_CLOEXEC));
    CALL(fcntl(62, F_GETFD));
    CALL(dup3(fd, 63, 0));
    CALL(fcntl(63, F_GETFD));
    CALL(dup3(fd, fd, 0));
    CALL(dup3(fd, 64, O_APPEND));
}

/* The lock that a child holds makes this thread wait until it is cancelled. */
static void *wait_for_lock(void *file) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, NULL);
    fcntl(*(int *)file, F_SETLKW, &lock);
    return NULL;
}

static void cancel_a_waiting_thread(int fd) {
    int locked[2], status;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char byte = 0;
    if (pipe(locked) != 0)
        die("pipe");
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (fcntl(fd, F_SETLK, &lock) != 0 || write(locked[1], "x", 1) != 1)
            _exit(1);
        pause();
        _exit(0);
    }
    close(locked[1]);
    pthread_t thread;
    void *result = NULL;
    if (read(locked[0], &byte, 1) != 1 || pthread_create(&thread, NULL, wait_for_lock, &fd) != 0)
        die("thread");
    pthread_cancel(thread);
    pthread_join(thread, &result);
    printf("cancelled while it waited for a lock: %d\n", result == PTHREAD_CANCELED);
    kill(pid, SIGKILL);
    wait_for(pid, &status);
}

int main(void) {
    int fd = mkstemp(file_name);
    if (fd < 0)
        die(file_name);
    unlink(file_name);
    use_flags(fd);
    use_locks(fd);
    use_owners(fd);
    use_ioctls();
    use_duplicates(fd);
    cancel_a_waiting_thread(fd);
    return 0;
}
