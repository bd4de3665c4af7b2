/* Which of the parent's descriptors the child needs: what it keeps, how far the cut has to copy, and what is cheaper
 * to fetch one by one. Runs in the parent, before the clone. */
#include "plan.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>

static bool is_target(const struct airlock_action *action) {
    return action->kind == AIRLOCK_ACTION_DUP2 || action->kind == AIRLOCK_ACTION_OPEN;
}

/* The descriptor that an action reads from, or -1. */
static int source_of(const struct airlock_action *action) {
    if (action->kind == AIRLOCK_ACTION_DUP2)
        return action->source;
    if (action->kind == AIRLOCK_ACTION_FCHDIR || action->kind == AIRLOCK_ACTION_TCSETPGRP)
        return action->fd;
    return -1;
}

/* The rest of path after prefix, or NULL. */
static const char *after(const char *path, const char *prefix) {
    for (; *prefix != '\0'; prefix++, path++)
        if (*path != *prefix)
            return NULL;
    return path;
}

int descriptor_named_by_path(const char *path) {
    const char *rest;
    if (path == NULL || path[0] != '/')
        return -1;
    if ((rest = after(path, "/proc/self/fd/")) == NULL && (rest = after(path, "/proc/thread-self/fd/")) == NULL &&
        (rest = after(path, "/dev/fd/")) == NULL)
        return -1;
    int number = 0;
    const char *digit = rest;
    for (; *digit >= '0' && *digit <= '9' && number < INT_MAX / 10 - 1; digit++)
        number = number * 10 + (*digit - '0');
    return digit == rest || (*digit != '\0' && *digit != '/' && *digit != ':') ? -1 : number;
}

/* The element of PATH after this one, or NULL. */
static const char *next_element(const char *element) {
    while (*element != '\0' && *element != ':')
        element++;
    return *element == ':' ? element + 1 : NULL;
}

/* Calls visit for each descriptor that has to be in the child's table when its steps begin. */
static void each_needed(const struct plan *plan, void (*visit)(void *, int), void *to) {
    const struct airlock_command *command = plan->command;
    for (int i = 0; command->stdio != NULL && i < 3; i++)
        visit(to, command->stdio[i]);
    for (size_t i = 0; i < command->action_count; i++)
        visit(to, source_of(&command->actions[i]));
    bool keeps = command->seal == AIRLOCK_SEAL || (command->flags & AIRLOCK_MAKE_INHERITABLE);
    for (size_t i = 0; keeps && i < command->keep_count; i++)
        visit(to, command->keep[i]);
    for (size_t i = 0; command->seal == AIRLOCK_SEAL && i < command->keep_range_count; i++)
        visit(to, command->keep_ranges[i].last);
}

/* The same for those that are named by a path, which cannot be given another number. */
static void each_named(const struct plan *plan, void (*visit)(void *, int), void *to) {
    const struct airlock_command *command = plan->command;
    visit(to, descriptor_named_by_path(plan->file));
    for (const char *element = plan->search_path; element != NULL; element = next_element(element))
        visit(to, descriptor_named_by_path(element));
    visit(to, descriptor_named_by_path(command->cwd));
    for (size_t i = 0; command->candidates != NULL && command->candidates[i] != NULL; i++)
        visit(to, descriptor_named_by_path(command->candidates[i]));
    for (size_t i = 0; i < command->action_count; i++)
        visit(to, descriptor_named_by_path(command->actions[i].path));
}

struct search {
    int number;
    bool found;
};

static void compare(void *to, int number) {
    struct search *search = to;
    search->found = search->found || search->number == number;
}

/* Whether the command says anything of this number: as source, target, by path, to keep. The standard streams are
 * always spoken of: as targets of stdio, and by every program. */
bool plan_names_descriptor(const struct plan *plan, int number) {
    struct search search = {.number = number, .found = number <= 2};
    each_needed(plan, compare, &search);
    each_named(plan, compare, &search);
    for (size_t i = 0; i < plan->command->action_count; i++)
        compare(&search, plan->command->actions[i].fd);
    return search.found;
}

static void raise(void *to, int number) {
    int *highest = to;
    if (number > *highest)
        *highest = number;
}

static void raise_low(void *to, int number) {
    if (number <= LOW_DESCRIPTORS)
        raise(to, number);
}

/* Above everything that the command names, where temporary duplicates can stay. */
static int find_first_free(const struct plan *plan) {
    int highest = 2;
    each_needed(plan, raise_low, &highest);
    each_named(plan, raise_low, &highest);
    for (size_t i = 0; i < plan->command->action_count; i++)
        raise_low(&highest, plan->command->actions[i].fd);
    raise_low(&highest, plan->report_descriptor);
    return highest + 1;
}

static bool is_high(int number) {
    return number > LOW_DESCRIPTORS;
}

/* Fetching moves a descriptor, so it must be sure that nothing refers to the number except as a source: no earlier
 * action that closes or replaces it, and nothing in the band where the temporary duplicates go. */
