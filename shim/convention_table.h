/* The rows of the table of conventions, for the reader of what a child is told. */
#ifndef SHIM_CONVENTION_TABLE_H
#define SHIM_CONVENTION_TABLE_H

/* What a variable or an argument says about descriptors. */
enum form {
    FORM_NUMBER,    /* one number and nothing else */
    FORM_LIST,      /* one number or several, with commas or colons between them */
    FORM_NUMBERS,   /* every number in it: "6;7;" */
    FORM_ASSIGNED,  /* the numbers behind equals signs: "127.0.0.1:9000=7,/run/fpm=8" */
    FORM_FIRST,     /* the number before the first colon: "5:tcp://0.0.0.0:80" */
    FORM_COUNT,     /* so many from 3 on */
    FORM_LISTEN,    /* the same, when they are not meant for this process itself */
    FORM_JOBSERVER, /* make's flags: the last --jobserver-auth=R,W */
    FORM_PIPES,     /* no number: 3 and 4 */
};

/* How much of a variable's name, or of an argument, has to be the row's. */
enum match {
    MATCH_WHOLE,
    MATCH_PREFIX,   /* the name may go on */
    MATCH_NUMBERED, /* the name goes on with digits */
    MATCH_FD_NAME,  /* any name that holds FD, SOCK or PIPE */
    MATCH_FD_ENDS,  /* any option that begins with -- and ends in -fd */
    MATCH_BWRAP,    /* an option of bubblewrap's */
};

struct row {
    const char *name;
    const char *rule; /* for the reader of a record */
    enum form form;
    enum match match;
};

/* A group of rows that are looked for in the same place; first is the number of its first row in the whole table. */
struct group {
    const struct row *rows;
    int count;
    int first;
};

enum { GENERAL, VARIABLES, OPTIONS, KEYS, GROUP_COUNT };
extern const struct group convention_groups[GROUP_COUNT];

enum { INTENT, PATH, SHELL, CLOSES_ITSELF, INHERITED, GENERAL_COUNT };
enum { KEY_APT_STATUS, KEY_APT_KEEP, KEY_FD, KEY_FDS, KEY_COLON, KEY_COLONS, KEY_COUNT };

#endif
