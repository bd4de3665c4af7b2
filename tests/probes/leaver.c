/* A server that leaves its children behind: carries out its words in their order, and ends. What it opens, its children
 * inherit, and libc's calls alone are used, as any program would.
 *
 *     leaver [WORD…]
 *
 * listen PORT      listens on the loopback; 0: on a free port. Prints "listening on PORT", or the name of the error
 * lock FILE        takes a lock on FILE, or prints the name of the error
 * system CMD
 * popen CMD        writes to CMD until "pclose"
 * spawn CMD        starts CMD with posix_spawn, through the shell, and does not wait
 * pclose           closes the popen stream, and prints "closed", or after some seconds "still waiting"
 * both CMD         twenty times at once: thread A opens a stream to "cat" and closes it, thread B starts CMD with popen
 *                  and leaves it running */
#include "probe.h"

#include <arpa/inet.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/socket.h>

static FILE *stream;

static void give_up(int number) {
    (void)number;
    static const char text[] = "still waiting\n";
    if (write(1, text, sizeof text - 1) < 0)
        _exit(99);
    _exit(1);
}

static void listen_on(const char *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    socklen_t length = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, 1) != 0)
        printf("listening: %s\n", error_name(errno));
    else if (getsockname(fd, (struct sockaddr *)&address, &length) == 0)
        printf("listening on %d\n", ntohs(address.sin_port));
}

static void lock(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    bool held = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
    printf("lock: %s\n", held ? "taken" : error_name(errno));
}

static void start(char *command) {
    char *argv[] = {(char *)"sh", (char *)"-c", command, NULL};
    pid_t pid;
    errno = posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ);
    if (errno != 0)
        die("posix_spawn");
}

static void close_stream(void) {
    set_disposition(SIGALRM, give_up);
    alarm(8);
    pclose(stream);
    alarm(0);
    puts("closed");
}

static void *open_and_close(void *unused) {
    (void)unused;
    for (int i = 0; i < 20; i++) {
        FILE *to_cat = popen("exec cat >/dev/null 2>&1", "w");
        if (to_cat == NULL || fputs("text\n", to_cat) < 0 || pclose(to_cat) != 0)
            die("popen");
    }
    return NULL;
}

static void *leave_running(void *command) {
    for (int i = 0; i < 20; i++)
        if (popen(command, "r") == NULL)
            die("popen");
    return NULL;
}

static void run_both(char *command) {
    pthread_t one, other;
    set_disposition(SIGALRM, give_up);
    alarm(30);
    if (pthread_create(&other, NULL, leave_running, command) != 0 ||
        pthread_create(&one, NULL, open_and_close, NULL) != 0)
        die("pthread_create");
    pthread_join(one, NULL);
    pthread_join(other, NULL);
    alarm(0);
    puts("all closed");
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (char **w = argv + 1; *w != NULL; w += is(*w, "pclose") ? 1 : 2) {
        if (is(w[0], "listen"))
            listen_on(w[1]);
        else if (is(w[0], "lock"))
            lock(w[1]);
        else if (is(w[0], "system") && system(w[1]) != 0)
            die("system");
        else if (is(w[0], "popen"))
            stream = popen(w[1], "w");
        else if (is(w[0], "spawn"))
            start(w[1]);
        else if (is(w[0], "pclose"))
            close_stream();
        else if (is(w[0], "both"))
            run_both(w[1]);
    }
    fflush(stdout);
    _exit(argc < 1);
}
