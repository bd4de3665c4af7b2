/* The settings of the preloaded library, as `airlock run` takes them. The library reads the same values from its
 * environment and only warns about a wrong one, since the program must run; here a wrong one ends the command. */
#include "settings.h"

#include "command.h"
#include "policy.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char *const mode_words[] = {"enforce", "audit", "off", NULL};
static const char *const keep_words[] = {"all", NULL};
static const char *const signal_words[] = {"inherit", "pipe", "all", NULL};
static const char *const mask_words[] = {"inherit", "clear", NULL};
static const char *const no_words[] = {NULL};

const struct setting settings[] = {
    {"mode", "AIRLOCK_MODE", "enforce, audit or off", mode_words, false, false},
    {"keep", "AIRLOCK_KEEP", "'all' or up to 64 numbers and ranges from 0 to 2147483647 like 3,7-9", keep_words, true,
     false},
    {"signals", "AIRLOCK_SIGNALS", "inherit, pipe or all", signal_words, false, false},
    {"mask", "AIRLOCK_MASK", "inherit or clear", mask_words, false, false},
    {"policy", "AIRLOCK_POLICY", "the name of a file as airlock-policy(5) describes it", no_words, false, true},
};
const size_t setting_count = sizeof settings / sizeof settings[0];

/* The library keeps its list in memory of fixed size, and drops one that is longer. */
enum { MAX_ITEMS = 64 };

_Static_assert(INT_MAX == 2147483647, "the text about --keep names the largest descriptor");

static bool is_word(const struct setting *setting, const char *value) {
    for (const char *const *word = setting->words; *word != NULL; word++) {
        if (strcmp(value, *word) == 0)
            return true;
    }
    return false;
}

/* strtol alone would take a sign and leading blanks. Moves *text past the digits. */
static const char *parse_descriptor(const char **text, long *number) {
    if (!isdigit((unsigned char)(*text)[0])) {
        bool negative = (*text)[0] == '-' && isdigit((unsigned char)(*text)[1]);
        return negative ? "is negative" : "is neither a number nor a range";
    }
    char *end;
    errno = 0;
    *number = strtol(*text, &end, 10);
    *text = end;
    return errno == ERANGE || *number > INT_MAX ? "is too large" : NULL;
}

/* What is wrong with one item of the list, or NULL. */
static const char *fault_of_item(const char *item) {
    long first = 0;
    long last = 0;
    if (*item == '\0')
        return "is empty";
    const char *fault = parse_descriptor(&item, &first);
    if (fault == NULL && *item == '-') {
        item++;
        fault = *item == '\0' ? "has no end" : parse_descriptor(&item, &last);
        if (fault == NULL && *item == '\0' && last < first)
            fault = "is reversed";
    }
    if (fault == NULL && *item != '\0')
        fault = "is neither a number nor a range";
    return fault;
}

static bool check_items(const struct setting *setting, const char *value, char *list) {
    int count = 0;
    for (char *item = strsep(&list, ","); item != NULL; item = strsep(&list, ",")) {
        const char *fault = fault_of_item(item);
        if (fault != NULL) {
            complain("--%s '%s': the item '%s' %s; accepted are %s", setting->option, value, item, fault,
                     setting->accepted);
            return false;
        }
        if (++count > MAX_ITEMS) {
            complain("--%s '%s': the list has more than %d items; accepted are %s", setting->option, value, MAX_ITEMS,
                     setting->accepted);
            return false;
        }
    }
    return true;
}

static bool check_list(const struct setting *setting, const char *value) {
    char *list = strdup(value);
    if (list == NULL) {
        complain("%s", strerror(errno));
        return false;
    }
    bool accepted = check_items(setting, value, list);
    free(list);
    return accepted;
}

bool setting_check(const struct setting *setting, const char *value) {
    char absolute[PATH_MAX];
    if (setting->takes_file)
        return policy_accept(value, absolute);
    if (is_word(setting, value))
        return true;
    if (setting->takes_list)
        return check_list(setting, value);
    complain("--%s '%s' is unknown; accepted are %s", setting->option, value, setting->accepted);
    return false;
}

bool setting_apply(const struct setting *setting, const char *value) {
    char absolute[PATH_MAX];
    if (setting->takes_file ? !policy_accept(value, absolute) : !setting_check(setting, value))
        return false;
    if (setenv(setting->variable, setting->takes_file ? absolute : value, 1) != 0) {
        complain("%s: %s", setting->variable, strerror(errno));
        return false;
    }
    return true;
}
