/* Descriptions at random, from a seed: what each child found open, or why there was none. The same seeds on another
 * kernel (or behind a filter that makes it look so) must give the same children, whichever way they were made.
 *
 *     library_random FOLDER FIRST COUNT      the seeds are FIRST to FIRST + COUNT - 1
 *     library_random FOLDER child            the child */
#include "library.h"

#include <limits.h>

enum { LOW = 12, HIGH = 4, MOST = 8 };

/* Around the numbers that matter to the core: the first free ones, its limit for copying, the band above it. */
static const int high_numbers[HIGH] = {255, 260, 700, 5000};

static uint64_t state;

static unsigned at_random(unsigned below) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (unsigned)(state >> 33) % below;
}

static bool one_in(unsigned count) {
    return at_random(count) == 0;
}

static int any_number(void) {
    return one_in(4) ? high_numbers[at_random(HIGH)] + (one_in(4) ? 1 : 0) : (int)at_random(LOW);
}

/* ---- The child: every descriptor and where it leads, in one line. */

static int be_child(void) {
    char line[16384], link[64], target[PATH_MAX];
    size_t length = 0;
    for (int fd = 0; fd < 6000; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            continue;
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t size = readlink(link, target, sizeof target - 1);
        target[size < 0 ? 0 : size] = '\0';
        const char *name = strrchr(target, '/');
        length += (size_t)snprintf(line + length, sizeof line - length, " %d=%s", fd, name == NULL ? "?" : name + 1);
    }
    if (getcwd(target, sizeof target) == NULL)
        target[0] = '\0';
    const char *folder = strrchr(target, '/');
    length += (size_t)snprintf(line + length, sizeof line - length, " in %s", folder == NULL ? "?" : folder + 1);
    int fd = open(getenv("RESULT"), O_WRONLY | O_TRUNC);
    return write(fd, line, length) == (ssize_t)length ? 0 : 1;
}

/* ---- The parent. */

static char folder[PATH_MAX];

static const char *path_of(const char *name) {
    static char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void open_as(int number) {
    char name[32];
    bool is_folder = one_in(6);
    snprintf(name, sizeof name, "%s%d", is_folder ? "d" : "f", number);
    if (is_folder)
        mkdir(path_of(name), 0700);
    int fd = open(path_of(name), is_folder ? O_RDONLY | O_DIRECTORY : O_RDWR | O_CREAT, 0600);
    int flags = one_in(2) ? O_CLOEXEC : 0;
    if (fd == number)
        fcntl(fd, F_SETFD, flags == 0 ? 0 : FD_CLOEXEC);
    else if (dup3(fd, number, flags) < 0 || close(fd) != 0)
        die(name);
}

static void arrange_table(void) {
    for (int fd = 0; fd < LOW; fd++)
        if (!one_in(3))
            open_as(fd);
    for (int i = 0; i < HIGH; i++)
        if (!one_in(3))
            open_as(high_numbers[i]);
}

static struct airlock_action any_action(const char *file) {
    switch (at_random(one_in(4) ? 6 : 3)) {
    case 0:
        return AIRLOCK_CLOSE(any_number());
    case 1:
        return AIRLOCK_OPEN(any_number(), file, O_RDONLY, 0);
    case 3:
        return AIRLOCK_FCHDIR(any_number());
    case 4:
        return AIRLOCK_CLOSEFROM(any_number());
    default:
        return AIRLOCK_DUP2(any_number(), any_number());
    }
}

static void describe_at_random(struct airlock_command *command, struct airlock_action *actions, int *numbers,
                               struct airlock_range *ranges, int *stdio, const char *file) {
    command->action_count = at_random(MOST);
    for (size_t i = 0; i < command->action_count; i++)
        actions[i] = any_action(file);
    command->actions = actions;
    command->keep_count = at_random(MOST);
    for (size_t i = 0; i < command->keep_count; i++)
        numbers[i] = any_number();
    command->keep = numbers;
    command->keep_range_count = one_in(3) ? 1 + at_random(2) : 0;
    for (size_t i = 0; i < command->keep_range_count; i++) {
        ranges[i].first = any_number();
        ranges[i].last = one_in(8) ? INT_MAX : ranges[i].first + (int)at_random(300);
    }
    command->keep_ranges = ranges;
    for (int i = 0; i < 3; i++)
        stdio[i] = one_in(3) ? -1 : any_number();
    command->stdio = one_in(2) ? NULL : stdio;
    command->seal = one_in(4) ? AIRLOCK_SEAL_NONE : AIRLOCK_SEAL;
    command->flags = (one_in(3) ? AIRLOCK_MAKE_INHERITABLE : 0) | (one_in(8) ? AIRLOCK_SETUID : 0) |
                     (one_in(8) ? AIRLOCK_NO_SHARED_MEMORY : 0) | (one_in(4) ? AIRLOCK_WANT_PIDFD : 0);
}

/* For a person who looks into one seed: what was open, and what was asked. */
static void explain(FILE *out, const struct airlock_command *command) {
    static const char *const kinds[] = {"close", "dup2", "open", "chdir", "fchdir", "closefrom"};
    fputs("open:", out);
    for (int fd = 0; fd < 6000; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags >= 0)
            fprintf(out, " %d%s", fd, flags & FD_CLOEXEC ? "*" : "");
    }
    fprintf(out, "\nflags %#x, seal %d", command->flags, (int)command->seal);
    for (int i = 0; command->stdio != NULL && i < 3; i++)
        fprintf(out, "%s%d", i == 0 ? ", stdio " : " ", command->stdio[i]);
    for (size_t i = 0; i < command->action_count; i++)
        fprintf(out, ", %s %d from %d", kinds[command->actions[i].kind], command->actions[i].fd,
                command->actions[i].source);
    for (size_t i = 0; i < command->keep_count; i++)
        fprintf(out, "%s%d", i == 0 ? ", keep " : " ", command->keep[i]);
    for (size_t i = 0; i < command->keep_range_count; i++)
        fprintf(out, ", range %d-%d", command->keep_ranges[i].first, command->keep_ranges[i].last);
    fputc('\n', out);
}