static bool may_move(const struct plan *plan, int number, size_t used_at) {
    const struct airlock_command *command = plan->command;
    for (size_t i = 0; i < command->action_count; i++) {
        const struct airlock_action *action = &command->actions[i];
        if (action->kind == AIRLOCK_ACTION_CLOSEFROM)
            return false;
        if (i < used_at && action->fd == number && source_of(action) != number)
            return false;
    }
    return number > LOW_DESCRIPTORS + 2 * FETCH_MAX;
}

static bool add_fetch(struct plan *plan, int number, bool keep, int source) {
    for (int i = 0; i < plan->fetch_count; i++) {
        if (plan->fetches[i].number == number) {
            plan->fetches[i].keep = plan->fetches[i].keep || keep;
            return true;
        }
    }
    if (plan->fetch_count == FETCH_MAX)
        return false;
    plan->fetches[plan->fetch_count++] = (struct fetch){.number = number, .local = -1, .source = source, .keep = keep};
    return true;
}

static uint64_t descriptor_limit(void) {
    struct {
        uint64_t soft, hard;
    } limit = {0, 0};
    raw4(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &limit);
    return limit.soft;
}

/* A kept descriptor that exec would close anyway, or that is not open, need not be brought over. */
static bool add_kept(struct plan *plan, int number) {
    long flags = raw2(SYS_fcntl, number, F_GETFD);
    /* Brought over, it could not be put back at a number above the limit. */
    if (flags >= 0 && (uint64_t)number >= descriptor_limit())
        return false;
    bool inheritable = flags >= 0 && ((flags & FD_CLOEXEC) == 0 || (plan->command->flags & AIRLOCK_MAKE_INHERITABLE));
    if (!inheritable)
        return !(plan->command->flags & AIRLOCK_MAKE_INHERITABLE);
    for (size_t i = 0; i < plan->command->action_count; i++)
        if (plan->command->actions[i].fd == number)
            return false;
    return may_move(plan, number, 0) && add_fetch(plan, number, true, AIRLOCK_SOURCE_ANY);
}

static bool add_kept_range(struct plan *plan, const struct airlock_range *range) {
    int number = range->first > LOW_DESCRIPTORS ? range->first : LOW_DESCRIPTORS + 1;
    if (range->last - number >= 4 * FETCH_MAX)
        return false;
    for (; number <= range->last; number++)
        if (!add_kept(plan, number))
            return false;
    return true;
}

static bool fetch_kept(struct plan *plan) {
    const struct airlock_command *command = plan->command;
    for (size_t i = 0; i < command->keep_count; i++)
        if (is_high(command->keep[i]) && !add_kept(plan, command->keep[i]))
            return false;
    for (size_t i = 0; i < command->keep_range_count; i++)
        if (is_high(command->keep_ranges[i].last) && !add_kept_range(plan, &command->keep_ranges[i]))
            return false;
    return true;
}

static bool fetch_sources(struct plan *plan) {
    const struct airlock_command *command = plan->command;
    for (int i = 0; command->stdio != NULL && i < 3; i++)
        if (is_high(command->stdio[i]) &&
            (!may_move(plan, command->stdio[i], 0) || !add_fetch(plan, command->stdio[i], false, AIRLOCK_SOURCE_ANY)))
            return false;
    for (size_t i = 0; i < command->action_count; i++) {
        const struct airlock_action *action = &command->actions[i];
        int source = source_of(action);
        int known = action->kind == AIRLOCK_ACTION_DUP2 ? action->flags : AIRLOCK_SOURCE_ANY;
        if (is_high(source) && (!may_move(plan, source, i) || !add_fetch(plan, source, false, known)))
            return false;
    }
    return true;
}

/* In the band of temporary duplicates no number of the command's own may lie. */
static bool band_is_free(const struct plan *plan) {
    for (int number = LOW_DESCRIPTORS + 1; number <= LOW_DESCRIPTORS + 2 * FETCH_MAX; number++)
        if (plan_names_descriptor(plan, number))
            return false;
    return true;
}

/* Whether a kept range begins among the numbers that are copied and ends above them. */
static bool has_range_across(const struct airlock_command *command) {
    for (size_t i = 0; i < command->keep_range_count; i++)
        if (!is_high(command->keep_ranges[i].first) && is_high(command->keep_ranges[i].last))
            return true;
    return false;
}

static bool fetches_fit(const struct plan *plan, enum fetching fetching) {
    for (int i = 0; i < plan->fetch_count; i++)
        if (fetching != FETCH_ANY && plan->fetches[i].source == AIRLOCK_SOURCE_ANY)
            return false;
    return true;
}

