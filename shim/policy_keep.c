/* The policy's rules about descriptors, carried out on what a child may keep: by number, and by what a descriptor is.
 *
 * Rules about numbers are intervals and need no look at the descriptors. Rules about kinds need one, and then the last
 * rule that fits decides, whichever sort it is. */
#include "policy.h"

#include "request.h"
#include "statx.h"
#include "syscall.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>

/* One open descriptor that a child could inherit. */
struct descriptor {
    int number;
    unsigned mode; /* 0 where it could not be learned, and for those without a type */
    bool known;
    bool path_known; /* looked up when the first rule about paths asks */
    bool deleted;
    char path[PATH_MAX]; /* empty when it has none */
};

/* What policy_keep works on. */
struct keeping {
    const struct policy *policy;
    const struct decision *decision;
    struct kept *kept;
    const struct rule *run_rule; /* neighbours that one rule keeps become one range */
    struct airlock_range run;
    bool bridge; /* a range may span numbers that nothing inheritable has */
};

static bool is_about_child(const struct keeping *keeping, const struct rule *rule) {
    return (rule->kind == RULE_KEEP || rule->kind == RULE_SEAL) && decision_has(keeping->decision, rule);
}

static void keep_numbers(const struct keeping *keeping) {
    const struct policy_rules *rules = keeping->policy->rules;
    for (size_t i = 0; rules != NULL && i < rules->rule_count; i++) {
        const struct rule *rule = &rules->rules[i];
        if (rule->about != ABOUT_NUMBERS || !is_about_child(keeping, rule))
            continue;
        if (rule->kind == RULE_SEAL)
            kept_remove(keeping->kept, rule->range.first, rule->range.last);
        else if (rule->range.first == 0 && rule->range.last == INT_MAX)
            keeping->kept->all = rule->text;
        else
            kept_add(keeping->kept, rule->range.first, rule->range.last, rule->text);
    }
}

/* "/proc/self/fd/" and the number. */
static void write_link_name(char *to, int number) {
    static const char folder[] = "/proc/self/fd/";
    char digits[12];
    size_t count = 0;
    memcpy(to, folder, sizeof folder);
    to += sizeof folder - 1;
    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    while (count > 0)
        *to++ = digits[--count];
    *to = '\0';
}

/* The kernel marks the path of a file that has none any more. */
static void take_off_mark(struct descriptor *descriptor) {
    static const char mark[] = " (deleted)";
    size_t length = strlen(descriptor->path), mark_length = sizeof mark - 1;
    if (descriptor->deleted && length > mark_length && strcmp(descriptor->path + length - mark_length, mark) == 0)
        descriptor->path[length - mark_length] = '\0';
}

static const char *path_of(struct descriptor *descriptor) {
    if (!descriptor->path_known) {
        char name[40];
        write_link_name(name, descriptor->number);
        long length = raw4(SYS_readlinkat, AT_FDCWD, name, descriptor->path, sizeof descriptor->path - 1);
        descriptor->path[length > 0 ? length : 0] = '\0';
        take_off_mark(descriptor);
        descriptor->path_known = true;
    }
    return descriptor->path;
}

static bool is_of_kind(const struct descriptor *descriptor, enum rule_about about) {
    static const unsigned types[] = {
        [ABOUT_SOCKET] = S_IFSOCK,   [ABOUT_PIPE] = S_IFIFO,   [ABOUT_FILE] = S_IFREG,
        [ABOUT_DIRECTORY] = S_IFDIR, [ABOUT_DEVICE] = S_IFCHR, [ABOUT_ANONYMOUS] = 0,
    };
    unsigned type = descriptor->mode & S_IFMT;
    return descriptor->known && (type == types[about] || (about == ABOUT_DEVICE && type == S_IFBLK));
}

static bool fits(const struct rule *rule, struct descriptor *descriptor) {
    if (rule->about == ABOUT_NUMBERS)
        return rule->range.first <= descriptor->number && descriptor->number <= rule->range.last;
    if (rule->about == ABOUT_PATH)
        return path_of(descriptor)[0] == '/' && pattern_fits(rule->pattern, descriptor->path);
    return is_of_kind(descriptor, rule->about);
}

/* Old kernels, and some sandboxes, have no statx. */
static void learn_kind(struct descriptor *descriptor) {
    struct statx status;
    descriptor->path_known = false;
    descriptor->known = raw5(SYS_statx, descriptor->number, "", AT_EMPTY_PATH, STATX_TYPE | STATX_NLINK, &status) == 0;
    descriptor->mode = descriptor->known ? status.stx_mode : 0;
    descriptor->deleted = descriptor->known && status.stx_nlink == 0;
    if (!descriptor->known) {
        int saved = errno;
        struct stat plain;
        descriptor->known = fstat(descriptor->number, &plain) == 0;
        descriptor->mode = descriptor->known ? plain.st_mode : 0;
        descriptor->deleted = descriptor->known && plain.st_nlink == 0;
        errno = saved;
    }
}