/* In a process of its own, whose table is nobody else's. */
static void try_seed(const char *self, unsigned long seed, FILE *out) {
    static char result[PATH_MAX + 64], environment[PATH_MAX + 80], file[PATH_MAX + 64];
    struct airlock_action actions[MOST];
    struct airlock_range ranges[2];
    int numbers[MOST], stdio[3], status;
    struct airlock_command command = {.path = self, .argv = (char *[]){"random", folder, "child", NULL}};
    struct airlock_child child;
    struct airlock_error error;
    char found[16384] = "";
    state = seed * 2654435761U + 1;
    strcpy(file, path_of("opened"));
    strcpy(result, path_of("result"));
    snprintf(environment, sizeof environment, "RESULT=%s", result);
    command.envp = (char *[]){environment, NULL};
    if (one_in(2)) /* the first spawn of a process needs a pipe for its report, the others do not */
        airlock_run(&(struct airlock_command){.path = "/bin/true", .argv = (char *[]){"true", NULL}}, NULL, NULL);
    arrange_table();
    describe_at_random(&command, actions, numbers, ranges, stdio, file);
    if (getenv("EXPLAIN") != NULL)
        explain(out, &command);
    struct snapshot *before = malloc(2 * sizeof *before);
    take_snapshot(&before[0]);
    int code = airlock_spawn(&command, &child, &error, NULL);
    if (code == 0 && command.flags & AIRLOCK_WANT_PIDFD)
        close(child.pidfd);
    if (code == 0)
        wait_for(child.pid, &status);
    take_snapshot(&before[1]);
    say = out;
    report_changes(&before[0], &before[1]);
    report_children();
    int fd = open(result, O_RDONLY);
    if (code != 0 || read(fd, found, sizeof found - 1) < 0)
        strcpy(found, code == 0 ? " nothing" : " ");
    fprintf(out, "%lu:%s%s%s\n", seed, found, code == 0 ? " " : "", code == 0 ? words(status) : text_of(&error, NULL));
    free(before);
}

#ifdef __SANITIZE_ADDRESS__
/* A child's environment has no options for the sanitizer, whose search for leaks needs a clone that filters refuse. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "detect_leaks=0";
}
#endif

int main(int argc, char **argv) {
    if (argc == 3)
        return be_child();
    if (argc != 4 || realpath(argv[1], folder) == NULL)
        return 2;
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length < 0 ? 0 : length] = '\0';
    close(open(path_of("opened"), O_WRONLY | O_CREAT, 0600));
    close(open(path_of("result"), O_WRONLY | O_CREAT, 0600));
    int out = fcntl(1, F_DUPFD_CLOEXEC, 6100);
    if (out < 0)
        die("standard output");
    unsigned long first = strtoul(argv[2], NULL, 10), count = strtoul(argv[3], NULL, 10);
    for (unsigned long seed = first; seed < first + count; seed++) {
        pid_t pid = fork();
        if (pid == 0) {
            for (int fd = 0; fd < 6000; fd++)
                close(fd);
            FILE *to = fdopen(out, "w");
            try_seed(self, seed, to);
            fflush(to);
            _exit(0);
        }
        int status;
        wait_for(pid, &status);
        if (status != 0)
            dprintf(out, "%lu: the parent %s\n", seed, words(status));
    }
    return 0;
}
