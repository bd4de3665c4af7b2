/* What the kernel refuses while a child is made, fed or waited for: each case needs a number, a piece of memory or a
 * call that a limit or the filter around this probe takes away. */
#include "library.h"

#include <semaphore.h>

static char witness[4096];
static char ends_with_7[] = "7";

#define WITNESS(numbers) .argv = (char *[]){witness, ends_with_7, (char *)(numbers), NULL}, .seal = AIRLOCK_SEAL

static uint64_t before[2]; /* soft and hard */

/* By prlimit: the type of getrlimit's first argument is another one in each libc. */
static void lower(int resource, uint64_t to) {
    syscall(SYS_prlimit64, 0, resource, NULL, before);
    syscall(SYS_prlimit64, 0, resource, (uint64_t[]){to, before[1]}, NULL);
}

static void restore(int resource) {
    syscall(SYS_prlimit64, 0, resource, before, NULL);
}

/* ---- Numbers. */

/* Room for one descriptor more each time, until three streams fit. */
static void streams(void) {
    static const struct airlock_stream kinds[][3] = {
        {{AIRLOCK_STREAM_PIPE, 0}, {AIRLOCK_STREAM_PIPE, 0}, {AIRLOCK_STREAM_PIPE, 0}},
        {{AIRLOCK_STREAM_NULL, 0}, {AIRLOCK_STREAM_NULL, 0}, {AIRLOCK_STREAM_NULL, 0}}};
    for (size_t kind = 0; kind < 2; kind++) {
        for (rlim_t room = 0; room <= 7; room++) {
            struct airlock_command command = {WITNESS("0-2")};
            struct airlock_process process = AIRLOCK_PROCESS_NONE;
            struct airlock_error error;
            int status = 0;
            lower(RLIMIT_NOFILE, 3 + room);
            int code = airlock_process_start(&command, kinds[kind], &process, &error, NULL);
            restore(RLIMIT_NOFILE);
            if (code == 0)
                airlock_process_wait(&process, &status);
            printf("%s%s", code == 0 ? words(status) : text_of(&error, &command), room < 7 ? ", " : "\n");
            airlock_process_close(&process);
        }
    }
}

/* Pipes that get the numbers of the standard streams, and no others to move to. */
static void low_pipes(void) {
    int ends[2] = {-7, -7}, saved[3], codes[3];
    for (int fd = 0; fd < 3; fd++) {
        saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 20);
        close(fd);
    }
    for (rlim_t room = 0; room < 3; room++) {
        lower(RLIMIT_NOFILE, 3 + room);
        codes[room] = airlock_pipe(ends);
        restore(RLIMIT_NOFILE);
    }
    close(ends[0]);
    close(ends[1]);
    for (int fd = 0; fd < 3; fd++) {
        dup2(saved[fd], fd);
        close(saved[fd]);
    }
    printf("%s, %s, %s\n", error_name(codes[0]), error_name(codes[1]), error_name(codes[2]));
    printf("the ends are %d and %d\n", ends[0], ends[1]);
}

/* Streams that change places, while no number above all that is kept can be had. */
static void swap(void) {
    struct airlock_command command = {WITNESS("0-2,63"), .stdio = (int[]){1, 0, 2}, .keep = (int[]){63},
                                      .keep_count = 1};
    dup2(0, 63);
    lower(RLIMIT_NOFILE, 64);
    spawn_and_tell(&command);
    restore(RLIMIT_NOFILE);
    close(63);
}

/* The command names every number that the report of its first child could have. */
static void report(void) {
    struct airlock_action actions[12];
    for (int i = 0; i < 12; i++)
        actions[i] = AIRLOCK_DUP2(0, 4 + i);
    struct airlock_command command = {WITNESS("0-2,4-15"), .actions = actions, .action_count = 12};
    lower(RLIMIT_NOFILE, 16);
    spawn_and_tell(&command);
    restore(RLIMIT_NOFILE);
}

/* Opens what is not open yet from 3 up to last, and closes the same. */
static uint64_t taken;

static void take_up_to(int last) {
    for (int fd = 3; fd <= last; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        dup2(0, fd);
        taken |= (uint64_t)1 << fd;
    }
}

static void give_back(void) {
    for (int fd = 3; fd < 64; fd++)
        if (taken & (uint64_t)1 << fd)
            close(fd);
    errno = 4711;
}

