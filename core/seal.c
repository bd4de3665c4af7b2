/* The child's descriptor table: the cut that makes it the child's own, the high descriptors that are fetched after
 * the cut, and the seal that closes at exec whatever was not meant for the child.
 *
 * Runs in the child, in its parent's memory: raw system calls alone. Until child_cut has succeeded the table is the
 * parent's, and nothing may be touched in it. */
#include "plan.h"

#include <fcntl.h>
#include <limits.h>

enum { UNSHARE = 1 << 1, CLOSE_ON_EXEC = 1 << 2 }; /* close_range(2) */

static const unsigned last_possible = ~0U;

enum { WORD = 64 }; /* descriptors in a word of the kernel's bitmaps; there may be less, never more */

/* The first number of the word above what the cut copies, if everything in it is open in the parent; else 0. */
static int full_word_above(int highest) {
    if (highest > INT_MAX - 2 * WORD)
        return 0;
    int first = (highest / WORD + 1) * WORD;
    for (int fd = first; fd < first + WORD; fd++)
        if (raw2(SYS_fcntl, fd, F_GETFD) < 0)
            return 0;
    return first;
}

/* Kernels before the fixes for CVE-2024-45025 leave junk in the bitmaps of a table that was cut: words that were full
 * still count as full, and the next program would not get the lowest free number. first begins such a word, in which
 * nothing is open now. */
static long check_bitmap(struct plan *plan, int first) {
    for (int fd = 0; fd <= 2; fd++) {
        long number = raw3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, first);
        if (number == -EBADF)
            continue;
        if (number >= 0)
            raw1(SYS_close, number);
        if (number == first)
            plan->report->table_is_clean = 1;
        return number > first || number == -EMFILE ? -EUCLEAN : 0;
    }
    return 0;
}

/* Another thread may be about to execute a program that it has just written: as long as the descriptor that wrote lives
 * on here, exec answers ETXTBSY there. So what the steps do not need goes at once, and not when exec would close it. */
static long close_gaps(const struct plan *plan) {
    int next = 0;
    long result = 0;
    for (size_t i = 0; i < plan->held_count && next <= plan->highest_copied && result >= 0; i++) {
        if (plan->held[i].first > next)
            result = raw3(SYS_close_range, next, plan->held[i].first - 1, 0);
        next = plan->held[i].last < INT_MAX ? plan->held[i].last + 1 : INT_MAX;
    }
    return result;
}

long child_cut(struct plan *plan) {
    unsigned first_closed = (unsigned)plan->highest_copied + 1;
    int full_word = plan->check_table ? full_word_above(plan->highest_copied) : 0;
    long result = raw3(SYS_close_range, first_closed, last_possible, UNSHARE);
    if (result >= 0)
        result = close_gaps(plan);
    return result >= 0 && full_word > 0 ? check_bitmap(plan, full_word) : result;
}

static char *put_number(char *to, int number) {
    char digits[12];
    int count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    while (count > 0)
        *to++ = digits[--count];
    return to;
}

static char *put_string(char *to, const char *string) {
    while (*string != '\0')
        *to++ = *string++;
    return to;
}

/* A pipe that was made for this child alone is the same pipe when it is opened by the parent's name for it. */
static long open_anew(const struct plan *plan, const struct fetch *fetch) {
    char path[48], *end = put_string(path, "/proc/");
    end = put_number(end, plan->parent);
    end = put_string(end, "/fd/");
    end = put_number(end, fetch->number);
    *end = '\0';
    int direction = fetch->source == AIRLOCK_SOURCE_FRESH_READ_END ? O_RDONLY : O_WRONLY;
    return raw4(SYS_openat, AT_FDCWD, path, direction | O_CLOEXEC | O_NOCTTY, 0);
}

static bool is_refused(long result) {
    return result == -EPERM || result == -ENOSYS || result == -EACCES;
}

