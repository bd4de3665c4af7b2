/* Where exec looks: one file, a list of candidates, or the elements of PATH.
 *
 * plan_candidates runs in the parent. The rest runs in the child, in its parent's memory: raw system calls alone. */
#include "plan.h"

#include <limits.h>
#include <time.h>
#include <unistd.h>

/* libc's, for an environment without PATH. */
#ifdef __GLIBC__
static const char default_search_path[] = "/bin:/usr/bin";
#else /* musl */
static const char default_search_path[] = "/usr/local/bin:/bin:/usr/bin";
#endif

static const char *value_of_path(char *const *environment) {
    for (; environment != NULL && *environment != NULL; environment++) {
        const char *entry = *environment;
        if (entry[0] == 'P' && entry[1] == 'A' && entry[2] == 'T' && entry[3] == 'H' && entry[4] == '=')
            return entry + 5;
    }
    return NULL;
}

static bool has_slash(const char *file) {
    for (; *file != '\0'; file++)
        if (*file == '/')
            return true;
    return false;
}

int plan_candidates(struct plan *plan) {
    const struct airlock_command *command = plan->command;
    plan->argv = command->argv;
    plan->envp = command->envp != NULL ? command->envp : environ;
    plan->file = command->path;
    if (plan->file == NULL && command->argv != NULL)
        plan->file = command->argv[0];
    if (plan->file == NULL && command->candidates == NULL)
        return EINVAL;
    if (command->candidates != NULL || command->search == AIRLOCK_SEARCH_NONE || has_slash(plan->file))
        return 0;
    if (command->search == AIRLOCK_SEARCH_CHILD_PATH)
        plan->search_path = value_of_path(plan->envp);
    if (plan->search_path == NULL)
        plan->search_path = value_of_path(environ);
    if (plan->search_path == NULL)
        plan->search_path = default_search_path;
    return 0;
}

enum { BUSY_TRIES = 20, BUSY_PAUSE_NS = 50000 };

/* A program that this process has just written and closed is busy (ETXTBSY) as long as a child that another thread is
 * starting holds a copy of the descriptor that wrote: with this library for some microseconds, so it is worth a wait
 * of a millisecond or two in all. */
static long execute(struct plan *plan, const char *file) {
    const struct timespec pause = {.tv_nsec = BUSY_PAUSE_NS};
    long result;
    while ((result = raw3(SYS_execve, file, plan->argv, plan->envp)) == -ETXTBSY && plan->busy_tries < BUSY_TRIES) {
        plan->busy_tries++;
        raw2(SYS_nanosleep, &pause, 0);
    }
    if (result != -ENOEXEC || plan->shell_argv == NULL || (plan->command->flags & AIRLOCK_SHELL_BY_NAME))
        return result;
    plan->shell_argv[1] = (char *)file;
    return raw3(SYS_execve, plan->shell_argv[0], plan->shell_argv, plan->envp);
}

/* CPython's rule: the first error that says more than "not here" is the one that counts. */
static long execute_list(struct plan *plan, int *index) {
    const char *const *candidates = plan->command->candidates;
    long telling = 0;
    long result = -ENOENT;
    int telling_index = 0;
    for (*index = 0; candidates[*index] != NULL; ++*index) {
        result = execute(plan, candidates[*index]);
        if (telling == 0 && result != -ENOENT && result != -ENOTDIR) {
            telling = result;
            telling_index = *index;
        }
    }
    *index = telling != 0 ? telling_index : (*index > 0 ? *index - 1 : 0);
    return telling != 0 ? telling : result;
}

/* execvp's rule in glibc: these say that the file is not in this element, anything else ends the search. */
static bool search_goes_on(long result) {
    return result == -EACCES || result == -ENOENT || result == -ENOTDIR || result == -ESTALE || result == -ENODEV ||
           result == -ETIMEDOUT;
}

static size_t length_up_to(const char *text, size_t limit) {
    size_t length = 0;
    while (length < limit && text[length] != '\0')
        length++;
    return length;
}

static size_t element_length(const char *element) {
    size_t length = 0;
    while (element[length] != '\0' && element[length] != ':')
        length++;
    return length;
}

/* An empty element is the current directory. */
static void join(char *to, const char *element, size_t length, const char *file, size_t file_length) {
    for (size_t i = 0; i < length; i++)
        *to++ = element[i];
    if (length > 0)
        *to++ = '/';
    for (size_t i = 0; i < file_length; i++)
        *to++ = file[i];
    *to = '\0';
}

static long execute_search(struct plan *plan) {
    char candidate[PATH_MAX + NAME_MAX + 2];
    size_t file_length = length_up_to(plan->file, NAME_MAX + 1);
    if (file_length == 0)
        return -ENOENT;
    if (file_length > NAME_MAX)
        return -ENAMETOOLONG;

    bool refused = false;
    long result = -ENOENT;
    const char *element = plan->search_path;
    for (;;) {
        size_t length = element_length(element);
        if (length < PATH_MAX) { /* a longer one cannot exist */
            join(candidate, element, length, plan->file, file_length);
            result = execute(plan, candidate);
            if (!search_goes_on(result))
                return result;
            refused = refused || result == -EACCES;
        }
        if (element[length] == '\0')
            break;
        element += length + 1;
    }
    return refused ? -EACCES : result;
}

long child_exec(struct plan *plan, int *index) {
    long result;
    /* In its own copy of memory a callback may have changed the environment, and moved it. */
    if (plan->command->before_exec != NULL && plan->command->envp == NULL)
        plan->envp = environ;
    if (plan->command->candidates != NULL)
        return execute_list(plan, index);
    if (plan->search_path != NULL)
        result = execute_search(plan);
    else
        result = execute(plan, plan->file);
    if (result == -ENOEXEC && plan->shell_argv != NULL && (plan->command->flags & AIRLOCK_SHELL_BY_NAME))
        result = raw3(SYS_execve, plan->shell_argv[0], plan->shell_argv, plan->envp);
    return result;
}