/* Every number is in use, some of them by what the child keeps. */
static void full(void) {
    struct airlock_command command = {WITNESS("0-3,5"), .keep = (int[]){3, 5}, .keep_count = 2};
    take_up_to(15);
    lower(RLIMIT_NOFILE, 16);
    spawn_and_tell(&command);
    restore(RLIMIT_NOFILE);
    give_back();
}

/* Told by a program that asks for each number. */
static void leaks(void) {
    char numbers[sizeof witness];
    strcpy(numbers, witness);
    strcpy(strrchr(numbers, '/'), "/numbers");
    take_up_to(8);
    spawn_and_tell(&(struct airlock_command){
        .argv = (char *[]){numbers, NULL}, .seal = AIRLOCK_SEAL, .keep = (int[]){5}, .keep_count = 1});
    give_back();
}

/* ---- High numbers, which are brought over one by one where nothing is in the way. */

enum { HIGH = 3000, HIGH_COUNT = 20 };

static void high(void) {
    struct airlock_action actions[HIGH_COUNT];
    int count = HIGH_COUNT;
    struct airlock_command command = {WITNESS("0-2,5"), .actions = actions, .action_count = 2,
                                      .flags = AIRLOCK_IN_ORDER};
    spawn_and_tell(&(struct airlock_command){WITNESS("0-2")}); /* from the second on, no report is in the way */
    for (int i = 0; i < HIGH_COUNT; i++)
        fcntl(0, F_DUPFD_CLOEXEC, HIGH + i);
    actions[0] = AIRLOCK_DUP2(HIGH, 5);
    actions[1] = AIRLOCK_CLOSEFROM(6);
    spawn_and_tell(&command);
    command.stdio = (int[]){HIGH, 1, 2};
    actions[0] = AIRLOCK_OPEN(5, "/dev/null", O_RDONLY, 0);
    spawn_and_tell(&command);
    command.stdio = NULL;
    actions[0] = AIRLOCK_OPEN(HIGH, "/dev/null", O_RDONLY, 0);
    actions[1] = AIRLOCK_DUP2(HIGH, 5);
    spawn_and_tell(&command);
    for (int i = 0; i < count; i++)
        actions[i] = AIRLOCK_DUP2(HIGH + i, 5);
    command.action_count = (size_t)count;
    spawn_and_tell(&command);
    command.action_count = 0;
    command.argv = (char *[]){witness, ends_with_7, (char *)"0-2", NULL};
    command.stdio = (int[]){0, 1, HIGH + 500};
    spawn_and_tell(&command);
    command.stdio = NULL;
    command.keep = (int[]){HIGH};
    command.keep_count = 1;
    command.flags |= AIRLOCK_MAKE_INHERITABLE;
    spawn_and_tell(&command);
    command.keep = (int[]){77};
    spawn_and_tell(&command);
    for (int i = 0; i < count; i++)
        close(HIGH + i);
    errno = 4711;
}

static int status_of(struct airlock_command command) {
    struct airlock_child child;
    int status = -1;
    if (airlock_spawn(&command, &child, NULL, NULL) == 0)
        wait_for(child.pid, &status);
    return status;
}

/* Children of a parent that has closed its standard streams, or one of them, and has a full word of the kernel's table
 * of numbers: whether a cut empties that is found out with a duplicate of one of the three. */
static void without_streams(void) {
    enum { WORD = 64 };
    int saved[3], statuses[2] = {0};
    for (int fd = 0; fd < 3; fd++)
        saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 400);
    for (int fd = WORD; fd < 2 * WORD; fd++)
        dup2(saved[0], fd);
    for (int fd = 0; fd < 3; fd++)
        close(fd);
    statuses[0] = status_of((struct airlock_command){WITNESS("")});
    dup2(saved[1], 1);
    dup2(saved[2], 2);
    statuses[1] = status_of((struct airlock_command){WITNESS("1-2")});
    dup2(saved[0], 0);
    for (int fd = 0; fd < 3; fd++)
        close(saved[fd]);
    for (int fd = WORD; fd < 2 * WORD; fd++)
        close(fd);
    printf("%s, ", words(statuses[0]));
    printf("%s\n", words(statuses[1]));
}

/* The first child of a program that had a second thread. */
static void threaded(void) {
    spawn_and_tell(&(struct airlock_command){WITNESS("0-2")});
}

/* ---- Memory. */

enum { MANY = 1000, WORDS = 200 };

/* Room for MANY + 1 ranges is mapped, 8,008 bytes of it; the shell's arguments are 1,624 bytes where a word has eight.
 */