static void plan_cut(struct plan *plan, enum fetching fetching) {
    int needed = 2;
    int named = plan->report_descriptor;
    each_needed(plan, raise, &needed);
    each_named(plan, raise, &named);
    plan->fetch_count = 0;
    plan->highest_copied = needed > named ? needed : named;
    if (plan->highest_copied == INT_MAX) /* no descriptor can have this number, and the next one has to exist */
        plan->highest_copied--;
    if (!is_high(needed) || is_high(named) || fetching == FETCH_NONE)
        return;
    if (!band_is_free(plan) || !fetch_kept(plan) || !fetch_sources(plan) || !fetches_fit(plan, fetching)) {
        plan->fetch_count = 0;
        return;
    }
    int low = 2;
    each_needed(plan, raise_low, &low);
    if (has_range_across(plan->command))
        low = LOW_DESCRIPTORS;
    plan->highest_copied = low > named ? low : named;
}

static size_t kept_bound(const struct airlock_command *command) {
    return 1 + command->action_count + command->keep_count + command->keep_range_count;
}

/* The sources of actions, the three of stdio, the report, and some that paths name. */
static size_t held_bound(const struct airlock_command *command) {
    return kept_bound(command) + command->action_count + 8;
}

size_t plan_range_bound(const struct airlock_command *command) {
    return kept_bound(command) + held_bound(command);
}

static void sift(struct airlock_range *ranges, size_t root, size_t count) {
    for (size_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && ranges[child + 1].first > ranges[child].first)
            child++;
        if (ranges[root].first >= ranges[child].first)
            return;
        struct airlock_range swapped = ranges[root];
        ranges[root] = ranges[child];
        ranges[child] = swapped;
    }
}

/* Heapsort: qsort of libc may allocate. */
static void sort_ranges(struct airlock_range *ranges, size_t count) {
    for (size_t root = count / 2; root > 0; root--)
        sift(ranges, root - 1, count);
    for (size_t end = count; end > 1; end--) {
        struct airlock_range largest = ranges[0];
        ranges[0] = ranges[end - 1];
        ranges[end - 1] = largest;
        sift(ranges, 0, end - 1);
    }
}

/* Sorted ranges become disjoint ones with a gap between each two. */
static size_t merge_ranges(struct airlock_range *ranges, size_t count) {
    size_t merged = 0;
    for (size_t i = 1; i < count; i++) {
        struct airlock_range *current = &ranges[merged];
        if (current->last == INT_MAX || ranges[i].first <= current->last + 1) {
            if (ranges[i].last > current->last)
                current->last = ranges[i].last;
        } else {
            ranges[++merged] = ranges[i];
        }
    }
    return merged + 1;
}

static size_t collect_kept(const struct airlock_command *command, struct airlock_range *ranges) {
    size_t count = 0;
    ranges[count++] = (struct airlock_range){0, 2};
    for (size_t i = 0; i < command->action_count; i++)
        if (is_target(&command->actions[i]) && command->actions[i].fd > 2)
            ranges[count++] = (struct airlock_range){command->actions[i].fd, command->actions[i].fd};
    for (size_t i = 0; i < command->keep_count; i++)
        ranges[count++] = (struct airlock_range){command->keep[i], command->keep[i]};
    for (size_t i = 0; i < command->keep_range_count; i++)
        ranges[count++] = command->keep_ranges[i];
    sort_ranges(ranges, count);
    return merge_ranges(ranges, count);
}

struct holding {
    struct airlock_range *ranges;
    size_t count, bound;
    int highest;
    bool overflow;
};

static void hold(void *to, int number) {
    struct holding *holding = to;
    if (number <= 2 || number > holding->highest)
        return;
    if (holding->count < holding->bound)
        holding->ranges[holding->count++] = (struct airlock_range){number, number};
    else
        holding->overflow = true;
}

/* What lies between the numbers that the child needs was copied by the cut for no reason. */
static size_t collect_held(const struct plan *plan, struct airlock_range *ranges) {
    struct holding holding = {.ranges = ranges, .bound = held_bound(plan->command), .highest = plan->highest_copied};
    if (plan->highest_copied <= 2)
        return 0;
    for (; holding.count < plan->kept_count; holding.count++)
        ranges[holding.count] = plan->kept[holding.count];
    each_needed(plan, hold, &holding);
    each_named(plan, hold, &holding);
    hold(&holding, plan->report_descriptor);
    if (holding.overflow)
        return 0;
    sort_ranges(ranges, holding.count);
    return merge_ranges(ranges, holding.count);
}

void plan_descriptors(struct plan *plan, struct airlock_range *ranges, enum fetching fetching) {
    struct airlock_range *held = ranges + kept_bound(plan->command);
    plan->kept = ranges;
    plan->kept_count = plan->command->seal == AIRLOCK_SEAL ? collect_kept(plan->command, ranges) : 0;
    plan->first_free_number = find_first_free(plan);
    plan->fetch_count = 0;
    if (plan->cut)
        plan_cut(plan, fetching);
    plan->held = held;
    plan->held_count = plan->cut ? collect_held(plan, held) : 0;
}
