/* The child: prints what it was given, one line for each fact named in its arguments or, where it has no arguments, in
 * the environment variable LOOK. Exits with 0, or with N when a fact is "exit N". After "stderr" it prints there. */
#include "probe.h"

#include <sched.h>

static void print_descriptors(bool close_on_exec_too) {
    printf("descriptors:");
    for (int fd = 0; fd < HIGHEST; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags >= 0)
            printf(close_on_exec_too && (flags & FD_CLOEXEC) ? " %d*" : " %d", fd);
    }
    putchar('\n');
}

static void print_target(const char *number) {
    char link[64], target[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%s", number);
    ssize_t length = readlink(link, target, sizeof target - 1);
    if (length < 0) {
        printf("descriptor %s: closed\n", number);
        return;
    }
    target[length] = '\0';
    /* A pipe's number says nothing to a reader and differs in every run. */
    char *number_part = strchr(target, '[');
    if (target[0] != '/' && number_part != NULL)
        *number_part = '\0';
    printf("descriptor %s: %s %s\n", number, target, fcntl(atoi(number), F_GETFL) & O_APPEND ? "append" : "");
}

static void print_lowest_free(void) {
    int fd = open("/dev/null", O_RDONLY);
    printf("lowest free: %d\n", fd);
    close(fd);
}

static void print_arguments(int argc, char **argv) {
    printf("arguments: %d", argc);
    for (int i = 0; i < argc; i++)
        printf(" [%s]", argv[i]);
    putchar('\n');
}

/* The environment without what the tests themselves put there. */
static void print_environment(void) {
    for (char **entry = environ; *entry != NULL; entry++)
        if (strncmp(*entry, "LD_PRELOAD=", 11) != 0 && strncmp(*entry, "AIRLOCK_", 8) != 0)
            printf("environment: %s\n", *entry);
    if (environ[0] == NULL)
        puts("environment: empty");
}

static void print_blocked(void) {
    uint64_t mask = 0;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof mask);
    printf("blocked:");
    for (int number = 1; number <= SIGNALS; number++)
        if (mask >> (number - 1) & 1)
            print_signal(stdout, number);
    puts(mask == 0 ? " none" : "");
}

/* Without 32 and 33, which are libc's own and differ between its versions. */
static void print_ignored(void) {
    bool any = false;
    printf("ignored:");
    for (int number = 1; number <= SIGNALS; number++) {
        struct kernel_action action = {0};
        syscall(SYS_rt_sigaction, number, NULL, &action, sizeof(uint64_t));
        if (action.handler != (unsigned long)SIG_IGN || number == 32 || number == 33)
            continue;
        print_signal(stdout, number);
        any = true;
    }
    puts(any ? "" : " none");
}

static const char *whose(pid_t mine, pid_t parents) {
    if (mine == getpid())
        return "own";
    return mine == parents ? "the parent's" : "another";
}

static void print_scheduling(void) {
    struct sched_param parameter;
    int policy = sched_getscheduler(0);
    sched_getparam(0, &parameter);
    const char *names[] = {"OTHER", "FIFO", "RR", "BATCH", "4", "IDLE"};
    printf("scheduling: %s %d\n", policy >= 0 && policy < 6 ? names[policy] : "?", parameter.sched_priority);
}

static void print_ids(void) {
    uid_t uid[3];
    gid_t gid[3];
    getresuid(&uid[0], &uid[1], &uid[2]);
    getresgid(&gid[0], &gid[1], &gid[2]);
    printf("users: %u %u groups: %u %u\n", uid[0], uid[1], gid[0], gid[1]);
}

static void print_process(const char *fact) {
    char directory[4096];
    if (is(fact, "directory"))
        printf("directory: %s\n", getcwd(directory, sizeof directory) == NULL ? "?" : directory);
    else if (is(fact, "group"))
        printf("group: %s\n", whose(getpgrp(), getpgid(getppid())));
    else if (is(fact, "session"))
        printf("session: %s\n", whose(getsid(0), getsid(getppid())));
    else if (is(fact, "scheduling"))
        print_scheduling();
    else if (is(fact, "ids"))
        print_ids();
    else
        printf("no such fact: %s\n", fact);
}

/* Prints the fact at *facts and moves to the next. */
static void print_fact(char ***facts, int argc, char **argv) {
    char *fact = *(*facts)++;
    if (is(fact, "descriptors"))
        print_descriptors(false);
    else if (is(fact, "flags"))
        print_descriptors(true);
    else if (is(fact, "target"))
        print_target(*(*facts)++);
    else if (is(fact, "arguments"))
        print_arguments(argc, argv);
    else if (is(fact, "environment"))
        print_environment();
    else if (is(fact, "blocked"))
        print_blocked();
    else if (is(fact, "ignored"))
        print_ignored();
    else if (is(fact, "stderr"))
        dup2(2, 1);
    else if (is(fact, "say"))
        puts(*(*facts)++);
    else if (is(fact, "lowest"))
        print_lowest_free();
    else if (is(fact, "foreground"))
        printf("foreground: %s\n", tcgetpgrp(atoi(*(*facts)++)) == getpgrp() ? "yes" : "no");
    else if (is(fact, "exit"))
        exit(atoi(*(*facts)++));
    else
        print_process(fact);
}

int main(int argc, char **argv) {
    static char *from_environment[64];
    char **facts = argc > 1 ? argv + 1 : from_environment;
    if (argc <= 1) {
        char *rest = getenv("LOOK");
        rest = strdup(rest == NULL ? "arguments" : rest);
        for (size_t i = 0; i < 63 && (from_environment[i] = strsep(&rest, " ")) != NULL; i++)
            continue;
    }
    while (*facts != NULL)
        print_fact(&facts, argc, argv);
    return 0;
}