/* The duplicate goes above every number that the actions name, so that none of them can hit it. */
static long fetch_one(const struct plan *plan, long pidfd, struct fetch *fetch) {
    long number = pidfd < 0 ? pidfd : raw3(SYS_pidfd_getfd, pidfd, fetch->number, 0);
    if (number == -EBADF) {
        fetch->local = -1; /* not open in the parent: the action that uses it will say so */
        return 0;
    }
    if (is_refused(number) && fetch->source != AIRLOCK_SOURCE_ANY)
        number = open_anew(plan, fetch);
    if (number < 0)
        return number;
    long moved = raw3(SYS_fcntl, number, F_DUPFD_CLOEXEC, plan->first_free_number);
    raw1(SYS_close, number);
    fetch->local = (int)moved;
    return moved < 0 ? moved : 0;
}

long child_fetch(struct plan *plan, int *index) {
    long pidfd = raw2(SYS_pidfd_open, plan->parent, 0);
    long result = 0;
    for (int i = 0; i < plan->fetch_count && result == 0; i++) {
        *index = plan->fetches[i].number;
        result = fetch_one(plan, pidfd, &plan->fetches[i]);
    }
    if (pidfd >= 0)
        raw1(SYS_close, pidfd);
    return result;
}

int child_local_number(const struct plan *plan, int number) {
    for (int i = 0; i < plan->fetch_count; i++)
        if (plan->fetches[i].number == number)
            return plan->fetches[i].local;
    return number;
}

static long make_inheritable(int fd) {
    long flags = raw2(SYS_fcntl, fd, F_GETFD);
    return flags < 0 ? flags : raw3(SYS_fcntl, fd, F_SETFD, flags & ~FD_CLOEXEC);
}

long child_keep(struct plan *plan, int *index) {
    const struct airlock_command *command = plan->command;
    for (int i = 0; i < plan->fetch_count; i++) {
        const struct fetch *fetch = &plan->fetches[i];
        if (!fetch->keep || fetch->local < 0)
            continue;
        long result = raw_dup2(fetch->local, fetch->number);
        *index = fetch->number;
        if (result < 0)
            return result;
    }
    if (!(command->flags & AIRLOCK_MAKE_INHERITABLE))
        return 0;
    for (size_t i = 0; i < command->keep_count; i++) {
        *index = command->keep[i];
        long result = make_inheritable(command->keep[i]);
        if (result < 0)
            return result;
    }
    return 0;
}

static bool is_kept(const struct plan *plan, int fd) {
    for (size_t i = 0; i < plan->kept_count; i++)
        if (fd >= plan->kept[i].first && fd <= plan->kept[i].last)
            return true;
    return false;
}

/* Marked, not closed: the program to be executed may itself be named as /proc/self/fd/N. */
static long mark(const struct plan *plan, int fd) {
    return is_kept(plan, fd) ? 0 : raw3(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
}

/* Any other error than a refusal means that the descriptor is gone. */
static long close_unless_report(const struct plan *plan, int fd) {
    long result = fd == plan->report_descriptor ? 0 : raw1(SYS_close, fd);
    return result == -ENOSYS || result == -EPERM ? result : 0;
}

typedef long visitor(const struct plan *plan, int fd);

struct directory_entry {
    uint64_t inode;
    int64_t offset;
    unsigned short length;
    unsigned char type; /* not looked at: some kernels answer DT_UNKNOWN */
    char name[];
};

static int parse_number(const char *text) {
    int number = 0;
    if (*text == '\0')
        return -1;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || number > (INT_MAX - 9) / 10)
            return -1;
        number = number * 10 + (*text - '0');
    }
    return number;
}

