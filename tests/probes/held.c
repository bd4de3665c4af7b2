/* Holds a child still in the middle of its way to exec: one of its file actions opens a FIFO, which waits for a writer.
 * What can be done to a child at that moment is the subject.
 *
 *     held FIFO WHAT [ids]
 *
 * blocked     prints which signals the child does not block
 * handler     sends it a signal that this process handles
 * kill        kills it
 * spawn       another thread spawns meanwhile
 * stop        the same, while the child is stopped as by a debugger
 * descriptor  this process opens a descriptor meanwhile
 * orphan      the parent dies meanwhile, and the next action of the child fails
 * "ids" asks for RESETIDS, which makes the child in another way. */
#include "probe.h"

#include <dirent.h>
#include <spawn.h>
#include <sys/prctl.h>

static const char *fifo;
static char look[4096];
static bool with_ids, failing;
static int spawn_error, spawn_status;

static void *spawn_held(void *unused) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t pid;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 9, fifo, O_RDONLY, 0);
    if (failing)
        posix_spawn_file_actions_adddup2(&actions, 77, 78);
    posix_spawn_file_actions_addclose(&actions, 9);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, (short)(with_ids ? POSIX_SPAWN_RESETIDS : 0));
    char *arguments[] = {look, "descriptors", NULL};
    spawn_error = posix_spawn(&pid, look, &actions, &attributes, arguments, environ);
    if (spawn_error == 0)
        wait_for(pid, &spawn_status);
    return unused;
}

/* A field of a process's status file as text, without the blanks before it. */
static bool status_field(pid_t pid, const char *name, char *value, size_t size) {
    char path[64], line[256];
    bool found = false;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *in = fopen(path, "re");
    if (in == NULL)
        return false;
    while (!found && fgets(line, sizeof line, in) != NULL)
        if (strncmp(line, name, strlen(name)) == 0) {
            snprintf(value, size, "%s", line + strlen(name) + strspn(line + strlen(name), " \t"));
            found = true;
        }
    fclose(in);
    return found;
}

static bool is_waiting_child(pid_t pid, pid_t parent) {
    char value[64];
    return pid > 0 && status_field(pid, "PPid:", value, sizeof value) && atoi(value) == parent &&
           status_field(pid, "State:", value, sizeof value) && value[0] == 'S';
}

/* The child of parent that sleeps, seen twice: it can only be waiting for the FIFO. */
static pid_t find_held(pid_t parent) {
    pid_t seen = 0;
    for (int tries = 0; tries < 3000; tries++, usleep(3000)) {
        pid_t found = 0;
        DIR *processes = opendir("/proc");
        if (processes == NULL)
            die("/proc");
        for (struct dirent *entry; found == 0 && (entry = readdir(processes)) != NULL;)
            if (is_waiting_child(atoi(entry->d_name), parent))
                found = atoi(entry->d_name);
        closedir(processes);
        if (found != 0 && found == seen)
            return found;
        seen = found;
    }
    fputs("held: the child never waited\n", stderr);
    exit(99);
}

/* Lets the child go on. A child that was stopped and continued is not always at its open again, and one that was killed
 * never will be. */
static void release(pid_t child) {
    char state[64];
    for (int tries = 0; tries < 3000; tries++, usleep(1000)) {
        int fd = open(fifo, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd >= 0) {
            close(fd);
            return;
        }
        if (!status_field(child, "State:", state, sizeof state) || state[0] == 'Z')
            return;
    }
}

static void print_not_blocked(pid_t child) {
    char value[64];
    status_field(child, "SigBlk:", value, sizeof value);
    uint64_t mask = strtoull(value, NULL, 16);
    fputs("not blocked:", say);
    for (int number = 1; number <= SIGNALS; number++)
        if (!(mask >> (number - 1) & 1))
            print_signal(say, number);
    fputc('\n', say);
}

static void spawn_another(void) {
    pid_t pid;
    int status = 0;
    char *arguments[] = {look, "say", "the other child runs", NULL};
    int error = posix_spawn(&pid, look, NULL, NULL, arguments, environ);
    if (error == 0)
        wait_for(pid, &status);
    fprintf(say, "the other spawn: %s\n", error_name(error));
    print_status("the other child", status);
}

static void act(const char *what, pid_t child) {
    if (is(what, "blocked"))
        print_not_blocked(child);
    else if (is(what, "handler"))
        kill(child, SIGUSR1);
    else if (is(what, "kill"))
        kill(child, SIGKILL);
    else if (is(what, "stop"))
        kill(child, SIGSTOP);
    else if (is(what, "descriptor"))
        have_descriptor(42, "/dev/null", false);
    if (is(what, "spawn") || is(what, "stop"))
        spawn_another();
    if (is(what, "stop"))
        kill(child, SIGCONT);
}

/* This process watches: its child is the parent that dies, whose orphan comes back here. */
static void orphan(void) {
    int status = 0;
    failing = true;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t parent = fork();
    if (parent == 0) {
        signal(SIGPIPE, SIG_IGN);
        spawn_held(NULL);
        _exit(0);
    }
    pid_t child = find_held(parent);
    kill(parent, SIGKILL);
    wait_for(parent, &status);
    print_status("the parent", status);
    release(child);
    wait_for(child, &status);
    fprintf(say, "the orphan: %s\n", WIFEXITED(status) && WEXITSTATUS(status) != 0 ? "ended by itself" : "?");
}

int main(int argc, char **argv) {
    if (argc < 3)
        return 99;
    start_reporting();
    alarm(20);
    fifo = argv[1];
    with_ids = is(argv[3], "ids");
    if (with_ids)
        differ_in_ids();
    snprintf(look, sizeof look, "%s/look", getenv("PROBES"));
    if (is(argv[2], "orphan")) {
        orphan();
        return 0;
    }
    set_disposition(SIGUSR1, count_signal);
    pthread_t thread;
    if (pthread_create(&thread, NULL, spawn_held, NULL) != 0)
        die("pthread_create");
    pid_t child = find_held(getpid());
    act(argv[2], child);
    release(child);
    pthread_join(thread, NULL);
    fprintf(say, "spawn: %s\n", error_name(spawn_error));
    if (spawn_error == 0)
        print_status("child", spawn_status);
    fprintf(say, "handlers ran: %d\n", (int)handled);
    report_children();
    return 0;
}
