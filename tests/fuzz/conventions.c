/* Feeds bytes to the readers of conventions, as what a child is told (libFuzzer; tools/fuzz builds and runs it).
 * An input is strings that end with NUL: a line for a shell, which may be empty, the arguments up to an empty one, and
 * the environment. Besides the sanitizers' opinion, what conventions.h promises is checked. */
#include "fuzz.h"

#include "conventions.h"
#include "intent.h"

#include <fcntl.h>
#include <unistd.h>

enum { STRINGS_MAX = 512 };

/* What decision.c does, without the policy. */
void kept_add(struct kept *kept, int first, int last, const char *rule) {
    for (size_t i = 0; i < kept->count; i++)
        if (kept->ranges[i].first <= first && last <= kept->ranges[i].last)
            return;
    if (kept->count == KEPT_MAX) {
        kept->all = rule;
        return;
    }
    kept->ranges[kept->count] = (struct airlock_range){first, last};
    kept->rules[kept->count++] = rule;
}

/* Nothing was marked, and nothing inherited. */
void intent_keep(const char *rule, struct kept *kept) {
    (void)rule;
    (void)kept;
}

void inherited_keep(const char *rule, struct kept *kept) {
    (void)rule;
    (void)kept;
}

void inherited_remember(void) {
}

/* 200 and 201 are a pipe, 202 is a file: nothing else is open above 2 that a child could inherit. */
static void prepare(void) {
    int ends[2], file = open("/dev/null", O_RDONLY);
    must(pipe(ends) == 0 && file >= 0);
    must(dup2(ends[0], 200) == 200 && dup2(ends[1], 201) == 201 && dup2(file, 202) == 202);
    for (int fd = 3; fd < 65536; fd++)
        if ((fd < 200 || fd > 202) && fcntl(fd, F_GETFD) >= 0)
            fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void check(const struct kept *kept) {
    must(kept->count <= KEPT_MAX);
    for (size_t i = 0; i < kept->count; i++) {
        struct airlock_range range = kept->ranges[i];
        must(kept->rules[i] != NULL && kept->rules[i][0] != '\0');
        must(range.first <= range.last);
        must(range.first == 3 || (range.first == range.last && range.first >= 200 && range.first <= 202));
    }
}

/* What no row is on for is not kept, and what is kept with all of them is kept by some row alone. */
static void read_both(const struct request *request) {
    static struct kept all, none, one;
    conventions_add(request, 0, &all);
    check(&all);
    conventions_add(request, ~(uint64_t)0, &none);
    must(none.count == 0 && none.all == NULL);
    for (int row = 0; row < conventions_count(); row++) {
        one.count = 0;
        one.all = NULL;
        conventions_add(request, ~((uint64_t)1 << row), &one);
        check(&one);
    }
    all.count = 0;
    all.all = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static int prepared;
    static struct request request;
    if (!prepared)
        prepare();
    prepared = 1;
    char *strings[STRINGS_MAX + 1];
    char *copy = copy_of(data, size);
    size_t count = strings_of(copy, size, strings, STRINGS_MAX);
    size_t arguments = count > 0 ? 1 : 0, environment = arguments;
    while (environment < count && strings[environment][0] != '\0')
        environment++;
    request.shell_line = count > 0 && strings[0][0] != '\0' ? strings[0] : NULL;
    request.command.path = count > arguments ? strings[arguments] : "";
    if (environment < count)
        strings[environment++] = NULL;
    request.command.argv = strings + arguments;
    request.command.envp = strings + environment;
    read_both(&request);
    free(copy);
    return 0;
}
