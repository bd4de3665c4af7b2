/* The settings of the preloaded library that the command line can give: one table, checked before anything starts. */
#ifndef AIRLOCK_COMMAND_SETTINGS_H
#define AIRLOCK_COMMAND_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

struct setting {
    const char *option;       /* the long option, without its dashes */
    const char *variable;     /* where the library reads it */
    const char *accepted;     /* the accepted values, as a complaint names them */
    const char *const *words; /* the accepted words, up to NULL */
    bool takes_list;          /* a list of descriptors is accepted, too */
    bool takes_file;          /* the name of a policy file is accepted */
};

extern const struct setting settings[];
extern const size_t setting_count;

/* Whether value is accepted; complains when it is not. */
bool setting_check(const struct setting *setting, const char *value);

/* Checks value and puts it into the environment. Complains and returns false when it is not accepted; the environment
 * is then as before. */
bool setting_apply(const struct setting *setting, const char *value);

#endif