static void mapped(void) {
    static int keep[MANY];
    static char *arguments[WORDS + 1];
    struct airlock_command many = {WITNESS("0-2"), .keep = keep, .keep_count = MANY};
    struct airlock_error error;
    for (int i = 0; i < MANY; i++)
        keep[i] = 100 + 2 * i;
    for (int i = 0; i < WORDS; i++)
        arguments[i] = (char *)"word";
    spawn_and_tell(&many);
    if (case_words[1] != NULL) {
        airlock_exec(&many, &error);
        printf("%s\n", text_of(&error, &many));
    }
    spawn_and_tell(&(struct airlock_command){
        .path = case_words[0], .argv = arguments, .seal = AIRLOCK_SEAL, .flags = AIRLOCK_SHELL_FALLBACK});
}

static size_t mapped_pages(void) {
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL || fscanf(file, "%zu", &pages) != 1)
        die("statm");
    fclose(file);
    return pages;
}

static void endless(void) {
    struct airlock_output output;
    lower(RLIMIT_AS, (mapped_pages() + 8192) * 4096);
    int code = airlock_collect(&(struct airlock_command){SHELL("exec yes")}, 0, &output, NULL);
    restore(RLIMIT_AS);
    printf("%s, %s, %s\n", error_name(code), output.out_length > 1000000 ? "what was read is there" : "little",
           words(output.status));
    airlock_output_free(&output);
    errno = 4711; /* realloc's */
}

/* More children at a time than there are stacks to keep: each waits in its first action for a writer of the FIFO. */
enum { CHILDREN = 40 };
static const char *fifo;
static sem_t about_to_start;

static void *start_waiting_child(void *argument) {
    struct airlock_action action = AIRLOCK_OPEN(5, fifo, O_RDONLY, 0);
    struct airlock_command command = {WITNESS("0-2,5"), .actions = &action, .action_count = 1};
    int *status = argument;
    sem_post(&about_to_start);
    airlock_run(&command, status, NULL);
    return NULL;
}

/* A stack lies above 64 KiB that nobody may touch. */
static int count_stacks(void) {
    char line[4500];
    int count = 0;
    FILE *file = fopen("/proc/self/maps", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        unsigned long from, to;
        char kind[8];
        if (sscanf(line, "%lx-%lx %7s", &from, &to, kind) == 3 && to - from == 65536 && strcmp(kind, "---p") == 0)
            count++;
    }
    if (file != NULL)
        fclose(file);
    return count;
}

static void stacks(void) {
    pthread_t threads[CHILDREN];
    int statuses[CHILDREN], right = 0, most = 0;
    fifo = case_words[0];
    sem_init(&about_to_start, 0, 0);
    airlock_run(&(struct airlock_command){WITNESS("0-2")}, NULL, NULL);
    for (int i = 0; i < CHILDREN; i++)
        pthread_create(&threads[i], NULL, start_waiting_child, &statuses[i]);
    for (int i = 0; i < CHILDREN; i++)
        sem_wait(&about_to_start);
    /* Until all of them have one: a stack is taken soon after the post, and given back only when there is a writer. */
    for (int tries = 0; tries < 20000 && (most = count_stacks()) < CHILDREN; tries++)
        usleep(1000);
    int writer = open(fifo, O_WRONLY | O_CLOEXEC);
    for (int i = 0; i < CHILDREN; i++) {
        pthread_join(threads[i], NULL);
        right += WIFEXITED(statuses[i]) && WEXITSTATUS(statuses[i]) == 7;
    }
    close(writer);
    printf("%d children, %s stacks at once, %d kept\n", right, most >= CHILDREN ? "as many" : "fewer", count_stacks());
    errno = 4711;
}

/* ---- Calls. */

static void failing(void) {
    spawn_and_tell(&(struct airlock_command){.path = "/nowhere", .argv = (char *[]){"x", NULL}});
    spawn_and_tell(&(struct airlock_command){WITNESS("0-2")});
}

static int nothing(void *argument) {
    (void)argument;
    return 0;
}

static void callback(void) {
    spawn_and_tell(&(struct airlock_command){WITNESS("0-2"), .before_exec = nothing});
}

static void copied(void) {
    spawn_and_tell(&(struct airlock_command){WITNESS("0-2")});
    spawn_and_tell(&(struct airlock_command){WITNESS("0-2"), .flags = AIRLOCK_NO_SHARED_MEMORY});
    spawn_and_tell(&(struct airlock_command){WITNESS("0-2"), .flags = AIRLOCK_NO_SHARED_MEMORY | AIRLOCK_WANT_PIDFD});
}

