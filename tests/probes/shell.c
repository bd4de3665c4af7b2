/* system(): carries out its words in their order.
 *
 *     shell [WORD…]
 *
 * system CMD   calls it with CMD and prints what it returned
 * null         calls it with NULL
 * threads N    N threads call it with "sleep 0.1" at overlapping times
 * count        prints how often a handler of the word "handle" has run
 * cancel FILE  cancels a thread in system(), whose command writes its process id to FILE
 * Everything else arranges the process (probe.h). A line is printed for whatever a call did not leave as it was. */
#include "probe.h"

static struct snapshot before, after;

static void print_result(int result, int code) {
    if (result == -1)
        fprintf(say, "system: -1 %s\n", error_name(code));
    else
        print_status("system", result);
    /* On success errno means nothing; a shell that could not be started leaves its reason there. */
    if (result != -1 && WIFEXITED(result) && WEXITSTATUS(result) == 127 && code != 4242)
        fprintf(say, "errno became %s\n", error_name(code));
}

static void run(const char *command) {
    take_snapshot(&before);
    errno = 4242;
    int result = system(command);
    int code = errno;
    take_snapshot(&after);
    print_result(result, code);
    report_changes(&before, &after);
    report_children();
}

/* What POSIX promises is zero or not zero. */
static void run_null(void) {
    take_snapshot(&before);
    int result = system(NULL);
    take_snapshot(&after);
    fprintf(say, "a shell: %s\n", result != 0 ? "yes" : "no");
    report_changes(&before, &after);
    report_children();
}

static void *run_one(void *argument) {
    struct timespec delay = {.tv_nsec = (intptr_t)argument * 10000000};
    nanosleep(&delay, NULL);
    uint64_t mask_before = 0, mask_after = 0;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask_before, sizeof mask_before);
    int result = system("sleep 0.1; exit 7");
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask_after, sizeof mask_after);
    return (void *)(intptr_t)(mask_before != mask_after ? -1 : result);
}

static void run_threads(int count) {
    pthread_t threads[16];
    take_snapshot(&before);
    for (int i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, run_one, (void *)(intptr_t)i) != 0)
            die("pthread_create");
    for (int i = 0; i < count; i++) {
        void *result;
        pthread_join(threads[i], &result);
        print_result((int)(intptr_t)result, 4242);
    }
    take_snapshot(&after);
    forget_threads(&before, &after);
    report_changes(&before, &after);
    report_children();
}

static void *run_long(void *file) {
    char command[5000];
    snprintf(command, sizeof command, "echo $$ >'%s.new'; mv '%s.new' '%s'; exec sleep 50", (char *)file, (char *)file,
             (char *)file);
    int result = system(command);
    fprintf(say, "system() returned %d\n", result);
    return NULL;
}

static pid_t read_pid(const char *file) {
    int pid = 0;
    for (int tries = 0; tries < 2000 && pid == 0; tries++) {
        FILE *in = fopen(file, "re");
        if (in != NULL && fscanf(in, "%d", &pid) != 1)
            pid = 0;
        if (in != NULL)
            fclose(in);
        usleep(5000);
    }
    return pid;
}

static void run_cancelled(char *file) {
    pthread_t thread;
    void *result;
    take_snapshot(&before);
    if (pthread_create(&thread, NULL, run_long, file) != 0)
        die("pthread_create");
    pid_t pid = read_pid(file);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    take_snapshot(&after);
    forget_threads(&before, &after);
    fprintf(say, "the thread was cancelled: %s\n", result == PTHREAD_CANCELED ? "yes" : "no");
    fprintf(say, "its child: %s\n", pid > 0 && kill(pid, 0) != 0 && errno == ESRCH ? "gone" : "still there");
    report_changes(&before, &after);
    report_children();
    if (pid > 0 && kill(pid, 0) == 0)
        kill(pid, SIGKILL);
}

int main(int argc, char **argv) {
    char **words = argv + 1;
    start_reporting();
    while (*words != NULL) {
        if (is(words[0], "system"))
            run(words[1]), words += 2;
        else if (is(words[0], "null"))
            run_null(), words += 1;
        else if (is(words[0], "threads"))
            run_threads(atoi(words[1])), words += 2;
        else if (is(words[0], "count"))
            fprintf(say, "handlers ran: %d\n", (int)handled), words += 1;
        else if (is(words[0], "cancel"))
            run_cancelled(words[1]), words += 2;
        else if (!arrange(&words)) {
            fprintf(stderr, "shell: no such word: %s\n", *words);
            return 99;
        }
    }
    return argc < 1;
}