/* With every number in use, the listing needs one: give up a descriptor that the next program would not get anyway. */
static long open_listing(const struct plan *plan) {
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    long listing = raw4(SYS_openat, AT_FDCWD, "/proc/self/fd", flags, 0);
    for (int fd = 3; listing == -EMFILE && fd < LOW_DESCRIPTORS; fd++) {
        if (is_kept(plan, fd) || plan_names_descriptor(plan, fd) || fd == plan->report_descriptor)
            continue;
        raw1(SYS_close, fd);
        listing = raw4(SYS_openat, AT_FDCWD, "/proc/self/fd", flags, 0);
    }
    return listing;
}

/* Calls visit for each open descriptor from first on, until one call fails. Closing the one that is visited is allowed:
 * the position in /proc/self/fd is a descriptor number. */
static long visit_open(const struct plan *plan, int first, visitor *visit) {
    _Alignas(struct directory_entry) char buffer[1024];
    long listing = open_listing(plan);
    if (listing < 0)
        return listing;
    long filled, result = 0;
    while (result == 0 && (filled = raw3(SYS_getdents64, listing, buffer, sizeof buffer)) != 0) {
        if (filled < 0)
            result = filled;
        for (long at = 0; at < filled && result == 0;) {
            const struct directory_entry *entry = (const void *)(buffer + at);
            int fd = parse_number(entry->name);
            if (fd >= first && fd != listing)
                result = visit(plan, fd);
            at += entry->length;
        }
    }
    raw1(SYS_close, listing);
    return result;
}

/* Where close_range cannot do it: the open descriptors as /proc lists them or, without /proc, every number up to the
 * cut, above which nothing is open. Without a cut nothing bounds the table, and the error is the caller's. */
static long visit_all(const struct plan *plan, int first, visitor *visit, long refusal) {
    long result = visit_open(plan, first, visit);
    if (result >= 0)
        return 0;
    if (!plan->cut || plan->highest_copied >= (1 << 20))
        return refusal;
    int last = plan->highest_copied > plan->first_free_number ? plan->highest_copied : plan->first_free_number;
    result = 0;
    for (int fd = first; fd <= last && result == 0; fd++) {
        result = visit(plan, fd);
        if (result == -EBADF) /* not open, which only the listing knows beforehand */
            result = 0;
    }
    return result;
}

/* Whether the cut left anything open among these. */
static bool holds_any(const struct plan *plan, int64_t first, int64_t last) {
    size_t low = 0, high = plan->held_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (plan->held[middle].last < first)
            low = middle + 1;
        else
            high = middle;
    }
    return low < plan->held_count && plan->held[low].first <= last;
}

static long mark_range(const struct plan *plan, int64_t first, int64_t last) {
    if (first > last)
        return 0;
    /* Above the cut there is only what the actions put there, and that is kept. */
    if (plan->cut && (first > plan->highest_copied || (plan->held_count > 0 && !holds_any(plan, first, last))))
        return 0;
    return raw3(SYS_close_range, (unsigned)first, (unsigned)last, CLOSE_ON_EXEC);
}

/* The gaps between what is kept, and all above it. */
long child_seal(const struct plan *plan) {
    int64_t next = 0;
    long result = 0;
    for (size_t i = 0; i < plan->kept_count && result == 0; i++) {
        result = mark_range(plan, next, (int64_t)plan->kept[i].first - 1);
        next = (int64_t)plan->kept[i].last + 1;
    }
    if (result == 0)
        result = mark_range(plan, next, last_possible);
    return result < 0 ? visit_all(plan, 3, mark, result) : 0;
}

long child_close_from(const struct plan *plan, int first) {
    long result = 0;
    unsigned report = (unsigned)plan->report_descriptor;
    if (first < 0) /* refused before; as a huge number it would be a range that wraps around */
        return -EBADF;
    if (plan->report_descriptor < first)
        result = raw3(SYS_close_range, first, last_possible, 0);
    else {
        if (report > (unsigned)first)
            result = raw3(SYS_close_range, first, report - 1, 0);
        if (result == 0)
            result = raw3(SYS_close_range, report + 1, last_possible, 0);
    }
    return result < 0 ? visit_all(plan, first, close_unless_report, result) : 0;
}