static void end_run(struct keeping *keeping) {
    if (keeping->run_rule != NULL)
        kept_add(keeping->kept, keeping->run.first, keeping->run.last, keeping->run_rule->text);
    keeping->run_rule = NULL;
}

static void keep_one(struct keeping *keeping, int number, const struct rule *rule) {
    bool next = keeping->bridge || keeping->run.last == number - 1;
    if (keeping->run_rule != rule || !next) {
        end_run(keeping);
        keeping->run_rule = rule;
        keeping->run.first = number;
    }
    keeping->run.last = number;
}

/* The last rule that fits decides. One about numbers has been carried out already. */
static void judge(struct keeping *keeping, int number) {
    const struct policy_rules *rules = keeping->policy->rules;
    struct descriptor descriptor;
    long flags = number < 3 ? -1 : raw2(SYS_fcntl, number, F_GETFD);
    if (flags < 0 || (flags & FD_CLOEXEC) != 0)
        return;
    descriptor.number = number;
    learn_kind(&descriptor);
    for (size_t i = rules != NULL ? rules->rule_count : 0; i-- > 0;) {
        const struct rule *rule = &rules->rules[i];
        if (!is_about_child(keeping, rule) || !fits(rule, &descriptor))
            continue;
        if (rule->about != ABOUT_NUMBERS && rule->kind == RULE_KEEP) {
            keep_one(keeping, number, rule);
            return;
        }
        if (rule->about != ABOUT_NUMBERS)
            kept_remove(keeping->kept, number, number);
        break;
    }
    end_run(keeping);
}

/* The kernel's struct linux_dirent64. */
struct entry {
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type;
    char name[];
};

static int number_of(const char *name) {
    int number = 0;
    for (; *name >= '0' && *name <= '9'; name++)
        number = number * 10 + (*name - '0');
    return *name == '\0' ? number : -1;
}

static bool judge_listed(struct keeping *keeping) {
    _Alignas(struct entry) char buffer[2048];
    long folder = raw4(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    long got;
    if (folder < 0)
        return false;
    while ((got = raw3(SYS_getdents64, folder, buffer, sizeof buffer)) > 0) {
        for (long at = 0; at < got;) {
            const struct entry *entry = (const void *)(buffer + at);
            judge(keeping, number_of(entry->name));
            at += entry->length;
        }
    }
    raw_close((int)folder);
    return got == 0;
}

/* Without /proc, or with every descriptor in use, each number is asked for. */
static void judge_all_numbers(struct keeping *keeping) {
    enum { SANE = 65536 };
    struct {
        uint64_t soft;
        uint64_t hard;
    } limit = {SANE, SANE};
    raw4(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
    for (int number = 3; number < SANE && (uint64_t)number < limit.soft; number++)
        judge(keeping, number);
}

static void judge_all(struct keeping *keeping) {
    keeping->run_rule = NULL;
    if (!judge_listed(keeping)) {
        keeping->run_rule = NULL;
        judge_all_numbers(keeping);
    }
    end_run(keeping);
}

/* What is open may differ for every child. Where single descriptors are too many to be told apart, ranges are kept that
 * span the numbers between them; another thread that opens something there at this very moment leaks it, which is less
 * than everything. */
static void keep_kinds(struct keeping *keeping) {
    const struct kept before = *keeping->kept;
    judge_all(keeping);
    if (before.all == NULL && keeping->kept->all != NULL) {
        *keeping->kept = before;
        keeping->bridge = true;
        judge_all(keeping);
    }
}

/* A look at every descriptor is a good part of the time of a spawn: only where a rule about this child asks. */
static bool asks_for_kinds(const struct keeping *keeping) {
    const struct policy_rules *rules = keeping->policy->rules;
    for (size_t i = 0; rules != NULL && i < rules->rule_count; i++)
        if (rules->rules[i].about != ABOUT_NUMBERS && is_about_child(keeping, &rules->rules[i]))
            return true;
    return false;
}

void policy_keep(const struct policy *policy, const struct decision *decision, struct kept *kept) {
    if (!policy->names_descriptors)
        return;
    struct keeping keeping = {.policy = policy, .decision = decision, .kept = kept};
    keep_numbers(&keeping);
    if (policy->depends_on_kind && asks_for_kinds(&keeping))
        keep_kinds(&keeping);
}