/* Its words: a folder, and "removed" or "user" for what has happened since it was opened. Says twice what comes of it,
 * for one that is refused must not be made in another way the next time. */
static void cgroup(void) {
    struct airlock_command command = {WITNESS("0-2"), .flags = AIRLOCK_SETCGROUP};
    command.cgroup = open(case_words[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (is(case_words[1], "removed") && rmdir(case_words[0]) != 0)
        die("rmdir");
    if (is(case_words[1], "user"))
        change_user("64999", "64999");
    spawn_and_tell(&command);
    spawn_and_tell(&command);
    close(command.cgroup);
}

static void waiting(void) {
    struct airlock_process process = AIRLOCK_PROCESS_NONE;
    int status = 0;
    airlock_process_start(&(struct airlock_command){SHELL("exec sleep 60")}, NULL, &process, NULL, NULL);
    int killed = airlock_process_kill(&process, SIGKILL);
    int waited = airlock_process_wait(&process, &status);
    printf("kill: %s, wait: %s\n", error_name(killed), error_name(waited));
    if (waited != 0)
        wait_for(process.pid, &status);
    airlock_process_close(&process);
}

/* More than a pipe holds, there and back, through as many calls as that takes. */
static void echo(void) {
    enum { SIZE = 1 << 17 };
    static const struct airlock_stream streams[3] = {
        {AIRLOCK_STREAM_PIPE, 0}, {AIRLOCK_STREAM_PIPE, 0}, {AIRLOCK_STREAM_INHERIT, 0}};
    struct airlock_command command = {SHELL("exec cat")};
    struct airlock_process process = AIRLOCK_PROCESS_NONE;
    struct airlock_output output;
    char *input = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        input[i] = (char)(i * 31 >> 3);
    airlock_process_start(&command, streams, &process, NULL, NULL);
    int code = airlock_process_communicate(&process, input, SIZE, 0, &output);
    printf("%s, %s, %s\n", error_name(code),
           output.out_length == SIZE && memcmp(input, output.out, SIZE) == 0 ? "the same" : "different",
           words(output.status));
    airlock_output_free(&output);
    airlock_process_close(&process);
    free(input);
}

static void no_output(void) {
    struct airlock_process process = AIRLOCK_PROCESS_NONE;
    struct airlock_output output;
    int status;
    airlock_process_start(&(struct airlock_command){WITNESS("0-2")}, NULL, &process, NULL, NULL);
    printf("no place: %s\n", error_name(airlock_process_communicate(&process, NULL, 0, 0, NULL)));
    printf("no input: %s\n", error_name(airlock_process_communicate(&process, NULL, 5, 0, &output)));
    airlock_process_wait(&process, &status);
    airlock_process_close(&process);
    printf("no child: %s\n", error_name(airlock_process_communicate(&process, NULL, 0, 0, &output)));
}

static void *end_at_once(void *argument) {
    return argument;
}

int main(int argc, char **argv) {
    static const struct test_case cases[] = {{"streams", streams},
                                             {"low-pipes", low_pipes},
                                             {"swap", swap},
                                             {"report", report},
                                             {"full", full},
                                             {"high", high},
                                             {"without-streams", without_streams},
                                             {"threaded", threaded},
                                             {"leaks", leaks},
                                             {"mapped", mapped},
                                             {"endless", endless},
                                             {"stacks", stacks},
                                             {"failing", failing},
                                             {"callback", callback},
                                             {"copied", copied},
                                             {"cgroup", cgroup},
                                             {"waiting", waiting},
                                             {"echo", echo},
                                             {"no-output", no_output},
                                             {NULL, NULL}};
    ssize_t length = readlink("/proc/self/exe", witness, sizeof witness - 16);
    if (length <= 0)
        die("exe");
    witness[length] = '\0';
    strcpy(strrchr(witness, '/'), "/witness");
    /* With its first thread libc takes a signal for itself. A program that had one opens no pipe for the first report.
     */
    bool with_thread = argc > 1 && strstr("stacks threaded without-streams", argv[1]) != NULL;
    pthread_t first;
    if (with_thread && pthread_create(&first, NULL, end_at_once, NULL) == 0)
        pthread_join(first, NULL);
    return run_case(argc, argv, cases);
}
